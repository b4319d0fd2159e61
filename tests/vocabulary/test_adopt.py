"""Adopting a tokenizer finds or makes special ids, whatever kind it is, and twice is the same as once."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tokenizers import AddedToken, Tokenizer, normalizers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from secondwind.errors import ModelError, TooFewSentinels, VocabularyError
from secondwind.vocabulary import Vocabulary, encode
from tests.vocabulary.makers import TOKENIZERS, bare, gemma_like, llama3_like, t5_like, unigram_first


def meanings(vocabulary: Vocabulary) -> tuple[object, ...]:
    """Return which id means what, without what was new about it."""
    return (
        vocabulary.eos,
        vocabulary.pad,
        vocabulary.bos,
        dict(vocabulary.modes),
        vocabulary.sentinels,
        vocabulary.size,
        dict(vocabulary.names),
    )


def with_special(*special: str, **roles: str) -> PreTrainedTokenizerFast:
    tokenizer = bare()
    tokenizer.add_tokens(list(special), special_tokens=True)
    tokenizer.add_special_tokens(dict(roles))
    return tokenizer


def test_a_bare_tokenizer_gets_eos_pad_modes_and_sentinels() -> None:
    tokenizer = bare()
    size = len(tokenizer)
    vocabulary = Vocabulary.adopt(tokenizer, num_sentinels=3)
    modes = (vocabulary.modes[mode] for mode in "RSX")
    special = [vocabulary.eos, vocabulary.pad, *modes, *vocabulary.sentinels]
    assert special == list(range(size, size + 8))
    assert set(vocabulary.fresh) == set(special)
    assert (tokenizer.eos_token_id, tokenizer.pad_token_id) == (vocabulary.eos, vocabulary.pad)
    assert [vocabulary.names[token] for token in vocabulary.sentinels] == [
        f"<extra_id_{number}>" for number in range(3)
    ]
    assert vocabulary.bos is None
    assert vocabulary.size % 128 == 0 and vocabulary.size > max(special)


@pytest.mark.parametrize("name", TOKENIZERS)
def test_every_meaning_has_an_id_of_its_own_below_the_table(name: str) -> None:
    tokenizer = TOKENIZERS[name]()
    vocabulary = Vocabulary.adopt(tokenizer, num_sentinels=40)
    ids = [*vocabulary.modes.values(), *vocabulary.sentinels]
    assert len(set(ids)) == 43
    assert not {vocabulary.eos, vocabulary.pad, vocabulary.bos} & set(ids)
    assert max(vocabulary.reserved) < vocabulary.size
    assert vocabulary.room == vocabulary.size - len(tokenizer)
    stored = tokenizer.get_vocab()
    assert all(stored[text] == token for token, text in vocabulary.names.items())
    assert vocabulary.names.keys() == vocabulary.reserved
    assert not set(vocabulary.spare) & vocabulary.reserved


@pytest.mark.parametrize("name", TOKENIZERS)
def test_adopting_twice_changes_nothing(name: str) -> None:
    tokenizer = TOKENIZERS[name]()
    first = Vocabulary.adopt(tokenizer, num_sentinels=40)
    before = tokenizer.backend_tokenizer.to_str()
    again = Vocabulary.adopt(tokenizer, num_sentinels=40, embedding_rows=first.size)
    assert meanings(again) == meanings(first)
    assert tokenizer.backend_tokenizer.to_str() == before


@pytest.mark.parametrize("name", TOKENIZERS)
def test_an_adopted_tokenizer_is_the_same_after_a_plain_folder(name: str, tmp_path: Path) -> None:
    tokenizer = TOKENIZERS[name]()
    vocabulary = Vocabulary.adopt(tokenizer, num_sentinels=40)
    tokenizer.save_pretrained(tmp_path)
    again = AutoTokenizer.from_pretrained(tmp_path)
    assert again.get_vocab() == tokenizer.get_vocab()
    pieces = ["The cat", " sat on <extra_id_3> the mat.\n"]
    assert encode(pieces, again) == encode(pieces, tokenizer)
    assert again("The cat sat.").input_ids == TOKENIZERS[name]()("The cat sat.").input_ids
    adopted = Vocabulary.adopt(again, num_sentinels=40, embedding_rows=vocabulary.size)
    assert meanings(adopted) == meanings(vocabulary)


@pytest.mark.parametrize("name", TOKENIZERS)
def test_adopting_more_keeps_what_was_adopted(name: str) -> None:
    tokenizer = TOKENIZERS[name]()
    few = Vocabulary.adopt(tokenizer, num_sentinels=2, modes=("R",))
    more = Vocabulary.adopt(tokenizer, num_sentinels=35, embedding_rows=few.size, earlier=few)
    assert more.sentinels[:2] == few.sentinels
    assert more.modes["R"] == few.modes["R"]
    assert len({*more.modes.values(), *more.sentinels}) == 38
    assert set(more.fresh) >= set(few.fresh)
    fewer = Vocabulary.adopt(tokenizer, num_sentinels=1, modes=(), embedding_rows=more.size, earlier=more)
    assert meanings(fewer) == meanings(more)


def test_own_eos_pad_and_sentinels_are_kept() -> None:
    vocabulary = Vocabulary.adopt(t5_like(), num_sentinels=2, modes=())
    assert (vocabulary.eos, vocabulary.pad, vocabulary.sentinels, vocabulary.fresh) == (1, 0, (3, 4), ())


def test_reserved_tokens_are_used_before_new_ones() -> None:
    reserved = [f"<|reserved_special_token_{number}|>" for number in range(4)]
    tokenizer = with_special("<e>", *reserved, eos_token="<e>", pad_token="<e>")
    end = tokenizer.eos_token_id
    vocabulary = Vocabulary.adopt(tokenizer, num_sentinels=3, modes=("R", "S"))
    assert list(vocabulary.modes.values()) == [end + 1, end + 2]
    assert vocabulary.sentinels == (end + 3, end + 4, end + 5)
    assert vocabulary.names[end + 5] == "<extra_id_2>"


def test_a_reserved_token_that_has_a_role_is_not_adopted() -> None:
    reserved = [f"<|reserved_special_token_{number}|>" for number in range(3)]
    tokenizer = with_special("<e>", *reserved, eos_token="<e>", pad_token=reserved[0])
    vocabulary = Vocabulary.adopt(tokenizer, num_sentinels=1, modes=("R",))
    assert vocabulary.names[vocabulary.pad] == reserved[0]
    assert vocabulary.names[vocabulary.modes["R"]] == reserved[1]


def test_rows_beyond_the_tokenizer_are_used_before_the_table_grows() -> None:
    vocabulary = Vocabulary.adopt(bare(), num_sentinels=5, embedding_rows=1000)
    assert (vocabulary.size, vocabulary.room) == (1000, 1000 - 610)


def test_a_table_that_is_too_small_grows_to_a_multiple_of_128() -> None:
    assert Vocabulary.adopt(bare(), num_sentinels=5, embedding_rows=605).size == 640


def test_an_ordinary_token_of_a_mode_tokens_spelling_stays_text() -> None:
    tokenizer = bare()
    tokenizer.add_tokens([AddedToken("[R]", special=False)])
    vocabulary = Vocabulary.adopt(tokenizer, num_sentinels=1)
    assert vocabulary.names[vocabulary.modes["R"]] == "<|secondwind:[R]|>"
    (ids,) = encode(["see [R] there"], tokenizer)
    assert tokenizer.convert_tokens_to_ids("[R]") in ids
    assert not set(ids) & vocabulary.reserved
    again = Vocabulary.adopt(tokenizer, num_sentinels=1, embedding_rows=vocabulary.size)
    assert meanings(again) == meanings(vocabulary)


def test_a_pad_token_that_text_can_become_gets_a_successor() -> None:
    tokenizer = unigram_first()
    unknown = tokenizer.unk_token_id
    assert tokenizer.pad_token_id == unknown
    vocabulary = Vocabulary.adopt(tokenizer, num_sentinels=2)
    assert vocabulary.names[vocabulary.pad] == "<|pad|>"
    (ids,) = encode(["a ꙮ b"], tokenizer)
    assert unknown in ids and not set(ids) & vocabulary.reserved


def test_a_pad_token_for_unknown_characters_is_kept_where_bytes_stand_in_for_them() -> None:
    tokenizer = TOKENIZERS["Llama-2-like"]()
    assert Vocabulary.adopt(tokenizer, num_sentinels=2).pad == tokenizer.unk_token_id


@pytest.mark.parametrize(
    ("name", "bos"),
    [
        ("GPT-2-like", None),  # names a BOS, which is its EOS, and uses it nowhere
        ("Pythia-like", None),
        ("RoBERTa-like", "<s>"),  # the template adds EOS too
        ("OPT-like", "</s>"),  # BOS and EOS are one token, and it stands first
        ("Llama-3-like", "<|begin_of_text|>"),
        ("Qwen-like", None),
        ("bare", None),
        ("Llama-2-like", "<s>"),
        ("Gemma-like", "<bos>"),
        ("T5-like", None),  # EOS behind text, no BOS
        ("Unigram", "<s>"),
        ("BERT-like", None),
    ],
)
def test_bos_is_what_the_tokenizer_puts_before_text(name: str, bos: str | None) -> None:
    vocabulary = Vocabulary.adopt(TOKENIZERS[name](), num_sentinels=1)
    assert (None if vocabulary.bos is None else vocabulary.names[vocabulary.bos]) == bos


def test_an_eos_behind_a_text_that_vanishes_is_no_bos() -> None:
    tokenizer = t5_like()
    tokenizer.add_special_tokens({"bos_token": "</s>"})
    tokenizer.backend_tokenizer.normalizer = normalizers.Replace("a", "")
    assert tokenizer("a").input_ids == [tokenizer.bos_token_id]
    assert Vocabulary.adopt(tokenizer, num_sentinels=1).bos is None


def test_a_tokenizer_with_ids_beyond_the_table_is_refused_and_left_alone() -> None:
    tokenizer = bare()
    before = tokenizer.get_vocab()
    with pytest.raises(ModelError, match=r"ids up to 599, but the model's embedding table has 100 rows"):
        Vocabulary.adopt(tokenizer, num_sentinels=1, embedding_rows=100)
    assert tokenizer.get_vocab() == before


def test_a_tokenizer_that_takes_no_new_tokens_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = t5_like()
    monkeypatch.setattr(tokenizer, "add_tokens", lambda *_, **__: 0)
    assert Vocabulary.adopt(tokenizer, num_sentinels=100, modes=()).num_sentinels == 100
    with pytest.raises(VocabularyError, match=r"did not take 2 of 2 new tokens, first '<extra_id_100>'"):
        Vocabulary.adopt(tokenizer, num_sentinels=102, modes=())


def test_a_tokenizer_with_gaps_that_would_use_an_id_twice_is_named() -> None:
    state = json.loads(bare().backend_tokenizer.to_str())
    state["model"]["vocab"] |= {"spare": 605}  # 601 tokens: the fifth new one would get 605 too
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(json.dumps(state)))
    with pytest.raises(VocabularyError, match="the id 605, which another token has: its ids have gaps"):
        Vocabulary.adopt(tokenizer, num_sentinels=5)


def test_too_few_sentinels_says_where_more_would_come_from() -> None:
    gemma = Vocabulary.adopt(gemma_like(), num_sentinels=10)
    gemma.require_sentinels(10, "the recipe")
    with pytest.raises(
        TooFewSentinels,
        match=r"the recipe needs 20 sentinels, but the vocabulary has 10\. The other 10 would come from "
        r"10 reserved ids of the tokenizer\. .*num_sentinels=20",
    ):
        gemma.require_sentinels(20, "the recipe")
    llama = Vocabulary.adopt(llama3_like(), num_sentinels=10, embedding_rows=640)
    assert (len(llama.spare), llama.room, llama.size) == (16, 8, 640)
    with pytest.raises(
        TooFewSentinels, match=r"16 reserved ids of the tokenizer and 8 new tokens \(the em.*room"
    ):
        llama.require_sentinels(34, "the recipe")
    with pytest.raises(
        TooFewSentinels, match=r"and 9 new tokens \(the embedding table grows from 640 to 768 rows\)"
    ):
        llama.require_sentinels(35, "the recipe")


@pytest.mark.parametrize(("name", "wanted"), [("Llama-3-like", 35), ("T5-like", 110), ("bare", 150)])
def test_more_sentinels_come_from_where_the_error_said(name: str, wanted: int) -> None:
    tokenizer = TOKENIZERS[name]()
    few = Vocabulary.adopt(tokenizer, num_sentinels=10)
    with pytest.raises(TooFewSentinels) as raised:
        few.require_sentinels(wanted, "it")
    num_ids = len(tokenizer)
    more = Vocabulary.adopt(tokenizer, num_sentinels=wanted, embedding_rows=few.size, earlier=few)
    num_new = len(tokenizer) - num_ids
    assert f"{num_new} new tokens" in str(raised.value)
    assert (f"to {more.size:,} rows" in str(raised.value)) == (more.size > few.size)
    assert more.sentinels[10 : wanted - num_new] == few.spare


def test_reserved_ids_in_a_document_are_named() -> None:
    vocabulary = Vocabulary.adopt(bare(), num_sentinels=2)
    tokens = np.array([5, 6, vocabulary.sentinels[1]], dtype=np.int32)
    with pytest.raises(
        VocabularyError, match=r"document x holds the reserved id \d+ \(<extra_id_1>\) at token 2"
    ):
        vocabulary.refuse_reserved(tokens, "document x")


def test_a_vocabulary_survives_json_and_damage_is_named() -> None:
    vocabulary = Vocabulary.adopt(llama3_like(), num_sentinels=2)
    stored = vocabulary.to_json()
    assert Vocabulary.from_json(stored) == vocabulary
    del stored["eos"]
    with pytest.raises(VocabularyError, match="damaged: KeyError"):
        Vocabulary.from_json(stored)


@pytest.mark.parametrize(("mode", "meaning"), [("PAD", "pad"), ("UNK", "unk")])
def test_a_mode_whose_token_means_something_else_is_refused(mode: str, meaning: str) -> None:
    with pytest.raises(
        VocabularyError, match=rf"mode '{mode}' would be the token \[{mode}\], which is the {meaning}"
    ):
        Vocabulary.adopt(TOKENIZERS["BERT-like"](), num_sentinels=2, modes=("R", mode))


def test_an_earlier_vocabulary_of_another_tokenizer_is_named() -> None:
    earlier = Vocabulary.adopt(TOKENIZERS["Gemma-like"](), num_sentinels=2)
    with pytest.raises(VocabularyError, match="not the one that secondwind.json was made for"):
        Vocabulary.adopt(TOKENIZERS["GPT-2-like"](), num_sentinels=2, earlier=earlier)


def test_an_earlier_vocabulary_without_names_is_refused() -> None:
    earlier = replace(Vocabulary.adopt(TOKENIZERS["GPT-2-like"](), num_sentinels=2), names={})
    with pytest.raises(VocabularyError, match="does not name the ids"):
        Vocabulary.adopt(TOKENIZERS["GPT-2-like"](), num_sentinels=2, earlier=earlier)


def test_an_id_beyond_the_table_is_named() -> None:
    vocabulary = Vocabulary.adopt(TOKENIZERS["GPT-2-like"](), num_sentinels=2)
    with pytest.raises(VocabularyError, match=f"holds the id {vocabulary.size} at token 1, but the table"):
        vocabulary.refuse_reserved(np.array([5, vocabulary.size], np.int32), "the document")
