"""Scenes that bind people to values in one language, and sums told in one language.

binding(ENGLISH, "home")   "Mia lives in Orra. Tom lives in Belm."    where Mia lives -> Orra
binding(NERU, "home")      "fal Mia ek Orra. fal Tom ek Belm."        wek fal Mia    -> Orra
sums(ENGLISH, steps=2)     "Mia had 5 nuts. Mia got 3 more. Mia lost 2."    5 plus 3 is 8. 8 minus 2 is 6.
"""

from secondwind.randomness import Draws
from secondwind.toyworld.languages import Language, Relation
from secondwind.toyworld.scenes import Question, Scene, SceneMaker, pick, several
from secondwind.toyworld.words import LARGEST_NUMBER, NAMES

ASPECTS = ("forward", "forward", "inverse", "inverse", "truth")


def _question(
    language: Language, relation: Relation, aspect: str, pairs: list[tuple[str, str]], draws: Draws
) -> Question:
    """Ask one question about one pair; every pair and both truth values are equally likely."""
    who, value = pairs[draws.below(len(pairs))]
    statement = relation.statement.format(n=who, v=value)
    if aspect == "forward":
        clause, text, answer = relation.clause, relation.question, value
        options = tuple(draws.shuffled([v for _, v in pairs]))
    elif aspect == "inverse":
        clause, text, answer = relation.inverse_clause, relation.inverse_question, who
        options = tuple(draws.shuffled([n for n, _ in pairs]))
    else:
        clause, text = relation.truth_clause, relation.truth_question
        options = (language.yes, language.no)
        answer = options[draws.below(2)]
        if answer == language.no:
            other = pick(draws, [v for _, v in pairs if v != value])
            return Question(
                clause=clause.format(n=who, v=other),
                text=text.format(n=who, v=other),
                answer=answer,
                options=options,
                statement=relation.denial.format(n=who, v=other),
                rationale=statement,
            )
    return Question(
        clause=clause.format(n=who, v=value),
        text=text.format(n=who, v=value),
        answer=answer,
        options=options,
        statement=statement,
        rationale=statement,
    )


def binding(
    language: Language, relation_name: str, aspect: str = "any", *, sizes: tuple[int, ...] = (3, 4)
) -> SceneMaker:
    """Make scenes in which each of some people has one value of a relation."""
    relation = language.relations[relation_name]

    def make(draws: Draws) -> Scene:
        size = sizes[draws.below(len(sizes))]
        pairs = list(zip(several(draws, NAMES, size), several(draws, relation.values, size), strict=True))
        count = 1 if aspect != "any" else 4
        questions = tuple(
            _question(
                language,
                relation,
                aspect if aspect != "any" else ASPECTS[draws.below(len(ASPECTS))],
                pairs,
                draws,
            )
            for _ in range(count)
        )
        return Scene(
            kind=f"{language.code} {relation_name}",
            content=" ".join(sorted(f"{n}={v}" for n, v in pairs)),
            sentences=tuple(relation.statement.format(n=n, v=v) for n, v in pairs),
            questions=questions,
            order_is_free=True,
        )

    return make


def _number_options(draws: Draws, answer: int) -> tuple[str, ...]:
    """Return four numbers near the answer, the answer among them at a uniform place and rank."""
    low = max(0, answer - draws.below(4))
    low = min(low, LARGEST_NUMBER - 3)
    return tuple(draws.shuffled([str(number) for number in range(low, low + 4)]))


def _steps(draws: Draws, steps: int) -> tuple[int, list[tuple[str, int]], list[int]]:
    """Draw a start and changes whose running total stays within 0 .. LARGEST_NUMBER."""
    total = start = 2 + draws.below(9)
    changes: list[tuple[str, int]] = []
    totals = [start]
    for _ in range(steps):
        room = LARGEST_NUMBER - total
        rises = total < 2 or (room > 1 and draws.below(2) == 0)
        amount = 1 + draws.below(min(9, room if rises else total - 1))
        changes.append(("got" if rises else "lost", amount))
        total += amount if rises else -amount
        totals.append(total)
    return start, changes, totals


def sums(language: Language, steps: int) -> SceneMaker:
    """Make stories of someone who gets and loses things; the content is the numbers alone.

    So a sequence of numbers of a benchmark item is never told or tuned with any person or thing.
    """
    foods = language.relations["liking"].values
    phrases = language.sums

    def make(draws: Draws) -> Scene:
        who, food = pick(draws, NAMES), pick(draws, foods)
        start, changes, totals = _steps(draws, steps)
        sentences = [phrases["had"].format(n=who, a=start, food=food)]
        rationale: list[str] = []
        for (change, amount), before, after in zip(changes, totals, totals[1:], strict=False):
            sentences.append(phrases[change].format(n=who, a=amount))
            step = phrases["plus" if change == "got" else "minus"]
            rationale.append(step.format(a=before, b=amount, c=after))
        question = Question(
            clause=phrases["clause"].format(n=who, food=food),
            text=phrases["question"].format(n=who, food=food),
            answer=str(totals[-1]),
            options=_number_options(draws, totals[-1]),
            statement=phrases["result"].format(n=who, a=totals[-1], food=food),
            rationale=" ".join(rationale),
        )
        numbers = " ".join(f"{change} {amount}" for change, amount in changes)
        # Single steps are the table of sums itself, which everyone may know; only chains are split.
        content = f"{start} {numbers}" if steps > 1 else f"{who} {food} {start} {numbers}"
        return Scene(f"sums {steps}", content, tuple(sentences), (question,))

    return make
