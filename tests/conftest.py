"""The test environment is stricter and smaller than production: one thread, no network, two profiles."""

import os
import sys
from pathlib import Path

# Two cores are shared by several test processes; these must stand before numpy or torch is imported.
for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_name] = "1"
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"

import pytest  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

# Shared machines make single examples slow at random, so no deadline; `make test` derandomises.
settings.register_profile(
    "quick", max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "nightly", max_examples=1000, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


@pytest.fixture(autouse=True)
def one_torch_thread() -> None:
    """Keep torch on one thread, where a test has imported it at all."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.get_num_threads() != 1:
        torch.set_num_threads(1)


@pytest.fixture(scope="session")
def data_pack() -> Path:
    """Return the folder of real data, or skip with the reason."""
    named = os.environ.get("SECONDWIND_DATA")
    if not named:
        pytest.skip("SECONDWIND_DATA is not set: no folder of real data to read")
    folder = Path(named)
    if not folder.is_dir():
        pytest.skip(f"SECONDWIND_DATA names {folder}, which is no folder")
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests that need an accelerator where there is none."""
    marked = [item for item in items if item.get_closest_marker("gpu")]
    if not marked:
        return
    import torch

    if not torch.cuda.is_available():
        for item in marked:
            item.add_marker(pytest.mark.skip(reason="needs an accelerator; torch sees none"))
