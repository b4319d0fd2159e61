"""What `many.py` hands to the compiled loops of `kernel.py`: arrays with names, N tokens in B windows."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from secondwind.example import Flags, Tokens

Words = npt.NDArray[np.uint64]
Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Windows(NamedTuple):
    """The windows of one call, checked.

    Args:
        tokens: int32[N].
        offsets: int64[B + 1], where windows begin and end.
        choice: int64[B], places in the table.
        keys: uint64[B].
        ends_document: bool[B].
    """

    tokens: Tokens
    offsets: Integers
    choice: Integers
    keys: Words
    ends_document: Flags


class Table(NamedTuple):
    """D denoisers: int64[D] kinds and mode tokens, float64[D] rates and mean span lengths.

    The rate of an S-denoiser is its share of targets; a mode below 0 is none.
    """

    kinds: Integers
    rates: Floats
    means: Floats
    modes: Integers


class Layout(NamedTuple):
    """How each window comes out, known before a token is read.

    Args:
        counts: int64[B, 2], noise tokens and spans, or the pivot and 0.
        ends: int64[B + 1, 2], offsets of inputs and of targets.
    """

    counts: Integers
    ends: Integers


class Special(NamedTuple):
    """Special ids: int32[K] sentinels, EOS, and int64[R, 2] ranges of ids that no window may hold."""

    sentinels: Tokens
    eos: np.int32
    reserved: Integers


class Out(NamedTuple):
    """What is written: flat int32, each `CHUNK` longer than its tokens."""

    inputs: Tokens
    targets: Tokens
