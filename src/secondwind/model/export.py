"""Write a model as a plain Hugging Face folder that any program can load, with secondwind.json beside it.

    FOLDER/  config.json  generation_config.json  model.safetensors  tokenizer.json ...  secondwind.json

The folder appears whole or not at all.
"""

from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError

from secondwind.errors import RunError
from secondwind.model.load import LanguageModel
from secondwind.model.proof import causal_only
from secondwind.model.record import RECORD
from secondwind.runs import canonical_json, file_sha256, read_json, staged_folder

_TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


def export(
    model: LanguageModel, folder: Path, *, record: dict[str, Any], precision: Literal["fp32", "bf16"] = "fp32"
) -> None:
    """Write network, tokenizer and record; an earlier export of the same name is replaced.

    Args:
        record: what to store in secondwind.json beside the vocabulary and the mask, for example the mixture.
        precision: of the stored weights.

    Raises:
        RunError: the folder holds something else, or cannot be written; nothing was changed.
    """
    if folder.exists() and not (folder / RECORD).is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise RunError(
            f"{folder} exists and is no earlier export (it has no {RECORD}); it was left as it is. "
            "Choose another folder, or remove it."
        )
    with staged_folder(folder, write_errors=(SafetensorError,)) as staged:
        _write(model, staged, record, _TYPES[precision])


def _write(model: LanguageModel, folder: Path, record: dict[str, Any], dtype: torch.dtype) -> None:
    weights = {name: tensor.to(dtype) for name, tensor in model.network.state_dict().items()}
    model.network.save_pretrained(folder, state_dict=weights)
    # transformers notes the type of the network in memory, and would load the weights as that.
    config = read_json(folder / "config.json") | {"dtype": str(dtype).removeprefix("torch.")}
    (folder / "config.json").write_text(canonical_json(config), encoding="utf-8")
    model.tokenizer.save_pretrained(folder)
    stored = {
        **model.record,
        **record,
        "vocabulary": model.vocabulary.to_json(),
        "attention": model.attention,
        # A model that cannot attend to a prefix was never asked to: whoever reads the record must know.
        "causal_only": None if model.attention == "prefix" else causal_only(model.network),
        "fingerprints": {path.name: file_sha256(path) for path in sorted(folder.glob("*.safetensors"))},
    }
    (folder / RECORD).write_text(canonical_json(stored), encoding="utf-8")
