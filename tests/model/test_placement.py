"""Where a model computes, and the backend that goes with it."""

import pytest

from secondwind.errors import ModelError
from secondwind.model.placement import placed
from tests.model.conftest import CONFIGS, make_model


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_model_that_stays_on_the_cpu_keeps_what_was_proven_there(precision: str) -> None:
    model = make_model(CONFIGS["llama"])
    assert placed(model, "cpu", precision=precision) is model  # type: ignore[arg-type]


def test_a_backend_that_is_asked_for_is_chosen_anew() -> None:
    model = placed(make_model(CONFIGS["llama"]), "cpu", backend="dense")
    assert (model.backend, model.backend_reason) == ("dense", "asked for")


def test_a_backend_that_cannot_be_used_there_is_refused() -> None:
    with pytest.raises(ModelError, match="cannot use backend='flex': FlexAttention cannot train on 'cpu'"):
        placed(make_model(CONFIGS["llama"]), "cpu", backend="flex")
