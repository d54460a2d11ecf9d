"""GACOS delays: known values at known places, and bad files that name themselves."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
import ztd
from hypothesis import given, settings
from hypothesis import strategies as st

from slidecloud.stack.gacos import Gacos, _between
from slidecloud.types import DataError

DAY = np.datetime64("2019-03-05")
LEFT, TOP, STEP = 103.5, 31.5, 0.01


def plane(height=30, width=40):
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    return (2.0 + 0.01 * rows - 0.005 * columns).astype("<f4")


def write(folder, delay, name="20190305", **changes):
    return ztd.write(folder, name, delay, left=LEFT, top=TOP, step=STEP, **changes)


def test_pixel_centres_and_what_lies_between(tmp_path):
    delay = plane()
    found = Gacos(write(tmp_path, delay))
    assert found.dates.tolist() == [DAY.astype(object)]
    centre = found.zenith(DAY, LEFT + STEP * (np.arange(40) + 0.5), np.full(40, TOP - STEP * 7.5))
    np.testing.assert_allclose(centre, delay[7], atol=1e-6)
    between = found.zenith(np.datetime64("2019-03-05T23:11:02"), LEFT + STEP * 10.75, TOP - STEP * 4.9)
    np.testing.assert_allclose(between, 2.0 + 0.01 * 4.4 - 0.005 * 10.25, atol=1e-6)
    assert between.dtype == np.float32


@settings(deadline=None)
@given(row=st.floats(0.5, 29.5), column=st.floats(0.5, 39.5))
def test_planes_come_back_exactly(row, column):
    value = _between(plane(), np.float64(row), np.float64(column))
    assert abs(value - (2.0 + 0.01 * (row - 0.5) - 0.005 * (column - 0.5))) < 1e-5


def test_outside_and_next_to_gaps_there_is_nothing(tmp_path):
    delay = plane()
    delay[10, 12] = np.nan
    delay[20, 5] = 0
    found = Gacos(write(tmp_path, delay))
    columns = np.array([-0.01, 0.1, 12.5, 5.5, 39.9, 40.01, np.nan])
    rows = np.array([5.0, 5, 11.2, 20.5, 5, 5, 5])
    missing = np.isnan(found.zenith(DAY, LEFT + STEP * columns, TOP - STEP * rows))
    assert missing.tolist() == [True, False, True, True, False, True, True]


def test_geotiffs_are_read_alike(tmp_path):
    binary = Gacos(write(tmp_path / "binary", plane()))
    (tmp_path / "tif").mkdir()
    corner = rasterio.Affine(STEP, 0, LEFT, 0, -STEP, TOP)
    shape = {"height": 30, "width": 40, "count": 1, "dtype": "float32", "crs": "EPSG:4326", "transform": corner}
    with rasterio.open(tmp_path / "tif" / "20190305.ztd.tif", "w", driver="GTiff", **shape) as dataset:
        dataset.write(plane(), 1)
    longitude, latitude = np.meshgrid(LEFT + np.linspace(0, 0.4, 23), TOP - np.linspace(0, 0.3, 17))
    np.testing.assert_array_equal(
        binary.zenith(DAY, longitude, latitude), Gacos(tmp_path / "tif").zenith(DAY, longitude, latitude)
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"WIDTH": 41}, "4800 bytes, expected 4920"),
        ({"X_STEP": None}, "says nothing for X_STEP"),
        ({"Y_STEP": STEP}, "Y_STEP below 0"),
        ({"Y_FIRST": "north"}, "says north for Y_FIRST"),
        ({"PROJECTION": "UTM"}, "PROJECTION UTM"),
    ],
)
def test_a_header_that_disagrees_is_refused_by_name(tmp_path, changes, message):
    found = Gacos(write(tmp_path, plane(), **changes))
    with pytest.raises(DataError, match=rf"20190305\.ztd.*{message}"):
        found.zenith(DAY, LEFT, TOP)


@pytest.mark.parametrize(
    ("delay", "message"),
    [
        (np.zeros((30, 40), "<f4"), "no delay at all"),
        (plane() * 1000, "expected zenith delays of 0.2 to 4.0 m"),
        (plane().byteswap(), "byte order"),
    ],
)
def test_values_that_cannot_be_delays_are_refused(tmp_path, delay, message):
    with pytest.raises(DataError, match=message):
        Gacos(write(tmp_path, delay)).zenith(DAY, LEFT, TOP)


def test_one_bad_date_spoils_itself_alone(tmp_path):
    write(tmp_path, plane())
    write(tmp_path, plane(), name="20190317")
    with (tmp_path / "20190317.ztd").open("r+b") as file:
        file.truncate(1000)
    write(tmp_path, plane(), name="20191399")
    (tmp_path / "20190329.ztd.tif").write_bytes(b"")
    found = Gacos(tmp_path)
    assert found.dates.size == 3
    assert np.isfinite(found.zenith(DAY, LEFT + 0.1, TOP - 0.1))
    for day, message in {"2019-03-17": "truncated", "2019-03-29": "empty", "2019-04-10": "has no delay of"}.items():
        with pytest.raises(DataError, match=message):
            found.zenith(np.datetime64(day), LEFT, TOP)
    (tmp_path / "20190305.ztd.rsc").unlink()
    with pytest.raises(DataError, match=r"20190305\.ztd\.rsc cannot be read"):
        found.zenith(DAY, LEFT, TOP)


def test_folders_without_delays_are_refused(tmp_path):
    with pytest.raises(DataError, match="no folder"):
        Gacos(tmp_path / "absent")
    with pytest.raises(DataError, match=r"has no YYYYMMDD\.ztd"):
        Gacos(tmp_path)
