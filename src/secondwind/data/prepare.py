"""Documents into token shards: encode, split off what is held out, drop duplicates, seal.

    folder/train/       what the arms are trained on
    folder/held_out/    what perplexity is measured on; the choice depends on a document's text alone
    folder/corpus.json  the identity of the inputs, and the facts for the report

The same inputs find the folder again and read nothing twice.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from secondwind.data.documents import Document, Faults
from secondwind.data.shards import ShardWriter, TokenShards
from secondwind.errors import DataError, VocabularyError
from secondwind.runs import canonical_json, fingerprint, staged_folder, write_atomically
from secondwind.vocabulary import Tokenizer, Vocabulary, encode

_VERSION = 2  # raise it when the same documents would give other shards
_CHUNK_DOCUMENTS = 512
_CHUNK_CHARACTERS = 4_000_000
_TRAIN, _HELD_OUT, _FACTS = "train", "held_out", "corpus.json"

Progress = Callable[[int, int], None]  # called with the documents and tokens done so far


@dataclass(frozen=True)
class Corpus:
    """A prepared corpus.

    Args:
        train: the documents to train on.
        held_out: the documents never trained on, or None where there are none.
        facts: counts for the report: documents, tokens, held_out_documents, held_out_tokens,
            duplicates, faults.
    """

    train: TokenShards
    held_out: TokenShards | None
    facts: dict[str, Any]


def prepare(
    documents: Iterable[Document],
    tokenizer: Tokenizer,
    vocabulary: Vocabulary,
    folder: Path,
    *,
    held_out: float,
    faults: Faults,
    identity: Any,
    progress: Progress | None = None,
) -> Corpus:
    """Encode documents into `folder`, or reuse the folder if it was made from the same inputs.

    A document whose text came before is a duplicate: counted with its place, and left out. Whether a
    document is held out depends on its text alone, so no copy can be on both sides.

    Args:
        held_out: the share of documents to hold out, in [0, 1).
        faults: receives duplicates and documents without tokens; on reuse nothing is read, and the
            faults of the first time are in `facts`.
        identity: JSON that determines the documents and the tokenizer; the same means the same shards.
        progress: called after each chunk.

    Raises:
        DataError: the share is out of range, no document is left to train on, or the folder is damaged.
        VocabularyError: a document encodes to a reserved id or to one beyond the table; names it.
        RunError: the folder cannot be written.
    """
    if not 0 <= held_out < 1:
        raise DataError(f"held_out is {held_out}; wanted a share in [0, 1). Correct it in the recipe.")
    made_from = fingerprint(
        {
            "version": _VERSION,
            "identity": identity,
            "held_out": held_out,
            "reserved": sorted(vocabulary.reserved),
        }
    )
    if _identity(folder) != made_from:
        with staged_folder(folder) as staged:
            facts = _write(
                _encoded(_unique(documents, faults), tokenizer, vocabulary),
                staged,
                held_out=held_out,
                faults=faults,
                progress=progress,
            )
            write_atomically(staged / _FACTS, canonical_json({"identity": made_from, "facts": facts}))
    return _open(folder)


def _identity(folder: Path) -> str | None:
    """Return what a folder was made from, or None where there is no prepared corpus."""
    return _read_facts(folder)["identity"] if (folder / _FACTS).is_file() else None


def _read_facts(folder: Path) -> dict[str, Any]:
    path = folder / _FACTS
    try:
        stored = json.loads(path.read_bytes())
        return {"identity": str(stored["identity"]), "facts": dict(stored["facts"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path} is damaged: {error!r}. Delete the folder {folder} and prepare again."
        ) from error


def _open(folder: Path) -> Corpus:
    facts = _read_facts(folder)["facts"]
    held_out = TokenShards.open(folder / _HELD_OUT) if facts.get("held_out_documents") else None
    return Corpus(TokenShards.open(folder / _TRAIN), held_out, facts)


def _unique(documents: Iterable[Document], faults: Faults) -> Iterator[Document]:
    seen: set[bytes] = set()
    for document in documents:
        digest = _digest(document.text)
        if digest in seen:
            faults.add("duplicate", document.id)
        else:
            seen.add(digest)
            yield document


def _digest(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=16).digest()


def _chunks(documents: Iterable[Document]) -> Iterator[list[Document]]:
    """Group documents so that a chunk is worth a call of the tokenizer, and fits in memory."""
    chunk: list[Document] = []
    num_characters = 0
    for document in documents:
        chunk.append(document)
        num_characters += len(document.text)
        if len(chunk) == _CHUNK_DOCUMENTS or num_characters >= _CHUNK_CHARACTERS:
            yield chunk
            chunk, num_characters = [], 0
    if chunk:
        yield chunk


def _encoded(
    documents: Iterable[Document], tokenizer: Tokenizer, vocabulary: Vocabulary
) -> Iterator[list[tuple[Document, Sequence[int]]]]:
    """Yield chunks of documents with their ids, all of them ordinary tokens."""
    for chunk in _chunks(documents):
        encoded = encode([document.text for document in chunk], tokenizer)
        try:
            _require_ordinary(list(chain.from_iterable(encoded)), vocabulary, "a document")
        except VocabularyError:  # look at the documents one by one only to name the wrong one
            for document, ids in zip(chunk, encoded, strict=True):
                _require_ordinary(ids, vocabulary, f"document {document.id}")
            raise
        yield list(zip(chunk, encoded, strict=True))


def _require_ordinary(ids: Sequence[int], vocabulary: Vocabulary, what: str) -> None:
    tokens = np.array(ids, dtype=np.int32)
    vocabulary.refuse_reserved(tokens, what)
    if len(tokens) and int(tokens.max()) >= vocabulary.size:
        raise VocabularyError(
            f"{what} holds the id {int(tokens.max())}, but the vocabulary has {vocabulary.size} rows. "
            "The tokenizer and the model do not belong together: use the tokenizer that the model was "
            "trained with."
        )


def _write(
    chunks: Iterable[list[tuple[Document, Sequence[int]]]],
    folder: Path,
    *,
    held_out: float,
    faults: Faults,
    progress: Progress | None,
) -> dict[str, Any]:
    """Write both sides, and return the facts."""
    with ShardWriter(folder / _TRAIN) as train, ShardWriter(folder / _HELD_OUT) as kept:
        for chunk in chunks:
            for document, ids in chunk:
                if ids:
                    (kept if _is_held_out(document.text, held_out) else train).add(document.id, ids)
                else:
                    faults.add("no tokens", document.id)
            if progress is not None:
                progress(train.num_documents + kept.num_documents, train.num_tokens + kept.num_tokens)
    if train.num_documents == 0:
        raise DataError(
            f"no document is left to train on: {kept.num_documents} are held out and {faults.total} have "
            f"faults ({json.dumps(faults.to_json(), ensure_ascii=False)}). Add documents, or lower held_out."
        )
    return {
        "documents": train.num_documents,
        "tokens": train.num_tokens,
        "held_out_documents": kept.num_documents,
        "held_out_tokens": kept.num_tokens,
        "duplicates": faults.count("duplicate"),
        "faults": faults.to_json(),
    }


def _is_held_out(text: str, share: float) -> bool:
    """Decide by the text alone: a hash, read as a number in [0, 1)."""
    return int.from_bytes(_digest(text)[:8], "little") < share * 2**64
