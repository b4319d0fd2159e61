"""`denoise` for many windows at once, some hundred times faster and the same bytes.

    tokens   a b c d e f g h i | j k l m n      offsets 0 9 14
    inputs   [R] a <0> c d e <1> h i | [S] j k  offsets 0 9 12
    targets  <0> b <1> f g EOS | l m n          offsets 0 6 9

The kernel is compiled by numba. Where numba is missing, the reference runs in a loop.
"""

import warnings
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from secondwind.denoise.arrays import Layout, Out, Special, Table, Windows
from secondwind.denoise.corrupt import as_tokens, denoise
from secondwind.denoise.denoisers import CausalDenoiser, Denoiser, PrefixDenoiser, SpanDenoiser
from secondwind.errors import ExampleError
from secondwind.example import Example, Tokens
from secondwind.vocabulary import Vocabulary

Offsets = npt.NDArray[np.int64]

_NO_MODE, _UNKNOWN_MODE = -1, -2


class DenoisedWindows(NamedTuple):
    """B examples, flat: example i is inputs[input_offsets[i] : input_offsets[i + 1]], likewise targets.

    Args:
        inputs: int32[I] of all examples, one behind the other.
        input_offsets: int64[B + 1].
        targets: int32[T] of all examples.
        target_offsets: int64[B + 1].
    """

    inputs: Tokens
    input_offsets: Offsets
    targets: Tokens
    target_offsets: Offsets

    def examples(self, sources: Sequence[str]) -> Iterator[Example]:
        """Cut the examples out, as views; `sources` names the B denoisers."""
        starts, ends = self.input_offsets.tolist(), self.target_offsets.tolist()
        for i, source in enumerate(sources):
            inputs = self.inputs[starts[i] : starts[i + 1]]
            yield Example(inputs, self.targets[ends[i] : ends[i + 1]], source)


