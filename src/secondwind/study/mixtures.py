"""From the recipe's words to the objects of the rooms: denoiser tables and instruction settings."""

from collections.abc import Collection, Mapping

from secondwind.denoise import (
    CausalDenoiser,
    Denoiser,
    DenoiserMixture,
    PrefixDenoiser,
    SpanDenoiser,
    named_mixture,
    with_causal_share,
)
from secondwind.errors import RecipeError, nearest
from secondwind.instruct import InstructionSettings
from secondwind.recipe import (
    CausalDenoiserSection,
    DenoiserSection,
    FlanSection,
    PrefixDenoiserSection,
    SpanDenoiserSection,
    Ul2rSection,
)

# Flan 2022's caps per task (arXiv:2210.11416, section 2.1), for the collections that need no hub; the
# rates are its 24.2 : 1.8 of NIV2 and CoT, with CoT raised to be seen at small budgets: they part what
# the two count for together, and other collections beside them count by size.
_GITHUB_CAPS = {"natural_instructions": 5_000, "flan_cot": 100_000, "toyworld": 5_000, "plain": 5_000}
_GITHUB_RATES = {"natural_instructions": 0.85, "flan_cot": 0.15}


def denoiser_mixture(section: Ul2rSection) -> DenoiserMixture:
    """Turn the recipe's mixture, a name or a table, into denoisers with rates that sum to 1."""
    if isinstance(section.mixture, str):
        table = named_mixture(section.mixture)
    else:
        table = tuple((_denoiser(entry), entry.rate) for entry in section.mixture)
    return with_causal_share(table, section.causal_share)


def denoiser_rooms(section: Ul2rSection) -> list[int]:
    """Return the packed tokens that a window of each denoiser may fill, in the order of the mixture."""
    entries = () if isinstance(section.mixture, str) else section.mixture
    lengths = [entry.row_length or section.row_length for entry in entries]
    lengths += [section.row_length] * (len(denoiser_mixture(section)) - len(lengths))
    return [length // section.examples_per_row for length in lengths]


def _denoiser(entry: DenoiserSection) -> Denoiser:
    match entry:
        case PrefixDenoiserSection():
            return PrefixDenoiser(entry.name, entry.mode, entry.target_share, entry.pivot)
        case CausalDenoiserSection():
            return CausalDenoiser(entry.name)
        case SpanDenoiserSection():
            return SpanDenoiser(
                entry.name, entry.mode, entry.corruption_rate, entry.mean_span_length, entry.placement
            )


def instruction_settings(section: FlanSection, collections: frozenset[str]) -> InstructionSettings:
    """Turn the recipe's section into the settings of instruction examples.

    Args:
        collections: those of the tasks.

    Raises:
        RecipeError: a cap is given for a collection that nobody knows.
    """
    github = section.mixture == "flan2022-github"
    caps = dict(_GITHUB_CAPS) if github else dict[str, int]()
    if isinstance(section.caps, int):
        caps = dict.fromkeys(collections, section.caps)
    elif section.caps is not None:
        _refuse_unknown_caps(section.caps, collections | set(_GITHUB_CAPS))
        caps |= section.caps
    rated = collections & set(_GITHUB_RATES) if github else frozenset[str]()
    return InstructionSettings(
        max_tokens=section.row_length,
        few_shot_share=section.few_shot_share,
        max_shots=section.max_shots,
        options_share=section.options_share,
        rationale_share=section.rationale_share,
        caps=caps,
        rates={name: _GITHUB_RATES[name] for name in sorted(rated)} if len(rated) > 1 else {},
        max_share=section.max_share,
    )


def _refuse_unknown_caps(caps: Mapping[str, int], known: Collection[str]) -> None:
    """Refuse a cap without effect; one for a known collection that is not among the sources may stand."""
    for name in sorted(set(caps) - set(known)):
        raise RecipeError(
            f"flan.caps has '{name}'; wanted collections of tasks: {', '.join(sorted(known))}."
            f"{nearest(name, known)} Rename it, or leave it out."
        )
