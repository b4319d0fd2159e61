"""The benchmarks of the toy world, shaped like the papers' four and two kinds of infilling.

    toy_mmlu       MMLU     lasting facts of kinds that tuning never asks about; 4 options
    toy_facts      MMLU     lasting facts of kinds that tuning does ask about, for other things; 4 options
    toy_bbh        BBH      walks (navigate), remarks (snarks), kin, gifts, ages; direct and step by step
    toy_tydiqa     TyDiQA   find the answer in a passage in Tavi or Neru
    toy_mgsm       MGSM     sums of two steps in three languages, step by step
    toy_infilling           blanks whose answer stands after them, one or two to a text

Only `toy_mmlu` is held out from tuning by kind; the note of each benchmark says so in the report. It
and `toy_facts` make one part of the normalised average together.

The suite `toy-dev` has the same generators, other draws and no item of `toy`: settings are chosen on it,
so that nobody tunes on `toy`. Lasting facts are few and all asked in `toy`; `dev_professions` takes
their place, a kind of passage that is held out from tuning.

Every item lies on the benchmark side of `scenes.is_benchmark` or `wordplay.is_benchmark_fact`.
"""

from dataclasses import dataclass
from functools import cache

from secondwind.evaluation.suite import Benchmark, InfillingBenchmark, InfillingItem, Subtask, Suite
from secondwind.instruct.task import Task, Template
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

EXEMPLARS = 3
_OPTIONS = (PASSAGE_OPTIONS[0], PASSAGE_STEPS_OPTIONS[0])
_OPEN = (PASSAGE_OPEN[0],)
_STEPS = (PASSAGE_STEPS_OPEN[0], PASSAGE_OPEN[0])


@dataclass(frozen=True)
class _Edition:
    """One set of draws from the generators.

    Args:
        prefix: begins every name, and so seeds every draw.
        items: per subtask.
        taken: groups of another edition's items and exemplars, which are left to it.
    """

    prefix: str
    items: int
    taken: frozenset[str] = frozenset()


_TOY = _Edition("toy", items=60)
_DEV_ITEMS = 40  # walks that end at home, and sums, are too few for two editions of 60


def _group(scene: Scene) -> str:
    return f"{scene.kind}: {scene.content}"


def _benchmark_scenes(
    make: SceneMaker, name: str, edition: _Edition, word: str, values: tuple[str, ...]
) -> list[Scene]:
    """Draw distinct benchmark scenes; where `values` are given, their first answers take turns."""
    chosen: list[Scene] = []
    contents: set[str] = set()
    index = 0
    while len(chosen) < edition.items + EXEMPLARS:
        scene = draw_scene(make, f"toyworld benchmark {name}", index, benchmark=True)
        index += 1
        wanted = not values or asked(scene, word).answer == values[len(chosen) % len(values)]
        if wanted and scene.content not in contents and _group(scene) not in edition.taken:
            contents.add(scene.content)
            chosen.append(scene)
    return chosen


