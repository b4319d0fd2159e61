"""English scenes in which the answer takes a step: moving, giving, kin, ages, lists, walks, remarks.

    gifts     "Mia has the cup. Mia gives the cup to Tom."         who has the cup now -> Tom
    kin       "Ann is the parent of Bea. Bea is the parent of Cal."  the grandparent of Cal -> Ann
    walks     "Mia goes 3 steps north. Mia goes 3 steps south."     is Mia back at the start -> yes
    remarks   "The soup was stale. The king said: what a good soup!" irony or praise -> irony

Positions and truth values are balanced, so that the place or the word of the answer says nothing.
"""

from secondwind.randomness import Draws
from secondwind.toyworld.scenes import Question, Scene, pick, several
from secondwind.toyworld.words import (
    BAD_TASTES,
    DIRECTIONS,
    DISHES,
    FOODS,
    GOOD_TASTES,
    NAMES,
    OBJECTS,
    SPEAKERS,
    TOWNS,
)


def moves(draws: Draws) -> Scene:
    """Two people move twice each, in mixed order; the last town counts."""
    people, towns = several(draws, NAMES, 2), several(draws, TOWNS, 4)
    order = draws.shuffled([0, 0, 1, 1])
    trips: list[list[str]] = [[], []]
    sentences: list[str] = []
    for person, town in zip(order, towns, strict=True):
        trips[person].append(town)
        sentences.append(f"{people[person]} went to {town}.")
    options = tuple(draws.shuffled(list(towns)))
    questions = tuple(
        Question(
            clause=f"where {people[person]} is now",
            text=f"Where is {people[person]} now?",
            answer=trips[person][-1],
            options=options,
            statement=f"{people[person]} is now in {trips[person][-1]}.",
            rationale="{0} went to {1}. Then {0} went to {2}.".format(people[person], *trips[person]),
        )
        for person in draws.shuffled([0, 1])
    )
    return Scene("moves", " ".join(sentences), tuple(sentences), questions)


def gifts(draws: Draws) -> Scene:
    """Two things pass between three people; the last holder counts."""
    people, things = several(draws, NAMES, 3), several(draws, OBJECTS, 2)
    holders = [several(draws, people, 1 + draws.below(3)) for _ in things]
    turns = draws.shuffled([0] * (len(holders[0]) - 1) + [1] * (len(holders[1]) - 1))
    sentences = [f"{holders[i][0]} has the {things[i]}." for i in draws.shuffled([0, 1])]
    place = [0, 0]
    for turn in turns:
        giver, taker = holders[turn][place[turn]], holders[turn][place[turn] + 1]
        sentences.append(f"{giver} gives the {things[turn]} to {taker}.")
        place[turn] += 1
    options = tuple(draws.shuffled(list(people)))
    questions: list[Question] = []
    for i in draws.shuffled([0, 1]):
        chain = holders[i]
        steps = [f"{chain[0]} has the {things[i]}."]
        steps += [f"Then {taker} has the {things[i]}." for taker in chain[1:]]
        questions.append(
            Question(
                clause=f"who has the {things[i]} now",
                text=f"Who has the {things[i]} now?",
                answer=chain[-1],
                options=options,
                statement=f"{chain[-1]} has the {things[i]} now.",
                rationale=" ".join(steps),
            )
        )
    return Scene("gifts", " ".join(sentences), tuple(sentences), tuple(questions))


def kin(draws: Draws) -> Scene:
    """Two families of three generations, told in mixed order."""
    people = several(draws, NAMES, 6)
    families = [people[:3], people[3:]]
    links = [(family[i], family[i + 1]) for family in families for i in (0, 1)]
    sentences = tuple(f"{old} is the parent of {young}." for old, young in draws.shuffled(links))
    options = tuple(draws.shuffled([family[i] for family in families for i in (0, 1)]))
    questions: list[Question] = []
    for old, middle, young in draws.shuffled(families):
        for word, answer, other, rationale in (
            (
                "grandparent",
                old,
                young,
                f"The parent of {young} is {middle}. The parent of {middle} is {old}.",
            ),
            ("parent", middle, young, f"{middle} is the parent of {young}."),
        ):
            questions.append(
                Question(
                    clause=f"who the {word} of {other} is",
                    text=f"Who is the {word} of {other}?",
                    answer=answer,
                    options=options,
                    statement=f"The {word} of {other} is {answer}.",
                    rationale=rationale,
                )
            )
    return Scene("kin", " ".join(sorted(sentences)), sentences, tuple(questions), order_is_free=True)


def ages(draws: Draws) -> Scene:
    """Three people with different ages; oldest and youngest."""
    people = several(draws, NAMES, 3)
    years = several(draws, [str(year) for year in range(1, 21)], 3)
    pairs = sorted(zip(people, years, strict=True), key=lambda pair: int(pair[1]))
    low, middle, high = pairs
    options = tuple(draws.shuffled(list(people)))
    old = Question(
        clause="who is the oldest",
        text="Who is the oldest?",
        answer=high[0],
        options=options,
        statement=f"{high[0]} is the oldest.",
        rationale="{1} is more than {2}. {1} is more than {3}. {0} is {1}.".format(*high, middle[1], low[1]),
    )
    young = Question(
        clause="who is the youngest",
        text="Who is the youngest?",
        answer=low[0],
        options=options,
        statement=f"{low[0]} is the youngest.",
        rationale="{1} is less than {2}. {1} is less than {3}. {0} is {1}.".format(*low, middle[1], high[1]),
    )
    sentences = tuple(f"{n} is {y} years old." for n, y in zip(people, years, strict=True))
    content = " ".join(f"{n}={y}" for n, y in pairs)
    return Scene("ages", content, sentences, tuple(draws.shuffled([old, young])), order_is_free=True)


