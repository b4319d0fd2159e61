"""The environment of TRL and Hugging Face's Trainer: its own, since neither is a part of the project's.

    python -m benchmarks.train.environment     makes .venv-peers/train: some 1.5 GB, once

`peer_python()` is None until then.
"""

import hashlib
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".venv-peers" / "train"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
CONSTRAINTS = ROOT / "constraints" / "cpu.txt"


def peer_python() -> Path | None:
    """Return the interpreter that has the peers, if they are installed whole."""
    return _python() if stamp().exists() else None


def make() -> None:
    """Make the environment, unless one of these requirements stands."""
    if stamp().exists():
        return
    venv.create(FOLDER, with_pip=True, clear=True)
    pip = [str(_python()), "-m", "pip", "install", "--quiet", "--no-deps"]
    subprocess.run([*pip, "-c", str(CONSTRAINTS), "-r", str(REQUIREMENTS)], check=True)
    subprocess.run([str(_python()), "-W", "ignore", "-c", "import trl; trl.SFTTrainer"], check=True)
    stamp().touch()


def stamp() -> Path:
    """Name the file that stands after a complete installation of these requirements only."""
    made_of = REQUIREMENTS.read_bytes() + CONSTRAINTS.read_bytes()
    return FOLDER / f"installed-{hashlib.sha256(made_of).hexdigest()[:12]}"


def _python() -> Path:
    return FOLDER / "bin" / "python"


if __name__ == "__main__":
    make()
    print(f"TRL and Trainer are ready: {FOLDER.relative_to(ROOT)}", file=sys.stderr)
