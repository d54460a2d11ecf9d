"""Fixtures that several test folders share: real data by name, and a small simulated stack."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import runs

from slidecloud import simulate
from slidecloud.kernels import device
from slidecloud.stack.arrays import ArraySource


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Tests marked ``gpu`` run on a card, or in numba's simulator of one, whichever the process has."""
    lack = device.find_lack() if item.get_closest_marker("gpu") else None
    if lack is not None:
        pytest.skip(lack)


@pytest.fixture(scope="session")
def real_data() -> Callable[[str], Path]:
    """Folder of a named set of real data, or a visible skip that names it."""

    def folder(name: str) -> Path:
        root = os.environ.get("SLIDECLOUD_DATA")
        if not root or not (Path(root) / name).is_dir():
            pytest.skip(f"real data set {name!r} is absent: set SLIDECLOUD_DATA to the folder that holds it")
        return Path(root) / name

    return folder


@pytest.fixture(scope="session")
def scene() -> simulate.Scene:
    """A small scene of two years with slides, atmosphere and speckle."""
    return simulate.scene(7, shape=(96, 128), dates=44, id="sim_small")


@pytest.fixture(scope="session")
def interferograms(scene: simulate.Scene) -> simulate.Interferograms:
    """All its default pairs."""
    return simulate.interferograms(scene)


@pytest.fixture(scope="session")
def source(scene: simulate.Scene, interferograms: simulate.Interferograms) -> ArraySource:
    """The small scene as a source."""
    i = interferograms
    return ArraySource(scene.header, i.pairs, i.phase, i.coherence, i.unwrapped, scene.static())


@pytest.fixture(scope="session")
def finished_run(
    tmp_path_factory: pytest.TempPathFactory,
    source: ArraySource,
    interferograms: simulate.Interferograms,
    scene: simulate.Scene,
) -> Path:
    """Folder of a finished run of 24 pairs and of its stack, not to be changed."""
    folder = tmp_path_factory.mktemp("finished")
    runs.compute(folder, runs.subset(source, interferograms, scene, list(range(24))))
    return folder


@pytest.fixture
def run_copy(finished_run: Path, tmp_path: Path) -> Path:
    """A copy of it to tamper with."""
    for name in ("run.zarr", "stacks"):
        shutil.copytree(finished_run / name, tmp_path / name)
    return tmp_path
