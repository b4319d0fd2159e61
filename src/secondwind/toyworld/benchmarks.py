"""The benchmarks of the toy world, shaped like the papers' four and two kinds of infilling.

    toy_mmlu       MMLU     lasting facts that tuning never asked about; 4 options
    toy_bbh        BBH      walks (navigate), remarks (snarks), kin, gifts, ages; direct and step by step
    toy_tydiqa     TyDiQA   find the answer in a passage in Tavi or Neru
    toy_mgsm       MGSM     sums of two steps in three languages, step by step
    toy_infilling           blanks whose answer stands after them, one or two to a text

Every item lies on the benchmark side of `scenes.is_benchmark` or `wordplay.is_benchmark_fact`.
"""

from functools import cache

from secondwind.evaluation.suite import Benchmark, InfillingBenchmark, InfillingItem, Subtask, Suite
from secondwind.instruct.task import Record, Task, Template
from secondwind.randomness import Draws, key
from secondwind.toyworld.bindings import binding, sums
from secondwind.toyworld.languages import ENGLISH, LANGUAGES, NERU, TAVI, Language
from secondwind.toyworld.scenes import SEED, Scene, SceneMaker, draw_scene
from secondwind.toyworld.stories import ages, gifts, kin, remarks, walks
from secondwind.toyworld.tasks import LICENCE, asked, scene_record
from secondwind.toyworld.templates import (
    CLOSED_BOOK,
    PASSAGE_OPEN,
    PASSAGE_OPTIONS,
    PASSAGE_STEPS_OPEN,
    PASSAGE_STEPS_OPTIONS,
)
from secondwind.toyworld.wordplay import fact_records

ITEMS = 60
EXEMPLARS = 3
_OPTIONS = (PASSAGE_OPTIONS[0], PASSAGE_STEPS_OPTIONS[0])
_OPEN = (PASSAGE_OPEN[0],)
_STEPS = (PASSAGE_STEPS_OPEN[0], PASSAGE_OPEN[0])


def _benchmark_scenes(
    make: SceneMaker, name: str, count: int, word: str, values: tuple[str, ...]
) -> list[Scene]:
    """Draw distinct benchmark scenes; where `values` are given, their first answers take turns."""
    chosen: list[Scene] = []
    contents: set[str] = set()
    index = 0
    while len(chosen) < count:
        scene = draw_scene(make, f"toyworld benchmark {name}", index, benchmark=True)
        index += 1
        wanted = not values or asked(scene, word).answer == values[len(chosen) % len(values)]
        if wanted and scene.content not in contents:
            contents.add(scene.content)
            chosen.append(scene)
    return chosen


def _subtask(
    name: str,
    cluster: str,
    make: SceneMaker,
    templates: tuple[Template, ...],
    chance: float,
    *,
    word: str = "",
    values: tuple[str, ...] = (),
    language: Language = ENGLISH,
) -> Subtask:
    """Make a subtask whose items and exemplars are distinct benchmark scenes."""
    scenes = _benchmark_scenes(make, name, ITEMS + EXEMPLARS, word, values)
    records = tuple(
        scene_record(scene, asked(scene, word), f"{name}/{index}") for index, scene in enumerate(scenes)
    )
    task = Task(name, cluster, records[:ITEMS], templates, language.code, "toyworld", LICENCE)
    return Subtask(task, records[ITEMS:], chance)


def _exam(name: str, topics: tuple[str, ...]) -> Subtask:
    records: tuple[Record, ...] = tuple(
        record for topic in topics for record in fact_records(topic, benchmark=True)
    )
    exemplars = tuple(record for topic in topics for record in fact_records(topic, benchmark=False))[
        :EXEMPLARS
    ]
    task = Task(name, "exam", records, CLOSED_BOOK[:1], "en", "toyworld", LICENCE)
    return Subtask(task, exemplars, 0.25)


