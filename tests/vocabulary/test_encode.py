"""Text becomes ids piece by piece, nothing is added to a piece, and the user's tokenizer stays as it is."""

import gc
import json
import weakref
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from secondwind.errors import VocabularyError
from secondwind.vocabulary import Vocabulary, decode, encode
from secondwind.vocabulary import text as boundary
from tests.vocabulary.makers import EXACT, TOKENIZERS, bare, bert_like, llama2_like, t5_like, unigram_first

SPECIAL = (
    "<s>",
    "</s>",
    "<unk>",
    "<pad>",
    "<extra_id_0>",
    "<extra_id_39>",
    "[R]",
    "[CLS]",
    "[UNK]",
    "[unused5]",
    "<unused7>",
    "<|endoftext|>",
    "<|end|>",
    "<|reserved_special_token_3|>",
    "<bos>",
    "<0x41>",
)
# U+2581 is how SentencePiece writes a space, so no such tokenizer can tell the two apart.
CHARACTERS = st.characters(codec="utf-8", exclude_characters="▁")
TEXT = st.lists(
    st.one_of(
        st.text(CHARACTERS, max_size=8),
        st.sampled_from(SPECIAL),
        st.sampled_from((" ", "  ", "\n", "\n\n", " the", "The cat", " sat on the mat.")),
    ),
    max_size=6,
).map("".join)


@cache
def adopted(name: str) -> tuple[PreTrainedTokenizerFast, Vocabulary]:
    tokenizer = TOKENIZERS[name]()
    return tokenizer, Vocabulary.adopt(tokenizer, num_sentinels=40)


def joined(pieces: list[list[int]]) -> list[int]:
    return [token for piece in pieces for token in piece]


def with_parts(tokenizer: PreTrainedTokenizerFast, **parts: Any) -> PreTrainedTokenizerFast:
    for name, part in parts.items():
        setattr(tokenizer.backend_tokenizer, name, part)
    return tokenizer


@pytest.mark.parametrize("name", EXACT)
@given(pieces=st.lists(TEXT, max_size=4))
@example(pieces=["The cat", " sat"])
@example(pieces=[" The cat ", "", "sat"])
def test_pieces_together_decode_to_the_text(name: str, pieces: list[str]) -> None:
    tokenizer, _ = adopted(name)
    if tokenizer.backend_tokenizer.normalizer is not None and name in ("Pythia-like", "Qwen-like"):
        pieces = [tokenizer.backend_tokenizer.normalizer.normalize_str(piece) for piece in pieces]
    ids = encode(pieces, tokenizer)
    assert len(ids) == len(pieces)
    assert decode(joined(ids), tokenizer) == "".join(pieces)


@pytest.mark.parametrize("name", TOKENIZERS)
@given(text=TEXT)
@example(text="".join(SPECIAL))
@example(text=" ".join(SPECIAL))
def test_no_text_becomes_a_special_token(name: str, text: str) -> None:
    tokenizer, vocabulary = adopted(name)
    (ids,) = encode([text], tokenizer)
    assert not set(ids) & vocabulary.reserved
    assert not set(ids) & set(vocabulary.spare)


@pytest.mark.parametrize("name", TOKENIZERS)
@given(text=TEXT)
@example(text="don't do not . , ! the\ncat")
@example(text="the\n  cat \r  ")
def test_decoded_ids_encode_to_themselves(name: str, text: str) -> None:
    tokenizer, _ = adopted(name)
    (ids,) = encode([text], tokenizer)
    if tokenizer.unk_token_id not in ids:  # an unknown character is lost
        assert encode([decode(ids, tokenizer)], tokenizer) == [ids]


@pytest.mark.parametrize("name", ["RoBERTa-like", "Llama-2-like", "T5-like", "Unigram"])
@given(words=st.lists(st.sampled_from(("The", "cat", "sat", "on", "a", "mat.", "24", "doesn't")), min_size=1))
def test_a_space_before_a_text_gives_the_tokenizers_own_ids(name: str, words: list[str]) -> None:
    tokenizer, _ = adopted(name)
    text = " ".join(words)
    own = tokenizer(text, add_special_tokens=False).input_ids
    assert encode([f" {text}"], tokenizer) == [own]
    assert encode([text], tokenizer) != [own]


# Two spaces before a line break are left out: there the converted tokenizer writes a lone mark that the
# original, which joins all white space, never wrote. The copy follows the original.
@given(words=st.lists(st.sampled_from((" The", "  cat", "\nsat.", "\n  mat", "\t\n on")), min_size=1))
def test_any_white_space_between_words_is_read_as_the_tokenizer_reads_it(words: list[str]) -> None:
    tokenizer, _ = adopted("T5-like")
    text = "".join(words).lstrip()
    assert encode([f" {text}"], tokenizer) == [tokenizer(text, add_special_tokens=False).input_ids]


