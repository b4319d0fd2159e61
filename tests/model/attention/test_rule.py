"""Every layout against the rule in float64: outputs and gradients, whatever a layer asks for."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.attention import flex_attention as torch_flex

from secondwind.example import Batch
from secondwind.model.attention.document import DocumentLayout
from secondwind.model.attention.flex import FlexLayout
from secondwind.model.attention.function import Layout, Settings
from tests.model.attention.kernels import LoopedVarlen, attended_by_rule
from tests.model.conftest import make_batch

LAYOUTS: dict[str, type[Layout]] = {"document": DocumentLayout, "flex": FlexLayout, "varlen": LoopedVarlen}
SINKS = torch.tensor([-1.0, 0.0, 0.5, 2.0])
ASKED = {
    "nothing": Settings(),
    "a window": Settings(window=3),
    "a window of one": Settings(window=1),
    "a window across blocks": Settings(window=130),
    "a scaling": Settings(scaling=0.3),
    "soft-capped scores": Settings(softcap=1.5),
    "learned sinks": Settings(sinks=SINKS),
    "sinks and a window": Settings(sinks=SINKS, window=4),
}
SHAPES = {"as many heads": (4, 4, 8, 8), "grouped heads": (4, 2, 16, 16), "narrow values": (4, 4, 24, 16)}
BATCHES = {
    "rows with padding": make_batch([[(4, 3), (3, 4), (1, 1)], [(0, 6), (7, 4)]], row_length=18),
    "across blocks": make_batch(
        [[(100, 60), (0, 1), (50, 90)], [(128, 1), (127, 2), (0, 30)]], row_length=310
    ),
    "a document without targets": make_batch([[(5, 0), (2, 2)]], row_length=10),
    "no prefix at all": make_batch([[(0, 5), (0, 1)]], row_length=6),
}


@pytest.fixture
def flex_trains_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take torch's plain form of FlexAttention, and let it be differentiated on the CPU too."""
    monkeypatch.setattr(torch_flex, "_validate_device", lambda *heads: None)
    monkeypatch.setattr(torch_flex, "_FLEX_ATTENTION_DISABLE_COMPILE_DEBUG", True)


def outputs_and_gradients(attended: Any, heads: list[Tensor], settings: Settings) -> list[Tensor]:
    """Differentiate a fixed sum of the outputs by queries, keys, values and sinks."""
    parts = [part.clone().requires_grad_() for part in heads]
    if settings.sinks is not None:
        sinks = settings.sinks.clone().requires_grad_()
        settings = settings._replace(sinks=sinks)
        output = attended(*parts, settings)
        parts.append(sinks)
    else:
        output = attended(*parts, settings)
    signs = torch.arange(output.numel()).view_as(output).sin().to(output.dtype)
    return [output.detach(), *torch.autograd.grad((output * signs).sum(), parts)]


def check(kind: type[Layout], batch: Batch, settings: Settings, shape: Any, *, attention: str) -> None:
    num_heads, num_key_heads, width, value_width = shape
    generator = torch.Generator().manual_seed(5)
    sizes = [(num_heads, width), (num_key_heads, width), (num_key_heads, value_width)]
    heads = [torch.randn(1, h, batch.num_tokens, w, generator=generator) for h, w in sizes]
    layout = kind.of(batch, attention=attention)
    found = outputs_and_gradients(layout.attend, heads, settings)
    wanted = outputs_and_gradients(
        lambda *parts: attended_by_rule(batch, *parts, attention=attention), heads, settings
    )
    assert len(found) == len(wanted) == (4 if settings.sinks is None else 5)
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one.double(), other.double(), rtol=1e-5, atol=1e-5)


@pytest.mark.usefixtures("flex_trains_anywhere")
@pytest.mark.filterwarnings("ignore")  # torch advises to compile FlexAttention, and warns within its compiler
@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("name", LAYOUTS)
def test_a_layout_follows_the_rule_whatever_a_layer_asks_for(name: str, asked: str, batch: str) -> None:
    if name == "varlen" and ASKED[asked].sinks is not None:
        with pytest.raises(ValueError, match="know no learned sinks"):
            check(LAYOUTS[name], BATCHES[batch], ASKED[asked], SHAPES["grouped heads"], attention="prefix")
        return
    check(LAYOUTS[name], BATCHES[batch], ASKED[asked], SHAPES["grouped heads"], attention="prefix")


@pytest.mark.usefixtures("flex_trains_anywhere")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("attention", ["prefix", "causal"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", LAYOUTS)
def test_a_layout_follows_the_rule_with_heads_of_any_shape(name: str, shape: str, attention: str) -> None:
    batch = BATCHES["across blocks"]
    check(LAYOUTS[name], batch, Settings(window=50), SHAPES[shape], attention=attention)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", LAYOUTS)
def test_bfloat16_stays_within_a_hundredth_of_the_rule(name: str) -> None:
    """The stated bound: 2 ** -6 of the largest output; bf16 itself rounds to 2 ** -9."""
    batch = BATCHES["across blocks"]
    generator = torch.Generator().manual_seed(6)
    heads = [torch.randn(1, 2, batch.num_tokens, 16, generator=generator).bfloat16() for _ in range(3)]
    found = LAYOUTS[name].of(batch).attend(*heads, Settings())
    wanted = attended_by_rule(batch, *heads, Settings())
    assert found.dtype == torch.bfloat16
    assert float((found.double() - wanted).abs().max() / wanted.abs().max()) < 2**-6
