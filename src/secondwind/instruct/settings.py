"""The settings of instruction examples, and what each one is a share of."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from secondwind.errors import RecipeError


@dataclass(frozen=True)
class InstructionSettings:
    """The formats and the mixture of instruction examples.

    Args:
        max_tokens: the longest example, packed, BOS and EOS included: at most the row length.
        few_shot_share: share of examples with exemplars, in [0, 1], before the budget takes some away.
        max_shots: few-shot prompts have 1 to this many exemplars, uniformly.
        options_share: of the examples whose task can show options or not, the share that shows them.
        rationale_share: of the examples whose record has a rationale, the share that trains on it.
        caps: collection -> the most examples that one of its tasks counts for.
        rates: collection -> relative rate; these collections part by it what they count for together, others
            count by their capped size. Empty: all do.
        max_share: the largest share of one source.

    Source: half zero-shot and 64 % with options are what FLAN 2022's public mixture comes to
        (FLAN@e9e4ec6, flan/v2/run_example.py, computed from its rates).
    """

    max_tokens: int
    few_shot_share: float = 0.5
    max_shots: int = 5
    options_share: float = 0.64
    rationale_share: float = 0.5
    caps: Mapping[str, int] = field(default_factory=dict[str, int])
    rates: Mapping[str, float] = field(default_factory=dict[str, float])
    max_share: float = 0.2

    def __post_init__(self) -> None:
        """Refuse shares outside [0, 1] and counts that leave nothing.

        Raises:
            RecipeError: names the setting and its value.
        """
        shares = {
            "few_shot_share": self.few_shot_share,
            "options_share": self.options_share,
            "rationale_share": self.rationale_share,
            "max_share": self.max_share,
        }
        for name, share in shares.items():
            if not 0 <= share <= 1:
                raise RecipeError(f"flan.{name} is {share}; wanted a share between 0 and 1.")
        counts: dict[str, float] = {"max_tokens": self.max_tokens, "max_shots": self.max_shots}
        counts |= {f"caps.{collection}": cap for collection, cap in self.caps.items()}
        counts |= {f"rates.{collection}": rate for collection, rate in self.rates.items()}
        for name, count in counts.items():
            if not count > 0:
                raise RecipeError(f"flan.{name} is {count}; wanted a number above 0.")
