"""Phrasings of a question: {direct, rationale} x {options shown, not}; records have `question`.

The cue for steps stands in the prompt, so that a tuned model gives steps when it is asked for them
and the bare answer when it is not. Rationale targets end in "The answer is ...".

Source: a mixture needs chain-of-thought and answer-only phrasings of the same tasks
    (FLAN 2022, arXiv:2210.11416, section 4.2; the cue "Let's think step by step" is from
    arXiv:2205.11916).
"""

from secondwind.instruct.task import Template

_DIRECT = (
    Template("{question}\nAnswer:"),
    Template("Q: {question}\nA:"),
    Template("Question: {question}\nThe answer is"),
    Template("{question}", instruction="Answer the question."),
    Template("Question: {question}\n\nAnswer:", instruction="Give the answer only."),
    Template("{question}\nShort answer:", between="\n\n\n"),
)

_DIRECT_WITH_OPTIONS = (
    Template("{question}\nOptions:\n{options}\nAnswer:"),
    Template("Q: {question}\n{options}\nA:"),
    Template("Question: {question}\nChoose from:\n{options}\nThe answer is"),
    Template("{question}\n{options}", instruction="Pick the right option."),
    Template(
        "Question: {question}\n\nChoices:\n{options}\n\nAnswer:", instruction="Give the right choice only."
    ),
    Template("{options}\n\nWhich of these answers the question? {question}\nAnswer:", between="\n\n\n"),
)

_RATIONALE = (
    Template("Q: {question}\nA: Let's think step by step.", kind="rationale"),
    Template("{question}\nThink it through first, then answer:", kind="rationale"),
    Template("Question: {question}\nReasoning and answer:", kind="rationale"),
    Template("{question}\nSteps:", kind="rationale", instruction="Give your reasoning before the answer."),
    Template(
        "Q: {question}\nA:", kind="rationale", instruction="Explain step by step, then give the answer."
    ),
    Template("Problem: {question}\n\nSolution, step by step:", kind="rationale", between="\n\n\n"),
)

_RATIONALE_WITH_OPTIONS = (
    Template("Q: {question}\nOptions:\n{options}\nA: Let's think step by step.", kind="rationale"),
    Template("{question}\n{options}\nThink it through first, then choose:", kind="rationale"),
    Template("Question: {question}\nChoices:\n{options}\nReasoning and answer:", kind="rationale"),
    Template(
        "{question}\n{options}\nSteps:",
        kind="rationale",
        instruction="Give your reasoning before you pick an option.",
    ),
    Template(
        "Q: {question}\nOptions:\n{options}\nA:",
        kind="rationale",
        instruction="Explain step by step, then give the right option.",
    ),
    Template(
        "Problem: {question}\nOptions:\n{options}\n\nSolution, step by step:",
        kind="rationale",
        between="\n\n\n",
    ),
)

QUESTION_TEMPLATES = (*_DIRECT, *_DIRECT_WITH_OPTIONS, *_RATIONALE, *_RATIONALE_WITH_OPTIONS)
