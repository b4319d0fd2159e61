"""What stands beside a model: read, known to be missing, or not to be known."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from secondwind.errors import ModelError
from secondwind.model.record import RECORD, read_record

NAME, COMMIT = "someone/llama", "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the cache's folder of a model whose weights were fetched, and nothing else."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    folder = tmp_path / "models--someone--llama"
    write(folder / "refs" / "main", COMMIT)
    write(folder / "refs" / "step10", COMMIT)
    write(folder / "snapshots" / COMMIT / "model.safetensors", "")
    return folder


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_a_folder_without_a_record_has_none(tmp_path: Path) -> None:
    assert read_record(str(tmp_path), None) == {}
    write(tmp_path / RECORD, json.dumps({"attention": "prefix"}))
    assert read_record(str(tmp_path), None) == {"attention": "prefix"}


def test_a_cached_record_is_read_without_the_hub(cached: Path) -> None:
    write(cached / "snapshots" / COMMIT / RECORD, json.dumps({"attention": "prefix"}))
    assert read_record(NAME, None) == {"attention": "prefix"}


@pytest.mark.parametrize(("revision", "told"), [(None, NAME), ("step10", f"{NAME} --revision step10")])
def test_a_model_whose_record_was_never_asked_for_is_not_taken_for_a_plain_one(
    revision: str | None, told: str, cached: Path
) -> None:
    with pytest.raises(ModelError) as raised:
        read_record(NAME, revision)
    assert f"the hub cannot be asked whether '{NAME}' has a {RECORD}" in str(raised.value)
    assert str(raised.value).endswith(f"hf download {told}.")


def test_what_the_hub_said_earlier_holds_while_it_is_out_of_reach(cached: Path) -> None:
    write(cached / ".no_exist" / COMMIT / RECORD, "")
    assert read_record(NAME, "step10") == {}
    write(cached / "refs" / "main", "f" * 40)  # of another commit nothing was said
    with pytest.raises(ModelError, match="cannot be asked"):
        read_record(NAME, "main")


def test_a_repository_that_was_fetched_as_a_whole_has_what_the_cache_has(cached: Path) -> None:
    asked_for = cached / ".no_exist" / COMMIT / ".gitattributes"
    write(asked_for, "")
    with pytest.raises(ModelError, match="cannot be asked"):
        read_record(NAME, None)
    asked_for.unlink()
    write(cached / "snapshots" / COMMIT / ".gitattributes", "")
    assert read_record(NAME, None) == {}


class _Hub(BaseHTTPRequestHandler):
    """A hub whose repositories lack every file."""

    def do_HEAD(self) -> None:
        self.send_response(404)
        self.send_header("X-Error-Code", "EntryNotFound")
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve a hub on this machine alone."""
    server = HTTPServer(("127.0.0.1", 0), _Hub)
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
    template = address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield address
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_repository_without_a_record_has_none_and_that_is_remembered(
    hub: str, cached: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read_record(NAME, None) == {}
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert read_record(NAME, None) == {}
