"""Encode texts, here or in processes of their own, into flat arrays.

    ["The cat", "", "sat"]   ->   tokens [5 9 7]   lengths [2 0 1]

A worker is a fresh interpreter that is sent the tokenizer once and then texts, over pipes, in frames: the
number of bytes, then the bytes. It holds nothing that would be missed, ends when its parent does, and
leaves signals to it. (Not `multiprocessing`, which would import the caller's main module again.)
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from queue import SimpleQueue
from typing import IO, Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from secondwind.errors import RunError
from secondwind.example import Tokens
from secondwind.vocabulary import Tokenizer, encode

_COUNT = np.dtype("<i8")
_TOKEN = np.dtype("<i4")
_PIECE_CHARACTERS = 250_000
_NEAR_CHARACTERS, _TRIED_BORDERS = 200, 10
_BORDER = re.compile(r"[^\W\d_] (?=[^\W\d_])")
_SERVE = "from secondwind.data.encoder import serve; serve()"


class Encoded(NamedTuple):
    """Texts as tokens: one flat array, and the tokens of each text."""

    tokens: Tokens
    lengths: npt.NDArray[np.int64]


def encode_flat(texts: Sequence[str], tokenizer: Tokenizer) -> Encoded:
    """Encode texts in this process; one that is very long in pieces, since encoding takes much memory.

    Raises:
        VocabularyError: the tokenizer cannot be copied.
    """
    is_long = [len(text) > _PIECE_CHARACTERS for text in texts]
    short = ["" if long else text for text, long in zip(texts, is_long, strict=True)]
    arrays = [np.array(ids, dtype=_TOKEN) for ids in encode(short, tokenizer)]
    for number in np.flatnonzero(is_long).tolist():
        pieces = (encode([piece], tokenizer)[0] for piece in _pieces(texts[number], tokenizer))
        arrays[number] = np.concatenate([np.array(ids, dtype=_TOKEN) for ids in pieces])
    lengths = np.array([len(array) for array in arrays], dtype=_COUNT)
    return Encoded(np.concatenate(arrays) if arrays else np.empty(0, dtype=_TOKEN), lengths)


def _pieces(text: str, tokenizer: Tokenizer) -> Iterator[str]:
    """Cut a long text where its tokens are the same whether it is cut or not."""
    start = 0
    while len(text) - start > _PIECE_CHARACTERS:
        end = _safe_cut(text, start + _PIECE_CHARACTERS, tokenizer)
        if end is None:
            break
        yield text[start:end]
        start = end
    yield text[start:]


def _safe_cut(text: str, after: int, tokenizer: Tokenizer) -> int | None:
    """Return a place before a space between letters, where encoding both sides apart changes nothing.

    Tokenizers look no further than a word or two, so the neighbourhood is proof enough. Where no such place
    is near, as in a script without spaces, there is none.
    """
    borders = _BORDER.finditer(text, after, after + _PIECE_CHARACTERS // 10)
    for border in islice(borders, _TRIED_BORDERS):
        place = border.start() + 1
        left, right = text[place - _NEAR_CHARACTERS : place], text[place : place + _NEAR_CHARACTERS]
        whole, before, behind = encode([left + right, left, right], tokenizer)
        if whole == before + behind:
            return place
    return None


class EncoderPool:
    """Processes that encode; `encode` may be called from as many threads as there are processes."""

    def __init__(self, tokenizer: Tokenizer, num_workers: int) -> None:
        """Start the processes and send each the tokenizer."""
        backend = tokenizer.backend_tokenizer.to_str().encode()
        self._workers = [_Worker(backend) for _ in range(num_workers)]
        self._idle: SimpleQueue[_Worker] = SimpleQueue()
        for worker in self._workers:
            self._idle.put(worker)

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Encode texts in the next idle process.

        Raises:
            RunError: the process ended.
        """
        worker = self._idle.get()
        try:
            return worker.encode(texts)
        finally:
            self._idle.put(worker)

    def close(self) -> None:
        """End the processes, whatever they are doing."""
        for worker in self._workers:
            worker.close()


