"""Scenes: small situations with facts, and questions whose answers follow from them.

    Scene     sentences "Mia lives in Orra." "Tom lives in Belm."
              questions  clause "where Tom lives"   answer "Belm"   statement "Tom lives in Belm."

The corpus tells scenes as prose, tasks ask about them, benchmarks ask about other ones: `is_benchmark`
sends each content to exactly one side, by a keyed hash, so that no benchmark item is ever told or tuned.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from secondwind.randomness import Draws, key

SEED = 20
BENCHMARK_SHARE = 8  # one content in eight belongs to the benchmarks


@dataclass(frozen=True)
class Question:
    """One question about a scene.

    Args:
        clause: the question inside a sentence ("where Mia lives").
        text: the question of its own ("Where does Mia live?").
        statement: the sentence that holds the answer ("Mia lives in Orra.").
        rationale: the steps to the answer.
    """

    clause: str
    text: str
    answer: str
    options: tuple[str, ...]
    statement: str
    rationale: str


@dataclass(frozen=True)
class Scene:
    """Facts told in order, and questions about them.

    Args:
        kind: what sort of scene; part of the content.
        content: the canonical facts; two scenes with equal content are the same item.
        order_is_free: True where the facts may be told again in any order.
    """

    kind: str
    content: str
    sentences: tuple[str, ...]
    questions: tuple[Question, ...]
    order_is_free: bool = False

    @property
    def passage(self) -> str:
        """Return the facts as running text."""
        return " ".join(self.sentences)


SceneMaker = Callable[[Draws], Scene]


def is_benchmark(scene: Scene) -> bool:
    """Tell on which side a scene lies: benchmarks, or corpus and tuning."""
    return key(SEED, f"toyworld split {scene.kind} {scene.content}") % BENCHMARK_SHARE == 0


def draw_scene(make: SceneMaker, purpose: str, index: int, *, benchmark: bool) -> Scene:
    """Return the first scene of a keyed sequence of attempts that lies on the wanted side."""
    attempt = 0
    while True:
        scene = make(Draws(key(SEED, purpose, index, attempt)))
        if is_benchmark(scene) == benchmark:
            return scene
        attempt += 1


def pick(draws: Draws, items: Sequence[str]) -> str:
    """Return one item, each equally likely."""
    return items[draws.below(len(items))]


def several(draws: Draws, items: Sequence[str], count: int) -> list[str]:
    """Return `count` distinct items in random order."""
    pool = list(items)
    for position in range(count):
        other = position + draws.below(len(pool) - position)
        pool[position], pool[other] = pool[other], pool[position]
    return pool[:count]
