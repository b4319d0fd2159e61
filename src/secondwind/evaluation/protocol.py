"""How a suite is asked, and the key under which each score is kept.

Protocol("flan2022", mode="cot")                         ->  bbh:cot
Protocol("flan2022", attention="causal")                 ->  mmlu@causal, or mmlu for a causal model
Protocol("flan2022", "cot", samples=16, temperature=.7)  ->  bbh:cot*16
Protocol("infilling", mode_token="R")                    ->  infilling[R]
"""

from dataclasses import dataclass
from typing import Literal

from secondwind.errors import RecipeError
from secondwind.evaluation.suite import Mode, Suite

Attention = Literal["prefix", "causal"]


@dataclass(frozen=True)
class Protocol:
    """One way of asking one suite.

    Args:
        suite: a suite, or the name of one that `benchmarks.load_suite` reads from a data folder.
        attention: `trained` is what the model's `secondwind.json` says, else causal.
        mode_token: a mode of the vocabulary that leads every prompt, or None.
        samples: answers drawn per item; more than one are put to a majority vote.
        temperature: 0 decodes greedily.
        limit: items asked per subtask, a seeded sample; None asks all.
    """

    suite: str | Suite
    mode: Mode = "direct"
    attention: Literal["trained", "causal", "prefix"] = "trained"
    mode_token: str | None = None
    samples: int = 1
    temperature: float = 0.0
    limit: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse settings that cannot be asked."""
        if self.samples < 1 or self.temperature < 0 or (self.limit is not None and self.limit < 1):
            raise RecipeError(
                f"a protocol got samples {self.samples}, temperature {self.temperature}, limit {self.limit}; "
                "wanted samples >= 1, temperature >= 0 and limit >= 1 or null."
            )
        if self.samples > 1 and self.temperature == 0:
            raise RecipeError(
                f"a protocol asks for {self.samples} samples at temperature 0, which would all be equal. "
                "Set temperature, for example to 0.7, or samples to 1."
            )

    @property
    def suite_name(self) -> str:
        """Return the suite's name."""
        return self.suite if isinstance(self.suite, str) else self.suite.name

    def key(self, name: str, *, mode: Mode, attention: Attention, trained: Attention) -> str:
        """Name a score: benchmark, mode, votes, mode token, and an attention that is not the trained one."""
        votes = f"*{self.samples}" if self.samples > 1 else ""
        token = f"[{self.mode_token}]" if self.mode_token else ""
        mask = f"@{attention}" if attention != trained else ""
        return name + (":cot" if mode == "cot" else "") + votes + token + mask
