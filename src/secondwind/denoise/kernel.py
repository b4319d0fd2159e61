"""The compiled form of `denoise`: many windows in one pass over their tokens.

Imported at first use only (numba takes a second to load); machine code is cached on disk. Everything
here has its readable twin in `spans.py`, `corrupt.py` and `randomness.py`, draw by draw, and tests hold
the two to the same bytes.

How a window of L tokens is written, for R:

    noise cuts   bit j set: a new span begins after noise token j      a subset, drawn first
    gaps         bit g set: a span lies behind g kept tokens           a subset, drawn second
    walk         the next set bit of each says how many tokens to keep, then how many to hide

Source of the draws: SplitMix64 (Steele, Lea, Flood, OOPSLA 2014), Lemire's bounded integers (2019),
    Floyd's subsets (Bentley, 1987).
"""
# numba is untyped, and its numbers are not Python's: annotations are for readers.
# pyright: basic, reportArgumentType=false, reportReturnType=false, reportMissingTypeStubs=false
# pyright: reportAssignmentType=false

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit, uint64

from secondwind.denoise.arrays import Integers, Layout, Out, Special, Table, Windows, Words
from secondwind.example import Tokens

# Arrays are indexed by unsigned numbers: for signed ones numba asks at each access whether they count from
# the end, and then the loops do not become vector code (half the speed).

# Kinds of denoisers, as `many.py` numbers them.
CAUSAL, UNIFORM_PIVOT, FIXED_PIVOT, UNIFORM_SPANS, T5_SPANS = range(5)

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_LOW = np.uint64(0xFFFFFFFF)
_ONE = np.uint64(1)
CHUNK = 8  # int32 tokens in one vector register: short runs are copied by it, and overwritten behind


def _decorator(**settings: Any) -> Callable[[Callable[..., Any]], Any]:
    """Compile at the first call, and keep the machine code on disk where there is a place for it."""

    def decorate(function: Callable[..., Any]) -> Any:
        try:
            return njit(cache=True, nogil=True, boundscheck=False, **settings)(function)
        except RuntimeError:  # neither the package's folder nor the user's cache can be written
            return njit(nogil=True, boundscheck=False, **settings)(function)

    return decorate


_compiled, _inlined = _decorator(), _decorator(inline="always")


@_inlined
def _bits(state: np.uint64) -> np.uint64:
    """Return the 64 random bits of a state; the caller steps the state."""
    z = (state ^ (state >> uint64(30))) * _FIRST
    z = (z ^ (z >> uint64(27))) * _SECOND
    return z ^ (z >> uint64(31))


@_inlined
def _below(state: np.uint64, bound: np.uint64) -> tuple[np.uint64, np.uint64]:
    """Return the next state and an integer uniform on 0 .. bound - 1, for bounds below 2**32."""
    state += _GOLDEN
    bits = _bits(state)
    low = bits * bound
    if low < bound:
        threshold = (uint64(0) - bound) % bound
        while low < threshold:
            state += _GOLDEN
            bits = _bits(state)
            low = bits * bound
    # The high half of a 96-bit product, without 128-bit integers.
    high = ((bits >> uint64(32)) * bound + (((bits & _LOW) * bound) >> uint64(32))) >> uint64(32)
    return state, high


@_compiled
def _subset(state: np.uint64, size: int, population: int, words: Words) -> np.uint64:
    """Set `size` bits of 0 .. population - 1, uniform over all subsets, and return the next state."""
    words[: (population >> 6) + 1] = uint64(0)
    for last in range(population - size, population):
        state, draw = _below(state, uint64(last + 1))
        if (words[draw >> uint64(6)] >> (draw & uint64(63))) & _ONE:
            draw = uint64(last)
        words[draw >> uint64(6)] |= _ONE << (draw & uint64(63))
    return state


@_inlined
def _trailing_zeros(word: np.uint64) -> int:
    """Count the zero bits below the lowest set bit: a population count, which is one instruction."""
    below = (word & (uint64(0) - word)) - _ONE
    below = below - ((below >> uint64(1)) & uint64(0x5555555555555555))
    below = (below & uint64(0x3333333333333333)) + ((below >> uint64(2)) & uint64(0x3333333333333333))
    below = (below + (below >> uint64(4))) & uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((below * uint64(0x0101010101010101)) >> uint64(56))


@_inlined
def _next(word: np.uint64, index: int, words: Words) -> tuple[int, np.uint64, int]:
    """Take the lowest set bit off a bitmap; return its place and what is left to read."""
    while word == uint64(0):
        index += 1
        word = words[uint64(index)]
    place = (index << 6) + _trailing_zeros(word)
    return place, word & (word - _ONE), index


@_inlined
def _copy(source: Tokens, start: int, target: Tokens, at: int, length: int, bounded: bool) -> None:
    """Copy a run; unless `bounded`, in whole chunks that spill over what is written later."""
    if bounded:
        for j in range(length):
            target[uint64(at + j)] = source[uint64(start + j)]
        return
    done = 0
    while done < length:
        for j in range(CHUNK):
            target[uint64(at + done + j)] = source[uint64(start + done + j)]
        done += CHUNK


