"""The three languages: how each says the same facts, asks about them, and tells sums.

    English   Mia lives in Orra.    where Mia lives   Where does Mia live?
    Tavi      Mia Orra lo sumi.     Mia mo sumi       Mia mo sumi?    subject, object, verb; postpositions
    Neru      fal Mia ek Orra.      wek fal Mia       wek fal Mia?    verb first; prepositions

Tavi and Neru are invented. They share people, towns and digits with English; words for things differ.
A phrase is a format string; `{n}` is a person, `{v}` a value (a town, a thing, a food, a job).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from secondwind.toyworld.words import FOODS, JOBS, OBJECTS, SPEAKERS, TOWNS


@dataclass(frozen=True)
class Relation:
    """One relation between a person and a value, and its phrases in one language."""

    name: str
    values: tuple[str, ...]
    statement: str
    denial: str
    clause: str
    question: str
    inverse_clause: str
    inverse_question: str
    truth_clause: str
    truth_question: str


@dataclass(frozen=True)
class Language:
    """The grammar and the words of one language.

    Args:
        reports: ways to tell a question and its answer in prose; `{s}` and `{t}` are the speakers.
        sums: phrases for sums: had, got, lost, plus, minus, result, clause, question.
        words: English word -> word of this language, for things and foods.
    """

    name: str
    code: str
    relations: Mapping[str, Relation]
    reports: tuple[str, ...]
    sums: Mapping[str, str]
    yes: str
    no: str
    so: str
    words: Mapping[str, str]
    speakers: tuple[str, ...]


def _english() -> Language:
    def relation(name: str, values: Sequence[str], finite: str, bare: str, what: str) -> Relation:
        asked = "{n} " + finite.replace(" {v}", "") if what != "where" else "{n} lives"
        bare_open = bare.replace(" {v}", "") if what != "where" else "live"
        return Relation(
            name=name,
            values=tuple(values),
            statement="{n} " + finite + ".",
            denial="{n} does not " + bare + ".",
            clause=f"{what} {asked}",
            question=f"{what.capitalize()} does {{n}} {bare_open}?",
            inverse_clause="who " + finite,
            inverse_question="Who " + finite + "?",
            truth_clause="if {n} " + finite,
            truth_question="Does {n} " + bare + "?",
        )

    relations = (
        relation("home", TOWNS, "lives in {v}", "live in {v}", "where"),
        relation("holding", OBJECTS, "has the {v}", "have the {v}", "what"),
        relation("liking", FOODS, "likes {v}", "like {v}", "what"),
        relation("job", JOBS, "works as a {v}", "work as a {v}", "what"),
    )
    relations = tuple(_without_article(relation) for relation in relations)
    return Language(
        name="English",
        code="en",
        relations={relation.name: relation for relation in relations},
        reports=(
            "The {s} asked {clause}. The {t} said {answer}.",
            "The {s} asked {clause}, and the {t} said {answer}.",
        ),
        sums={
            "had": "{n} had {a} {food}.",
            "got": "{n} got {a} more.",
            "lost": "{n} lost {a}.",
            "plus": "{a} plus {b} is {c}.",
            "minus": "{a} minus {b} is {c}.",
            "result": "{n} has {a} {food}.",
            "clause": "how many {food} {n} has",
            "question": "How many {food} does {n} have?",
        },
        yes="yes",
        no="no",
        so="So",
        words={word: word for word in (*OBJECTS, *FOODS)},
        speakers=SPEAKERS,
    )


def _without_article(relation: Relation) -> Relation:
    """Mend the questions whose value is named with an article: 'what Mia has', 'what Mia works as'."""
    fields = {name: str(getattr(relation, name)) for name in ("clause", "question")}
    mended = {
        name: text.replace(" has the", " has").replace(" have the", " have") for name, text in fields.items()
    }
    mended = {name: text.replace(" as a", " as") for name, text in mended.items()}
    return Relation(**{**relation.__dict__, **mended})


def _invented(
    name: str,
    code: str,
    words: dict[str, str],
    verbs: tuple[str, str, str],
    *,
    at: str,
    ask: tuple[str, str, str, str],
    negate: str,
    verb_first: bool,
    reports: tuple[str, ...],
    sums: dict[str, str],
    particles: tuple[str, str, str],
    speakers: tuple[str, ...],
) -> Language:
    """Build a language from its words; `ask` holds the words for where, what, who and whether."""
    where, what, who, whether = ask

    def order(verb: str, subject: str, thing: str) -> str:
        return f"{verb} {subject} {thing}" if verb_first else f"{subject} {thing} {verb}"

    def relation(kind: str, verb: str, values: Sequence[str], is_place: bool) -> Relation:
        place = f"{at} {{v}}" if verb_first else f"{{v}} {at}"
        value = place if is_place else "{v}"
        asked = where if is_place else what
        said = order(verb, "{n}", value)
        open_clause = f"{asked} {verb} {{n}}" if verb_first else f"{{n}} {asked} {verb}"
        inverse = order(verb, who, value)
        return Relation(
            name=kind,
            values=tuple(values),
            statement=said + ".",
            denial=(f"{negate} {said}." if verb_first else f"{said} {negate}."),
            clause=open_clause,
            question=open_clause + "?",
            inverse_clause=inverse,
            inverse_question=inverse + "?",
            truth_clause=f"{whether} {said}",
            truth_question=f"{whether} {said}?",
        )

    things = [words[word] for word in OBJECTS if word in words]
    foods = [words[word] for word in FOODS if word in words]
    relations = (
        relation("home", verbs[0], TOWNS, True),
        relation("holding", verbs[1], things, False),
        relation("liking", verbs[2], foods, False),
    )
    yes, no, so = particles
    return Language(name, code, {r.name: r for r in relations}, reports, sums, yes, no, so, words, speakers)


ENGLISH = _english()
TAVI = _invented(
    "Tavi",
    "tavi",
    dict(
        zip(
            [*OBJECTS[:10], *FOODS[:6]],
            "olu iba uko ela ami opu ira une aso eti bumo limo rumo samo tumo nimo".split(),
            strict=True,
        )
    ),
    ("sumi", "peka", "mira"),
    at="lo",
    ask=("mo", "ma", "mi", "vu"),
    negate="nai",
    verb_first=False,
    reports=("{s} {clause} puti. {t} {answer} sodi.", "{clause}, {s} puti. {answer}, {t} sodi."),
    sums={
        "had": "{n} {a} {food} neka.",
        "got": "{n} {a} sa goli.",
        "lost": "{n} {a} sa budi.",
        "plus": "{a} ku {b} vo {c}.",
        "minus": "{a} nu {b} vo {c}.",
        "result": "{n} {a} {food} peka.",
        "clause": "{n} mu {food} peka",
        "question": "{n} mu {food} peka?",
    },
    particles=("ya", "nai", "dan"),
    speakers=("rato", "kena", "dori"),
)
NERU = _invented(
    "Neru",
    "neru",
    dict(
        zip(
            [*OBJECTS[:10], *FOODS[:6]],
            "kesh dosh fesh gash hush josh lish nash posh rish kalt delt felt golt halt jolt".split(),
            strict=True,
        )
    ),
    ("fal", "gor", "hib"),
    at="ek",
    ask=("wek", "wot", "wen", "wis"),
    negate="non",
    verb_first=True,
    reports=("pra {s} {clause}. dik {t} {answer}.", "pra {s}, {clause}. dik {t} et {answer}."),
    sums={
        "had": "gat {n} {a} {food}.",
        "got": "nim {n} {a} mer.",
        "lost": "lus {n} {a}.",
        "plus": "{a} ond {b} es {c}.",
        "minus": "{a} min {b} es {c}.",
        "result": "gor {n} {a} {food}.",
        "clause": "wom {food} gor {n}",
        "question": "wom {food} gor {n}?",
    },
    particles=("jep", "non", "tos"),
    speakers=("brul", "drim", "klon"),
)
LANGUAGES = {language.code: language for language in (ENGLISH, TAVI, NERU)}
