"""Backends against the dense one, through networks: logits, gradients, neighbours, windows, precision.

What needs a GPU has its stand-in here: `varlen` a loop over pieces, `flex` torch's plain form.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch._dynamo.testing import CompileCounterWithBackend
from torch.nn.attention import flex_attention as torch_flex
from transformers import AutoConfig, AutoModelForCausalLM

from secondwind.errors import ExampleError, ModelError
from secondwind.example import Batch
from secondwind.model.backend import settle_backend
from secondwind.model.forward import LAYOUTS, Attention, Backend, kept_logits
from secondwind.model.load import LanguageModel
from secondwind.model.loss import target_loss
from secondwind.model.mask import allowed
from tests.model.attention.kernels import LoopedVarlen
from tests.model.conftest import CONFIGS, WINDOWED, make_batch, make_model

FAMILIES = sorted(CONFIGS)
ALL_FAMILIES = sorted(CONFIGS | WINDOWED)
BACKENDS: list[Backend] = ["dense", "document"]
ModelOf = Callable[[str, str], LanguageModel]


@pytest.fixture
def anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `varlen` and `flex` run and train without a GPU."""
    monkeypatch.setitem(LAYOUTS, "varlen", LoopedVarlen)
    monkeypatch.setattr(torch_flex, "_validate_device", lambda *heads: None)
    monkeypatch.setattr(torch_flex, "_FLEX_ATTENTION_DISABLE_COMPILE_DEBUG", True)


def logits(
    model: LanguageModel, batch: Batch, *, attention: Attention = "prefix", backend: Backend | None = None
) -> torch.Tensor:
    """Return logits at every token, row by row."""
    with torch.no_grad():
        return kept_logits(
            model.network, batch, batch.segment_ids > 0, attention=attention, backend=backend or model.backend
        )


def one_segment(batch: Batch, row: int, segment: int) -> Batch:
    """Cut one segment out of a batch, as a row of its own."""
    where = np.flatnonzero(batch.segment_ids[row] == segment)
    return Batch(
        tokens=batch.tokens[row : row + 1, where],
        segment_ids=np.ones((1, len(where)), np.int32),
        positions=batch.positions[row : row + 1, where],
        prefix_mask=batch.prefix_mask[row : row + 1, where],
        loss_mask=batch.loss_mask[row : row + 1, where],
    )


@pytest.mark.parametrize("family", ALL_FAMILIES)
def test_the_document_backend_is_the_default(family: str, model_of: ModelOf) -> None:
    assert model_of(family, "auto").backend == "document"


@pytest.mark.parametrize("attention", ["prefix", "causal"])
@pytest.mark.parametrize("family", ALL_FAMILIES)
def test_document_logits_equal_dense_logits(
    family: str, attention: Attention, packed: Batch, model_of: ModelOf
) -> None:
    dense, document = (logits(model_of(family, b), packed, attention=attention) for b in BACKENDS)
    torch.testing.assert_close(document, dense, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("family", ALL_FAMILIES)
def test_document_gradients_equal_dense_gradients(family: str, packed: Batch) -> None:
    gradients = []
    for backend in BACKENDS:
        model = make_model((CONFIGS | WINDOWED)[family], backend=backend)
        target_loss(model, packed).total.backward()
        gradients.append({name: weight.grad for name, weight in model.network.named_parameters()})
    assert any(gradient.abs().max() > 1e-3 for gradient in gradients[0].values())
    for name, expected in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], expected, rtol=1e-4, atol=1e-5, msg=name)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("family", ALL_FAMILIES)
def test_a_packed_example_has_the_logits_that_it_has_alone(
    family: str, backend: Backend, packed: Batch, model_of: ModelOf
) -> None:
    model = model_of(family, backend)
    together = logits(model, packed)
    segments = [(0, 1), (0, 2), (0, 3), (1, 1), (1, 2)]
    alone = torch.cat([logits(model, one_segment(packed, row, segment)) for row, segment in segments])
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("attention", ["prefix", "causal"])
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_token_moves_exactly_the_logits_that_may_see_it(
    family: str, backend: Backend, attention: Attention, model_of: ModelOf
) -> None:
    """No segment moves another, no target sees the future, the prefix sees all of itself iff asked to."""
    model = model_of(family, backend)
    batch = make_batch([[(3, 2), (2, 3)]], row_length=12)
    size = 10
    changed = np.tile(batch.tokens, (size + 1, 1))
    changed[np.arange(1, size + 1), np.arange(size)] += 1
    copies = {
        name: np.tile(getattr(batch, name), (size + 1, 1))
        for name in ("segment_ids", "positions", "prefix_mask", "loss_mask")
    }
    result = logits(model, Batch(tokens=changed, **copies), attention=attention).unflatten(
        0, (size + 1, size)
    )
    moved = ((result[1:] - result[:1]).abs().amax(-1) > 1e-4).numpy()
    prefix = batch.prefix_mask[0, :size] & (attention == "prefix")
    np.testing.assert_array_equal(moved.T, allowed(batch.segment_ids[0, :size], prefix))


