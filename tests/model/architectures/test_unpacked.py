"""The unpacked backend: each document a row of its own, the logits of the packed batch."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from secondwind.errors import ModelError
from secondwind.example import Batch
from secondwind.model.attention.unpacked import unpack
from secondwind.model.forward import kept_logits
from secondwind.model.load import LanguageModel
from secondwind.model.loss import target_loss
from tests.model.conftest import make_batch, make_model

Loaded = Callable[[str], LanguageModel]
RECURRENT = ["mamba", "jamba", "rwkv"]
ONLY_UNPACKED = [*RECURRENT, "bloom", "llama4"]

segments = st.lists(st.tuples(st.integers(0, 4), st.integers(1, 6)), min_size=1, max_size=4)


@given(rows=st.lists(segments, min_size=1, max_size=3), seed=st.integers(0, 99))
def test_every_document_is_one_row_and_every_kept_position_comes_once(
    rows: list[list[tuple[int, int]]], seed: int
) -> None:
    batch = make_batch(rows, row_length=44, seed=seed)
    keep = (np.random.default_rng(seed).random(batch.tokens.shape) < 0.4) & (batch.segment_ids > 0)
    groups = list(unpack(batch, keep))
    documents = [
        batch.tokens[row, batch.segment_ids[row] == segment].tolist()
        for row in range(len(rows))
        for segment in range(1, len(rows[row]) + 1)
    ]
    found = [line.tolist() for group in groups for line in group.tokens]
    assert len(found) == len(documents)
    for document in documents:  # padding is behind
        assert any(line[: len(document)] == document for line in found)
    places = np.concatenate([group.places for group in groups])
    kept = np.concatenate([group.tokens[group.keep] for group in groups])
    assert sorted(places) == list(range(keep.sum()))
    assert kept[np.argsort(places)].tolist() == batch.tokens[keep].tolist()


def test_unpacked_logits_and_gradients_equal_dense_ones_where_both_can_run(packed: Batch) -> None:
    """Llama can do both, so either is an oracle of the other."""
    results = []
    for backend in ("dense", "unpacked"):
        model = make_model(
            {
                "model_type": "llama",
                "hidden_size": 32,
                "num_hidden_layers": 2,
                "num_attention_heads": 4,
                "intermediate_size": 48,
                "initializer_range": 0.1,
            },
            backend=backend,
            attention="causal",
        )
        assert model.backend == backend
        loss = target_loss(model, packed)
        loss.total.backward()
        results.append([loss.per_target, *(weight.grad for weight in model.network.parameters())])
    for dense, unpacked in zip(*results, strict=True):
        torch.testing.assert_close(unpacked, dense, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ONLY_UNPACKED)
def test_a_packed_example_has_the_logits_that_the_models_own_code_gives_it(
    name: str, packed: Batch, loaded: Loaded
) -> None:
    model = loaded(name)
    assert model.backend == "unpacked"
    with torch.no_grad():
        together = kept_logits(
            model.network, packed, packed.segment_ids > 0, attention="causal", backend=model.backend
        )
        alone = [
            model.network(input_ids=torch.from_numpy(tokens[ids == segment]).long()[None]).logits[0]
            for tokens, ids in zip(packed.tokens, packed.segment_ids, strict=True)
            for segment in range(1, ids.max() + 1)
        ]
    torch.testing.assert_close(together, torch.cat(alone), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", RECURRENT)
def test_a_recurrent_model_learns_from_packed_rows(name: str, packed: Batch, folder_of: Callable) -> None:
    from secondwind.model.load import load

    model = load(folder_of(name), attention="causal", num_sentinels=4)
    model.network.train()
    optimizer = torch.optim.AdamW(model.network.parameters(), lr=1e-2)
    losses = []
    for _ in range(5):
        loss = target_loss(model, packed)
        loss.total.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.total.item())
    assert losses[-1] < 0.8 * losses[0]


@pytest.mark.parametrize("name", ONLY_UNPACKED)
def test_prefix_attention_is_refused_with_what_a_recipe_can_say(name: str, loaded: Loaded) -> None:
    with pytest.raises(ModelError, match=r"ul2r\.attention: causal and flan\.attention: causal"):
        loaded(name).with_attention("prefix")


def test_a_prefix_batch_never_runs_unpacked(packed: Batch, loaded: Loaded) -> None:
    with pytest.raises(ModelError, match="'mamba' runs unpacked, under its own causal attention"):
        kept_logits(loaded("mamba").network, packed, packed.loss_mask, attention="prefix", backend="unpacked")
