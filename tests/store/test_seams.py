"""Offsets of overlaps taken off a series: pass by pass, and nothing where no overlap tells."""

from __future__ import annotations

import numpy as np
import xarray as xr

from slidecloud.store.seams import Level, levelled, slug, table_name

DATES = np.datetime64("2021-01-05T11:00:00", "s") + np.arange(4) * np.timedelta64(12, "D")


def series() -> xr.Dataset:
    cube = ("time", "y", "x"), np.ones((4, 2, 3), np.float32)
    maps = ("y", "x"), np.full((2, 3), 0.5, np.float32)
    arrays = {"displacement": cube, "displacement_filtered": cube, "velocity": maps, "velocity_integrated": maps}
    return xr.Dataset({**arrays, "reference_displacement": ("time", np.zeros(4, np.float32))}, coords={"time": DATES})


def test_dates_that_no_overlap_shares_become_nan_and_seconds_do_not_matter():
    """The other burst is seen three seconds later, and lacks the third date."""
    passes = DATES[[0, 1, 3]] + np.timedelta64(3, "s")
    level = Level(2, passes, np.array([0.0, 0.25, 0.5]), {"velocity": 0.125, "velocity_integrated": np.nan})
    found = levelled(series(), level)
    for name in ("displacement", "displacement_filtered"):
        np.testing.assert_array_equal(found[name].values[:, 0, 0], [1, 0.75, np.nan, 0.5])
    assert (found["velocity"].values == 0.375).all()
    assert (found["velocity_integrated"].values == 0.5).all()
    np.testing.assert_array_equal(found["reference_displacement"].values, [0, 0.25, np.nan, 0.5])
    assert found.attrs["part"] == 2


def test_what_overlaps_nothing_stays_bit_by_bit():
    found = levelled(series(), None)
    assert found.attrs["part"] == -1
    assert found.equals(series())


def test_names_of_tables_are_those_of_tracks():
    assert slug("descending 348°") == "descending_348"
    assert table_name("ascending 026") == "products/seams/ascending_026.parquet"
