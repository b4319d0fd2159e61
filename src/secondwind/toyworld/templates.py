"""The phrasings of the toy tasks, by the shape of a record.

    passage       {passage} {question} {clause}    reading, tracking, kin, ages, sums
    closed book   {question} {clause}              lasting facts, words
    rewriting     {text} {question}                translation

Option lists, separators and answer prefixes vary, so that a tuned model follows the words rather than
one layout. Templates with an option list exist only where every record has options.
"""

from secondwind.instruct.task import Template

STEPS_TARGET = "{rationale} The answer is {answer}."

PASSAGE_OPEN = (
    Template("{passage}\nQuestion: {question}\nAnswer:"),
    Template("Read: {passage}\nTell me {clause}.\nReply:"),
    Template("Text: {passage}\nQ: {question}\nA:", instruction="Answer the question about the text."),
    Template("{question}\n\n{passage}\n\nAnswer:"),
    Template("{passage}\nSay {clause}:", between="\n--\n"),
)
PASSAGE_OPTIONS = (
    Template("{passage}\nQuestion: {question}\nOptions:\n{options}\nAnswer:"),
    Template("Text: {passage}\nSay {clause}. Choose one:\n{options}\nReply:"),
    Template("Q: {question}\nText: {passage}\n{options}\nA:", instruction="Choose the right answer."),
    Template("{passage}\n{question}\n{options}\nAnswer:", between="\n--\n"),
)
PASSAGE_STEPS_OPEN = (
    Template("{passage}\nQuestion: {question}\nThink step by step.\nAnswer:", STEPS_TARGET, "rationale"),
    Template("Read: {passage}\nTell me {clause}, and say why.\nReply:", STEPS_TARGET, "rationale"),
    Template("Text: {passage}\nQ: {question}\nSteps:", STEPS_TARGET, "rationale"),
    Template("{question}\n\n{passage}\n\nThink step by step.\nAnswer:", STEPS_TARGET, "rationale"),
)
PASSAGE_STEPS_OPTIONS = (
    Template(
        "{passage}\nQuestion: {question}\nOptions:\n{options}\nThink step by step.\nAnswer:",
        STEPS_TARGET,
        "rationale",
    ),
    Template("Text: {passage}\nQ: {question}\n{options}\nSteps:", STEPS_TARGET, "rationale"),
)
PASSAGE = (*PASSAGE_OPTIONS, *PASSAGE_OPEN)
PASSAGE_STEPS = (*PASSAGE_STEPS_OPTIONS, *PASSAGE_STEPS_OPEN)

CLOSED_BOOK = (
    Template("Question: {question}\nOptions:\n{options}\nAnswer:"),
    Template("Question: {question}\nAnswer:"),
    Template("Tell me {clause}.\nReply:"),
    Template("Q: {question}\n{options}\nA:", instruction="Choose the right answer."),
    Template("Say {clause}. Choose one:\n{options}\nReply:"),
    Template("Say {clause}:", between="\n--\n"),
)

REWRITING = (
    Template("Text: {text}\nSay this in {language}.\nReply:"),
    Template("Say this in {language}: {text}\nAnswer:"),
    Template("{text}\nIn {language} that is:"),
    Template("Q: What is this in {language}? {text}\nA:", instruction="Translate the text."),
)

TAVI_PASSAGE = (
    Template("{passage}\n{question}\nsodi:"),
    Template("{passage}\n\nputi: {question}\nsodi:", between="\n--\n"),
)
NERU_PASSAGE = (
    Template("{passage}\n{question}\ndik:"),
    Template("{passage}\n\npra: {question}\ndik:", between="\n--\n"),
)
