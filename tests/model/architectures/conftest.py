"""Tiny models of the catalogue, loaded as users load theirs."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from scripts.tiny_models import write

from secondwind.model.load import LanguageModel, load


@pytest.fixture(scope="session")
def folder_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return the folder of a tiny model, written once."""
    root = tmp_path_factory.mktemp("tiny")

    @cache
    def written(name: str) -> Path:
        write(name, root / name)
        return root / name

    return written


@pytest.fixture(scope="session")
def loaded(folder_of: Callable[[str], Path]) -> Callable[[str], LanguageModel]:
    """Return unchanging models that attend causally."""

    @cache
    def made(name: str) -> LanguageModel:
        return load(folder_of(name), attention="causal", num_sentinels=4)

    return made
