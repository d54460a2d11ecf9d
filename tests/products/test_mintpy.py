"""The HDF5 files of MintPy: values of the store, metres, outer corners, text attributes, whole or absent."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import h5py
import handmade
import numpy as np
import pytest
import steady

from slidecloud.products import mintpy
from slidecloud.products.mintpy_attributes import slant_range
from slidecloud.store import Run, open_run
from slidecloud.store.patch_specs import Window

GROUND = steady.header(handmade.SHAPE, burst=handmade.BURST)
LISTED = [
    "LENGTH",
    "WIDTH",
    "X_FIRST",
    "Y_FIRST",
    "X_STEP",
    "Y_STEP",
    "X_UNIT",
    "EPSG",
    "WAVELENGTH",
    "HEADING",
    "ORBIT_DIRECTION",
    "PLATFORM",
    "EARTH_RADIUS",
    "HEIGHT",
    "STARTING_RANGE",
    "RANGE_PIXEL_SIZE",
    "CENTER_LINE_UTC",
    "ALOOKS",
    "RLOOKS",
    "REF_Y",
    "REF_X",
    "REF_LAT",
    "REF_LON",
    "REF_DATE",
    "FILE_TYPE",
    "UNIT",
    "PROCESSOR",
]


@pytest.fixture(scope="module")
def folder(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out")
    written = mintpy.export(run, out)
    assert all(path.is_file() for path in written)
    return out / handmade.BURST


def test_series_and_velocity_sink_in_metres(folder: Path) -> None:
    with h5py.File(folder / "timeseries.h5") as file:
        np.testing.assert_array_equal(file["timeseries"], handmade.displacement(GROUND))
        assert file["timeseries"].dtype == np.float32
        assert file["date"].dtype == "S8"
        assert file["date"][0] == b"20210105"
        assert file.attrs["UNIT"] == "m"
        assert np.nanmax(file["timeseries"][1:]) < 0
    with h5py.File(folder / "velocity.h5") as file:
        np.testing.assert_array_equal(file["velocity"], handmade.velocity(GROUND))
        assert file.attrs["UNIT"] == "m/year"
        assert np.nanmax(file["velocity"]) < 0


def test_all_listed_attributes_are_text(folder: Path) -> None:
    for name in ("timeseries", "velocity", "temporalCoherence", "maskTempCoh", "inputs/geometryGeo"):
        with h5py.File(folder / f"{name}.h5") as file:
            told = dict(file.attrs)
        assert set(LISTED) <= set(told)
        assert all(isinstance(value, str) for value in told.values())
    assert GROUND.grid is not None
    assert (float(told["X_FIRST"]), float(told["Y_FIRST"])) == (GROUND.grid.left, GROUND.grid.top)
    assert (told["EPSG"], told["UTM_ZONE"], told["X_UNIT"]) == ("32648", "48N", "meters")
    assert float(told["CENTER_LINE_UTC"]) == 11 * 3600 + 12 * 60 + 13
    assert (told["ORBIT_DIRECTION"], told["ANTENNA_SIDE"]) == ("ASCENDING", "-1")


def test_the_reference_point_lies_in_the_stable_area_and_moves_least(folder: Path) -> None:
    with h5py.File(folder / "velocity.h5") as file:
        row, column = int(file.attrs["REF_Y"]), int(file.attrs["REF_X"])
        velocity = file["velocity"][...]
    assert np.abs(velocity[row, column]) == np.nanmin(np.abs(velocity))


def test_patches_stand_on_the_grid_of_the_burst_and_gaps_take_no_room(tmp_path: Path) -> None:
    window = Window(30, 110, 50, 170)
    patched = open_run(str(handmade.make(tmp_path, patches=[window])))
    mintpy.export(patched, tmp_path / "out")
    expected = np.full((len(handmade.DATES), *handmade.SHAPE), np.nan, np.float32)
    expected[:, window.rows, window.columns] = handmade.displacement(GROUND)[:, window.rows, window.columns]
    with h5py.File(tmp_path / "out" / handmade.BURST / "timeseries.h5") as file:
        np.testing.assert_array_equal(file["timeseries"], expected)
        row, column = int(file.attrs["REF_Y"]), int(file.attrs["REF_X"])
    assert window.top <= row < window.bottom
    assert window.left <= column < window.right


def test_radar_geometry_has_its_position_in_place_of_corners(tmp_path: Path) -> None:
    header, _ = steady.in_radar(GROUND)
    run = open_run(str(handmade.make(tmp_path, [header])))
    mintpy.export(run, tmp_path / "out")
    with h5py.File(tmp_path / "out" / handmade.BURST / "inputs" / "geometryRadar.h5") as file:
        assert "X_FIRST" not in file.attrs
        assert file["latitude"].shape == file["longitude"].shape == handmade.SHAPE
        assert file["latitude"][0, 0] == pytest.approx(31.0)


def test_without_the_stack_there_is_no_geometry_and_a_warning(tmp_path: Path) -> None:
    run = open_run(str(handmade.make(tmp_path, [dataclasses.replace(GROUND)])))
    shutil.rmtree(tmp_path / "stacks")
    with pytest.warns(UserWarning, match="No geometry is written for t026_000001_iw2"):
        written = mintpy.export(run, tmp_path / "out")
    assert [path.name for path in written][-1] == "maskTempCoh.h5"


def test_a_write_that_breaks_off_leaves_nothing_of_that_name(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(mintpy, "_tell", stop)
    with pytest.raises(KeyboardInterrupt):
        mintpy.export(run, tmp_path)
    assert [*(tmp_path / handmade.BURST).iterdir()] == []


def test_slant_range_is_the_height_straight_below_and_grows_with_incidence() -> None:
    assert slant_range(0.0) == pytest.approx(693_000.0)
    found = slant_range(np.radians([0.0, 30.0, 45.0]))
    assert (np.diff(found) > 0).all()
    assert found[2] < 693_000.0 / np.cos(np.radians(45.0))
