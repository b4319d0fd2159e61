"""The record beside a model: what Second Wind stores there, and whether there is any.

folder with secondwind.json                  its content
folder or repository without                 {}: not one of ours, adopted as a causal model
hub out of reach, the file not in the cache   {} only where the cache says that there is none; else an error,
                                             since one of ours would be adopted anew
"""

from pathlib import Path
from typing import Any

from huggingface_hub import hf_hub_download, try_to_load_from_cache
from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

from secondwind.errors import ModelError
from secondwind.runs import read_json

RECORD = "secondwind.json"  # what Second Wind stores beside a plain Hugging Face model

# Every repository begins with this file, and no loading of a model fetches it: where the cache has it, the
# whole repository was fetched.
_OF_WHOLE_REPOSITORIES = ".gitattributes"


def read_record(name: str, revision: str | None) -> dict[str, Any]:
    """Read the record of a folder or hub name; {} where the model is known to have none.

    Raises:
        ModelError: the hub is out of reach, and the cache does not tell whether there is a record.
    """
    if Path(name).is_dir():
        path = Path(name) / RECORD
        return read_json(path) if path.is_file() else {}
    try:
        return read_json(Path(hf_hub_download(name, RECORD, revision=revision)))
    except LocalEntryNotFoundError as error:  # nobody answered; comes first, being an EntryNotFoundError too
        if _is_known_to_be_absent(name, revision):
            return {}
        raise ModelError(
            f"the hub cannot be asked whether '{name}' has a {RECORD}, and the cache, which has the model, "
            "does not tell. Without that file a model that Second Wind made would be taken for a plain one. "
            f"Load it once with the hub in reach, or fetch all of it where there is one: hf download {name}"
            f"{'' if revision is None else f' --revision {revision}'}."
        ) from error
    except EntryNotFoundError:  # the hub answered: the repository has no such file
        return {}


def _is_known_to_be_absent(name: str, revision: str | None) -> bool:
    """Tell whether the hub once said so, or the whole repository was fetched without it."""
    if isinstance(try_to_load_from_cache(name, _OF_WHOLE_REPOSITORIES, revision=revision), str):
        return True
    # Not a path and not None: the cache's mark for a file that the hub was asked for and does not have.
    return try_to_load_from_cache(name, RECORD, revision=revision) is not None
