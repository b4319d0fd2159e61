"""The toy base that ships with the package, and its earlier checkpoints.

    base/          the trained base, a plain Hugging Face folder (bf16 safetensors)
    base/step-N/   the same training, earlier; what a compute curve starts from
    base/manifest.json   recipe, seed, package version, tokens and hashes

`make toy-base` makes all of it anew.
"""

import json
from pathlib import Path
from typing import Any

from secondwind.errors import ModelError

# Raise it when the same call would give other documents, tasks or items.
VERSION = 1

_FOLDER = Path(__file__).parent / "base"


def base_path(revision: str | None = None) -> Path:
    """Return the folder of the shipped base, or of its checkpoint `step-N`.

    Raises:
        ModelError: no such checkpoint, or the base is missing from this installation.
    """
    folder = _FOLDER if revision is None else _FOLDER / revision
    if not (folder / "config.json").is_file():
        steps = sorted((path.name for path in _FOLDER.glob("step-*")), key=lambda name: int(name[5:]))
        raise ModelError(
            f"no toy base at revision {revision!r}; shipped: None, {', '.join(steps) or 'nothing else'}. "
            "Name one of them, or make the base anew with `make toy-base`."
        )
    return folder


def base_pretraining(revision: str | None = None) -> tuple[int, int]:
    """Return the tokens that the base, or its checkpoint, was trained on, and the tokens per row."""
    manifest = base_manifest()
    steps = manifest["steps"] if revision is None else int(revision.removeprefix("step-"))
    return round(manifest["tokens"] * steps / manifest["steps"]), manifest["row_length"]


def base_manifest() -> dict[str, Any]:
    """Return what is known of the shipped base: recipe, seed, tokens, steps, hashes."""
    return json.loads((base_path() / "manifest.json").read_text(encoding="utf-8"))
