"""Adopting a tokenizer finds or makes special ids; text from data never becomes one of them."""

import numpy as np
import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from secondwind.errors import ModelError, VocabularyError
from secondwind.vocabulary import Vocabulary, encode


def make_tokenizer(*special: str, **names: str) -> PreTrainedTokenizerFast:
    """Train a byte-level BPE on a few words, with special tokens first."""
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=list(special), initial_alphabet=alphabet, show_progress=False
    )
    backend.train_from_iterator(["the cat sat on the mat"] * 20, trainer=trainer)
    return PreTrainedTokenizerFast(tokenizer_object=backend, **names)


def test_a_bare_tokenizer_gets_eos_pad_modes_and_sentinels() -> None:
    tokenizer = make_tokenizer()
    size = len(tokenizer)
    vocabulary = Vocabulary.adopt(tokenizer, num_sentinels=3)
    special = [
        vocabulary.eos,
        vocabulary.pad,
        *(vocabulary.modes[mode] for mode in "RSX"),
        *vocabulary.sentinels,
    ]
    assert special == list(range(size, size + 8))
    assert set(vocabulary.fresh) == set(special)
    assert (tokenizer.eos_token_id, tokenizer.pad_token_id) == (vocabulary.eos, vocabulary.pad)
    assert [vocabulary.names[token] for token in vocabulary.sentinels] == [
        f"<extra_id_{n}>" for n in range(3)
    ]
    assert vocabulary.bos is None
    assert vocabulary.size % 128 == 0 and vocabulary.size > max(special)


def test_own_eos_pad_and_sentinels_are_kept() -> None:
    tokenizer = make_tokenizer("<e>", "<p>", "<extra_id_0>", "<extra_id_1>", eos_token="<e>", pad_token="<p>")
    vocabulary = Vocabulary.adopt(tokenizer, num_sentinels=2, modes=())
    assert (vocabulary.eos, vocabulary.pad, vocabulary.sentinels, vocabulary.fresh) == (0, 1, (2, 3), ())


def test_reserved_tokens_are_used_before_new_ones() -> None:
    reserved = [f"<|reserved_special_token_{n}|>" for n in range(4)]
    tokenizer = make_tokenizer("<e>", *reserved, eos_token="<e>", pad_token="<e>")
    size = len(tokenizer)
    vocabulary = Vocabulary.adopt(tokenizer, num_sentinels=3, modes=("R", "S"))
    assert list(vocabulary.modes.values()) == [1, 2]
    assert vocabulary.sentinels == (3, 4, size)


def test_rows_beyond_the_tokenizer_are_used_before_the_table_grows() -> None:
    tokenizer = make_tokenizer("<e>", eos_token="<e>", pad_token="<e>")
    assert Vocabulary.adopt(tokenizer, num_sentinels=5, embedding_rows=1000).size == 1000


def test_adopting_twice_changes_nothing() -> None:
    tokenizer = make_tokenizer("<e>", eos_token="<e>")
    first = Vocabulary.adopt(tokenizer, num_sentinels=4)
    again = Vocabulary.adopt(tokenizer, num_sentinels=4, embedding_rows=first.size)
    assert (again.sentinels, again.modes, again.size, again.fresh) == (
        first.sentinels,
        first.modes,
        first.size,
        (),
    )


def test_a_tokenizer_with_ids_beyond_the_table_is_refused() -> None:
    with pytest.raises(ModelError, match=r"ids up to \d+, but the model's embedding table has 100 rows"):
        Vocabulary.adopt(make_tokenizer(), num_sentinels=1, embedding_rows=100)


def test_special_strings_in_text_stay_text() -> None:
    tokenizer = make_tokenizer("<e>", eos_token="<e>")
    vocabulary = Vocabulary.adopt(tokenizer, num_sentinels=2)
    text = "the <extra_id_0> cat <e> [R]"
    (ids,) = encode([text], tokenizer)
    assert not set(ids) & vocabulary.reserved
    assert tokenizer.decode(ids) == text
    # Asked directly, the tokenizer would have made it a sentinel.
    assert vocabulary.sentinels[0] in tokenizer("the <extra_id_0>").input_ids


def test_pieces_are_encoded_apart_and_a_target_owns_its_space() -> None:
    tokenizer = make_tokenizer("<e>", eos_token="<e>")
    apart = encode(["the cat", " sat"], tokenizer)
    assert [tokenizer.decode(ids) for ids in apart] == ["the cat", " sat"]
    assert encode([" sat"], tokenizer) == [apart[1]]
    assert encode([], tokenizer) == []


def test_reserved_ids_in_a_document_are_named() -> None:
    vocabulary = Vocabulary.adopt(make_tokenizer(), num_sentinels=2)
    tokens = np.array([5, 6, vocabulary.sentinels[1]], dtype=np.int32)
    with pytest.raises(
        VocabularyError, match=r"document x holds the reserved id \d+ \(<extra_id_1>\) at token 2"
    ):
        vocabulary.refuse_reserved(tokens, "document x")


def test_a_vocabulary_survives_json_and_damage_is_named() -> None:
    vocabulary = Vocabulary.adopt(make_tokenizer(), num_sentinels=2)
    stored = vocabulary.to_json()
    assert Vocabulary.from_json(stored) == vocabulary
    del stored["eos"]
    with pytest.raises(VocabularyError, match="damaged: KeyError"):
        Vocabulary.from_json(stored)
