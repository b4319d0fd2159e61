"""Chunks of logits change memory alone: losses and gradients are those of all logits at once."""

import gc
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from secondwind.errors import ModelError
from secondwind.example import Batch, Example
from secondwind.model import chunked
from secondwind.model.adapter import Adapter, adapt
from secondwind.model.attention.document import DocumentLayout
from secondwind.model.load import LanguageModel
from secondwind.model.loss import TargetLoss, score, target_loss
from secondwind.training.network import training_mode
from tests.model.conftest import _WIDTHS, CONFIGS, WINDOWED, make_model
from tests.training.conftest import make_settings

POSITIONS = 4  # of a chunk; the packed batch has 17 targets
HEADS: dict[str, dict[str, Any]] = {  # what a model may do to logits behind its output layer, or to its layer
    "llama": CONFIGS["llama"],
    "gpt2": CONFIGS["gpt2"],  # tied
    "gemma2": {**WINDOWED["gemma2"], "final_logit_softcapping": 3.0},
    "cohere": {"model_type": "cohere", "num_key_value_heads": 2, "logit_scale": 0.25, **_WIDTHS},
    "granite": {"model_type": "granite", "num_key_value_heads": 2, "logits_scaling": 4.0, **_WIDTHS},
    "phi": {"model_type": "phi", **_WIDTHS},  # a bias on the output layer
    "mixtral": {"model_type": "mixtral", "num_key_value_heads": 2, "num_local_experts": 4, **_WIDTHS},
    "opt": {  # its body lies one module deeper
        "model_type": "opt",
        "hidden_size": 32,
        "word_embed_proj_dim": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "ffn_dim": 48,
        "max_position_embeddings": 64,
        "init_std": 0.1,
    },
}
Compute = Callable[[], TargetLoss]


