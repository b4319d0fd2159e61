"""Closed-book records: lasting facts, opposites, kinds, tastes, translations.

    fact       "Which river runs through Orra?"   Amu | Lek | Oka | Tay   -> Amu
    opposite   "What is the opposite of hot?"                             -> icy

A lasting fact belongs to tuning or to the benchmarks, by a keyed hash of topic and entity; three topics
belong to the benchmarks altogether. The corpus tells all facts.
"""

from secondwind.instruct.task import Record
from secondwind.randomness import Draws, key
from secondwind.toyworld.languages import ENGLISH, Language
from secondwind.toyworld.scenes import SEED, pick, several
from secondwind.toyworld.words import (
    BAD_TASTES,
    DISHES,
    FOODS,
    GOOD_TASTES,
    NAMES,
    OBJECTS,
    OPPOSITES,
    TOPICS,
)

BENCHMARK_TOPICS = ("goods", "bed", "colour")
VARIANTS = 3  # different option lists for the same fact
NUM_SENTENCES = 1200


def is_benchmark_fact(topic: str, entity: str) -> bool:
    """Tell whether questions about a fact belong to the benchmarks: half of the entities, in keyed order."""
    if topic in BENCHMARK_TOPICS:
        return True
    order = sorted(TOPICS[topic].values, key=lambda name: key(SEED, f"toyworld fact {topic} {name}"))
    return order.index(entity) % 2 == 0


def _closed(name: str, clause: str, question: str, answer: str, options: list[str], group: str) -> Record:
    return Record(
        fields={"question": question, "clause": clause, "passage": ""},
        answers=(answer,),
        options=tuple(options),
        id=name,
        group=group,
    )


def fact_records(topic_name: str, *, benchmark: bool) -> tuple[Record, ...]:
    """Return the records about one topic's facts on one side, each fact with several option lists.

    The answer stands at each of the four places equally often, up to one.
    """
    topic = TOPICS[topic_name]
    records: list[Record] = []
    for entity, value in topic.values.items():
        if is_benchmark_fact(topic_name, entity) != benchmark:
            continue
        for variant in range(VARIANTS):
            draws = Draws(key(SEED, f"toyworld options {topic_name} {entity}", variant))
            options = several(draws, [choice for choice in topic.choices if choice != value], 3)
            options.insert(len(records) % 4, value)
            clause, question = topic.clause.format(entity=entity), topic.question.format(entity=entity)
            name = f"{topic_name}/{entity}/{variant}"
            records.append(_closed(name, clause, question, value, options, f"{topic_name} {entity}"))
    return tuple(records)


def opposite_records() -> tuple[Record, ...]:
    """Return one record for each direction of each pair of opposites, with four options."""
    records: list[Record] = []
    words = [word for pair in OPPOSITES for word in pair]
    for pair in OPPOSITES:
        for one, other in (pair, pair[::-1]):
            draws = Draws(key(SEED, f"toyworld opposite {one}"))
            options = draws.shuffled(
                [other, *several(draws, [word for word in words if word not in pair], 3)]
            )
            clause, question = f"what the opposite of {one} is", f"What is the opposite of {one}?"
            records.append(_closed(f"opposites/{one}", clause, question, other, options, one))
    return tuple(records)


def kind_records() -> tuple[Record, ...]:
    """Return one record for each animal, plant and thing."""
    groups = {
        "animal": tuple(TOPICS["diet"].values),
        "plant": tuple(TOPICS["colour"].values),
        "thing": tuple(OBJECTS),
    }
    records: list[Record] = []
    for kind, words in groups.items():
        for word in words:
            options = Draws(key(SEED, f"toyworld kind {word}")).shuffled(list(groups))
            clause, question = f"what kind the {word} is", f"What kind is the {word}?"
            records.append(_closed(f"kinds/{word}", clause, question, kind, options, word))
    return tuple(records)


def either_records() -> tuple[Record, ...]:
    """Return a choice between two kinds for each animal, plant and thing."""
    records: list[Record] = []
    for record in kind_records():
        word, kind = record.group, record.answers[0]
        draws = Draws(key(SEED, f"toyworld either {word}"))
        other = pick(draws, [option for option in record.options if option != kind])
        first, second = draws.shuffled([kind, other])
        clause = f"if the {word} is a kind of {first} or {second}"
        question = f"Is the {word} a kind of {first} or {second}?"
        records.append(_closed(f"either_kind/{word}", clause, question, kind, [first, second], word))
    return tuple(records)


def taste_records() -> tuple[Record, ...]:
    """Return one record for each dish and taste: is it good or bad?"""
    records: list[Record] = []
    for dish in DISHES:
        for taste in (*GOOD_TASTES, *BAD_TASTES):
            answer = "good" if taste in GOOD_TASTES else "bad"
            record = _closed(
                f"tastes/{taste}-{dish}",
                f"if a {taste} {dish} is good or bad",
                f"Is a {taste} {dish} good or bad?",
                answer,
                ["good", "bad"],
                taste,
            )
            steps = f"A {taste} {dish} is {answer}."
            passage = {"passage": f"The {dish} was {taste}."}
            records.append(
                Record({**record.fields, **passage}, record.answers, record.options, steps, record.id, taste)
            )
    return tuple(records)


def _rewriting(name: str, text: str, language: str, answer: str) -> Record:
    fields = {"text": text, "language": language, "question": f"What is this in {language}? {text}"}
    return Record(fields=fields, answers=(answer,), id=name, group=text)


class SentencePairs:
    """Sentences and their translations, in both directions, built from an index."""

    def __init__(self, language: Language) -> None:
        """Remember the language other than English."""
        self._language = language

    def __getitem__(self, index: int) -> Record:
        """Build one pair; even indices go into the language, odd ones into English."""
        language = self._language
        draws = Draws(key(SEED, f"toyworld sentences {language.code}", index))
        english, foreign = sentence_pair(language, draws)
        name = f"{language.code}_sentences/{index}"
        if index % 2:
            return _rewriting(name, foreign, "English", english)
        return _rewriting(name, english, language.name, foreign)


def sentence_pair(language: Language, draws: Draws) -> tuple[str, str]:
    """Draw a sentence in English and the same in another language."""
    relation = ("home", "holding", "liking")[draws.below(3)]
    who = pick(draws, NAMES)
    if relation == "home":
        value = translated = pick(draws, ENGLISH.relations["home"].values)
    else:
        value = pick(
            draws, [word for word in (OBJECTS if relation == "holding" else FOODS) if word in language.words]
        )
        translated = language.words[value]
    english = ENGLISH.relations[relation].statement.format(n=who, v=value)
    return english, language.relations[relation].statement.format(n=who, v=translated)


def word_pairs(language: Language) -> tuple[Record, ...]:
    """Return every word of a language in both directions."""
    records: list[Record] = []
    for english, foreign in language.words.items():
        records.append(_rewriting(f"{language.code}_words/{english}", english, language.name, foreign))
        records.append(_rewriting(f"{language.code}_words/{foreign}", foreign, "English", english))
    return tuple(records)
