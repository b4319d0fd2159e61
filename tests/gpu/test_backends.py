"""The kernels themselves: flex and varlen on the device, read back, and through networks."""

from typing import Any

import pytest
import torch
from torch._dynamo.testing import CompileCounterWithBackend
from torch.nn.attention.flex_attention import flex_attention

from secondwind.example import Batch
from secondwind.model.attention import flex
from secondwind.model.attention.document import DocumentLayout
from secondwind.model.attention.flex import FlexLayout
from secondwind.model.attention.function import Call, Layout, Settings
from secondwind.model.attention.varlen import VarlenLayout
from secondwind.model.forward import Attention, Backend, kept_logits
from secondwind.model.load import LanguageModel
from secondwind.model.loss import target_loss
from secondwind.model.placement import placed
from secondwind.model.selfcheck import check_first_batch, heads_problem
from tests.model.conftest import CONFIGS, WINDOWED, make_batch, make_model
from tests.model.test_selfcheck import SINKS

pytestmark = pytest.mark.gpu

CUDA = torch.device("cuda")
BATCH = make_batch([[(4, 3), (3, 4), (1, 1)], [(0, 6), (7, 4)]], row_length=18)
FAMILIES: dict[str, dict[str, Any]] = CONFIGS | WINDOWED | {"gpt_oss": SINKS}
ASKED = {
    "nothing": Settings(),
    "a window": Settings(window=3),
    "a window across blocks": Settings(window=130),
    "soft-capped scores": Settings(softcap=1.5),
    "learned sinks": Settings(sinks=torch.tensor([-1.0, 0.0, 0.5, 2.0])),
}
SHAPES = [(4, 4, 64, 64), (4, 2, 64, 64), (4, 1, 128, 128), (4, 2, 8, 8), (4, 4, 48, 32)]


def on_cuda(settings: Settings) -> Settings:
    return settings if settings.sinks is None else settings._replace(sinks=settings.sinks.to(CUDA))


@pytest.mark.filterwarnings("ignore")  # what torch's compiler warns of is its own affair
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("kind", [DocumentLayout, FlexLayout, VarlenLayout])
def test_the_mask_read_back_out_of_a_kernel_is_the_rule(
    kind: type[Layout], asked: str, shape: Any, dtype: torch.dtype
) -> None:
    call = Call(*shape, dtype, on_cuda(ASKED[asked]))
    refusal = kind.unsupported([call], CUDA)
    if kind is VarlenLayout and (dtype == torch.float32 or asked in ("soft-capped scores", "learned sinks")):
        assert refusal is not None or asked == "soft-capped scores"  # flash-attn knows them, where it is
        if refusal is not None:
            return
    assert refusal is None
    assert heads_problem(kind, call, CUDA) is None


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("attention", ["prefix", "causal"])
@pytest.mark.parametrize("family", FAMILIES)
def test_flex_gives_dense_logits_and_gradients(family: str, attention: Attention) -> None:
    wanted = placed(make_model(FAMILIES[family], attention=attention), "cuda", backend="dense")
    found = placed(make_model(FAMILIES[family], attention=attention), "cuda", backend="flex")
    assert (wanted.backend, found.backend) == ("dense", "flex")
    torch.testing.assert_close(logits(found), logits(wanted), rtol=1e-5, atol=1e-5)
    gradients = [gradients_of(found), gradients_of(wanted)]
    assert set(gradients[0]) == set(gradients[1]) != set()
    for name, expected in gradients[1].items():
        torch.testing.assert_close(gradients[0][name], expected, rtol=1e-4, atol=1e-5, msg=name)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("backend", ["document", "flex", "varlen"])
@pytest.mark.parametrize("family", ["llama", "qwen3", "mistral", "gpt_neox"])
def test_bfloat16_stays_close_to_dense_float32(family: str, backend: Backend) -> None:
    wanted = logits(placed(make_model(FAMILIES[family]), "cuda", backend="dense"))
    model = placed(make_model(FAMILIES[family]), "cuda", backend=backend, precision="bf16")
    with torch.autocast("cuda", torch.bfloat16):
        found = logits(model).float()
        check_first_batch(model.network, BATCH, attention="prefix", backend=backend)
        target_loss(model, BATCH).total.backward()
    assert 0 < float((found - wanted).abs().max() / wanted.abs().max()) < 1 / 30
    grads = [weight.grad for weight in model.network.parameters()]
    assert all(grad is not None and torch.isfinite(grad).all() for grad in grads)


@pytest.mark.filterwarnings("ignore")
def test_auto_takes_the_fastest_that_serves_the_precision() -> None:
    half = placed(make_model(CONFIGS["llama"]), "cuda", precision="bf16")
    assert half.backend == "varlen"
    single = placed(make_model(CONFIGS["llama"]), "cuda")
    assert single.backend == "flex"
    assert "not varlen: flash kernels compute in bfloat16 or float16" in single.backend_reason
    sinks = placed(make_model(SINKS), "cuda", precision="bf16")
    assert sinks.backend == "flex"
    assert "not varlen: flash kernels know no learned sinks" in sinks.backend_reason


@pytest.mark.filterwarnings("ignore")
def test_training_compiles_one_kernel_for_every_packing_of_a_length(monkeypatch: pytest.MonkeyPatch) -> None:
    counter = CompileCounterWithBackend("inductor")
    kernel = torch.compile(flex_attention, dynamic=False, fullgraph=True, backend=counter)
    monkeypatch.setattr(flex, "_kernel", lambda device_type: kernel)
    for documents in ([(3, 4)], [(0, 100), (200, 7), (1, 1)], [(2, 2)] * 100):
        batch = make_batch([documents], row_length=sum(map(sum, documents)))
        heads = torch.randn(1, 2, batch.num_tokens, 64, device=CUDA, requires_grad=True)
        FlexLayout.of(batch, device=CUDA).attend(heads, heads, heads, Settings()).sum().backward()
        assert counter.frame_count == 1


def logits(model: LanguageModel, batch: Batch = BATCH) -> torch.Tensor:
    keep = batch.segment_ids > 0
    with torch.no_grad():
        return kept_logits(model.network, batch, keep, attention=model.attention, backend=model.backend)


def gradients_of(model: LanguageModel) -> dict[str, torch.Tensor]:
    target_loss(model, BATCH).total.backward()
    return {n: p.grad for n, p in model.network.named_parameters() if p.grad is not None}
