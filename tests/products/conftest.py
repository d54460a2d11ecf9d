"""A run store of known ground for the tests of products."""

from __future__ import annotations

from pathlib import Path

import handmade
import pytest

from slidecloud.store import Run, open_run


@pytest.fixture(scope="session")
def sinking(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run store of one burst that sinks everywhere; read it only."""
    return handmade.make(tmp_path_factory.mktemp("sinking"))


@pytest.fixture(scope="session")
def run(sinking: Path) -> Run:
    return open_run(str(sinking))
