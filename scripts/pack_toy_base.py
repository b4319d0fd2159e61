"""Pack a finished run of the recipe `toy-base` into the package, as plain Hugging Face folders in bf16.

python scripts/pack_toy_base.py runs/toy-base
"""

import json
import shutil
import sys
from importlib.metadata import version
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from secondwind.recipe import load
from secondwind.runs import canonical_json, file_sha256, write_atomically
from secondwind.toyworld import VERSION

TARGET = Path(__file__).parents[1] / "src" / "secondwind" / "toyworld" / "base"
FIRST_STEPS = 10  # of the loss curve, which a test trains again


def pack(run: Path) -> None:
    """Replace the shipped base by the one of a run."""
    trained = run / "pretrained"
    shutil.rmtree(TARGET, ignore_errors=True)
    steps = sorted(trained.glob("step-*"), key=lambda path: int(path.name[5:]))
    for source, target in [(trained / "final", TARGET), *((path, TARGET / path.name) for path in steps)]:
        _pack_folder(source, trained / "tokenizer", target)
    lines = (trained / "stage" / "metrics.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    manifest = {
        "recipe": "toy-base",
        "secondwind": version("secondwind"),
        "world": VERSION,
        "seed": 0,
        "steps": len(records),
        "row_length": load("toy-base").pretrain.row_length,
        "tokens": records[-1]["tokens"],
        "final_loss": records[-1]["loss"],
        "first_losses": [record["loss"] for record in records[:FIRST_STEPS]],
        "checkpoints": [path.name for path in steps],
        "files": {
            str(path.relative_to(TARGET)): file_sha256(path) for path in sorted(TARGET.rglob("*.safetensors"))
        },
    }
    write_atomically(TARGET / "manifest.json", canonical_json(manifest))
    size = sum(path.stat().st_size for path in TARGET.rglob("*") if path.is_file())
    print(f"packed {len(steps) + 1} models, {size / 2**20:.1f} MiB, into {TARGET}")


def _pack_folder(source: Path, tokenizer: Path, target: Path) -> None:
    """Copy one model without what Second Wind keeps beside it: users' models come without it too."""
    target.mkdir(parents=True)
    for path in tokenizer.iterdir():
        shutil.copy(path, target / path.name)
    config = json.loads((source / "config.json").read_text())
    config["dtype"] = "bfloat16"
    (target / "config.json").write_text(canonical_json(config))
    if (source / "generation_config.json").exists():
        shutil.copy(source / "generation_config.json", target)
    tensors = load_file(source / "model.safetensors")
    stored = {name: tensor.to(torch.bfloat16).contiguous() for name, tensor in tensors.items()}
    save_file(stored, target / "model.safetensors", metadata={"format": "pt"})


if __name__ == "__main__":
    pack(Path(sys.argv[1]))
