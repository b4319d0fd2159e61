"""The instruction tasks of the toy world, in clusters; some clusters are held out from tuning.

    cluster       tuned    tasks
    reading       yes      where someone lives, what someone has or likes, and who does
    truth         yes      is a statement about the text true
    ...
    exam          no       lasting facts of other kinds than the tuned ones

Records are built when they are asked for: a task of two thousand records costs nothing until then.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import overload

from secondwind.instruct.task import Record, Task, Template
from secondwind.toyworld import templates as phrasing
from secondwind.toyworld.bindings import binding, sums
from secondwind.toyworld.languages import ENGLISH, NERU, TAVI, Language
from secondwind.toyworld.scenes import Question, Scene, SceneMaker, draw_scene
from secondwind.toyworld.stories import (
    ages,
    gifts,
    kin,
    lists,
    more_or_less,
    moves,
    remarks,
    same_number,
    walks,
)
from secondwind.toyworld.wordplay import (
    SentencePairs,
    either_records,
    fact_records,
    kind_records,
    opposite_records,
    taste_records,
    word_pairs,
)

NUM_RECORDS = 1200
HELD_OUT_CLUSTERS: tuple[str, ...] = ("professions", "exam", "foreign_liking")
LICENCE = "Apache-2.0"


class LazyRecords(Sequence[Record]):
    """A sequence of records that are built on first access, each from its index alone, and then kept."""

    def __init__(self, length: int, build: Callable[[int], Record]) -> None:
        """Remember how many records there are and how to build one."""
        self._length = length
        self._build = cache(build)

    def __len__(self) -> int:
        """Return the number of records."""
        return self._length

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> list[Record]: ...
    def __getitem__(self, index: int | slice) -> Record | list[Record]:
        """Return one record, or the records of a slice."""
        if isinstance(index, slice):
            return [self._build(i) for i in range(*index.indices(self._length))]
        if not -self._length <= index < self._length:
            raise IndexError(f"record {index} of {self._length}")
        return self._build(index % self._length)


def scene_record(scene: Scene, question: Question, name: str) -> Record:
    """Turn one question about a scene into a record."""
    return Record(
        fields={"passage": scene.passage, "question": question.text, "clause": question.clause},
        answers=(question.answer,),
        options=question.options,
        rationale=question.rationale,
        id=name,
        group=f"{scene.kind}: {scene.content}",
    )


def asked(scene: Scene, word: str) -> Question:
    """Return the first question of a scene whose clause holds a word; every question holds ''."""
    return next(question for question in scene.questions if word in question.clause)


def scene_task(
    name: str,
    cluster: str,
    make: SceneMaker,
    templates: tuple[Template, ...],
    *,
    word: str = "",
    language: Language = ENGLISH,
) -> Task:
    """Make a task from scenes of the training side."""

    def build(index: int) -> Record:
        scene = draw_scene(make, f"toyworld task {name}", index, benchmark=False)
        return scene_record(scene, asked(scene, word), f"{name}/{index}")

    return Task(
        name=name,
        cluster=cluster,
        records=LazyRecords(NUM_RECORDS, build),
        templates=templates,
        language=language.code,
        source="toyworld",
        collection="toyworld",
        licence=LICENCE,
    )


def _list_task(name: str, records: Sequence[Record], cluster: str, templates: tuple[Template, ...]) -> Task:
    return Task(name, cluster, records, templates, source="toyworld", licence=LICENCE, collection="toyworld")


def _reading() -> list[Task]:
    made = [
        scene_task(
            f"{cluster}_{relation}_{aspect}", cluster, binding(ENGLISH, relation, aspect), phrasing.PASSAGE
        )
        for relation in ("home", "holding", "liking")
        for aspect, cluster in (("forward", "reading"), ("inverse", "reading"))
    ]
    truths = [
        scene_task(
            f"truth_{relation}",
            "truth",
            binding(ENGLISH, relation, "truth"),
            (*phrasing.PASSAGE, *phrasing.PASSAGE_STEPS),
        )
        for relation in ("home", "holding", "liking")
    ]
    jobs = [
        scene_task(f"job_{aspect}", "professions", binding(ENGLISH, "job", aspect), phrasing.PASSAGE)
        for aspect in ("forward", "inverse")
    ]
    return made + truths + jobs


def _steps() -> list[Task]:
    both = (*phrasing.PASSAGE, *phrasing.PASSAGE_STEPS)
    steps = (*phrasing.PASSAGE_STEPS, *phrasing.PASSAGE_OPEN[:2])
    tracked = [("moves", moves, "now", "tracking"), ("gifts", gifts, "now", "tracking")]
    related = [("grandparent", kin, "grandparent", "kinship"), ("parent", kin, "the parent", "kinship")]
    compared = [("oldest", ages, "oldest", "comparison"), ("youngest", ages, "youngest", "comparison")]
    held = [("walks", walks, "", "navigation"), ("remarks", remarks, "", "irony")]
    return [
        scene_task(name, cluster, make, both, word=word)
        for name, make, word, cluster in (*tracked, *related, *compared, *held)
    ] + [
        scene_task("same_number", "counting", same_number, both),
        scene_task("more_or_less", "counting", more_or_less, both),
        scene_task("sum_one_step", "arithmetic", sums(ENGLISH, 1), both),
        scene_task("sum_two_steps", "arithmetic", sums(ENGLISH, 2), steps),
    ]


def _lists() -> list[Task]:
    return [
        scene_task(f"list_{word}", "lists", lists, templates, word=word)
        for word, templates in (
            ("first", phrasing.PASSAGE),
            ("last", phrasing.PASSAGE),
            ("after", phrasing.PASSAGE),
            ("reverse", phrasing.PASSAGE_OPEN),
        )
    ]


def _foreign() -> list[Task]:
    made: list[Task] = []
    for language, native in ((TAVI, phrasing.TAVI_PASSAGE), (NERU, phrasing.NERU_PASSAGE)):
        code = language.code
        for relation in ("home", "holding", "liking"):
            made.append(
                scene_task(
                    f"{code}_truth_{relation}",
                    "foreign_truth",
                    binding(language, relation, "truth"),
                    (*phrasing.PASSAGE_OPTIONS[:1], *phrasing.PASSAGE_OPEN[:1], *native),
                    language=language,
                )
            )
            made.append(
                scene_task(
                    f"{code}_{relation}",
                    "foreign_liking" if relation == "liking" else "foreign_reading",
                    binding(language, relation, "forward"),
                    (*phrasing.PASSAGE_OPEN[:1], *phrasing.PASSAGE_OPTIONS[:1], *native),
                    language=language,
                )
            )
            made.append(
                scene_task(
                    f"{code}_who_{relation}",
                    "foreign_naming",
                    binding(language, relation, "inverse"),
                    (*phrasing.PASSAGE_OPEN[:1], *phrasing.PASSAGE_OPTIONS[:1], *native),
                    language=language,
                )
            )
        made.append(
            scene_task(
                f"{code}_sum",
                "foreign_arithmetic",
                sums(language, 2),
                (*phrasing.PASSAGE_STEPS_OPEN, *phrasing.PASSAGE_OPEN[:1], *native),
                language=language,
            )
        )
        made += [
            _list_task(f"{code}_words", word_pairs(language), "translation", phrasing.REWRITING),
            _list_task(
                f"{code}_sentences",
                LazyRecords(NUM_RECORDS, SentencePairs(language).__getitem__),
                "translation",
                phrasing.REWRITING,
            ),
        ]
    return made


def _closed_book() -> list[Task]:
    made = [
        _list_task(f"fact_{topic}", fact_records(topic, benchmark=False), "knowledge", phrasing.CLOSED_BOOK)
        for topic in ("river", "diet", "stuff")
    ]
    made += [
        _list_task(f"exam_{topic}", fact_records(topic, benchmark=True), "exam", phrasing.CLOSED_BOOK)
        for topic in ("goods", "bed", "colour")
    ]
    made += [
        _list_task("opposites", opposite_records(), "words", phrasing.CLOSED_BOOK),
        _list_task("either_kind", either_records(), "words", phrasing.CLOSED_BOOK),
        _list_task("kinds", kind_records(), "words", phrasing.CLOSED_BOOK),
        _list_task("tastes", taste_records(), "sentiment", (*phrasing.PASSAGE, *phrasing.PASSAGE_STEPS)),
    ]
    return made


@cache
def tasks() -> tuple[Task, ...]:
    """Return all tasks, held-out clusters included, in a fixed order."""
    return tuple(_reading() + _steps() + _lists() + _foreign() + _closed_book())


def tuning_tasks() -> tuple[Task, ...]:
    """Return the tasks that tuning may use: all but those of held-out clusters."""
    return tuple(task for task in tasks() if task.cluster not in HELD_OUT_CLUSTERS)