class _Worker:
    """One process."""

    def __init__(self, backend: bytes) -> None:
        paths = [path for path in sys.path if path]
        self._process = subprocess.Popen(
            [sys.executable, "-c", _SERVE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # One thread each: as many processes as cores are faster than threads inside of them.
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "TOKENIZERS_PARALLELISM": "false"},
            process_group=0,  # a terminal's Ctrl-C is for the parent, even before `serve` says so
        )
        self._send, self._receive = (
            cast(IO[bytes], self._process.stdin),
            cast(IO[bytes], self._process.stdout),
        )
        self._tokenizer = backend

    def encode(self, texts: Sequence[str]) -> Encoded:
        written = [text.encode() for text in texts]
        sizes = np.array([len(texts), *(len(text) for text in written)], dtype=_COUNT)
        try:
            if self._tokenizer:  # here and not above, so that all processes start at the same time
                _write_frame(self._send, self._tokenizer)
                self._tokenizer = b""
            _write_frame(self._send, sizes.tobytes(), *written)
            answer = _read_frame(self._receive)
        except (OSError, ValueError, EOFError) as error:  # ValueError: closed by another thread
            raise RunError(
                f"a process that encodes documents ended: {_how(self._process)}. Wanted ids of "
                f"{len(texts)} documents. If memory ran out, set corpus.workers lower; what was encoded "
                "before is kept, so run again."
            ) from error
        lengths = np.frombuffer(answer, dtype=_COUNT, count=len(texts))
        return Encoded(np.frombuffer(answer, dtype=_TOKEN, offset=lengths.nbytes), lengths)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._send, self._receive):
            with suppress(OSError):  # what was not sent goes nowhere
                pipe.close()


def _how(process: subprocess.Popen[bytes]) -> str:
    try:
        code = process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        return "it closed its pipes"
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}, see above"


def serve() -> None:
    """Be a worker: read a tokenizer, then answer each frame of texts, until the parent is gone."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    receive, send = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing that a library prints may get between the frames
    try:
        tokenizer = _parsed(_read_frame(receive))
        while True:
            encoded = encode_flat(_texts(_read_frame(receive)), tokenizer)
            _write_frame(send, encoded.lengths.tobytes(), encoded.tokens.tobytes())
    except (EOFError, BrokenPipeError):
        os._exit(0)  # the parent is gone, so nothing is left to flush or to report


class _Bare:
    """A backend where a tokenizer is wanted."""

    def __init__(self, backend: Any) -> None:
        self.backend_tokenizer = backend


def _parsed(backend: bytes) -> Tokenizer:
    from tokenizers import Tokenizer as Backend  # only a worker needs it

    return cast(Tokenizer, _Bare(Backend.from_str(backend.decode())))


def _texts(frame: bytes) -> list[str]:
    num_texts = int(np.frombuffer(frame, dtype=_COUNT, count=1)[0])
    sizes = np.frombuffer(frame, dtype=_COUNT, count=num_texts, offset=_COUNT.itemsize)
    ends = ((num_texts + 1) * _COUNT.itemsize + np.cumsum(sizes)).tolist()
    return [frame[end - size : end].decode() for end, size in zip(ends, sizes.tolist(), strict=True)]


def _write_frame(pipe: IO[bytes], *parts: bytes) -> None:
    pipe.write(np.array(sum(map(len, parts)), dtype=_COUNT).tobytes())
    for part in parts:
        pipe.write(part)
    pipe.flush()


def _read_frame(pipe: IO[bytes]) -> bytes:
    num_bytes = int(np.frombuffer(_read(pipe, _COUNT.itemsize), dtype=_COUNT)[0])
    return _read(pipe, num_bytes)


def _read(pipe: IO[bytes], num_bytes: int) -> bytes:
    found = pipe.read(num_bytes)
    if len(found) < num_bytes:
        raise EOFError(f"got {len(found)} of {num_bytes} bytes")
    return found
