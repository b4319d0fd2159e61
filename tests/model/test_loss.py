"""The loss counts targets alone, and equals what transformers and a plain softmax compute."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from secondwind.errors import ExampleError
from secondwind.example import Batch, Example
from secondwind.model import chunked
from secondwind.model.load import LanguageModel
from secondwind.model.loss import per_source, score, target_logits, target_loss
from tests.model.conftest import CONFIGS, make_batch, make_model

ModelOf = Callable[[str, str], LanguageModel]


def example(inputs: list[int], targets: list[int], source: str = "s") -> Example:
    return Example(np.array(inputs, np.int32), np.array(targets, np.int32), source)


@pytest.mark.parametrize("backend", ["dense", "document"])
@pytest.mark.parametrize("family", sorted(CONFIGS))
def test_the_causal_loss_of_one_document_is_the_models_own(
    family: str, backend: str, model_of: ModelOf
) -> None:
    model = model_of(family, backend).with_attention("causal")
    batch = make_batch([[(0, 12)]], row_length=15)
    tokens = torch.from_numpy(batch.tokens[:, :12]).long()
    own = make_model(CONFIGS[family], backend="dense").network(input_ids=tokens, labels=tokens)
    loss = target_loss(model, batch)
    assert loss.count == 11
    assert loss.total.item() / loss.count == pytest.approx(own.loss.item(), rel=1e-5)


def test_logits_come_row_by_row_at_loss_positions_only(packed: Batch, model_of: ModelOf) -> None:
    with torch.no_grad():
        result = target_logits(model_of("llama", "document"), packed)
        first_row = Batch(
            *(
                getattr(packed, name)[:1]
                for name in ("tokens", "segment_ids", "positions", "prefix_mask", "loss_mask")
            )
        )
        expected = target_logits(model_of("llama", "document"), first_row)
    assert len(result) == packed.num_targets
    torch.testing.assert_close(result[: len(expected)], expected, rtol=1e-5, atol=1e-5)


def test_losses_are_split_by_source_without_remainder(packed: Batch, model_of: ModelOf) -> None:
    loss = target_loss(model_of("llama", "document"), packed)
    parts = per_source(loss, packed)
    assert {source: part.num_targets for source, part in parts.items()} == {
        "source 0": 3 + 5,
        "source 1": 4 + 4,
        "source 2": 1,
    }
    assert sum(part.total for part in parts.values()) == pytest.approx(loss.total.item(), rel=1e-6)
    first = float(loss.per_target[:3].sum() + loss.per_target[8:13].sum())
    assert parts["source 0"].total == pytest.approx(first, rel=1e-6)


def test_sources_must_be_named(packed: Batch, model_of: ModelOf) -> None:
    loss = target_loss(model_of("llama", "document"), packed)
    with pytest.raises(ExampleError, match="0 sources for 5 segments"):
        per_source(loss, replace(packed, sources=()))


@pytest.mark.parametrize("position", [6, 17])
def test_a_loss_at_the_end_of_a_segment_is_refused(position: int, model_of: ModelOf) -> None:
    batch = make_batch([[(4, 3), (3, 8)]], row_length=18)
    batch.loss_mask[0, position] = True
    with pytest.raises(ExampleError, match=f"a loss at position {position}, the last of its segment"):
        target_loss(model_of("llama", "document"), batch)


def test_a_batch_without_targets_has_no_loss(model_of: ModelOf) -> None:
    batch = make_batch([[(4, 3)]], row_length=8)
    batch.loss_mask[:] = False
    loss = target_loss(model_of("llama", "document"), batch)
    assert (loss.total.item(), loss.count) == (0.0, 0)


@pytest.mark.parametrize("backend", ["dense", "document"])
def test_scores_are_log_probabilities_in_the_order_given(backend: str, model_of: ModelOf) -> None:
    model = model_of("llama", backend)
    examples = [example([5, 6], [7, 8, 9]), example([], [10, 11]), example([12] * 9, [13])]
    scores = score(model, examples, batch_tokens=12)
    assert [entry.num_targets for entry in scores] == [3, 1, 1]
    row = make_batch([[(2, 3)]], row_length=5)
    row.tokens[0] = [5, 6, 7, 8, 9]
    assert scores[0].log_probability == pytest.approx(-target_loss(model, row).total.item(), rel=1e-5)


def test_a_score_does_not_depend_on_its_batch(model_of: ModelOf) -> None:
    model = model_of("gpt_neox", "document")
    examples = [example(list(range(5, 5 + n)), [40, 41]) for n in (1, 6, 3)]
    together = [entry.log_probability for entry in score(model, examples)]
    alone = [score(model, [one])[0].log_probability for one in examples]
    assert together == pytest.approx(alone, abs=1e-5)


def test_scoring_nothing_gives_nothing(model_of: ModelOf) -> None:
    assert score(model_of("llama", "document"), []) == []


def test_bos_is_read_before_the_targets_and_makes_the_first_one_predictable(model_of: ModelOf) -> None:
    model = model_of("llama", "document")
    with_bos = replace(model, vocabulary=replace(model.vocabulary, bos=3))
    assert score(with_bos, [example([], [10, 11])])[0].num_targets == 2
    given = score(model, [example([3], [10, 11])])[0].log_probability
    assert score(with_bos, [example([], [10, 11])])[0].log_probability == pytest.approx(given, abs=1e-6)


@pytest.mark.parametrize("positions", [4, 10**9])
def test_the_z_loss_is_the_weighted_square_of_log_z_and_stays_out_of_the_loss(
    positions: int, packed: Batch, model_of: ModelOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunked, "max_positions", lambda _: positions)
    model = model_of("gpt2", "document")
    table = model.network.get_output_embeddings().weight

    def gradient(of: torch.Tensor) -> torch.Tensor:
        return torch.autograd.grad(of, table)[0]

    log_z = target_logits(model, packed).double().logsumexp(1)
    plain = target_loss(model, packed)
    with_z = target_loss(model, packed, z_loss=0.25)
    assert plain.z_total is None and plain.optimised is plain.total
    assert with_z.total.item() == plain.total.item()
    torch.testing.assert_close(with_z.per_target, plain.per_target, rtol=0, atol=0)
    assert with_z.z_total is not None
    wanted = 0.25 * log_z.square().sum()
    assert with_z.z_total.item() == pytest.approx(wanted.item(), rel=1e-6)
    assert with_z.optimised.item() == pytest.approx(plain.total.item() + wanted.item(), rel=1e-6)
    both = gradient(with_z.optimised)
    expected = gradient(plain.total) + gradient(wanted)
    assert (both - expected).norm() < 1e-6 * expected.norm()
