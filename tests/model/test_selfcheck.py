"""Planted faults, each found before a backend is used; right ones pass, and nothing is left behind."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.attention import flex_attention as torch_flex

from secondwind.errors import ModelError
from secondwind.example import Batch
from secondwind.model.attention.document import DocumentLayout
from secondwind.model.attention.flex import FlexLayout
from secondwind.model.attention.function import Call, Layout, Settings
from secondwind.model.backend import settle_backend
from secondwind.model.forward import LAYOUTS, Backend
from secondwind.model.load import LanguageModel
from secondwind.model.loss import target_loss
from secondwind.model.selfcheck import check_first_batch, heads_problem
from tests.model.attention.kernels import LoopedVarlen
from tests.model.conftest import CONFIGS, WINDOWED, make_batch, make_model

SINKS = {
    "model_type": "gpt_oss",
    "num_key_value_heads": 2,
    "head_dim": 8,
    "num_local_experts": 2,
    "num_experts_per_tok": 1,
    "layer_types": ["full_attention", "full_attention"],
    "num_attention_heads": 4,
    **{name: CONFIGS["llama"][name] for name in ("hidden_size", "num_hidden_layers", "intermediate_size")},
}
CPU = torch.device("cpu")


class DroppedMask(DocumentLayout):
    """Looks back within documents, whatever is prefix."""

    def mask(self, number: int, window: int | None) -> Tensor:
        return super().mask(number, window).tril()


class AllOnes(DocumentLayout):
    """Sees everything."""

    def mask(self, number: int, window: int | None) -> Tensor:
        return torch.ones_like(super().mask(number, window))


class WiderWindow(DocumentLayout):
    """Sees one key too many on each side."""

    def attend(self, query: Tensor, key: Tensor, value: Tensor, settings: Settings) -> Tensor:
        wider = None if settings.window is None else settings.window + 1
        return super().attend(query, key, value, settings._replace(window=wider))


class NoSinks(DocumentLayout):
    """Ignores learned sinks."""

    def attend(self, query: Tensor, key: Tensor, value: Tensor, settings: Settings) -> Tensor:
        return super().attend(query, key, value, settings._replace(sinks=None))


class NoSoftCap(DocumentLayout):
    """Ignores the bound of the scores."""

    def attend(self, query: Tensor, key: Tensor, value: Tensor, settings: Settings) -> Tensor:
        return super().attend(query, key, value, settings._replace(softcap=None))


class ShorterPrefix(DocumentLayout):
    """Takes the last prefix token for a target."""

    @classmethod
    def of(cls, batch: Batch, **rest: Any) -> "ShorterPrefix":
        ends = batch.prefix_mask & ~np.roll(batch.prefix_mask, -1, axis=1)
        return super().of(replace(batch, prefix_mask=batch.prefix_mask & ~ends), **rest)


class LongerPrefix(DocumentLayout):
    """Takes the first target of a document for prefix."""

    @classmethod
    def of(cls, batch: Batch, **rest: Any) -> "LongerPrefix":
        same = batch.segment_ids == np.roll(batch.segment_ids, 1, axis=1)
        longer = batch.prefix_mask | (np.roll(batch.prefix_mask, 1, axis=1) & same)
        return super().of(replace(batch, prefix_mask=longer), **rest)


class AnotherBatch(DocumentLayout):
    """Keeps the documents of another batch: the same tokens in one document."""

    @classmethod
    def of(cls, batch: Batch, **rest: Any) -> "AnotherBatch":
        other = np.minimum(batch.segment_ids, 1)
        return super().of(replace(batch, segment_ids=other, prefix_mask=batch.prefix_mask & False), **rest)


class WrongBackward(DocumentLayout):
    """Right forward, and gradients of another mask."""

    def attend(self, query: Tensor, key: Tensor, value: Tensor, settings: Settings) -> Tensor:
        right = super().attend(query, key, value, settings)
        wrong = super().attend(query, key, value, settings._replace(window=1))
        return wrong + (right - wrong).detach()


class SwappedKeys(DocumentLayout):
    """Gives each group of heads the keys of another."""

    def attend(self, query: Tensor, key: Tensor, value: Tensor, settings: Settings) -> Tensor:
        return super().attend(query, key.flip(1), value, settings)


class HalfGradient(DocumentLayout):
    """Loses half of the gradient at the queries."""

    def attend(self, query: Tensor, key: Tensor, value: Tensor, settings: Settings) -> Tensor:
        return super().attend(query / 2 + (query / 2).detach(), key, value, settings)


FAULTS: list[tuple[type[Layout], dict[str, Any], str]] = [
    (DroppedMask, CONFIGS["llama"], "it hides key 2 from query 1"),
    (AllOnes, CONFIGS["llama"], "it shows key"),
    (WiderWindow, WINDOWED["mistral"], "it shows key"),
    (NoSinks, SINKS, "its attention weights differ from the formula's"),
    (NoSoftCap, WINDOWED["gemma2"], "its attention weights differ from the formula's"),
    (ShorterPrefix, CONFIGS["gpt_neox"], "it hides key 2 from query 1"),
    (LongerPrefix, CONFIGS["gpt_neox"], "it shows key 3 to query 1"),
    (AnotherBatch, CONFIGS["gpt2"], "it shows key 0 to query 1"),
    (WrongBackward, CONFIGS["llama"], "in its backward pass it hides key"),
    (SwappedKeys, CONFIGS["llama"], "its outputs differ from the formula's"),
    (HalfGradient, CONFIGS["gpt2"], "its gradients at the query differ from the formula's"),
]
NAMES = [kind.__name__ for kind, _, _ in FAULTS]


@pytest.mark.parametrize("half", [False, True], ids=["float32", "bfloat16"])
@pytest.mark.parametrize(("kind", "config", "found"), FAULTS, ids=NAMES)
def test_a_faulty_backend_is_found_and_never_chosen(
    kind: type[Layout], config: dict[str, Any], found: str, half: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = make_model(config, backend="dense").network
    monkeypatch.setitem(LAYOUTS, "document", kind)
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        with pytest.raises(ModelError, match=f"cannot use backend='document': {found}"):
            settle_backend(network, "document", attention="prefix")
        chosen = settle_backend(network, "auto", attention="prefix")
    assert chosen.backend == "dense"
    assert chosen.reason.startswith(f"on the CPU; not document: {found}")
    assert network.config._attn_implementation != "secondwind"


@pytest.mark.parametrize("half", [False, True], ids=["float32", "bfloat16"])
@pytest.mark.parametrize(("kind", "config", "found"), FAULTS, ids=NAMES)
def test_the_first_batch_finds_a_fault_that_came_later(
    kind: type[Layout], config: dict[str, Any], found: str, half: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    del found
    if half and kind is NoSoftCap:
        pytest.skip("in this small network the bound of the scores moves less than bfloat16 rounds")
    model = make_model(config)
    batch = make_batch([[(9, 5), (8, 6)], [(3, 20)]], row_length=32)
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        check(model, batch)
        monkeypatch.setitem(LAYOUTS, "document", kind)
        with pytest.raises(ModelError, match="backend 'document' differs from 'dense' on the first rows by"):
            check(model, batch)


def check(model: LanguageModel, batch: Batch, **rest: Any) -> None:
    check_first_batch(model.network, batch, attention=model.attention, backend=model.backend, **rest)


def test_a_network_that_stops_calling_the_interface_is_found_by_the_first_batch(packed: Batch) -> None:
    model = make_model(CONFIGS["llama"])
    model.network.set_attn_implementation("sdpa")
    with pytest.raises(ModelError, match="made 0 calls of the registered attention function"):
        check(model, packed)


@pytest.mark.parametrize("most_tokens", [1, 5, 512])
def test_the_check_of_the_first_batch_leaves_nothing_behind(packed: Batch, most_tokens: int) -> None:
    model = make_model(CONFIGS["llama"] | {"attention_dropout": 0.5})
    model.network.train()
    state = torch.get_rng_state()
    check(model, packed, most_tokens=most_tokens)
    assert model.network.training
    assert torch.equal(torch.get_rng_state(), state)
    assert all(weight.grad is None for weight in model.network.parameters())
    before = target_loss(model, packed).total
    before.backward()  # no hook is left at the embeddings
    assert model.network.get_input_embeddings().weight.grad.abs().max() > 0


def test_settling_changes_neither_mode_nor_random_state() -> None:
    network = make_model(CONFIGS["llama"] | {"attention_dropout": 0.5}, backend="dense").network.train()
    state = torch.get_rng_state()
    assert settle_backend(network, "auto", attention="prefix").backend == "document"
    assert network.training
    assert torch.equal(torch.get_rng_state(), state)


def test_a_layer_that_asks_for_another_window_than_the_configuration_is_refused() -> None:
    network = make_model(WINDOWED["gemma2"], backend="dense").network
    network.model.layers[0].self_attn.sliding_window = 9
    wanted = "asked for the windows any and 9, its configuration says any and 3"
    with pytest.raises(ModelError, match=wanted):
        settle_backend(network, "document", attention="prefix")


@pytest.mark.parametrize("window", [None, 2, 40, 4096])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_right_attention_passes_with_any_heads(window: int | None, dtype: torch.dtype) -> None:
    for heads, key_heads, width, value_width in ((4, 2, 16, 16), (3, 1, 8, 8), (6, 6, 24, 16)):
        for settings in (Settings(window), Settings(window, scaling=1.0), Settings(window, softcap=0.5)):
            call = Call(heads, key_heads, width, value_width, dtype, settings)
            assert heads_problem(DocumentLayout, call, CPU) is None


@pytest.mark.parametrize("settings", [Settings(), Settings(window=4096), Settings(sinks=torch.zeros(4))])
def test_flex_passes_in_torchs_plain_form(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_flex, "_validate_device", lambda *heads: None)
    monkeypatch.setattr(torch_flex, "_FLEX_ATTENTION_DISABLE_COMPILE_DEBUG", True)
    assert heads_problem(FlexLayout, Call(4, 2, 64, 64, torch.float32, settings), CPU) is None


def test_long_documents_are_read_back_across_blocks() -> None:
    call = Call(4, 2, 32, 32, torch.float32, Settings())
    assert heads_problem(LoopedVarlen, call, CPU) is None

    class Shifted(LoopedVarlen):
        """Leaves out the first key of the last block."""

        def attend(self, query: Tensor, key: Tensor, value: Tensor, settings: Settings) -> Tensor:
            kept = torch.ones(key.shape[2])
            kept[256] = 0
            return super().attend(query, key, value * kept[:, None], settings)

    assert heads_problem(Shifted, call, CPU) == "it hides key 256 from query 204"


def test_the_reason_names_what_was_measured() -> None:
    chosen = settle_backend(make_model(CONFIGS["llama"]).network, "auto", attention="prefix")
    assert chosen.reason.startswith("on the CPU; equals dense within")
    assert make_model(CONFIGS["llama"]).backend_reason.startswith("on the CPU; equals dense within")
    assert make_model(CONFIGS["llama"], backend="dense").backend_reason == "asked for"


@pytest.mark.parametrize("backend", ["flex", "varlen"])
def test_a_backend_that_was_asked_for_is_refused_rather_than_replaced(backend: Backend) -> None:
    wanted = rf"cannot use backend='{backend}': .* a CUDA device.*Use backend='auto' or 'dense'"
    with pytest.raises(ModelError, match=wanted):
        make_model(CONFIGS["llama"], backend=backend)