def _bbh() -> tuple[Subtask, ...]:
    return (
        _subtask("toy_navigate", "navigation", walks, _OPTIONS, 0.5, values=("yes", "no")),
        _subtask("toy_snarks", "irony", remarks, _OPTIONS, 0.5, values=("irony", "praise")),
        _subtask("toy_grandparents", "kinship", kin, _OPTIONS, 0.25, word="grandparent"),
        _subtask("toy_gifts", "tracking", gifts, _OPTIONS, 1 / 3, word="now"),
        _subtask("toy_ages", "comparison", ages, _OPTIONS, 1 / 3),
    )


def _infilling(name: str, blanks: int) -> InfillingBenchmark:
    """Blank the value of the first statement; later prose, after the blank, tells the value."""
    items: list[InfillingItem] = []
    for index in range(ITEMS):
        draws = Draws(key(SEED, f"toyworld infilling {name}", index))
        language = LANGUAGES[("en", "en", "tavi", "neru")[index % 4]]
        relation = ("home", "holding")[draws.below(2)]
        scene = draw_scene(
            binding(language, relation, "forward", sizes=(3,)), f"toyworld {name}", index, benchmark=True
        )
        items.append(_blanked(scene, language, relation, draws, blanks, f"{name}/{index}"))
    return InfillingBenchmark(name, tuple(items))


def _blanked(
    scene: Scene, language: Language, relation_name: str, draws: Draws, blanks: int, name: str
) -> InfillingItem:
    relation = language.relations[relation_name]
    pairs = [tuple(pair.split("=")) for pair in scene.content.split(" ")]
    pairs = draws.shuffled(pairs)
    hidden = set(draws.subset(blanks, len(pairs)))
    first = [relation.statement.format(n=n, v="___" if i in hidden else v) for i, (n, v) in enumerate(pairs)]
    again = draws.shuffled(list(enumerate(pairs)))
    asker, speaker = language.speakers[:2]
    told = [
        language.reports[0].format(clause=relation.clause.format(n=n), answer=v, s=asker, t=speaker)
        for i, (n, v) in again
        if i in hidden
    ]
    answers = tuple(v for i, (_, v) in enumerate(pairs) if i in hidden)
    return InfillingItem(" ".join([*first, *told]), answers, name, scene.content)


@cache
def suite() -> Suite:
    """Return the toy suite: four benchmark families and infilling with one and two blanks."""
    foreign = ((TAVI, "tavi"), (NERU, "neru"))
    return Suite(
        name="toy",
        benchmarks=(
            Benchmark(
                name="toy_mmlu",
                family="MMLU",
                subtasks=(
                    _exam("toy_geography", ("river", "goods")),
                    _exam("toy_zoology", ("diet", "bed")),
                    _exam("toy_crafts", ("stuff", "colour")),
                ),
                held_out=True,
            ),
            Benchmark(
                name="toy_bbh",
                family="BBH",
                subtasks=_bbh(),
                modes=("direct", "cot"),
                shots=1,
                max_new_tokens={"direct": 12, "cot": 40},
                held_out=False,
            ),
            Benchmark(
                name="toy_tydiqa",
                family="TyDiQA",
                subtasks=tuple(
                    _subtask(
                        f"toy_{code}_{relation}",
                        "foreign_reading",
                        binding(language, relation, "forward", sizes=(4,)),
                        _OPEN,
                        0.0,
                        language=language,
                    )
                    for language, code in foreign
                    for relation in ("home", "holding")
                ),
                method="generate",
                shots=1,
                max_new_tokens={"direct": 8, "cot": 32},
                held_out=False,
            ),
            Benchmark(
                name="toy_mgsm",
                family="MGSM",
                subtasks=tuple(
                    _subtask(
                        f"toy_sums_{language.code}",
                        "arithmetic",
                        sums(language, 2),
                        _STEPS,
                        0.0,
                        language=language,
                    )
                    for language in LANGUAGES.values()
                ),
                method="generate",
                modes=("cot",),
                max_new_tokens={"direct": 8, "cot": 32},
                held_out=False,
            ),
        ),
        infilling=(_infilling("toy_infilling", 1), _infilling("toy_infilling_two", 2)),
    )
