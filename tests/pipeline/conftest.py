"""The run in patches that several tests of the pipeline look at."""

from __future__ import annotations

import shutil
from pathlib import Path

import patched
import pytest

from slidecloud.simulate import Scene
from slidecloud.stack import ArraySource


@pytest.fixture(scope="session")
def patched_scene() -> Scene:
    """Open ground with two slides."""
    return patched.scene()


@pytest.fixture(scope="session")
def patched_source(patched_scene: Scene) -> ArraySource:
    """Its wrapped pairs."""
    return patched.source(patched_scene)


@pytest.fixture(scope="session")
def patched_run(tmp_path_factory: pytest.TempPathFactory, patched_source: ArraySource) -> Path:
    """Folder of a finished run of it and of its stack; read it only."""
    folder = tmp_path_factory.mktemp("patched")
    summary = patched.compute(folder, patched_source)
    assert summary.exit_code == 0, summary.lines()
    return folder


@pytest.fixture
def patched_copy(patched_run: Path, tmp_path: Path) -> Path:
    """A copy of that folder which a test may change."""
    return Path(shutil.copytree(patched_run, tmp_path / "copy"))
