"""Load a Hugging Face checkpoint, or make a network from a configuration, ready for denoising.

folder or hub name -> tokenizer + network in float32 -> vocabulary adopted (or read from secondwind.json)
-> embedding table grown, fresh rows at the mean of the table -> attention backend chosen and proven
"""

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self, cast, get_args

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedModel

from secondwind.errors import ModelError
from secondwind.flops import ModelSize
from secondwind.model.architecture import position_limit
from secondwind.model.backend import BackendChoice, settle_backend
from secondwind.model.embeddings import grow_table, start_fresh_rows, table_rows
from secondwind.model.forward import Attention, Backend
from secondwind.model.proof import prove_mask
from secondwind.model.record import RECORD, read_record
from secondwind.model.size import model_size
from secondwind.randomness import key
from secondwind.vocabulary import Vocabulary

_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(?:/[A-Za-z0-9][\w.-]*)?")
_DEFAULT_SENTINELS = 100
_TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "spiece.model")


@dataclass(frozen=True, eq=False)
class LanguageModel:
    """A network with its tokenizer, vocabulary and mask: what every stage takes and gives.

    Args:
        network: parameters in float32, in evaluation mode after loading.
        tokenizer: adopted: it knows the sentinels and mode tokens.
        attention: the mask in use, not necessarily the one it was trained with (see `record`).
        backend: how the mask is rendered.
        name: the folder or hub name it came from.
        record: the content of secondwind.json, or what of it is known so far.
        backend_reason: why that backend; it names what was measured here, so it belongs into no result.
    """

    network: PreTrainedModel
    tokenizer: Any
    vocabulary: Vocabulary
    attention: Attention
    backend: Backend
    name: str
    record: dict[str, Any] = field(default_factory=dict[str, Any])
    backend_reason: str = ""

    def with_attention(self, attention: Attention) -> Self:
        """Return a view under another mask; the network is shared.

        Raises:
            ModelError: the network cannot follow that mask.
        """
        _refuse_attention(attention)
        if attention != self.attention:
            prove_mask(self.network, attention, backend="unpacked" if self.backend == "unpacked" else "dense")
        return replace(self, attention=attention)

    def size(self) -> ModelSize:
        """Count the parameters that take part in matrix products."""
        return model_size(self.network)

    @property
    def trained_attention(self) -> Attention:
        """Return the mask it was trained with: what secondwind.json says, else causal."""
        return "prefix" if self.record.get("attention") == "prefix" else "causal"

    @property
    def device(self) -> torch.device:
        """Return where the parameters are."""
        return self.network.device


def load(
    name_or_path: str | Path,
    *,
    attention: Attention = "prefix",
    backend: BackendChoice = "auto",
    revision: str | None = None,
    num_sentinels: int | None = None,
    seed: int = 0,
    trust_remote_code: bool = False,
) -> LanguageModel:
    """Load a model folder or hub name; adopt its tokenizer unless secondwind.json holds a vocabulary.

    Args:
        revision: a branch, tag or commit on the hub, for example `step71000`.
        num_sentinels: how many are needed; a stored vocabulary with fewer adopts more. None takes the
            stored ones, or 100.
        seed: of the fresh embedding rows.

    Raises:
        ModelError: missing folder; no config, weights or tokenizer in it; damaged or incomplete weights; a
            tokenizer that does not fit; an architecture that does not follow the mask.
    """
    _refuse_attention(attention)
    name = _locate(name_or_path)
    tokenizer = load_tokenizer(name, revision=revision, trust_remote_code=trust_remote_code)
    network = _load_network(name, revision, trust_remote_code)
    record = read_record(name, revision)
    rows = table_rows(network)
    stored = None
    if "vocabulary" in record:
        stored = Vocabulary.from_json(record["vocabulary"])
        _refuse_foreign_vocabulary(stored, tokenizer, rows, name)
    if stored is not None and stored.num_sentinels >= (num_sentinels or 0):
        vocabulary = stored
    else:
        wanted = _DEFAULT_SENTINELS if num_sentinels is None else num_sentinels
        vocabulary = Vocabulary.adopt(tokenizer, num_sentinels=wanted, embedding_rows=rows, earlier=stored)
        grow_table(network, vocabulary.size)
        # What was adopted before has been trained since; only what is new now starts anew.
        kept = set[int]() if stored is None else {*stored.names}
        fresh = {*vocabulary.fresh, *range(rows, vocabulary.size)} - kept
        # Rows beyond the tokenizer and reserved tokens were never trained, and often lie far out.
        trained = {*tokenizer.get_vocab().values()} - fresh - {*vocabulary.spare}
        record |= {"initialisation": start_fresh_rows(network, fresh=fresh, trained=trained, seed=seed)}
    _name_special_tokens(network, vocabulary)
    chosen = settle_backend(network, backend, attention=attention)
    return LanguageModel(
        network, tokenizer, vocabulary, attention, chosen.backend, name, record, chosen.reason
    )


