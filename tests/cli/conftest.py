"""The stores that the tests of the command line share."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import small


@pytest.fixture(scope="session")
def region(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with stacks, region.yaml and a finished run; read it only."""
    folder = tmp_path_factory.mktemp("region")
    small.finished(folder, small.scene())
    return folder


@pytest.fixture
def own_region(region: Path, tmp_path: Path) -> Path:
    """A copy of the region that a test may change."""
    return Path(shutil.copytree(region, tmp_path / "region"))


@pytest.fixture(autouse=True)
def _own_rates(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rates that this machine's user has measured stay out of the tests."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
