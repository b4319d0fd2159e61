"""What is drawn is what is trained on: examples read back from rows, each token under its masks."""

import numpy as np
import pytest

from secondwind.denoise import restore
from secondwind.errors import RecipeError
from secondwind.model.load import load_tokenizer
from secondwind.study.ask import model_folder
from secondwind.study.drawing import draw_text
from secondwind.vocabulary import Vocabulary, encode

SENTENCE = "Anna lives in the green house by the river."
TOY = "toyworld:base"


def test_each_family_is_drawn_and_its_row_holds_the_sentence() -> None:
    tokenizer = load_tokenizer(model_folder(TOY))
    (tokens,) = encode([SENTENCE], tokenizer)
    vocabulary = Vocabulary.adopt(tokenizer, num_sentinels=10)
    drawn = draw_text(SENTENCE, [], model=TOY, seed=0)
    assert [text.denoiser.name for text in drawn] == ["R-3-15", "S", "X-3-50", "C"]
    for text in drawn:
        (example,) = text.row.examples
        assert restore(example, vocabulary).tolist() == tokens
        assert len(text.spelled) == text.row.num_tokens == len(text.row.row.loss_mask)


def test_pieces_say_what_is_given_and_what_is_learned() -> None:
    (text,) = draw_text(SENTENCE, ["S"], model=TOY, seed=0)
    (segment,) = text.row.segments
    given = "".join(piece.text for piece in segment.pieces if not piece.target)
    learned = "".join(piece.text for piece in segment.pieces if piece.target)
    assert given.startswith("[S]") and learned.endswith(" EOS")
    assert given.removeprefix("[S]") + learned.removesuffix(" EOS") == SENTENCE
    assert text.spelled[0] == "[S]" and text.spelled[-1] == "EOS"


def test_the_seed_moves_the_noise() -> None:
    drawn = [draw_text(SENTENCE, ["X"], model=TOY, seed=seed)[0].row.row.tokens for seed in (0, 0, 1)]
    assert np.array_equal(drawn[0], drawn[1]) and not np.array_equal(drawn[0], drawn[2])


def test_a_text_of_one_token_is_drawn_as_causal() -> None:
    (text,) = draw_text("A", ["X"], model=TOY, seed=0)
    assert (text.denoiser.name, text.num_tokens, text.spelled) == ("C", 1, ("A", "EOS"))


def test_an_empty_text_is_refused() -> None:
    with pytest.raises(RecipeError, match="--text is empty"):
        draw_text("", ["X"], model=TOY, seed=0)