def load_adopted(folder: Path) -> tuple[Any, dict[str, Any]]:
    """Load the tokenizer and the record of an exported model, without its weights.

    Raises:
        ModelError: the folder is incomplete, or is no export of this project.
    """
    name = _locate(folder)
    record = read_record(name, None)
    if "vocabulary" not in record:
        raise ModelError(
            f"{folder} has no {RECORD} with a vocabulary; wanted a folder that Second Wind exported."
        )
    return load_tokenizer(name), record


def new_model(
    config: dict[str, Any],
    tokenizer: Any,
    *,
    seed: int,
    attention: Attention = "causal",
    backend: BackendChoice = "auto",
    num_sentinels: int = 100,
) -> LanguageModel:
    """Make a network with random weights, for studies that start with pretraining.

    Args:
        config: a Hugging Face configuration with its `model_type`; the vocabulary size follows the tokenizer.

    Raises:
        ModelError: the configuration is not understood, or the architecture does not follow the mask.
    """
    _refuse_attention(attention)
    vocabulary = Vocabulary.adopt(tokenizer, num_sentinels=num_sentinels)
    settings = {name: value for name, value in config.items() if name != "model_type"}
    settings |= {
        "vocab_size": vocabulary.size,
        "eos_token_id": vocabulary.eos,
        "bos_token_id": vocabulary.bos,
    }
    try:
        made = AutoConfig.for_model(config.get("model_type", ""), **settings)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(key(seed, "new model"))
            network = cast(
                PreTrainedModel, AutoModelForCausalLM.from_config(made, dtype=torch.float32)
            ).eval()
    except Exception as error:  # transformers checks configurations in many ways and places
        raise ModelError(
            f"cannot make a network from the configuration {config!r}: {error}. Wanted a model_type that "
            "transformers knows (for example llama) and its settings."
        ) from error
    _name_special_tokens(network, vocabulary)
    chosen = settle_backend(network, backend, attention=attention)
    record = {"initialisation": {"rule": "random weights", "seed": seed}}
    return LanguageModel(network, tokenizer, vocabulary, attention, chosen.backend, "", record, chosen.reason)


def _refuse_attention(attention: str) -> None:
    if attention not in get_args(Attention):
        raise ModelError(f"no attention '{attention}'; wanted one of {', '.join(get_args(Attention))}.")


def _locate(name_or_path: str | Path) -> str:
    """Return a complete local folder, or a hub name; anything else is an error without network access."""
    name = str(name_or_path)
    path = Path(name).expanduser()
    if path.is_dir():
        _refuse_incomplete(path)
        return str(path)
    if path.exists():
        raise ModelError(f"{name} is a file, wanted a model folder. Name the folder that holds config.json.")
    # `runs/x` with an existing `runs` is a mistyped folder, not an organisation on the hub.
    is_local = isinstance(name_or_path, Path) or ("/" in name and path.parent.is_dir())
    if is_local or not _HUB_NAME.fullmatch(name):
        raise ModelError(
            f"there is no model folder '{name}'. Wanted a folder with config.json, or a hub name such as "
            "EleutherAI/pythia-160m. Check the path."
        )
    return name


def source_note(name: str) -> str:
    """Say which of folder and hub a model's name means, where a reader may think of the other; else ''."""
    looks_like_hub = _HUB_NAME.fullmatch(name) is not None
    if Path(name).expanduser().is_dir():
        return f"'{name}' is a folder here; it is used, and the hub is not asked" if looks_like_hub else ""
    return f"no folder '{name}' here; trying the hub" if looks_like_hub else ""


def position_limit_of(name_or_path: str | Path, *, revision: str | None = None) -> int | None:
    """Return how many positions a model was built for, from its configuration alone; None without a limit.

    Raises:
        ModelError: no such model, or its configuration cannot be read.
    """
    name = _locate(name_or_path)
    try:
        config = cast(Any, AutoConfig).from_pretrained(name, revision=revision)
    except Exception as error:  # transformers checks configurations in many ways and places
        raise ModelError(
            f"cannot read the configuration of '{name}': {_first_line(error)}. Check the name, the files, "
            "and the network connection for a hub model."
        ) from error
    return position_limit(config)


