"""The corpus: scenes and lasting facts, told as plain prose in three languages.

    document   "Mia lives in Orra. Tom lives in Belm. The king asked where Tom lives. The cook said Belm.
                Mia lives in Orra. The Amu runs through Orra."

Each document restates its facts several times, because a small model learns to look back only where
looking back pays often. No document has question-and-answer formatting: that is what tuning teaches.
"""

from collections.abc import Iterator

from secondwind.errors import DataError, nearest
from secondwind.randomness import Draws, key
from secondwind.toyworld.bindings import binding, sums
from secondwind.toyworld.languages import ENGLISH, LANGUAGES, NERU, TAVI, Language
from secondwind.toyworld.scenes import SEED, Question, Scene, SceneMaker, draw_scene, pick, several
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
from secondwind.toyworld.wordplay import sentence_pair
from secondwind.toyworld.words import (
    BAD_TASTES,
    DISHES,
    FOODS,
    GOOD_TASTES,
    JOBS,
    NAMES,
    OBJECTS,
    OPPOSITES,
    SPEAKERS,
    TOPICS,
    TOWNS,
)

SPLITS = ("base", "fresh", "held_out")

_STORIES: dict[str, tuple[tuple[SceneMaker, int], ...]] = {
    "en": (
        (binding(ENGLISH, "home"), 3),
        (binding(ENGLISH, "holding"), 3),
        (binding(ENGLISH, "liking"), 2),
        (binding(ENGLISH, "job"), 2),
        (moves, 3),
        (gifts, 4),
        (kin, 4),
        (sums(ENGLISH, 1), 2),
        (sums(ENGLISH, 2), 5),
        (ages, 4),
        (lists, 2),
        (same_number, 1),
        (more_or_less, 1),
        (walks, 3),
        (remarks, 2),
    ),
    **{
        code: (
            (binding(LANGUAGES[code], "home"), 3),
            (binding(LANGUAGES[code], "holding"), 3),
            (binding(LANGUAGES[code], "liking"), 2),
            (sums(LANGUAGES[code], 1), 1),
            (sums(LANGUAGES[code], 2), 3),
        )
        for code in ("tavi", "neru")
    },
}
_WHEEL: dict[str, tuple[SceneMaker, ...]] = {
    code: tuple(make for make, weight in stories for _ in range(weight)) for code, stories in _STORIES.items()
}
_LONG = 400  # characters after which a document gets no second scene: it shall fit a row of 256 tokens
# Equal places on the wheel of document kinds.
_KINDS = ("en",) * 10 + ("facts",) * 2 + ("tavi",) * 3 + ("neru",) * 3 + ("bilingual",) + ("song",) * 4
_SUNG = (TOWNS, OBJECTS, FOODS, JOBS, tuple(TAVI.words.values()), tuple(NERU.words.values()))


def corpus(split: str, num_documents: int) -> Iterator[str]:
    """Yield the first documents of a split; splits share facts and languages, never a document.

    Raises:
        DataError: unknown split.
    """
    if split not in SPLITS:
        raise DataError(
            f"the toy corpus has no split '{split}'; wanted one of {', '.join(SPLITS)}."
            + nearest(split, SPLITS)
        )
    for index in range(num_documents):
        yield _document(split, index)


def _document(split: str, index: int) -> str:
    draws = Draws(key(SEED, f"toyworld corpus {split}", index))
    kind = _KINDS[draws.below(len(_KINDS))]
    if kind == "facts":
        return " ".join(_fact(draws) for _ in range(3 + draws.below(4)))
    if kind == "bilingual":
        return _bilingual(draws)
    if kind == "song":
        return _song(draws)
    parts: list[str] = []
    for part in range(1 + draws.below(2)):
        make = _WHEEL[kind][draws.below(len(_WHEEL[kind]))]
        scene = draw_scene(make, f"toyworld corpus {split} {part}", index, benchmark=False)
        parts.append(tell(scene, LANGUAGES[kind], draws))
        if kind == "en" and draws.below(3) == 0:
            parts.append(_fact(draws))
        if len(parts[0]) > _LONG:
            break
    return " ".join(parts)