@_compiled
def measure(windows: Windows, table: Table, layout: Layout) -> None:
    """Fill the layout: the length of every example, before a token is read."""
    counts, ends = layout
    ends[0, 0] = ends[0, 1] = 0
    for i in range(len(windows.choice)):
        length = windows.offsets[i + 1] - windows.offsets[i]
        d = windows.choice[i]
        kind, rate, mode = table.kinds[d], table.rates[d], np.int64(table.modes[d] >= 0)
        if length == 1:
            kind, mode = CAUSAL, np.int64(0)
        first = second = np.int64(0)
        if kind >= UNIFORM_SPANS:
            first = min(max(np.int64(np.rint(length * rate)), 1), length - 1)
            gaps = length - first + np.int64(kind == UNIFORM_SPANS)
            second = min(max(np.int64(np.rint(first / table.means[d])), 1), first, gaps)
            inputs, targets = length - first + second, first + second + 1
        else:
            if kind != CAUSAL:
                share = rate * (2 if kind == UNIFORM_PIVOT else 1)
                most = min(max(np.int64(np.rint(share * length)), 1), length - 1)
                first = length - most
                if kind == UNIFORM_PIVOT:
                    _, draw = _below(windows.keys[i], uint64(most))
                    first = length - 1 - np.int64(draw)
            inputs, targets = first, length - first + np.int64(windows.ends_document[i])
        counts[i, 0], counts[i, 1] = first, second
        ends[i + 1, 0], ends[i + 1, 1] = ends[i, 0] + mode + inputs, ends[i, 1] + targets


@_inlined
def _holds_reserved(tokens: Tokens, start: int, stop: int, ranges: Integers) -> bool:
    """Tell whether a window holds an id within any [low, high) of `ranges`; one vector pass per range."""
    hit = np.uint32(0)
    for r in range(len(ranges)):
        low, width = np.uint32(ranges[r, 0]), np.uint32(ranges[r, 1] - ranges[r, 0])
        for j in range(start, stop):
            hit |= np.uint32(np.uint32(np.uint32(tokens[uint64(j)]) - low) < width)
    return hit != np.uint32(0)


@_compiled
def first_reserved(windows: Windows, special: Special, stop: int) -> int:
    """Return the first of `stop` windows that holds a reserved id, or -1."""
    offsets = windows.offsets
    for i in range(stop):
        if _holds_reserved(windows.tokens, offsets[i], offsets[i + 1], special.reserved):
            return i
    return -1


@_compiled
def write(windows: Windows, table: Table, layout: Layout, special: Special, out: Out, words: Words) -> int:
    """Write every example behind the one before; stop at a reserved id and return its window, else -1.

    Args:
        words: uint64[2, W] of scratch, at least one bit per token of the longest window.
    """
    tokens, ends = windows.tokens, layout.ends
    for i in range(len(windows.choice)):
        start, stop = windows.offsets[i], windows.offsets[i + 1]
        if _holds_reserved(tokens, start, stop, special.reserved):
            return i
        kind, mode = table.kinds[windows.choice[i]], table.modes[windows.choice[i]]
        if stop - start == 1:
            kind, mode = CAUSAL, np.int64(-1)
        at_input, at_target = ends[i, 0], ends[i, 1]
        if mode >= 0:
            out.inputs[at_input] = mode
            at_input += 1
        first = layout.counts[i, 0]
        if kind < UNIFORM_SPANS:
            out.inputs[at_input : at_input + first] = tokens[start : start + first]
            out.targets[at_target : at_target + stop - start - first] = tokens[start + first : stop]
        else:
            _draw(windows.keys[i], kind, first, layout.counts[i, 1], stop - start - first, words)
            # A chunk that is read behind the last token would leave the array.
            window = tokens[start:] if stop + CHUNK <= len(tokens) else tokens[start:stop]
            _walk(window, stop - start, kind, layout.counts[i], special, out, at_input, at_target, words)
        if kind >= UNIFORM_SPANS or windows.ends_document[i]:
            out.targets[ends[i + 1, 1] - 1] = special.eos
    return -1


@_inlined
def _draw(key: np.uint64, kind: int, noise: int, spans: int, kept: int, words: Words) -> None:
    """Draw the noise cuts into words[0] and the gaps, or T5's cuts of what is kept, into words[1]."""
    state = _subset(key, spans - 1, noise - 1, words[0])
    if kind == UNIFORM_SPANS:
        _subset(state, spans, kept + 1, words[1])
    else:
        _subset(state, spans - 1, kept - 1, words[1])


@_inlined
def _walk(
    window: Tokens,
    num_tokens: int,
    kind: int,
    counts: Integers,
    special: Special,
    out: Out,
    at_input: int,
    at_target: int,
    words: Words,
) -> None:
    """Spell one window: keep a run, hide a run, and so on; what is left behind the last span is kept."""
    noise, spans = counts[0], counts[1]
    kept, bounded = num_tokens - noise, len(window) < num_tokens + CHUNK
    cuts, gaps = words[0], words[1]
    read = kept_before = hidden_before = np.int64(0)
    cut_word, cut_index, gap_word, gap_index = cuts[0], np.int64(0), gaps[0], np.int64(0)
    for span in range(spans):
        is_last = span == spans - 1
        if is_last and kind == T5_SPANS:
            place = kept
        else:
            place, gap_word, gap_index = _next(gap_word, gap_index, gaps)
            place += np.int64(kind == T5_SPANS)
        if is_last:
            hidden = noise
        else:
            hidden, cut_word, cut_index = _next(cut_word, cut_index, cuts)
            hidden += 1
        length = place - kept_before
        _copy(window, read, out.inputs, at_input, length, bounded)
        read += length
        at_input += length
        out.inputs[uint64(at_input)] = special.sentinels[uint64(span)]
        at_input += 1
        out.targets[uint64(at_target)] = special.sentinels[uint64(span)]
        at_target += 1
        length = hidden - hidden_before
        _copy(window, read, out.targets, at_target, length, bounded)
        read += length
        at_target += length
        kept_before, hidden_before = place, hidden
    _copy(window, read, out.inputs, at_input, kept - kept_before, bounded)
