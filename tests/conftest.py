"""Fixtures that several test folders share: real data by name, and a small simulated stack."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

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
