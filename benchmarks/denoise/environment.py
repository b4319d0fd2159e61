"""The environment of the seqio peer: its own, since TensorFlow and t5 are no part of the project's.

    python -m benchmarks.denoise.environment     makes .venv-peers/denoise: some 3 GB, once

`peer_command()` is None until then, and a race without that peer says so.
"""

import hashlib
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".venv-peers" / "denoise"
REQUIREMENTS = Path(__file__).with_name("requirements-seqio.txt")


def peer_command() -> list[str] | None:
    """Return the command that starts the seqio peer (from the repository's root), if it can be started."""
    if not stamp().exists():
        return None
    return [str(_python()), "-W", "ignore", "-m", "benchmarks.denoise.seqio_peer"]


def make() -> None:
    """Make the environment and check that the peer gives back what it was given."""
    if not stamp().exists():
        venv.create(FOLDER, with_pip=True, clear=True)
        pip = [str(_python()), "-m", "pip", "install", "--quiet", "--no-deps"]
        subprocess.run([*pip, "-r", str(REQUIREMENTS)], check=True)
        stamp().touch()
    command = peer_command()
    assert command is not None
    subprocess.run([*command, "--check"], cwd=ROOT, check=True)


def _python() -> Path:
    return FOLDER / "bin" / "python"


def stamp() -> Path:
    """Name the file that stands after a complete installation of these requirements only."""
    return FOLDER / f"installed-{hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]}"


if __name__ == "__main__":
    make()
    print(f"the seqio peer is ready: {FOLDER.relative_to(ROOT)}", file=sys.stderr)