def lists(draws: Draws) -> Scene:
    """A list of three or four things; first, last, next, reverse."""
    things = several(draws, OBJECTS, 3 + draws.below(2))
    position = draws.below(len(things) - 1)
    options = tuple(draws.shuffled(list(things)))

    def ask(clause: str, text: str, answer: str, statement: str) -> Question:
        choices = options if answer in options else ()
        return Question(clause, text, answer, choices, statement, statement)

    here, after = things[position], things[position + 1]
    backwards = " ".join(reversed(things))
    questions = [
        ask("what the first is", "What is the first?", things[0], f"The first is {things[0]}."),
        ask("what the last is", "What is the last?", things[-1], f"The last is {things[-1]}."),
        ask(f"what comes after {here}", f"What comes after {here}?", after, f"After {here} comes {after}."),
        ask(
            "what the list is in reverse",
            "What is the list in reverse?",
            backwards,
            f"In reverse it is {backwards}.",
        ),
    ]
    sentences = (f"The list is {' '.join(things)}.",)
    return Scene("lists", " ".join(things), sentences, tuple(draws.shuffled(questions)))


def walks(draws: Draws) -> Scene:
    """Someone goes there and perhaps back; back at the start if equal steps the other way."""
    who = pick(draws, NAMES)
    first = DIRECTIONS[draws.below(2)]
    second = DIRECTIONS[1 - DIRECTIONS.index(first)]
    steps = 1 + draws.below(9)
    back = draws.below(2) == 0
    later = steps
    if not back and draws.below(3) == 0:
        second = first
    elif not back:
        later = 1 + (steps + draws.below(8)) % 9
    sentences = (f"{who} goes {steps} steps {first}.", f"{who} goes {later} steps {second}.")
    verdict = "is" if back else "is not"
    question = Question(
        clause=f"if {who} is back at the start",
        text=f"Is {who} back at the start?",
        answer="yes" if back else "no",
        options=("yes", "no"),
        statement=f"{who} {verdict} back at the start.",
        rationale=f"{steps} {first} and {later} {second} {'is the same' if back else 'is not the same'}.",
    )
    return Scene("walks", " ".join(sentences), sentences, (question,))


def remarks(draws: Draws) -> Scene:
    """Praise for a good dish is praise; praise for a bad dish is irony."""
    dish, speaker = pick(draws, DISHES), pick(draws, SPEAKERS)
    is_irony = draws.below(2) == 0
    taste = pick(draws, BAD_TASTES if is_irony else GOOD_TASTES)
    remark = pick(draws, (f"I love this {dish}", f"this {dish} is the best", f"what a good {dish}"))
    sentences = (f"The {dish} was {taste}.", f"The {speaker} said: {remark}!")
    answer = "irony" if is_irony else "praise"
    question = Question(
        clause="if that was irony or praise",
        text="Was that irony or praise?",
        answer=answer,
        options=("irony", "praise"),
        statement=f"That was {answer}.",
        rationale=f"A {taste} {dish} is {'bad' if is_irony else 'good'}.",
    )
    return Scene("remarks", " ".join(sentences), sentences, (question,))


def same_number(draws: Draws) -> Scene:
    """Two people have things; the same number or not."""
    people, food = several(draws, NAMES, 2), pick(draws, FOODS)
    first = 1 + draws.below(9)
    same = draws.below(2) == 0
    second = first if same else 1 + (first + draws.below(8)) % 9
    sentences = (f"{people[0]} has {first} {food}.", f"{people[1]} has {second} {food}.")
    verdict = "have" if same else "do not have"
    question = Question(
        clause=f"if {people[0]} and {people[1]} have the same",
        text=f"Do {people[0]} and {people[1]} have the same?",
        answer="yes" if same else "no",
        options=("yes", "no"),
        statement=f"{people[0]} and {people[1]} {verdict} the same.",
        rationale=f"{first} and {second} is {'the same' if same else 'not the same'}.",
    )
    return Scene("same", " ".join(sentences), sentences, (question,))


def more_or_less(draws: Draws) -> Scene:
    """Two people have different numbers of things; the first has more or less."""
    people, food = several(draws, NAMES, 2), pick(draws, FOODS)
    first, second = several(draws, [str(number) for number in range(1, 21)], 2)
    answer = "more" if int(first) > int(second) else "less"
    sentences = (f"{people[0]} has {first} {food}.", f"{people[1]} has {second} {food}.")
    question = Question(
        clause=f"if {people[0]} has more or less than {people[1]}",
        text=f"Does {people[0]} have more or less than {people[1]}?",
        answer=answer,
        options=("more", "less"),
        statement=f"{people[0]} has {answer} than {people[1]}.",
        rationale=f"{first} is {answer} than {second}.",
    )
    return Scene("amounts", " ".join(sentences), sentences, (question,))