@pytest.mark.parametrize("name", TOKENIZERS)
def test_a_target_owns_the_space_before_it(name: str) -> None:
    tokenizer, _ = adopted(name)
    apart = encode(["The cat", " sat"], tokenizer)
    assert [encode([" sat"], tokenizer)[0], encode(["The cat"], tokenizer)[0]] == [apart[1], apart[0]]
    if name != "BERT-like":
        assert [decode(ids, tokenizer) for ids in apart] == ["The cat", " sat"]
    assert encode([], tokenizer) == []


@pytest.mark.parametrize("name", TOKENIZERS)
def test_the_tokenizer_stays_as_its_maker_wrote_it(name: str) -> None:
    tokenizer = TOKENIZERS[name]()
    before, own = tokenizer.backend_tokenizer.to_str(), tokenizer("The <s> cat").input_ids
    ids = encode(["The <s> cat"], tokenizer)
    decode(ids[0], tokenizer)
    assert tokenizer.backend_tokenizer.to_str() == before
    assert tokenizer("The <s> cat").input_ids == own
    assert not tokenizer.backend_tokenizer.encode_special_tokens


@pytest.mark.parametrize("scheme", ["always", "first"])
def test_every_way_to_write_llamas_dummy_prefix_gives_the_same_ids(scheme: Any) -> None:
    metaspace = pre_tokenizers.Metaspace(prepend_scheme=scheme, split=False)
    other = with_parts(llama2_like(), normalizer=normalizers.Replace("ﬁ", "fi"), pre_tokenizer=metaspace)
    pieces = ["The cat", " sat", "\nThe  mat ", ""]
    assert encode(pieces, other) == encode(pieces, llama2_like())
    assert decode(joined(encode(pieces, other)), other) == "".join(pieces)


def test_words_that_are_split_and_marked_keep_their_marks_but_the_first() -> None:
    tokenizer = t5_like()
    own = tokenizer("the cat\nsat", add_special_tokens=False).tokens()
    (ids,) = encode(["the cat\nsat"], tokenizer)
    ours = tokenizer.convert_ids_to_tokens(ids)
    assert own[0].startswith("▁") and not ours[0].startswith("▁")
    assert [token for token in ours if token.startswith("▁")] == [
        token for token in own[1:] if token.startswith("▁")
    ]


def test_marks_behind_another_splitter_stay_since_the_model_learned_them() -> None:
    marked = pre_tokenizers.Sequence([pre_tokenizers.Punctuation(), pre_tokenizers.Metaspace()])
    tokenizer = with_parts(t5_like(), pre_tokenizer=marked, normalizer=None)
    (ids,) = encode(["the cat."], tokenizer)
    assert ids == tokenizer("the cat.", add_special_tokens=False).input_ids


@pytest.mark.parametrize(
    "parts",
    [
        {"normalizer": normalizers.Strip()},
        {"normalizer": normalizers.Sequence([normalizers.NFC(), normalizers.Strip(right=False)])},
        {"normalizer": normalizers.Sequence([normalizers.Sequence([normalizers.Prepend(" ")])])},
        {"pre_tokenizer": pre_tokenizers.ByteLevel(add_prefix_space=True)},
        {
            "pre_tokenizer": pre_tokenizers.Sequence(
                [pre_tokenizers.Sequence([pre_tokenizers.ByteLevel(add_prefix_space=True)])]
            )
        },
        {"decoder": decoders.Sequence([decoders.ByteLevel(), decoders.Strip(" ", 1, 0)])},
    ],
    ids=["strip", "strip left", "prepend", "byte level", "nested", "decoder"],
)
def test_the_ends_of_a_piece_are_kept(parts: dict[str, Any]) -> None:
    tokenizer = with_parts(bare(), **parts)
    for text in ("cat", " cat", "  cat \n"):
        assert decode(encode([text], tokenizer)[0], tokenizer) == text


def test_unigram_pieces_that_spell_special_tokens_are_never_chosen() -> None:
    tokenizer = t5_like()
    # The trap: not read as special, the strings are still pieces of the model, and its best ones.
    split = tokenizer(["a </s> <extra_id_7>"], add_special_tokens=False, split_special_tokens=True).input_ids[
        0
    ]
    assert {1, tokenizer.convert_tokens_to_ids("<extra_id_7>")} <= set(split)
    (ids,) = encode(["a </s> <extra_id_7>"], tokenizer)
    assert not {1, tokenizer.convert_tokens_to_ids("<extra_id_7>")} & set(ids)


def test_reserved_tokens_that_are_added_as_ordinary_ones_stay_text() -> None:
    tokenizer = TOKENIZERS["Qwen-like"]()
    tokenizer.add_tokens([AddedToken("<|dummy_3|>", special=False), AddedToken("quokka", special=False)])
    vocabulary = Vocabulary.adopt(tokenizer, num_sentinels=1, modes=())
    assert vocabulary.names[vocabulary.sentinels[0]] == "<|dummy_3|>"
    (ids,) = encode(["a <|dummy_3|> quokka"], tokenizer)
    assert vocabulary.sentinels[0] not in ids and ids[-1] == tokenizer.convert_tokens_to_ids("quokka")


