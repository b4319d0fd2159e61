"""Clock and memory of one contender, at the borders of its optimizer steps.

    ready | warm-up | lap | lap |        a lap ends where the loop comes back after an update, so fetching
          begin     border border        rows, collating, logging and the optimizer all count

Processor time is that of the whole process, its threads included. Memory on a CPU is the kernel's
high-water mark, set back when training begins: what imports and loading took and gave back is not in it.
"""

import ctypes
import gc
import time
from pathlib import Path

import torch
from benchmarks.train.job import Answer

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


class Laps:
    """The stop-watch that every contender carries."""

    def __init__(self, device: str) -> None:
        self.answer = Answer()
        self._device = device
        self._started = time.perf_counter()

    def begin(self) -> None:
        """Start the warm-up lap: model, data and everything else are in memory."""
        self.answer.start_seconds = time.perf_counter() - self._started
        gc.collect()
        if self._device == "cuda":
            torch.cuda.reset_peak_memory_stats()
            self._base = torch.cuda.memory_allocated()
        else:
            _give_back()
            self.answer.peak_is_clean = _reset_high_water()
            self._base = _status_bytes("VmRSS")
        self._read()

    def border(self) -> None:
        """End a lap and begin the next."""
        before = self._cpu, self._wall
        self._read()
        self.answer.cpu_seconds.append(self._cpu - before[0])
        self.answer.wall_seconds.append(self._wall - before[1])
        peak = torch.cuda.max_memory_allocated() if self._device == "cuda" else _status_bytes("VmHWM")
        self.answer.extra_peak_bytes = peak - self._base

    def _read(self) -> None:
        if self._device == "cuda":
            torch.cuda.synchronize()
        self._cpu, self._wall = time.process_time(), time.perf_counter()


def _give_back() -> None:
    """Hand freed memory back to the system, or a contender could hide its use in it."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _reset_high_water() -> bool:
    try:
        _CLEAR.write_text("5")
    except OSError:  # some containers do not allow it
        return False
    return True


def _status_bytes(name: str) -> int:
    lines = _STATUS.read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))
