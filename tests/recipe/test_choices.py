"""The words a recipe may say are those that the rooms below it know; the recipe imports none of them."""

from typing import Any, get_args

import pytest

from secondwind.denoise import named_mixture
from secondwind.model.backend import BackendChoice
from secondwind.model.forward import Attention
from secondwind.recipe import models
from secondwind.training import settings


def choices(section: Any, field: str) -> set[Any]:
    """Return the values that a field of a recipe's section may have."""
    return {*get_args(section.model_fields[field].annotation)}


@pytest.mark.parametrize(
    ("section", "field", "known"),
    [
        (models.TrainingSection, "optimizer", settings.OptimizerName),
        (models.TrainingSection, "on_non_finite", settings.NonFinitePolicy),
        (models.Ul2rSection, "schedule", settings.ScheduleName),
        (models.Ul2rSection, "attention", Attention),
        (models.FlanSection, "attention", Attention),
    ],
)
def test_a_recipe_offers_what_there_is(section: Any, field: str, known: Any) -> None:
    assert choices(section, field) == {*get_args(known)}


def test_precision_and_backends_are_offered_with_auto() -> None:
    assert choices(models.TrainingSection, "precision") == {"auto", *get_args(settings.Precision)}
    # `unpacked` is what is left where nothing else is proven: nobody has to ask for it.
    assert choices(models.ModelSection, "backend") == {*get_args(BackendChoice)} - {"unpacked"}


@pytest.mark.parametrize("name", ["u_palm", "ul2", "t5gemma2", "causal"])
def test_every_mixture_that_a_recipe_can_name_exists(name: str) -> None:
    assert models.Ul2rSection(tokens=1000, learning_rate=1e-3, mixture=name).mixture == name
    assert named_mixture(name)