def test_bpe_merges_cannot_spell_a_special_token() -> None:
    model = models.BPE(
        vocab={"<": 0, "/": 1, "s": 2, ">": 3, "</": 4, "s>": 5, "</s>": 6},
        merges=[("<", "/"), ("s", ">"), ("</", "s>")],
    )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(model), eos_token="</s>")
    assert tokenizer(["</s>"], split_special_tokens=True).input_ids == [[6]]
    assert encode(["</s>"], tokenizer) == [[4, 5]]


def test_merges_are_not_dropped_at_random() -> None:
    tokenizer = llama2_like()
    tokenizer.backend_tokenizer.model.dropout = 0.9
    whole = encode(["The cat sat on the mat."], llama2_like())
    assert [encode(["The cat sat on the mat."], tokenizer) for _ in range(5)] == [whole] * 5


def test_pieces_are_neither_cut_nor_padded() -> None:
    tokenizer = bare()
    wanted = encode(["a", "the cat sat on the mat"], tokenizer)
    tokenizer.backend_tokenizer.enable_truncation(2)
    tokenizer.backend_tokenizer.enable_padding(length=40)
    tokenizer.add_tokens(["something new"])  # so that the copy is made again
    assert encode(["a", "the cat sat on the mat"], tokenizer) == wanted


def test_tokens_added_later_are_noticed() -> None:
    tokenizer = bare()
    assert len(encode(["quokka"], tokenizer)[0]) > 1
    tokenizer.add_tokens(["quokka"])
    assert encode(["quokka"], tokenizer) == [[tokenizer.convert_tokens_to_ids("quokka")]]


def test_copies_are_forgotten_with_their_tokenizer() -> None:
    tokenizer = bare()
    encode(["a"], tokenizer)
    gc.collect()
    known = len(boundary._BOUNDARIES)
    gone = weakref.ref(tokenizer.backend_tokenizer)
    del tokenizer
    gc.collect()
    assert gone() is None
    assert len(boundary._BOUNDARIES) == known - 1


def test_threads_share_a_tokenizer() -> None:
    tokenizer, shared = TOKENIZERS["Llama-2-like"](), TOKENIZERS["Llama-2-like"]()
    texts = [f"The cat <s> sat {number} times" for number in range(200)]
    alone = [encode([text], tokenizer) for text in texts]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda text: encode([text], shared), texts)) == alone


def test_word_piece_text_loses_case_and_spaces_but_its_ids_are_stable() -> None:
    tokenizer = bert_like()
    (ids,) = encode(["The  Cat doesn't\nsit."], tokenizer)
    assert decode(ids, tokenizer) == "the cat doesn ' t sit ."
    assert encode([decode(ids, tokenizer)], tokenizer) == [ids]


def test_unknown_characters_are_visible_in_the_decoded_text() -> None:
    tokenizer = unigram_first()
    assert decode(encode(["the ꙮ cat"], tokenizer)[0], tokenizer) == "the <unk> cat"


def test_rows_beyond_the_tokenizer_have_no_text() -> None:
    tokenizer = bare()
    assert decode([*encode(["the cat"], tokenizer)[0], 900], tokenizer) == "the cat"


def test_a_decoder_that_only_strips_becomes_one_that_only_joins() -> None:
    model = models.BPE(vocab={" ": 0, "a": 1, "b": 2}, merges=[])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(model))
    with_parts(tokenizer, decoder=decoders.Strip(" ", 1, 0))
    assert decode(encode([" a b"], tokenizer)[0], tokenizer) == " a b"


def test_tokens_are_joined_by_spaces_where_there_is_no_decoder() -> None:
    model = models.WordLevel(vocab={"a": 0, "b": 1, "?": 2}, unk_token="?")
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(model))
    with_parts(tokenizer, pre_tokenizer=pre_tokenizers.Whitespace())
    assert decode(encode(["a b"], tokenizer)[0], tokenizer) == "a b" == tokenizer.decode([0, 1])


def test_a_tokenizer_with_parts_in_python_is_refused() -> None:
    class Splitter:
        def pre_tokenize(self, text: Any) -> None:
            raise NotImplementedError

    own: Any = pre_tokenizers.PreTokenizer
    tokenizer = with_parts(bare(), pre_tokenizer=own.custom(Splitter()))
    with pytest.raises(VocabularyError, match="cannot be copied"):
        encode(["a"], tokenizer)


def test_added_tokens_keep_their_ids_where_the_vocabulary_has_gaps() -> None:
    state = json.loads(bare().backend_tokenizer.to_str())
    state["model"] |= {"vocab": state["model"]["vocab"] | {"spare": 700}, "merges": []}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(json.dumps(state)))
    tokenizer.add_tokens(["quokka"])
    assert encode(["quokka"], tokenizer) == [[tokenizer.convert_tokens_to_ids("quokka")]]


def test_a_bare_text_is_no_list_of_pieces() -> None:
    with pytest.raises(VocabularyError, match=r"one text of 3 characters; wanted a list of pieces"):
        encode("abc", TOKENIZERS["GPT-2-like"]())
