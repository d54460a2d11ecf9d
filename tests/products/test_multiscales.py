"""Pyramids: every level opens plainly, lies where it should and holds means of the map; the run is left as it was."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import handmade
import numpy as np
import pytest
import runs
import steady
import xarray as xr

from slidecloud.kernels.pyramid import shrink
from slidecloud.products import multiscales
from slidecloud.products.layers import Layer
from slidecloud.products.multiscales import levels
from slidecloud.store import Run, locate, open_run
from slidecloud.types import Grid

GROUND = steady.header(handmade.SHAPE, burst=handmade.BURST)
SMALL = 128


@pytest.fixture(scope="module")
def pyramid(sinking: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three levels, as levels end at a smaller size than usual."""
    before = runs.objects(sinking)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(multiscales, "COARSEST", SMALL)
        path = multiscales.export(open_run(str(sinking)), tmp_path_factory.mktemp("out") / "maps.zarr")
    assert runs.objects(sinking) == before
    return path


def test_plain_xarray_opens_every_level_with_its_means(pyramid: Path) -> None:
    for number in range(3):
        level = xr.open_zarr(pyramid, group=f"{handmade.BURST}/{number}")
        np.testing.assert_array_equal(level["velocity"].values, shrink(handmade.velocity(GROUND), 2**number))
        assert level["velocity"].attrs["units"] == "m year-1"
        assert np.nanmax(level["velocity"].values) < 0
        spacing = 40.0 * 2**number
        assert np.diff(level["x"].values) == pytest.approx(spacing)
        assert level["x"].values[0] == pytest.approx(500_000 + spacing / 2)
        assert level["y"].values[0] == pytest.approx(3_400_000 - spacing / 2)
        assert level.attrs["spatial:transform"] == [spacing, 0.0, 500_000.0, 0.0, -spacing, 3_400_000.0]
        assert level.attrs["proj:code"] == "EPSG:32648"
    assert set(np.unique(level["class"].values)) <= {0, 1, 2, 3, 4}
    with pytest.raises((FileNotFoundError, KeyError)):
        xr.open_zarr(pyramid, group=f"{handmade.BURST}/3")


def test_the_whole_store_is_a_tree(pyramid: Path) -> None:
    tree = xr.open_datatree(pyramid, engine="zarr")
    assert set(tree.groups) >= {f"/{handmade.BURST}/{number}" for number in range(3)}
    assert "density" in tree["products/0"]
    told = tree[handmade.BURST].attrs
    assert [one["asset"] for one in told["multiscales"]["layout"]] == ["0", "1", "2"]
    assert told["multiscales"]["layout"][2]["derived_from"] == "1"
    assert told["multiscales"]["layout"][2]["spatial:shape"] == [75, 105]
    assert {one["name"] for one in told["zarr_conventions"]} == {"proj", "spatial", "multiscales"}


def test_levels_cover_the_map_and_end_small() -> None:
    grid = Grid("EPSG:32648", 5e5, 3e6, 20.0, -20.0, 20_001, 13_000)
    found = levels(grid)
    assert found[0] == grid
    assert max(found[-1].height, found[-1].width) <= multiscales.COARSEST < max(found[-2].height, found[-2].width)
    for number, one in enumerate(found):
        assert one.dx == 20.0 * 2**number
        assert one.height * one.dy <= grid.height * grid.dy
        assert (one.height - 1) * one.dy > grid.height * grid.dy


@pytest.mark.parametrize("shape", [(2100, 530), (1025, 1500), (257, 1300)])
def test_levels_are_joined_from_blocks_without_seams(
    shape: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    grid = Grid("EPSG:32648", 5e5, 3e6, 20.0, -20.0, *shape)
    layer = Layer("b", "velocity", xr.DataArray(values, dims=("y", "x")), grid, "g", "r")
    monkeypatch.setattr("slidecloud.products.layers._MOST_BYTES", 2**20)
    location = locate(tmp_path / "maps.zarr")
    location.write_many(multiscales._template("b", [layer]))
    multiscales._write(multiscales.Writer(location), layer)
    for number in range(len(levels(grid))):
        found = xr.open_zarr(tmp_path / "maps.zarr" / "b" / str(number))["velocity"].values
        np.testing.assert_array_equal(found, shrink(values, 2**number))


def test_bursts_of_a_track_are_one_pyramid(tmp_path: Path) -> None:
    small = [steady.header((60, 80), burst=f"t026_00000{k}_iw2", top=3.4e6 - 2000 * k) for k in (1, 2)]
    run = open_run(str(handmade.make(tmp_path, small)))
    path = multiscales.export(run, tmp_path / "maps.zarr", by_track=True)
    assert xr.open_zarr(path, group="ascending_026/0")["velocity"].shape == (110, 80)


def test_a_broken_export_leaves_the_older_one(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = multiscales.export(run, tmp_path / "maps.zarr", names=["velocity"])
    before = runs.objects(path)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(multiscales, "_write", stop)
    with pytest.raises(KeyboardInterrupt):
        multiscales.export(run, path, names=["velocity"])
    assert runs.objects(path) == before
    assert [*tmp_path.iterdir()] == [path]


def test_cubes_are_refused_by_name(run: Run, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="displacement has a value for each date"):
        multiscales.export(run, tmp_path / "maps.zarr", names=["displacement"])


MEMORY = """
import resource, sys
import dask.array as da, h5py, numpy as np, xarray as xr
from slidecloud.products import mintpy, multiscales
from slidecloud.products.layers import Layer
from slidecloud.store import locate
from slidecloud.types import Grid

def pyramid(size):
    lines = da.arange(size, chunks=512, dtype=np.float32)
    array = xr.DataArray(lines[:, None] - lines[None, :] / size, dims=("y", "x"))
    layer = Layer("b", "a", array, Grid("EPSG:32648", 0.0, 0.0, 20.0, -20.0, size, size), "g", "r")
    location = locate(f"{size}.zarr")
    location.write_many(multiscales._template("b", [layer]))
    multiscales._write(multiscales.Writer(location), layer)

def series(size):
    array = xr.DataArray(da.ones((70, size, size), chunks=(64, 512, 512), dtype=np.float32), dims=("time", "y", "x"))
    layer = Layer("b", "a", array, Grid("EPSG:32648", 0.0, 0.0, 20.0, -20.0, size, size), "g", "r")
    with h5py.File(f"{size}.h5", "w") as file:
        mintpy._series(file, layer, xr.DataArray(da.ones((size, size), dtype=np.uint8), dims=("y", "x")))

def peak(write, size):
    write(size)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

write, small, large = {"pyramid": (pyramid, 600, 12000), "series": (series, 300, 2000)}[sys.argv[1]]
before = peak(write, small)
print(peak(write, large) - before)
"""


@pytest.mark.long
@pytest.mark.parametrize("what", ["pyramid", "series"])
def test_memory_is_that_of_some_rows(what: str, tmp_path: Path) -> None:
    """A map of 549 MiB as a pyramid, and a series of 1,068 MiB for MintPy, in no more than 250 MiB."""
    program = [sys.executable, "-W", "ignore", "-c", MEMORY, what]
    finished = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    assert float(finished.stdout) < 250
