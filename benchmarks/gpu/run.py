"""Everything that is owed to a GPU, in one run of at most ten minutes without network.

    benchmarks/gpu.sh                        on a machine with a GPU, torch and transformers
    benchmarks/gpu.sh --dry-run              every line of it on a CPU, with tiny networks
    benchmarks/gpu.sh --out DIR --only training --only matmul

    parity      pytest tests/gpu: none may fail or be skipped
    matmul      the rate of bf16 matrix products
    training    125M, 0.6B, 1.5B: rows of UL2R (ul2r), examples (ours), and TRL on those, if it is there
    backends    each attention backend at rows of 2k, 8k and 32k tokens

Each part is a process with a time limit of its own; results are appended to DIR/results.jsonl as they come,
so that a run that is cut loses nothing. DIR/summary.json and the table come at the end.

Exit code 0 where every part ended well and, on a GPU, every goal was reached; else 1.
"""

import argparse
import importlib.util
import json
import sys
import time
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.gpu.parts import Kept, Part, run_part
from benchmarks.gpu.summary import print_summary, summary_of

SECONDS = 590.0
SIZES = ("125M", "0.6B", "1.5B")
_PARITY_PROCESSES = 8
CONTENDERS = ("ul2r", "ours", "trl", "trl-flex")
BACKENDS = ("varlen", "flex", "document", "dense")
# What to import, for what of the run it is needed.
_NEEDED = {
    "torch": "everything",
    "transformers": "everything",
    "tokenizers": "everything",
    "safetensors": "everything",
    "numpy": "everything",
    "huggingface_hub": "everything",
    "numba": "speed of building rows alone",
    "scipy": "parity",
    "pydantic": "parity",
    "yaml": "parity",
    "jinja2": "parity",
    "rich": "parity",
    "pytest": "parity",
    "hypothesis": "parity",
    "trl": "the comparison with TRL",
    "datasets": "the comparison with TRL",
}


def parts(*, dry: bool) -> Iterator[Part]:
    """List the parts, what matters most first; few need their whole limit."""
    flags = ["--dry-run"] if dry else []
    python = [sys.executable, "-W", "ignore", "-m"]
    pytest = ["pytest", "-v", "-p", "no:cacheprovider", "-o", "console_output_style=classic", "tests/gpu"]
    # Most of their time is compiling, which several processes do at once; nothing is timed meanwhile.
    several = [] if dry or importlib.util.find_spec("xdist") is None else ["-n", str(_PARITY_PROCESSES)]
    yield Part("parity", [sys.executable, "-m", *pytest, *several], 200)
    yield Part("matmul", [*python, "benchmarks.gpu.matmul", *flags], 20)
    for size in ("tiny",) if dry else SIZES:
        for contender in CONTENDERS:
            told = ["--size", size, "--contender", contender, *flags]
            yield Part(f"training {size} {contender}", [*python, "benchmarks.gpu.training", *told], 40)
    for backend in BACKENDS:
        told = ["--backend", backend, *flags]
        yield Part(f"backends {backend}", [*python, "benchmarks.gpu.backends", *told], 50)


def environment() -> dict[str, Any]:
    """Say what is here and what is missing; missing things are never installed."""
    missing = {name: what for name, what in _NEEDED.items() if importlib.util.find_spec(name) is None}
    found: dict[str, Any] = {"part": "environment", "python": sys.version.split()[0], "missing": missing}
    for name in ("torch", "transformers", "trl", "flash_attn"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    if "torch" not in missing:
        import torch

        has_gpu = torch.cuda.is_available()
        found["device"] = torch.cuda.get_device_name() if has_gpu else None
        found["memory_bytes"] = torch.cuda.get_device_properties(0).total_memory if has_gpu else None
    return found


def main() -> int:
    """Run all parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--dry-run", action="store_true", help="tiny networks on the CPU; goals are not held")
    parser.add_argument("--out", type=Path, default=Path("runs/gpu"), help="folder of the results")
    parser.add_argument("--only", action="append", help="parts whose name begins so; may be given again")
    told = parser.parse_args()
    started = time.monotonic()
    kept = Kept(told.out)
    here = environment()
    kept.add(here)
    for name, what in here["missing"].items():
        print(f"missing: {name}, needed for {what}; the run goes on without it", file=sys.stderr)
    if not told.dry_run and here.get("device") is None:
        print(
            "no GPU that torch sees. Try every line without one: benchmarks/gpu.sh --dry-run", file=sys.stderr
        )
        return 1
    for part in parts(dry=told.dry_run):
        if told.only and not part.name.startswith(tuple(told.only)):
            continue
        run_part(part, kept, seconds_left=SECONDS - (time.monotonic() - started))
        ended = kept.records[-1]
        print(f"{part.name:<24} {ended['ended']:<20} {ended['seconds']:>6.1f} s", file=sys.stderr, flush=True)
    summary = summary_of(kept, dry=told.dry_run)
    (told.out / "summary.json").write_text(json.dumps(summary, indent=1), encoding="utf-8")
    print_summary(summary)
    return 0 if summary["is_well"] else 1


if __name__ == "__main__":
    sys.exit(main())
