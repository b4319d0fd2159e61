"""Reading answers out of text, row by row."""

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondwind.evaluation.answers import extract, majority, normal_form
from secondwind.evaluation.scores import exact_match


@pytest.mark.parametrize(
    ("written", "answer"),
    [
        (" It is odd. So the answer is No.", "No"),
        # Regular expressions in common use cut the last character where the final period is missing.
        (" It is odd. So the answer is No", "No"),
        (" 30 + 3 = 33. The answer is 33", "33"),
        # ... and take two answers in one line for one.
        (" So the answer is (A). Wait, the answer is (B).", "(B)"),
        (" The answer is 5.\n\nQ: What is 1 + 1?\nA: The answer is 2.", "5"),
        (" The answer is 5.\nQ: What is 1 + 1? The answer is 2.", "5"),
        (" Quietly, the Queen said: the answer is Quebec.", "Quebec"),
        ("\nThe answer is:\n(B)", "(B)"),
        (" THE ANSWER IS **(C)**.", "(C)"),
        (' The final answer is "blue".', "blue"),
        (" The answer is 3.5.", "3.5"),
        (" The answer is Dr. Who.", "Dr. Who"),
        (" The answer is No. I am sure", "No"),
        (" The answer is ] ) }.", "] ) }"),
        (" I do not know.", None),
        (" The answer is", None),
        (" The answer is .", None),
        ("", None),
    ],
)
def test_chain_of_thought_reads_what_follows_the_last_marker(written: str, answer: str | None):
    assert extract(written, mode="cot") == answer


@pytest.mark.parametrize(
    ("written", "answer"),
    [
        (" (B)\n\nQ: Which", "(B)"),
        ("\n\n Yes.", "Yes"),
        (" The answer is 7.", "7"),
        (" the red hat\nQ: next", "the red hat"),
        (" Mia met Tom. They left.", "Mia met Tom"),
        ("  \n ", None),
    ],
)
def test_direct_reads_the_first_line(written: str, answer: str | None):
    assert extract(written, mode="direct") == answer


@pytest.mark.parametrize(
    ("answer", "reference", "right"),
    [
        ("(B)", "(B)", True),
        ("B", "(B)", True),
        ("b", "(B)", True),
        ("(B) heptagon", "(B)", True),
        ("B. heptagon", "(B)", True),
        ("Option (B)", "(B)", True),
        ("(C)", "B", False),
        ("A cat", "(A)", False),  # an article is no letter
        ("1,800", "1800", True),
        ("18.00", "18", True),
        ("$18", "18", True),
        ("18 apples", "18", True),
        ("3 + 4 = 7", "7", True),
        ("-35", "-35", True),
        ("35", "-35", False),
        ("100", "1", False),
        ("0.0", "0", True),
        ("seven", "7", False),
        ("YES", "yes", True),
        ("yes, but", "yes", False),
        ("Monsters, Inc", "Monsters, Inc.", True),
        ("ﬁve", "five", True),
        ("10:30", "10:45", False),
        ("01/02/2003", "01/02/2004", False),
        ("mia's", "Mia's", True),
    ],
)
def test_exact_match_compares_normal_forms(answer: str, reference: str, right: bool):
    assert exact_match(answer, (reference,)) == float(right)


def test_majority_counts_forms_and_gives_failures_no_vote():
    assert majority(["18", None, None, None, "18.00", "7"], like="20") == "18"


def test_majority_takes_the_first_seen_in_a_tie():
    assert majority(["no", "yes", "yes", "No"], like="yes") == "no"


def test_majority_of_nothing_is_nothing():
    assert majority([None, None], like="yes") is None


@given(st.text(max_size=30), st.text(min_size=1, max_size=30))
def test_a_normal_form_is_its_own_normal_form(answer: str, like: str):
    form = normal_form(answer, like=like)
    assert normal_form(form, like=like) == form


def test_extraction_reproduces_the_recorded_accuracy_of_real_outputs(data_pack: Path):
    """Golden: outputs of code-davinci-002 on BBH with the accuracies that their authors recorded."""
    with gzip.open(data_pack / "bbh" / "codex_outputs.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    recorded = json.loads((data_pack / "bbh" / "codex_accuracy.json").read_text())
    right: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        answer = extract(row["prediction"], mode=row["mode"])
        found = 0.0 if answer is None else exact_match(answer, (row["target"],))
        right.setdefault((row["task"], row["mode"]), []).append(found)
    assert len(recorded) == len(right) == 36
    # Looser rules may find more than the authors' did, never less than a point below.
    gaps = {
        (entry["task"], entry["mode"]): 100 * sum(scores) / len(scores) - entry["accuracy"]
        for entry in recorded
        for scores in [right[entry["task"], entry["mode"]]]
    }
    assert {name: gap for name, gap in gaps.items() if not -1 < gap < 2} == {}
