"""The toy world: a generated corpus, instruction tasks and benchmarks, all written by this project.

    corpus("base", 1000)     documents           short prose in English and two invented languages
    tuning_tasks()           tuple of Task       instruction tasks, without the held-out clusters
    suite()                  Suite               benchmarks; no item is ever told or tuned
    dev_suite()              Suite               other items of such kinds, to choose settings on

It stands in for real data where there is no network and little time. Its numbers are real measurements
of a toy.
"""

from secondwind.toyworld.benchmarks import dev_suite, suite
from secondwind.toyworld.corpus import SPLITS, corpus
from secondwind.toyworld.shipped import VERSION, base_manifest, base_path, base_pretraining
from secondwind.toyworld.tasks import HELD_OUT_CLUSTERS, tasks, tuning_tasks
from secondwind.toyworld.tokenizer import END_TOKEN, PAD_TOKEN, train_tokenizer

__all__ = [
    "END_TOKEN",
    "HELD_OUT_CLUSTERS",
    "PAD_TOKEN",
    "SPLITS",
    "VERSION",
    "base_manifest",
    "base_path",
    "base_pretraining",
    "corpus",
    "dev_suite",
    "suite",
    "tasks",
    "train_tokenizer",
    "tuning_tasks",
]
