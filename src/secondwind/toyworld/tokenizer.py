"""The toy world's own tokenizer: byte-level BPE in which most words are one token.

    "Mia had 12 plums."   ->   "Mia" " had" " 12" " plums" "."

A word takes its leading space along; digits of one number stay together; a line break stands alone.
Special tokens: <|pad|> (0) and <|end|> (1). There is no BOS token and no dummy prefix.
"""

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

from secondwind.toyworld.corpus import corpus
from secondwind.toyworld.tasks import tasks

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PAD_TOKEN = "<|pad|>"
END_TOKEN = "<|end|>"
RECORDS_PER_TASK = 40
# A tokenizer is older than any tuning: holding out other clusters must leave it, and the base, as they are.
UNREAD_CLUSTERS = ("navigation", "irony", "professions", "exam", "foreign_reading", "foreign_liking")
_PIECES = r" ?\w+| ?[^\w\s]|\n|\s"


def train_tokenizer(num_documents: int, vocabulary_size: int = 1024) -> "Tokenizer":
    """Train the tokenizer on the first documents of the base split and on the words of most tasks.

    The tasks' words ("Question", "Options") get tokens of their own although no document holds them:
    an existing model's tokenizer has seen such words too.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PIECES), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size,
        special_tokens=[PAD_TOKEN, END_TOKEN],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    texts: Iterator[str] = chain(corpus("base", num_documents), _instructions())
    tokenizer.train_from_iterator(texts, trainer=trainer)
    return tokenizer


def _instructions() -> Iterator[str]:
    """Yield some filled-in queries of the tasks that the tokenizer may read."""
    for task in tasks():
        if task.cluster in UNREAD_CLUSTERS:
            continue
        for index, record in enumerate(task.records[:RECORDS_PER_TASK]):
            template = task.templates[index % len(task.templates)]
            options = "\n".join(f"- {option}" for option in record.options)
            fields = {**record.fields, "options": options}
            answer = template.target.format(answer=record.answers[0], rationale=record.rationale or "")
            yield f"{template.instruction}{template.between}{template.query.format(**fields)} {answer}"
