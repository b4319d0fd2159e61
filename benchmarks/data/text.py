"""A tokenizer for benchmarks: a byte-level BPE trained on the beginning of a text."""

from collections.abc import Iterator

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from secondwind.data import Faults, read_documents

_TRAINED_IDS, _TRAINING_CHARACTERS, _MOST_OF_ONE = 16_384, 20_000_000, 1_000_000


def trained_tokenizer(path: str) -> Tokenizer:
    """Train on the first documents of a file."""

    def texts() -> Iterator[str]:
        characters = 0
        for document in read_documents(path, faults=Faults()):
            yield document.text[:_MOST_OF_ONE]
            characters += len(document.text)
            if characters > _TRAINING_CHARACTERS:
                return

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=_TRAINED_IDS, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(texts(), trainer)
    return tokenizer
