"""How the document backend lays out a batch, and that it never works unnoticed with another mask."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from secondwind.errors import ExampleError, ModelError
from secondwind.example import Batch
from secondwind.model.attention.document import MAX_EMPTY_SHARE, DocumentLayout, plan_groups
from secondwind.model.attention.flat import find_documents
from secondwind.model.attention.function import packed_attention
from tests.model.conftest import make_batch


def test_documents_are_found_in_row_order_without_padding() -> None:
    segment_ids = np.array([[1, 1, 2, 0], [1, 2, 2, 2]], dtype=np.int32)
    tokens, starts, lengths = find_documents(segment_ids)
    assert tokens.tolist() == [0, 1, 2, 4, 5, 6, 7]
    assert starts.tolist() == [0, 2, 3, 4]
    assert lengths.tolist() == [2, 1, 1, 3]


def test_a_segment_in_two_pieces_is_refused() -> None:
    with pytest.raises(ExampleError, match="segment 1 of row 0 lies in 2 pieces"):
        find_documents(np.array([[1, 2, 1, 0]], dtype=np.int32))


def test_a_batch_of_padding_is_refused() -> None:
    with pytest.raises(ExampleError, match="padding only"):
        find_documents(np.zeros((2, 4), dtype=np.int32))


@given(st.lists(st.integers(1, 60), min_size=1, max_size=40))
def test_groups_hold_every_document_once_with_few_empty_slots(lengths: list[int]) -> None:
    groups = plan_groups(np.array(lengths))
    assert sorted(np.concatenate(groups).tolist()) == list(range(len(lengths)))
    for group in groups:
        sizes = [lengths[document] for document in group]
        room = len(sizes) * max(sizes)
        assert sizes[0] == max(sizes)
        assert room - sum(sizes) <= MAX_EMPTY_SHARE * room


def test_documents_of_one_length_share_a_group() -> None:
    assert [group.tolist() for group in plan_groups(np.array([5, 2, 5, 2, 2]))] == [[0, 2], [1, 3, 4]]


def test_slots_hold_each_token_once_and_lead_back_to_it() -> None:
    layout = DocumentLayout.of(make_batch([[(3, 2), (1, 1)], [(2, 2), (4, 1)]], row_length=9))
    assert [tuple(group.segment_ids.shape) for group in layout.groups] == [(3, 5), (1, 2)]
    assert layout.slots[layout.homes].tolist() == list(range(16))
    assert len(layout.empty) == 1
    assert layout.groups[0].prefix_mask.int().tolist() == [[1, 1, 1, 0, 0], [1, 1, 1, 1, 0], [1, 1, 0, 0, 0]]


def test_masks_are_made_once_for_all_layers(packed: Batch) -> None:
    layout = DocumentLayout.of(packed)
    assert layout.mask(0, None) is layout.mask(0, None)
    assert layout.mask(0, 2) is not layout.mask(0, None)


def test_a_layer_without_layout_and_mask_is_refused() -> None:
    heads = torch.zeros(1, 2, 3, 4)
    with pytest.raises(ModelError, match="received no layout and no mask"):
        packed_attention(nn.Identity(), heads, heads, heads, None)


def test_a_forward_that_never_asked_for_its_attention_is_refused(packed: Batch) -> None:
    with pytest.raises(ModelError, match="made 0 calls"):
        DocumentLayout.of(packed).refuse_unused("silent")
