"""A stage begins by holding its backend to the dense one."""

import pytest

from secondwind.errors import ModelError
from secondwind.model.attention.document import DocumentLayout
from secondwind.model.forward import LAYOUTS
from secondwind.training.loop import train
from tests.training.conftest import TinyRows, make_model, make_settings


class LooksBack(DocumentLayout):
    """Drops the prefix's half of the mask."""

    def mask(self, number, window):
        return super().mask(number, window).tril()


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_training_under_another_mask_never_begins(tmp_path, monkeypatch, precision):
    model = make_model()
    monkeypatch.setitem(LAYOUTS, "document", LooksBack)
    with pytest.raises(ModelError, match="differs from 'dense' on the first rows"):
        train(model, TinyRows(), make_settings(precision=precision), tmp_path)
    assert (tmp_path / "metrics.jsonl").read_text() == ""