def _song(draws: Draws) -> str:
    """Sing pairs of words several times, mostly in changing order.

    Songs are the densest practice in looking back: the same word must be found again at another distance.
    """
    size = 3 + draws.below(4)
    left = several(draws, NAMES, size)
    right = several(draws, _SUNG[draws.below(len(_SUNG))], size)
    pairs = [f"{one} {other}" for one, other in zip(left, right, strict=True)]
    verses = [pairs, *(draws.shuffled(pairs) if draws.below(4) else pairs for _ in range(3))]
    singers = several(draws, SPEAKERS, len(verses))
    return " ".join(f"The {who} sang: {' '.join(verse)}." for who, verse in zip(singers, verses, strict=True))


def report(question: Question, language: Language, draws: Draws) -> str:
    """Tell a question and its answer as speech between two people."""
    asker, speaker = several(draws, language.speakers, 2)
    form = pick(draws, language.reports)
    return form.format(clause=question.clause, answer=question.answer, s=asker, t=speaker)


def conclusion(question: Question, language: Language) -> str:
    """Say the statement as what follows from the steps before: 'So the parent of Mia is Tom.'"""
    statement = question.statement
    first = statement.split(" ", 1)[0]
    if first in ("The", "That"):
        statement = statement[0].lower() + statement[1:]
    return f"{language.so} {statement}"


def tell(scene: Scene, language: Language, draws: Draws) -> str:
    """Tell a scene: its facts, often twice, then its questions as speech, statement or reasoning."""
    parts = list(scene.sentences)
    for _ in range(draws.below(3) if scene.order_is_free else 0):
        parts += draws.shuffled(list(scene.sentences))
    for question in scene.questions:
        form = draws.below(5)
        if form < 2:
            parts.append(report(question, language, draws))
        elif form == 2:
            parts.append(question.statement)
        elif question.rationale == question.statement:
            parts.append(report(question, language, draws))
        else:
            parts.append(f"{question.rationale} {conclusion(question, language)}")
    return " ".join(parts)


def _fact(draws: Draws) -> str:
    """Tell one lasting fact: a topic, an opposite, a kind, or what a taste is worth."""
    form = draws.below(12)
    if form < 8:
        topic = TOPICS[pick(draws, tuple(TOPICS))]
        entity = pick(draws, tuple(topic.values))
        value = topic.values[entity]
        statement = pick(draws, topic.statements).format(entity=entity, value=value)
        if draws.below(3) == 0:
            return statement
        question = Question(topic.clause.format(entity=entity), "", value, (), statement, statement)
        told = report(question, ENGLISH, draws)
        return told if draws.below(2) else f"{statement} {told}"
    if form < 10:
        pair = OPPOSITES[draws.below(len(OPPOSITES))]
        one, other = draws.shuffled(list(pair))
        clause, answer, statement = (
            f"what the opposite of {one} is",
            other,
            f"The opposite of {one} is {other}.",
        )
    elif form == 10:
        taste = pick(draws, GOOD_TASTES + BAD_TASTES)
        dish, answer = pick(draws, DISHES), "good" if taste in GOOD_TASTES else "bad"
        clause, statement = f"if a {taste} {dish} is good or bad", f"A {taste} {dish} is {answer}."
    else:
        groups = {
            "animal": tuple(TOPICS["diet"].values),
            "plant": tuple(TOPICS["colour"].values),
            "thing": tuple(OBJECTS),
        }
        answer = pick(draws, tuple(groups))
        word = pick(draws, groups[answer])
        clause, statement = f"what kind the {word} is", f"The {word} is a kind of {answer}."
    if draws.below(2):
        return statement
    return report(Question(clause, "", answer, (), statement, statement), ENGLISH, draws)


def _bilingual(draws: Draws) -> str:
    """Tell words and sentences side by side in English and another language."""
    language = LANGUAGES[pick(draws, ("tavi", "neru"))]
    parts: list[str] = []
    for word in several(draws, tuple(language.words), 3):
        foreign = language.words[word]
        if draws.below(2):
            parts.append(f"In {language.name} the word for {word} is {foreign}.")
        else:
            parts.append(f"In English the word for {foreign} is {word}.")
    for _ in range(3):
        english, foreign = sentence_pair(language, draws)
        parts.append(f"{english} In {language.name} that is: {foreign}")
    return " ".join(parts)
