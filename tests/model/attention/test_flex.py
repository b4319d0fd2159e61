"""Block lists that follow from borders alone, and one kernel for every packing."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch._dynamo.testing import CompileCounterWithBackend
from torch.nn.attention.flex_attention import flex_attention

from secondwind.errors import ModelError
from secondwind.example import Batch
from secondwind.model.attention import flex
from secondwind.model.attention.flat import FlatBatch
from secondwind.model.attention.flex import BLOCK, FlexLayout, block_lists, padded_length, visible_runs
from secondwind.model.attention.function import Call, Settings
from secondwind.model.mask import allowed
from tests.model.conftest import make_batch

DOCUMENTS = st.lists(st.tuples(st.integers(0, 200), st.integers(1, 200)), min_size=1, max_size=5)
WINDOWS = st.none() | st.integers(1, 300)


def one_row(documents: list[tuple[int, int]]) -> Batch:
    return make_batch([documents], row_length=sum(map(sum, documents)))


def rule(batch: Batch, window: int | None, num_slots: int) -> np.ndarray:
    """Return the rule for the batch and its tail of padding, of which each slot sees itself alone."""
    size = batch.num_tokens
    visible = np.eye(num_slots, dtype=bool)
    visible[:size, :size] = allowed(batch.segment_ids[0], batch.prefix_mask[0], window=window)
    return visible


@given(documents=DOCUMENTS, window=WINDOWS)
def test_the_keys_of_a_query_are_one_run_and_its_ends_never_fall(
    documents: list[tuple[int, int]], window: int | None
) -> None:
    batch = one_row(documents)
    flat = FlatBatch.of(batch, attention="prefix")
    slots = padded_length(batch.num_tokens)
    runs = visible_runs(flat, flat.prefix_lengths(), window=window, num_slots=slots)
    keys = np.arange(slots)
    found = (runs.first[:, None] <= keys) & (keys < runs.stop[:, None])
    np.testing.assert_array_equal(found, rule(batch, window, slots))
    assert (np.diff(runs.first) >= 0).all()
    assert (np.diff(runs.stop) >= 0).all()


@given(documents=DOCUMENTS, window=WINDOWS)
def test_block_lists_hold_every_visible_pair_and_nothing_without_one(
    documents: list[tuple[int, int]], window: int | None
) -> None:
    batch = one_row(documents)
    flat = FlatBatch.of(batch, attention="prefix")
    slots = padded_length(batch.num_tokens)
    lists = block_lists(visible_runs(flat, flat.prefix_lengths(), window=window, num_slots=slots))
    blocks = rule(batch, window, slots).reshape(slots // BLOCK, BLOCK, slots // BLOCK, BLOCK)
    some, all_of_it = blocks.any(axis=(1, 3)), blocks.all(axis=(1, 3))

    def listed(counts: np.ndarray, which: np.ndarray) -> np.ndarray:
        found = np.zeros((slots // BLOCK, slots // BLOCK), dtype=int)
        for row, (count, names) in enumerate(zip(counts, which, strict=True)):
            np.add.at(found[row], names[:count], 1)
        return found

    partial, full = listed(lists.num_partial, lists.partial), listed(lists.num_full, lists.full)
    np.testing.assert_array_equal(full, all_of_it)
    np.testing.assert_array_equal(partial, some & ~all_of_it)
    assert lists.partial.min() >= 0 <= lists.full.min()
    assert max(lists.partial.max(), lists.full.max()) < slots // BLOCK


@pytest.mark.parametrize("window", [None, 40])
def test_the_mask_that_kernels_evaluate_is_the_rule(window: int | None) -> None:
    batch = one_row([(3, 1), (120, 9), (0, 70), (60, 140)])
    layout = FlexLayout.of(batch)
    at = torch.arange(layout.num_slots)
    found = layout.mask(window).mask_mod(at, at, at[:, None], at[None])
    np.testing.assert_array_equal(found.numpy(), rule(batch, window, layout.num_slots))


def test_block_lists_of_the_backward_pass_are_the_transposed_ones() -> None:
    mask = FlexLayout.of(one_row([(3, 1), (120, 9), (0, 70), (400, 140)])).mask(None)
    for counts, which, back_counts, back in (
        (mask.kv_num_blocks, mask.kv_indices, mask.q_num_blocks, mask.q_indices),
        (mask.full_kv_num_blocks, mask.full_kv_indices, mask.full_q_num_blocks, mask.full_q_indices),
    ):
        assert counts is not None and which is not None and back_counts is not None and back is not None
        pairs = {(q, k) for q in range(len(counts[0, 0])) for k in which[0, 0, q, : counts[0, 0, q]].tolist()}
        backward = {
            (q, k) for k in range(len(counts[0, 0])) for q in back[0, 0, k, : back_counts[0, 0, k]].tolist()
        }
        assert pairs == backward != set()


def test_block_masks_are_made_once_for_all_layers(packed: Batch) -> None:
    layout = FlexLayout.of(packed)
    assert layout.mask(None) is layout.mask(None)
    assert layout.mask(2) is not layout.mask(None)


@given(st.integers(1, 10**6))
def test_lengths_are_rounded_to_few_and_little_beyond_an_eighth(num_tokens: int) -> None:
    slots = padded_length(num_tokens)
    assert slots % BLOCK == 0
    assert num_tokens <= slots <= max(512, 1.125 * num_tokens + BLOCK)
    assert padded_length(slots) == slots
    assert len({padded_length(length) for length in range(2048, 4096)}) <= 9


@pytest.mark.filterwarnings("ignore")  # what torch's compiler warns of is its own affair
def test_one_kernel_serves_every_packing_of_a_length(monkeypatch: pytest.MonkeyPatch) -> None:
    counter = CompileCounterWithBackend("eager")
    kernel = torch.compile(flex_attention, dynamic=False, fullgraph=True, backend=counter)
    monkeypatch.setattr(flex, "_kernel", lambda device_type: kernel)

    def run(documents: list[tuple[int, int]], settings: Settings) -> int:
        batch = one_row(documents)
        heads = torch.randn(1, 2, batch.num_tokens, 16)
        with torch.no_grad():
            FlexLayout.of(batch).attend(heads, heads, heads, settings)
        return counter.frame_count

    assert run([(3, 4)], Settings()) == 1
    assert run([(0, 100), (200, 7), (1, 1)], Settings()) == 1
    assert run([(30, 400)], Settings(window=5)) == 1
    assert run([(2, 2)] * 120, Settings(window=300)) == 1
    assert run([(500, 100)], Settings()) == 2  # another length


def call(**settings: Any) -> Call:
    return Call(4, 2, 16, 16, torch.float32, Settings(**settings))


def test_flex_says_what_it_lacks() -> None:
    cuda = torch.device("cuda")
    assert FlexLayout.unsupported([call(window=3, softcap=2.0)], cuda) is None
    assert FlexLayout.unsupported([call(), call(dropout=0.1)], cuda) == "FlexAttention knows no dropout"
    refusal = FlexLayout.unsupported([call()], torch.device("cpu"))
    assert refusal == "FlexAttention cannot train on 'cpu', it needs a CUDA device"


def test_dropout_is_refused_where_a_layer_asks_for_it(packed: Batch) -> None:
    heads = torch.zeros(1, 2, packed.num_tokens, 16)
    with pytest.raises(ModelError, match="knows no dropout; got 0.1"):
        FlexLayout.of(packed).attend(heads, heads, heads, Settings(dropout=0.1))