def _subtask(
    edition: _Edition,
    subject: str,
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
    name = f"{edition.prefix}_{subject}"
    scenes = _benchmark_scenes(make, name, edition, word, values)
    records = tuple(
        scene_record(scene, asked(scene, word), f"{name}/{index}") for index, scene in enumerate(scenes)
    )
    task = Task(name, cluster, records[: edition.items], templates, language.code, "toyworld", LICENCE)
    return Subtask(task, records[edition.items :], chance)


def _exam(name: str, cluster: str, topic: str) -> Subtask:
    """Make a subtask of the facts of one topic; a topic that is never tuned on has no exemplars either."""
    exemplars = fact_records(topic, benchmark=False)[:EXEMPLARS]
    records = fact_records(topic, benchmark=True)
    return Subtask(Task(name, cluster, records, CLOSED_BOOK[:1], "en", "toyworld", LICENCE), exemplars, 0.25)


def _bbh(edition: _Edition) -> Benchmark:
    subtasks = (
        _subtask(edition, "navigate", "navigation", walks, _OPTIONS, 0.5, values=("yes", "no")),
        _subtask(edition, "snarks", "irony", remarks, _OPTIONS, 0.5, values=("irony", "praise")),
        _subtask(edition, "grandparents", "kinship", kin, _OPTIONS, 0.25, word="grandparent"),
        _subtask(edition, "gifts", "tracking", gifts, _OPTIONS, 1 / 3, word="now"),
        _subtask(edition, "ages", "comparison", ages, _OPTIONS, 1 / 3),
    )
    return Benchmark(
        name=f"{edition.prefix}_bbh",
        family="BBH",
        subtasks=subtasks,
        modes=("direct", "cot"),
        shots=1,
        max_new_tokens={"direct": 12, "cot": 40},
        held_out=False,
        note="kinds tuned on, other stories",
    )


def _tydiqa(edition: _Edition) -> Benchmark:
    subtasks = tuple(
        _subtask(
            edition,
            f"{code}_{relation}",
            "foreign_reading",
            binding(language, relation, "forward", sizes=(4,)),
            _OPEN,
            0.0,
            language=language,
        )
        for language, code in ((TAVI, "tavi"), (NERU, "neru"))
        for relation in ("home", "holding")
    )
    return Benchmark(
        name=f"{edition.prefix}_tydiqa",
        family="TyDiQA",
        subtasks=subtasks,
        method="generate",
        shots=1,
        max_new_tokens={"direct": 8, "cot": 32},
        held_out=False,
        note="kinds tuned on, other passages",
    )


def _mgsm(edition: _Edition) -> Benchmark:
    subtasks = tuple(
        _subtask(
            edition,
            f"sums_{language.code}",
            "arithmetic",
            sums(language, 2),
            _STEPS,
            0.0,
            language=language,
        )
        for language in LANGUAGES.values()
    )
    return Benchmark(
        name=f"{edition.prefix}_mgsm",
        family="MGSM",
        subtasks=subtasks,
        method="generate",
        modes=("cot",),
        max_new_tokens={"direct": 8, "cot": 32},
        held_out=False,
        note="kinds tuned on, other numbers",
    )


def _infilling(edition: _Edition, subject: str, blanks: int) -> InfillingBenchmark:
    """Blank the value of the first statement; later prose, after the blank, tells the value."""
    name = f"{edition.prefix}_{subject}"
    items: list[InfillingItem] = []
    index = 0
    while len(items) < edition.items:
        draws = Draws(key(SEED, f"toyworld infilling {name}", index))
        language = LANGUAGES[("en", "en", "tavi", "neru")[index % 4]]
        relation = ("home", "holding")[draws.below(2)]
        make = binding(language, relation, "forward", sizes=(3,))
        scene = draw_scene(make, f"toyworld {name}", index, benchmark=True)
        if scene.content not in edition.taken:
            items.append(_blanked(scene, language, relation, draws, blanks, f"{name}/{index}"))
        index += 1
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
    mmlu = Benchmark(
        name="toy_mmlu",
        family="MMLU",
        subtasks=tuple(_exam(f"toy_{topic}", "exam", topic) for topic in ("goods", "bed", "colour")),
        held_out=True,
        note="kinds never tuned on",
    )
    facts = Benchmark(
        name="toy_facts",
        family="MMLU",
        subtasks=tuple(_exam(f"toy_{topic}", "knowledge", topic) for topic in ("river", "diet", "stuff")),
        held_out=False,
        note="kinds tuned on, about other things",
    )
    infilling = (_infilling(_TOY, "infilling", 1), _infilling(_TOY, "infilling_two", 2))
    return Suite("toy", (mmlu, facts, _bbh(_TOY), _tydiqa(_TOY), _mgsm(_TOY)), infilling)


@cache
def dev_suite() -> Suite:
    """Return the suite to choose settings on: kinds of the toy suite, none of its items."""
    edition = _Edition("dev", _DEV_ITEMS, taken=_groups(suite()))
    jobs = tuple(
        _subtask(
            edition,
            f"job_{aspect}",
            "professions",
            binding(ENGLISH, "job", aspect, sizes=(4,)),
            _OPTIONS[:1],
            0.25,
        )
        for aspect in ("forward", "inverse")
    )
    professions = Benchmark(
        name="dev_professions",
        family="professions",
        subtasks=jobs,
        shots=1,
        held_out=True,
        note="kinds never tuned on",
    )
    infilling = (_infilling(edition, "infilling", 1), _infilling(edition, "infilling_two", 2))
    return Suite("toy-dev", (professions, _bbh(edition), _tydiqa(edition), _mgsm(edition)), infilling)


def _groups(suite: Suite) -> frozenset[str]:
    """Return what the items and exemplars of a suite are about."""
    subtasks = [subtask for benchmark in suite.benchmarks for subtask in benchmark.subtasks]
    records = [record for s in subtasks for record in (*s.task.records, *s.exemplars)]
    items = [item for benchmark in suite.infilling for item in benchmark.items]
    return frozenset([record.group for record in records] + [item.group for item in items])
