"""The tables in the docs are what their command prints."""

from pathlib import Path

from scripts.tokenizer_table import adoption_table, start_table

from tests.vocabulary.makers import TOKENIZERS

PAGE = Path(__file__).parents[2] / "docs" / "vocabulary.md"


def test_the_tables_in_the_docs_are_what_the_command_prints() -> None:
    page = PAGE.read_text(encoding="utf-8")
    tables = (adoption_table(), start_table())
    assert [table in page for table in tables] == [True, True]
    assert len(tables[0].splitlines()) == len(TOKENIZERS) + 2
    assert len(tables[1].splitlines()) == 4 + 2