def _refuse_incomplete(folder: Path) -> None:
    if not (folder / "config.json").is_file():
        raise ModelError(f"{folder} has no config.json; wanted a Hugging Face model folder. Check the path.")
    if not any(folder.glob("*.safetensors")):
        pickled = [*folder.glob("*.bin"), *folder.glob("*.pt"), *folder.glob("*.pth")]
        found = f"only {pickled[0].name}, which may run code when opened" if pickled else "none"
        raise ModelError(
            f"{folder} has no weights: wanted *.safetensors, got {found}. Save the model with "
            "save_pretrained, which writes safetensors, or copy the missing files."
        )
    if not any((folder / name).is_file() for name in _TOKENIZER_FILES):
        raise ModelError(
            f"{folder} has no tokenizer; wanted one of {', '.join(_TOKENIZER_FILES)}. Copy the tokenizer "
            "files of the model into the folder."
        )


def load_tokenizer(name: str, *, revision: str | None = None, trust_remote_code: bool = False) -> Any:
    """Load the fast tokenizer of a model folder or hub name, without the model.

    Raises:
        ModelError: no such tokenizer, or none of the fast kind.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            name, revision=revision, trust_remote_code=trust_remote_code, use_fast=True
        )
    except Exception as error:  # transformers and its parsers fail with many types
        raise ModelError(
            f"cannot load the tokenizer of '{name}': {_first_line(error)}. Check the name, the files, and "
            "the network connection for a hub model."
        ) from error
    if not getattr(tokenizer, "is_fast", False):
        raise ModelError(
            f"the tokenizer of '{name}' is {type(tokenizer).__name__}, which is not a fast tokenizer; wanted "
            "one with tokenizer.json. Convert it with transformers.convert_slow_tokenizer."
        )
    return tokenizer


def _load_network(name: str, revision: str | None, trust_remote_code: bool) -> PreTrainedModel:
    try:
        network, report = cast(Any, AutoModelForCausalLM).from_pretrained(
            name,
            revision=revision,
            trust_remote_code=trust_remote_code,
            use_safetensors=True,
            dtype=torch.float32,
            output_loading_info=True,
        )
    except Exception as error:  # transformers and safetensors fail with many types
        raise ModelError(
            f"cannot load the model '{name}': {_first_line(error)}. Wanted a causal language model with "
            "whole safetensors files. Check the name and revision, or fetch the files again."
        ) from error
    # transformers only warns here, and would leave these weights at random values.
    lost = sorted(report["missing_keys"]) + sorted(str(entry) for entry in report["mismatched_keys"])
    if lost:
        raise ModelError(
            f"the weights of '{name}' are incomplete: {len(lost)} tensors are missing or have another shape, "
            f"first {lost[0]}. Fetch all weight files again."
        )
    return network.eval()


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0].rstrip('.')}" if lines else type(error).__name__


def _refuse_foreign_vocabulary(vocabulary: Vocabulary, tokenizer: Any, rows: int, name: str) -> None:
    ids = tokenizer.get_vocab()
    wrong = [text for token, text in vocabulary.names.items() if ids.get(text) != token]
    if wrong or vocabulary.size != rows:
        got = f"'{wrong[0]}' has another id there" if wrong else f"the embedding table has {rows} rows"
        raise ModelError(
            f"{name}/{RECORD} does not belong to the model beside it: {got}, wanted {len(vocabulary.names)} "
            f"special tokens in a table of {vocabulary.size} rows. Export the model again, or delete "
            "the file to adopt the tokenizer anew."
        )


def _name_special_tokens(network: PreTrainedModel, vocabulary: Vocabulary) -> None:
    """Tell the configurations which ids end and pad a text, so that other programs stop there too."""
    if network.config.eos_token_id is None:
        network.config.eos_token_id = vocabulary.eos
    settings = network.generation_config
    if settings is None:
        return
    ends = settings.eos_token_id
    known = ends if isinstance(ends, list) else [] if ends is None else [ends]
    settings.eos_token_id = known if vocabulary.eos in known else [*known, vocabulary.eos]
    settings.pad_token_id = vocabulary.pad
