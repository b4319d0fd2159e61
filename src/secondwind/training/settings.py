"""How to train, and the learning rate of every step: plain numbers, no torch.

share of the peak, for 10 steps, warm-up 20 %, final share .1, and wsd's last 20 % decaying

step       1    2    3    4    5    6    7    8    9   10
constant  .5    1    1    1    1    1    1    1    1    1
cosine    .5    1  .97  .87  .72  .55  .38  .23  .13   .1
wsd       .5    1    1    1    1    1    1    1  .55   .1
"""

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from secondwind.errors import RecipeError

ScheduleName = Literal["cosine", "constant", "wsd"]
OptimizerName = Literal["adamw", "adafactor"]
Precision = Literal["bf16", "fp32"]
NonFinitePolicy = Literal["stop", "skip"]

# What may differ between a checkpoint and the run that goes on from it: nothing here changes a number
# that training computes, except that `skip` lets a run past the step where `stop` ended it.
FREE_TO_CHANGE = ("checkpoint_every", "keep", "on_non_finite", "max_skips")


@dataclass(frozen=True)
class TrainSettings:
    """Everything that training needs to know besides the model and the rows.

    Args:
        steps: optimizer steps.
        batch_rows: rows per optimizer step.
        learning_rate: the peak. Adafactor multiplies it by the size of each parameter.
        warmup: share of the steps that rise linearly to the peak, in [0, 1].
        schedule: what follows: a half cosine, nothing, or a plateau with a linear decay at its end.
        final_share: share of the peak at the last step, for cosine and wsd.
        decay_share: share of the steps that wsd decays over (.1 in MiniCPM, arXiv:2404.06395, section 4).
        micro_batch_rows: rows computed at once; the gradient is that of the whole batch.
        checkpoint_every: steps between checkpoints; there is always one at the end.
        keep: checkpoints to keep.
        on_non_finite: stop at a NaN or infinity, or skip the update and go on.
        max_skips: how many updates of the whole stage may be skipped before it stops after all.
        weight_decay: on matrices only, embeddings included; never on biases, gains and norms.
        z_loss: weight of log(Z)^2 beside the loss, see `target_loss`; 0 is off.
        clip: largest gradient norm.
        seed: of dropout; the rows have their own.
        precision: of the computation; parameters and optimizer state are fp32 always.
        average_last: end with the mean of the parameters at the last so many due checkpoints; 0 is off.
        activation_checkpointing: keep a layer's inputs alone and compute the rest of it again in the backward
            pass: less memory, a third more time.
        gradients_every: steps between two looks at the gradient of each source; 0 is never.
        compile: let torch compile the feed-forward blocks; slow to start, faster steps where it helps.

    Raises:
        RecipeError: a value out of range; names all of them.
    """

    steps: int
    batch_rows: int
    learning_rate: float
    warmup: float = 0.01
    schedule: ScheduleName = "cosine"
    final_share: float = 0.1
    decay_share: float = 0.1
    micro_batch_rows: int = 8
    checkpoint_every: int = 200
    keep: int = 2
    on_non_finite: NonFinitePolicy = "stop"
    max_skips: int = 3
    optimizer: OptimizerName = "adamw"
    weight_decay: float = 0.0
    z_loss: float = 0.0
    clip: float = 1.0
    seed: int = 0
    precision: Precision = "fp32"
    average_last: int = 0
    activation_checkpointing: bool = False
    compile: bool = False
    gradients_every: int = 0

    def __post_init__(self) -> None:
        """Refuse values that cannot be meant."""
        at_least_one = ("steps", "batch_rows", "micro_batch_rows", "checkpoint_every", "keep")
        choices = {
            "schedule": ScheduleName,
            "on_non_finite": NonFinitePolicy,
            "optimizer": OptimizerName,
            "precision": Precision,
        }
        shares = ("warmup", "final_share", "decay_share")
        wanted = [
            *((name, "at least 1", getattr(self, name) >= 1) for name in at_least_one),
            *((name, "in [0, 1]", 0.0 <= getattr(self, name) <= 1.0) for name in shares),
            *((name, "above 0", 0.0 < getattr(self, name) < math.inf) for name in ("learning_rate", "clip")),
            *(
                (name, "at least 0", 0.0 <= getattr(self, name) < math.inf)
                for name in ("weight_decay", "z_loss", "max_skips", "average_last", "gradients_every")
            ),
            *(
                (name, " or ".join(get_args(c)), getattr(self, name) in get_args(c))
                for name, c in choices.items()
            ),
        ]
        faults = [f"{name} is {getattr(self, name)!r}, wanted {want}" for name, want, ok in wanted if not ok]
        if faults:
            raise RecipeError(f"training cannot use these settings: {'; '.join(faults)}. Correct the recipe.")


def fixed_settings(settings: TrainSettings) -> dict[str, Any]:
    """Return the settings that a checkpoint and the run that goes on from it must share."""
    free = set(FREE_TO_CHANGE)
    if settings.average_last:
        free.remove("checkpoint_every")  # it says which parameters are averaged
    return {name: value for name, value in asdict(settings).items() if name not in free}


def is_due(settings: TrainSettings, step: int) -> bool:
    """Say whether a checkpoint is made after this step, signals apart."""
    return step % settings.checkpoint_every == 0 or step == settings.steps


def learning_rate(settings: TrainSettings, step: int) -> float:
    """Return the learning rate of step 1 .. steps: a pure function, so nothing of it is saved."""
    rise = round(settings.warmup * settings.steps)
    if step <= rise:
        return settings.learning_rate * step / rise
    if settings.schedule == "constant":
        return settings.learning_rate
    plateau_end = settings.steps - round(settings.decay_share * settings.steps)
    start = rise if settings.schedule == "cosine" else max(rise, plateau_end)
    fallen = max(0.0, (step - start) / max(1, settings.steps - start))
    height = 0.5 * (1.0 + math.cos(math.pi * fallen)) if settings.schedule == "cosine" else 1.0 - fallen
    return settings.learning_rate * (settings.final_share + (1.0 - settings.final_share) * height)
