import pytest

from secondwind.errors import DataError
from secondwind.instruct import Record, Task, Template


@pytest.mark.parametrize("answers", [(), ("",), (" \n", "Rome")])
def test_record_without_a_first_answer_is_refused(answers):
    with pytest.raises(DataError, match="record 'r7' has no answer"):
        Record(fields={"question": "Where?"}, answers=answers, id="r7")


@pytest.mark.parametrize(("num_records", "num_templates"), [(0, 1), (1, 0)])
def test_task_without_records_or_templates_is_refused(num_records, num_templates):
    records = (Record(fields={"question": "Where?"}, answers=("here",)),) * num_records
    with pytest.raises(DataError, match=f"{num_records} records and {num_templates} templates"):
        Task("t", "c", records, (Template("{question}"),) * num_templates)


def test_template_shows_options_where_it_places_them():
    assert Template("{question}\n{options}").shows_options
    assert not Template("Options?\n{question}").shows_options