@pytest.mark.parametrize("family", sorted(WINDOWED))
def test_a_sliding_layer_differs_from_a_full_one(family: str, packed: Batch, model_of: ModelOf) -> None:
    wide = make_model(WINDOWED[family] | {"sliding_window": 60})
    assert (logits(wide, packed) - logits(model_of(family, "document"), packed)).abs().max() > 1e-2


@pytest.mark.parametrize(
    "config",
    [
        WINDOWED["gemma2"],
        {
            "model_type": "gpt_oss",
            "num_key_value_heads": 2,
            "head_dim": 8,
            "num_local_experts": 2,
            "num_experts_per_tok": 1,
            "sliding_window": 3,
            "layer_types": ["sliding_attention", "full_attention"],
            **{name: CONFIGS["llama"][name] for name in ("hidden_size", "num_hidden_layers")},
            "num_attention_heads": 4,
            "intermediate_size": 48,
            "max_position_embeddings": 64,
        },
    ],
    ids=["soft-capped scores", "learned sinks"],
)
def test_causal_logits_equal_the_models_own(config: dict[str, Any]) -> None:
    model = make_model(config, attention="causal")
    assert model.backend == "document"
    batch = make_batch([[(0, 12)]], row_length=12)
    ours = logits(model, batch, attention="causal")
    model.network.set_attn_implementation("eager")
    with torch.no_grad():
        own = model.network(input_ids=torch.from_numpy(batch.tokens).long()).logits[0]
    torch.testing.assert_close(ours, own, rtol=1e-5, atol=1e-5)


@pytest.mark.usefixtures("anywhere")
@pytest.mark.parametrize("backend", ["flex", "varlen"])
@pytest.mark.parametrize("family", ["gpt2", "mistral", "gemma2"])  # plain, grouped with windows, soft-capped
def test_backends_of_gpus_give_dense_logits_and_gradients(
    family: str, backend: Backend, packed: Batch, model_of: ModelOf
) -> None:
    dense, document = model_of(family, "dense"), make_model((CONFIGS | WINDOWED)[family], backend="document")
    for attention in ("prefix", "causal"):
        found = logits(document, packed, attention=attention, backend=backend)
        torch.testing.assert_close(found, logits(dense, packed, attention=attention), rtol=1e-5, atol=1e-5)
    gradients = []
    for model in (
        replace(document, backend=backend),
        make_model((CONFIGS | WINDOWED)[family], backend="dense"),
    ):
        target_loss(model, packed).total.backward()
        gradients.append({name: weight.grad for name, weight in model.network.named_parameters()})
    for name, expected in gradients[1].items():
        torch.testing.assert_close(gradients[0][name], expected, rtol=1e-4, atol=1e-5, msg=name)


@pytest.mark.usefixtures("anywhere")
@pytest.mark.parametrize("backend", ["dense", "document", "flex", "varlen"])
@pytest.mark.parametrize("family", ["gpt2", "llama", "gemma2"])
def test_bfloat16_moves_logits_by_a_thirtieth_at_most(
    family: str, backend: Backend, packed: Batch, model_of: ModelOf
) -> None:
    """The stated bound, to the largest logit, for every backend: rounding is the network's, not theirs."""
    wanted = logits(model_of(family, "dense"), packed)
    model = model_of(family, "dense" if backend == "dense" else "document")
    with torch.autocast("cpu", torch.bfloat16):
        found = logits(model, packed, backend=backend).float()
    assert 0 < float((found - wanted).abs().max() / wanted.abs().max()) < 1 / 30


@pytest.mark.parametrize("backend", BACKENDS)
def test_half_precision_stays_close_to_full(backend: Backend, packed: Batch) -> None:
    model = make_model(CONFIGS["llama"], backend=backend)
    full = target_loss(model, packed)
    with torch.autocast("cpu", torch.bfloat16):
        half = target_loss(model, packed)
    half.total.backward()
    assert half.total.dtype == torch.float32
    assert half.total.item() == pytest.approx(full.total.item(), rel=2e-2)
    assert all(weight.grad.dtype == torch.float32 for weight in model.network.parameters())


