"""A finished run for the tests of pictures."""

from __future__ import annotations

from pathlib import Path

import pytest
import small


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run store of a small simulated region; read it only."""
    return small.finished(tmp_path_factory.mktemp("region"), small.scene())
