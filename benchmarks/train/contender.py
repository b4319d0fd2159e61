"""Run one contender in this process and environment.

python -m benchmarks.train.contender NAME job.json answer.json
"""

import sys
from importlib import import_module
from pathlib import Path

import torch
from benchmarks.train.job import Job

NAMES = ("ours", "bare", "hf_trainer", "trl_trainer", "masks")


def main() -> None:
    name, told, answer = sys.argv[1:]
    assert name in NAMES, f"no contender '{name}'; wanted one of {', '.join(NAMES)}"
    job = Job.read(Path(told))
    torch.set_num_threads(job.threads)
    module = import_module(f"benchmarks.train.{name}")
    module.race(job, Path(answer))


if __name__ == "__main__":
    main()
