"""One finding of `doctor`, and what it finds about the machine.

environment()    Python, libraries, CPU, memory, GPU, precision, free space
"""

import os
import platform
import shutil
import sys
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import torch

from secondwind.recipe import TrainingSection
from secondwind.study.settings import available_cpus, precision

_LIBRARIES = ("torch", "transformers", "tokenizers", "numpy")
_FREE_GIB = 1


class Check(NamedTuple):
    """One finding; `passed` is None where there is nothing to pass."""

    name: str
    passed: bool | None
    finding: str


def environment() -> list[Check]:
    """Report the machine and the libraries."""
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    free = shutil.disk_usage(".").free / 2**30
    wanted = "" if free > _FREE_GIB else f"; wanted more than {_FREE_GIB}: choose another folder with --out"
    return [
        Check("python", (3, 11) <= sys.version_info < (3, 14), f"{platform.python_version()} (3.11 to 3.13)"),
        Check("libraries", None, libraries),
        Check("CPU", None, f"{available_cpus()} threads, all used unless training.threads is set"),
        Check("memory", None, f"{_memory_bytes() / 2**30:.1f} GiB"),
        Check("GPU", None, _accelerator()),
        Check("precision", None, f"training.precision auto means {precision(TrainingSection())} here"),
        Check("free space", free > _FREE_GIB, f"{free:.1f} GiB in {Path.cwd()}{wanted}"),
    ]


def _memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _accelerator() -> str:
    if not torch.cuda.is_available():
        return "none that torch can use; everything runs on the CPU"
    facts = torch.cuda.get_device_properties(0)
    more = torch.cuda.device_count() - 1
    unused = f"; {more} more, which a run does not use" if more else ""
    return f"{facts.name}, {facts.total_memory / 2**30:.0f} GiB{unused}"