@pytest.fixture
def in_chunks(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Return a switch: so many positions may have logits at once."""
    return lambda positions: monkeypatch.setattr(chunked, "max_positions", lambda _: positions)


def gradients(model: LanguageModel, compute: Compute) -> tuple[TargetLoss, dict[str, Tensor], list[int]]:
    """Return a loss, the gradients that it gives, and for how many positions logits were made each time."""
    model.network.zero_grad()
    made: list[int] = []
    layer = model.network.get_output_embeddings()
    hook = layer.register_forward_hook(lambda _, __, output: made.append(output.shape[-2]))
    loss = compute()
    loss.total.backward()
    hook.remove()
    found = {name: p.grad.clone() for name, p in model.network.named_parameters() if p.grad is not None}
    return loss, found, made


def assert_same(model: LanguageModel, compute: Compute, in_chunks: Callable[[int], None]) -> None:
    """Compare chunks with all logits at once."""
    assert chunked.body_of(model) is not None  # found before logits are counted
    in_chunks(10**9)
    whole, wanted, _ = gradients(model, compute)
    in_chunks(POSITIONS)
    parts, found, made = gradients(model, compute)
    # Without positions for the states, then each chunk forward and once more backward.
    assert made[0] == 0 and sum(made) == 2 * whole.count and max(made) <= POSITIONS
    assert parts.total.item() == pytest.approx(whole.total.item(), rel=1e-6)
    torch.testing.assert_close(parts.per_target, whole.per_target, rtol=1e-5, atol=1e-6)
    assert found.keys() == wanted.keys()
    errors = {name: (found[name] - wanted[name]).norm() for name in wanted}
    norms = {name: gradient.norm() for name, gradient in wanted.items()}
    whole_norm = norm_of(norms.values())
    assert 0 < norm_of(errors.values()) < 1e-6 * whole_norm  # zero would be no chunks at all
    # Some gradients are zero but for rounding, such as that of OPT's key bias: softmax does not feel it.
    for name, error in errors.items():
        assert error < 5e-6 * max(norms[name], 1e-2 * whole_norm), name


def norm_of(norms: Iterable[Tensor]) -> float:
    """Join the norms of parts."""
    return float(torch.stack([*norms]).norm())


@pytest.mark.parametrize("backend", ["dense", "document"])
@pytest.mark.parametrize("family", sorted(HEADS))
def test_losses_and_gradients_are_those_of_all_logits(
    family: str, backend: Any, packed: Batch, in_chunks: Callable[[int], None]
) -> None:
    model = make_model(HEADS[family], backend=backend)
    assert_same(model, lambda: target_loss(model, packed), in_chunks)


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_an_adapter_with_trained_rows_gets_the_same_gradients(
    family: str, packed: Batch, in_chunks: Callable[[int], None]
) -> None:
    plain = make_model(HEADS[family])
    # Adopted ids are trained rows; some must be targets, or their gradient at the output would be missed.
    packed.tokens[:, 5:8] = plain.vocabulary.sentinels[0]
    model = adapt(plain, Adapter(rank=2), seed=0).model
    with torch.no_grad():
        for name, parameter in model.network.named_parameters():
            if "lora_B" in name or "trainable_tokens" in name:
                parameter.add_(0.02)  # fresh adapters change nothing, and half of their gradients are zero
    assert_same(model, lambda: target_loss(model, packed), in_chunks)


def test_chunks_and_activation_checkpointing_agree(packed: Batch, in_chunks: Callable[[int], None]) -> None:
    model = make_model(HEADS["gemma2"])
    with training_mode(model.network, make_settings(activation_checkpointing=True)):
        assert_same(model, lambda: target_loss(model, packed), in_chunks)


def test_dropout_of_the_body_is_drawn_once(packed: Batch, in_chunks: Callable[[int], None]) -> None:
    model = make_model({**CONFIGS["gpt2"], "resid_pdrop": 0.5})

    def compute() -> TargetLoss:
        torch.manual_seed(3)
        return target_loss(model, packed)

    with training_mode(model.network, make_settings()):
        assert_same(model, compute, in_chunks)


def test_bf16_gradients_of_chunks_are_summed_in_float32(
    packed: Batch, in_chunks: Callable[[int], None]
) -> None:
    model = make_model(CONFIGS["llama"])
    in_chunks(POSITIONS)
    with torch.autocast("cpu", torch.bfloat16):
        loss = target_loss(model, packed)
    loss.total.backward()
    table = model.network.get_output_embeddings().weight
    assert table.grad is not None
    found = table.grad.clone()
    # The same chunks, one a batch.
    model.network.zero_grad()
    in_chunks(10**9)
    rows, columns = packed.loss_mask.nonzero()
    for part in np.array_split(np.arange(packed.num_targets), -(-packed.num_targets // POSITIONS)):
        only = np.zeros_like(packed.loss_mask)
        only[rows[part], columns[part]] = True
        with torch.autocast("cpu", torch.bfloat16):
            alone = target_loss(model, replace(packed, loss_mask=only))
        alone.total.backward()
    rounding = 2.0**-8  # of bf16
    assert (found - table.grad).norm() < 0.02 * rounding * table.grad.norm()


def test_scores_hold_no_more_logits_than_a_chunk(in_chunks: Callable[[int], None]) -> None:
    model = make_model(HEADS["cohere"])
    assert chunked.body_of(model) is not None
    examples = [Example(np.array([5, 6], np.int32), np.arange(7, 7 + n, dtype=np.int32), "s") for n in (9, 2)]
    in_chunks(10**9)
    wanted = score(model, examples)
    in_chunks(POSITIONS)
    made: list[int] = []
    layer = model.network.get_output_embeddings()
    with layer.register_forward_hook(lambda _, __, output: made.append(output.shape[-2])):
        found = score(model, examples)
    assert made == [0, 4, 4, 3]
    assert [one.num_targets for one in found] == [9, 2]
    assert [one.log_probability for one in found] == pytest.approx(
        [one.log_probability for one in wanted], rel=1e-6
    )


def test_chunks_follow_from_sizes_alone() -> None:
    network = make_model(CONFIGS["llama"]).network
    rows = network.config.vocab_size
    assert chunked.max_positions(network) == 2**27 // (4 * rows)
    network.resize_token_embeddings(3 * rows, mean_resizing=False)
    assert chunked.max_positions(network) == 2**27 // (12 * rows)


def test_a_network_whose_logits_need_more_than_states_makes_them_all_at_once(
    packed: Batch, in_chunks: Callable[[int], None]
) -> None:
    model = make_model(CONFIGS["llama"])
    original = model.network.forward

    def by_place(*arguments: Any, **named: Any) -> Any:
        output = original(*arguments, **named)
        # Chunks do not know their places in the row.
        places = torch.arange(named["input_ids"].shape[1])[named.get("logits_to_keep", slice(None))]
        output.logits = output.logits * (1 + places[None, :, None])
        return output

    model.network.forward = by_place
    in_chunks(10**9)
    wanted = target_loss(model, packed)
    in_chunks(POSITIONS)
    assert chunked.body_of(model) is None
    torch.testing.assert_close(target_loss(model, packed).per_target, wanted.per_target, rtol=0, atol=0)


def test_a_body_that_the_architecture_does_not_name_is_found() -> None:
    model = make_model(CONFIGS["llama"])
    model.network.base_model_prefix = "nothing"  # as in Llama 4's text model
    assert model.network.base_model is model.network.get_decoder() is model.network
    assert chunked.body_of(model) is model.network.model


def test_the_body_is_found_whatever_a_backend_computes_in(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise ModelError("no float32 here")  # as varlen says

    model = make_model(CONFIGS["llama"], backend="document")
    monkeypatch.setattr(DocumentLayout, "attend", refuse)
    assert chunked.body_of(model) is model.network.model


def test_the_body_is_itself_again_behind_a_chunk(packed: Batch, in_chunks: Callable[[int], None]) -> None:
    model = make_model(CONFIGS["llama"])
    in_chunks(POSITIONS)
    target_loss(model, packed).total.backward()
    body = chunked.body_of(model)
    assert body is not None and "forward" not in vars(body) and not body._forward_hooks
    assert not model.network.training


def test_a_network_that_is_gone_is_forgotten(packed: Batch, in_chunks: Callable[[int], None]) -> None:
    gc.collect()
    before = len(chunked._bodies)
    model = make_model(CONFIGS["llama"])
    in_chunks(POSITIONS)
    with torch.no_grad():
        target_loss(model, packed)
    assert len(chunked._bodies) == before + 1
    del model
    gc.collect()
    assert len(chunked._bodies) == before
