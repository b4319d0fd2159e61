"""What a recipe can say and this version cannot do yet: refused, or said aloud, never ignored."""

from secondwind.errors import RecipeError
from secondwind.model.adapter import require_peft
from secondwind.recipe import Recipe


def refuse_unbuilt(recipe: Recipe) -> None:
    """Raise for every setting that would otherwise have no effect, and for an adapter without its package.

    Raises:
        RecipeError: names all of them.
        ModelError: peft is not installed, and the recipe asks for an adapter.
    """
    if recipe.model is not None and recipe.model.adapter is not None:
        require_peft()
    tasks = recipe.flan.sources if recipe.flan else ()
    unbuilt = {
        "corpus.engine: ray": recipe.corpus is not None and recipe.corpus.engine == "ray",
        "flan.sources.rate": any(source.rate != 1 for source in tasks),
        "training.parallel: fsdp": recipe.training.parallel == "fsdp",
    }
    asked = [name for name, is_asked in unbuilt.items() if is_asked]
    if asked:
        raise RecipeError(
            f"this version cannot do what the recipe asks: {', '.join(asked)}. Wanted their defaults. Remove "
            "these fields; they are planned."
        )


def limits(recipe: Recipe) -> list[str]:
    """Say what a default promises and this version does not do."""
    trains_on_text = recipe.flan is not None or recipe.corpus is not None
    if not trains_on_text or recipe.evaluation.decontaminate == "off":
        return []
    return [
        "training text is not yet searched for evaluation items (evaluation.decontaminate); only tasks "
        "marked as overlapping a benchmark are left out"
    ]
