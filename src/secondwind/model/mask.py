"""THE rule of who may attend to whom; every backend is tested against this function.

A query q sees a key k if both are in one segment, and k is not later than q or k is prefix, and the
two are less than `window` apart. Padding is segment 0 and sees padding alone, so no row is empty.

    tokens        BOS [R]  a  <0>  b  EOS pad          keys ->
    segment_ids    1   1   1   1   1   1   0        BOS # # # . . . .
    prefix_mask    #   #   #   .   .   .   .        [R] # # # . . . .
                                                     a  # # # . . . .
    Prefix keys are seen from their whole           <0> # # # # . . .
    segment; targets see the prefix and the          b  # # # # # . .
    targets before them.                            EOS # # # # # # .
                                                    pad . . . . . . #

Shape letters: Q queries, K keys.

Source: prefix language models, T5 (arXiv:1910.10683, section 3.2.1); UL2 (arXiv:2205.05131, section 3.1).
"""

from typing import Any, overload

import numpy as np
import torch
from torch import Tensor

from secondwind.example import Flags, Tokens


@overload
def allowed(
    segment_ids: Tokens, prefix_mask: Flags, *, window: int | None = None, first_query: int = 0
) -> Flags: ...
@overload
def allowed(
    segment_ids: Tensor, prefix_mask: Tensor, *, window: int | None = None, first_query: int = 0
) -> Tensor: ...
def allowed(segment_ids: Any, prefix_mask: Any, *, window: int | None = None, first_query: int = 0) -> Any:
    """Decide for every pair of positions whether the query may attend to the key.

    Args:
        segment_ids: int[..., K]; examples count from 1, padding is 0.
        prefix_mask: bool[..., K]; all False gives causal attention within segments.
        window: a query sees keys at distances below this many positions, on both sides; None: any distance.
        first_query: rows of the result start at this position (decoding asks for the last one only).

    Returns:
        bool[..., Q, K], numpy or torch as given, with Q = K - first_query.
    """
    positions = _positions(segment_ids)
    distance = positions[first_query:, None] - positions[None, :]
    same_segment = segment_ids[..., first_query:, None] == segment_ids[..., None, :]
    visible = same_segment & ((distance >= 0) | prefix_mask[..., None, :])
    return visible if window is None else visible & (abs(distance) < window)


def _positions(array: Any) -> Any:
    if isinstance(array, Tensor):
        return torch.arange(array.shape[-1], device=array.device)
    return np.arange(array.shape[-1])