def test_recomputed_activations_give_the_same_gradients(packed: Batch) -> None:
    """Two batches wait for backward at once, so each must be replayed with its own layout."""
    other = make_batch([[(5, 5), (2, 2)]], row_length=14, seed=3)
    gradients = []
    for recompute in (False, True):
        model = make_model(CONFIGS["llama"], backend="document")
        if recompute:
            model.network.train()
            model.network.activation_checkpointing_enable()
        (target_loss(model, packed).total + target_loss(model, other).total).backward()
        gradients.append([weight.grad for weight in model.network.parameters()])
    for plain, replayed in zip(*gradients, strict=True):
        torch.testing.assert_close(replayed, plain, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # what torch's compiler warns of is its own affair
def test_compiled_layers_are_compiled_once_whatever_is_packed() -> None:
    plain, compiled = make_model(CONFIGS["llama"]), make_model(CONFIGS["llama"])
    counter = CompileCounterWithBackend("eager")
    for layer in compiled.network.model.layers:
        layer.compile(dynamic=True, backend=counter)
    graphs: list[int] = []
    for seed, documents in enumerate([[(4, 3), (3, 4)], [(9, 5), (0, 2), (8, 6)], [(2, 2)] * 9]):
        batch = make_batch([documents], row_length=40, seed=seed)
        losses = [target_loss(model, batch).total for model in (plain, compiled)]
        torch.testing.assert_close(losses[1], losses[0])
        graphs.append(counter.frame_count)
    assert graphs[0] == graphs[2] > 0


def network_of(model_type: str, **settings: Any) -> Any:
    config = AutoConfig.for_model(model_type, vocab_size=128, **settings)
    torch.manual_seed(0)
    return AutoModelForCausalLM.from_config(config).eval()


def test_an_architecture_that_never_calls_the_interface_gets_the_dense_mask() -> None:
    network = network_of("gptj", n_embd=32, n_layer=2, n_head=4, rotary_dim=4, n_positions=64)
    with pytest.raises(ModelError, match="cannot use backend='document': its layers never call"):
        settle_backend(network, "document", attention="prefix")
    assert settle_backend(network, "auto", attention="prefix").backend == "dense"


def test_an_architecture_that_drops_the_layout_gets_the_dense_mask() -> None:
    network = network_of(
        "stablelm",
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=4,
        intermediate_size=48,
    )
    assert settle_backend(network, "auto", attention="prefix").backend == "dense"


def test_an_architecture_without_explicit_masks_runs_unpacked_and_causally() -> None:
    network = network_of("bloom", hidden_size=32, n_layer=2, n_head=4)
    assert settle_backend(network, "auto", attention="causal").backend == "unpacked"
    with pytest.raises(ModelError, match="'bloom' cannot run under an explicit attention mask"):
        settle_backend(network, "dense", attention="causal")


def test_alibi_is_refused_for_prefix_attention_only() -> None:
    network = network_of("mpt", d_model=32, n_layers=2, n_heads=4, max_seq_len=64)
    assert settle_backend(network, "auto", attention="causal").backend == "dense"
    with pytest.raises(ModelError, match="'mpt' adds ALiBi's bias"):
        settle_backend(network, "auto", attention="prefix")


def test_a_built_in_causal_mask_is_refused_for_prefix_attention_only() -> None:
    network = network_of(
        "gpt_neo",
        hidden_size=32,
        num_layers=2,
        num_heads=4,
        attention_types=[[["global"], 2]],
        max_position_embeddings=64,
    )
    with pytest.raises(ModelError, match="'gpt_neo' does not honour an explicit mask for prefix attention"):
        settle_backend(network, "auto", attention="prefix")
    assert settle_backend(network, "auto", attention="causal").backend == "dense"


def test_layers_that_cannot_follow_the_rule_run_unpacked_and_causally() -> None:
    network = network_of(
        "llama", hidden_size=32, num_hidden_layers=1, num_attention_heads=4, intermediate_size=8
    )
    network.config.layer_types = ["linear_attention"]
    assert settle_backend(network, "auto", attention="causal").backend == "unpacked"
    with pytest.raises(ModelError, match="layers of type linear_attention, which only look back"):
        settle_backend(network, "auto", attention="prefix")


def test_an_unknown_backend_names_the_nearest() -> None:
    with pytest.raises(ModelError, match=r"no attention backend 'documents'.*Nearest: document"):
        settle_backend(network_of("gpt2", n_embd=8, n_layer=1, n_head=1), "documents", attention="prefix")  # type: ignore[arg-type]


def test_another_mask_is_a_view_of_the_same_network(packed: Batch, model_of: ModelOf) -> None:
    model = model_of("llama", "document")
    causal = model.with_attention("causal")
    assert causal.network is model.network
    assert (causal.attention, model.attention) == ("causal", "prefix")
    assert target_loss(causal, packed).total.item() != pytest.approx(target_loss(model, packed).total.item())


def test_a_segment_beyond_the_models_positions_is_refused(model_of: ModelOf) -> None:
    with pytest.raises(ModelError, match="65 tokens needs more positions than 'gpt2' has: 64"):
        logits(model_of("gpt2", "document"), make_batch([[(5, 60)]], row_length=70))


def test_logits_at_padding_are_refused(packed: Batch, model_of: ModelOf) -> None:
    model = model_of("llama", "document")
    with pytest.raises(ExampleError, match="padding positions"):
        kept_logits(
            model.network,
            packed,
            np.ones_like(packed.loss_mask),
            attention=model.attention,
            backend=model.backend,
        )


def test_a_network_that_cannot_be_compared_keeps_the_proven_mask() -> None:
    """CTRL scales its embeddings in place, which no gradient at them survives."""
    network = network_of("ctrl", n_embd=32, n_layer=2, n_head=4, dff=64)
    chosen = settle_backend(network, "auto", attention="causal")
    assert chosen.backend == "dense" and "no other can be compared with it" in chosen.reason