def denoise_many(
    tokens: npt.ArrayLike,
    offsets: npt.ArrayLike,
    denoisers: Sequence[Denoiser],
    choice: npt.ArrayLike,
    vocabulary: Vocabulary,
    *,
    keys: npt.ArrayLike,
    ends_document: npt.ArrayLike,
) -> DenoisedWindows:
    """Corrupt B windows, each as `denoise` does it alone: the same bytes, the same errors.

    Args:
        tokens: int[N], the windows one behind the other.
        offsets: int[B + 1]; window i is tokens[offsets[i] : offsets[i + 1]], of at least 1 token.
        denoisers: what `choice` points into.
        choice: int[B], the denoiser of each window.
        keys: uint64[B].
        ends_document: bool[B], whether each window ends where its document ends.

    Raises:
        ExampleError: the arrays do not belong together.
        TooShort, TooFewSentinels, VocabularyError: as `denoise`, for the first window that fails.
    """
    windows = Windows(
        np.ascontiguousarray(_as_int32(tokens)),
        _whole(offsets, "offsets"),
        _whole(choice, "choice"),
        np.ascontiguousarray(keys, dtype=np.uint64),
        np.ascontiguousarray(ends_document, dtype=np.bool_),
    )
    _refuse_mismatch(windows, len(denoisers))
    kernel = _kernel()
    if kernel is None:
        return _one_by_one(windows, denoisers, vocabulary)
    table, special = _table(denoisers, vocabulary, kernel), _special(vocabulary)
    layout = Layout(
        np.empty((len(windows.choice), 2), dtype=np.int64),
        np.zeros((len(windows.choice) + 1, 2), dtype=np.int64),
    )
    kernel.measure(windows, table, layout)
    if len(faulty := _faulty(windows, table, layout, vocabulary.num_sentinels, kernel)):
        holder = int(kernel.first_reserved(windows, special, int(faulty[0])))
        _explain(windows, int(faulty[0]) if holder < 0 else holder, denoisers, vocabulary)
    # Both are a chunk longer than their tokens: the kernel copies short runs in whole chunks.
    out = Out(*(np.empty(int(total) + kernel.CHUNK, dtype=np.int32) for total in layout.ends[-1]))
    longest = int(np.diff(windows.offsets).max(initial=0))
    words = np.empty((2, longest // 64 + 2), dtype=np.uint64)
    holder = int(kernel.write(windows, table, layout, special, out, words))
    if holder >= 0:
        _explain(windows, holder, denoisers, vocabulary)
    input_offsets, target_offsets = np.ascontiguousarray(layout.ends.T)
    return DenoisedWindows(
        out.inputs[: input_offsets[-1]], input_offsets, out.targets[: target_offsets[-1]], target_offsets
    )


@cache
def _kernel() -> Any:
    """Import the compiled module, which takes a second; None where numba is missing."""
    try:
        return import_module("secondwind.denoise.kernel")
    except ImportError as error:  # missing, or made for another numpy
        warnings.warn(
            f"denoising runs some hundred times slower: numba cannot be used ({error}).", stacklevel=3
        )
        return None


def _one_by_one(windows: Windows, denoisers: Sequence[Denoiser], vocabulary: Vocabulary) -> DenoisedWindows:
    """Run the reference on each window."""
    examples = [_reference(windows, i, denoisers, vocabulary) for i in range(len(windows.choice))]
    nothing = np.zeros(0, dtype=np.int32)
    return DenoisedWindows(
        np.concatenate([nothing, *(example.inputs for example in examples)]),
        np.cumsum([0, *(len(example.inputs) for example in examples)]),
        np.concatenate([nothing, *(example.targets for example in examples)]),
        np.cumsum([0, *(len(example.targets) for example in examples)]),
    )


def _reference(windows: Windows, i: int, denoisers: Sequence[Denoiser], vocabulary: Vocabulary) -> Example:
    return denoise(
        windows.tokens[windows.offsets[i] : windows.offsets[i + 1]],
        denoisers[int(windows.choice[i])],
        vocabulary,
        key=int(windows.keys[i]),
        ends_document=bool(windows.ends_document[i]),
    )


def _as_int32(tokens: npt.ArrayLike) -> Tokens:
    """Return ids as int32[N]; those that are so already are not read here, but by the kernel."""
    given = np.asarray(tokens)
    return given if given.dtype == np.int32 else as_tokens(given)


def _whole(values: npt.ArrayLike, name: str) -> npt.NDArray[np.int64]:
    """Return whole numbers as int64; fractions would be cut in silence."""
    given = np.asarray(values)
    if given.size and given.dtype.kind not in "iu":
        raise ExampleError(f"denoise_many got {name} of type {given.dtype}; wanted whole numbers.")
    return np.ascontiguousarray(given, dtype=np.int64)


def _refuse_mismatch(windows: Windows, num_denoisers: int) -> None:
    """Refuse arrays that do not belong together."""
    sizes = [len(windows.offsets) - 1, len(windows.choice), len(windows.keys), len(windows.ends_document)]
    offsets, choice = windows.offsets, windows.choice
    if len(set(sizes)) > 1:
        raise ExampleError(
            f"denoise_many got offsets of {sizes[0]} windows, {sizes[1]} choices, {sizes[2]} keys and "
            f"{sizes[3]} values of ends_document; wanted one of each per window."
        )
    if len(choice) and (
        np.any(offsets[1:] < offsets[:-1]) or offsets[0] < 0 or offsets[-1] > len(windows.tokens)
    ):
        raise ExampleError(
            f"denoise_many got offsets from {offsets.min()} to {offsets.max()} for {len(windows.tokens)} "
            "tokens; wanted offsets that never fall and lie inside the tokens."
        )
    if len(choice) and not 0 <= choice.min() <= choice.max() < num_denoisers:
        raise ExampleError(
            f"denoise_many got choices from {choice.min()} to {choice.max()}, but {num_denoisers} denoisers; "
            f"wanted 0 .. {num_denoisers - 1}."
        )


def _faulty(
    windows: Windows, table: Table, layout: Layout, num_sentinels: int, kernel: Any
) -> npt.NDArray[np.int64]:
    """List the windows that cannot be written, whatever their tokens are."""
    lengths = np.diff(windows.offsets)
    is_span = table.kinds[windows.choice] >= kernel.UNIFORM_SPANS
    too_many_spans = is_span & (layout.counts[:, 1] > num_sentinels)
    no_mode = table.modes[windows.choice] == _UNKNOWN_MODE
    return np.flatnonzero((lengths == 0) | ((lengths > 1) & (too_many_spans | no_mode)))


def _explain(windows: Windows, i: int, denoisers: Sequence[Denoiser], vocabulary: Vocabulary) -> None:
    """Let the reference say what is wrong with a window."""
    _reference(windows, i, denoisers, vocabulary)
    raise AssertionError(f"the reference accepts window {i}, which the kernel refuses")


def _special(vocabulary: Vocabulary) -> Special:
    """Gather the special ids; no window may hold a reserved one, nor one beyond the table."""
    beyond = [[vocabulary.size, 2**32]]  # read as unsigned, so negative ids are beyond it too
    return Special(
        vocabulary.sentinel_ids,
        np.int32(vocabulary.eos),
        np.append(vocabulary.reserved_ranges, beyond, axis=0),
    )


def _table(denoisers: Sequence[Denoiser], vocabulary: Vocabulary, kernel: Any) -> Table:
    """Spell denoisers as arrays that the kernel reads."""
    rows: list[tuple[int, float, float]] = []
    for denoiser in denoisers:
        match denoiser:
            case SpanDenoiser():
                kind = kernel.UNIFORM_SPANS if denoiser.placement == "uniform" else kernel.T5_SPANS
                rows.append((kind, denoiser.corruption_rate, denoiser.mean_span_length))
            case PrefixDenoiser():
                kind = kernel.UNIFORM_PIVOT if denoiser.pivot == "uniform" else kernel.FIXED_PIVOT
                rows.append((kind, denoiser.target_share, 1.0))
            case CausalDenoiser():
                rows.append((kernel.CAUSAL, 0.0, 1.0))
            case _:  # pyright: ignore[reportUnnecessaryComparison]
                raise ExampleError(f"{denoiser!r} is no denoiser; wanted a Span-, Prefix- or CausalDenoiser.")
    modes = [_NO_MODE if d.mode is None else vocabulary.modes.get(d.mode, _UNKNOWN_MODE) for d in denoisers]
    kinds, rates, means = zip(*rows, strict=True) if rows else ((), (), ())
    return Table(
        np.asarray(kinds, dtype=np.int64),
        np.asarray(rates, dtype=np.float64),
        np.asarray(means, dtype=np.float64),
        np.asarray(modes, dtype=np.int64),
    )
