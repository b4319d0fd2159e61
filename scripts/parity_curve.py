"""The curve of the recipe `parity`, kept in tests/golden/parity_curve.json.

    python scripts/parity_curve.py check RUN     1 where a loss is further than 1e-6 from the kept
    python scripts/parity_curve.py make RUN      keep the curve of RUN, after a change that is meant

    {"machine": "x86_64, one thread, fp32", "made_with": {...}, "losses": {"ul2r-1": [7.62, ...]}}

The curve holds on the kind of machine that is named in the file; another processor may differ in the last
digits from the first step on.
"""

import argparse
import json
import platform
import sys
from importlib.metadata import version
from pathlib import Path

KEPT = Path(__file__).parents[1] / "tests" / "golden" / "parity_curve.json"
TOLERANCE = 1e-6


def curve(run: Path) -> dict[str, list[float]]:
    """Return the losses of every stage of a run, in the order of their steps."""
    losses: dict[str, list[float]] = {}
    for line in (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        losses.setdefault(record["stage"], []).append(record["loss"])
    return losses


def differences(found: dict[str, list[float]], kept: dict[str, list[float]]) -> list[str]:
    """Say for each stage where the curves part."""
    told: list[str] = []
    for stage in dict.fromkeys((*kept, *found)):
        ours, theirs = found.get(stage, []), kept.get(stage, [])
        if len(ours) != len(theirs):
            told.append(f"{stage}: {len(ours)} losses, kept are {len(theirs)}")
            continue
        apart = [abs(a - b) for a, b in zip(ours, theirs, strict=True)]
        far = [number for number, distance in enumerate(apart) if not distance <= TOLERANCE]
        if far:
            told.append(f"{stage}: from step {far[0] + 1} on, by {apart[far[0]]:.2e} there")
    return told


def main() -> int:
    """Check or keep a curve."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("action", choices=("check", "make"))
    parser.add_argument("run", type=Path, help="folder of a finished run of the recipe parity")
    asked = parser.parse_args()
    found = curve(asked.run)
    num_losses = sum(map(len, found.values()))
    if num_losses == 0:
        sys.exit(f"parity: {asked.run} logged no losses.")
    if asked.action == "make":
        kept = {
            "machine": f"{platform.machine()}, one thread, fp32",
            "made_with": {name: version(name) for name in ("torch", "transformers", "tokenizers", "numpy")},
            "losses": found,
        }
        KEPT.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
        print(f"parity: kept {num_losses} losses in {KEPT}")
        return 0
    kept = json.loads(KEPT.read_text(encoding="utf-8"))
    told = differences(found, kept["losses"])
    if told:
        print(f"parity: the losses are not those of {KEPT.name} ({kept['machine']}): {'; '.join(told)}")
        return 1
    print(f"parity: {num_losses} losses are within {TOLERANCE} of {KEPT.name} ({kept['machine']}).")
    return 0


if __name__ == "__main__":
    sys.exit(main())
