"""Landslides seen by several bursts and tracks: each place once, and the track that tells most decides."""

from __future__ import annotations

import geopandas
import numpy as np
import pytest
import shapely

from slidecloud.kernels.visibility import FORESHORTENED, GOOD
from slidecloud.products.stability import Sample, class_counts, stability_table

METRE = 1.0 / 111_195.0
OPTIONS = {"spacing": 40.0, "least_points": 1, "absolute": False, "uplift": 0.005}


def inventory(count):
    shapes = [shapely.box(100.0 + n, 30.0, 100.01 + n, 30.01) for n in range(count)]
    return geopandas.GeoDataFrame({"id": [f"slide{n}" for n in range(count)]}, geometry=shapes, crs="EPSG:4326")


def sample(velocity, *, landslide=0, track="ascending 026", burst="t026_000001_iw2", sigma=0.001, column=0, **more):
    """Pixels in a row, 40 m apart, the first at column 0."""
    velocity = np.atleast_1d(np.asarray(velocity, np.float32))
    place = (column + np.arange(len(velocity)) + 0.5) * 40.0 * METRE
    longitude = 100.0 + place / np.cos(np.radians(30.0))
    latitude = np.full(len(velocity), 30.0 + 0.5 * 40.0 * METRE)
    return Sample(
        landslide, track, burst, velocity, np.full(len(velocity), sigma, np.float32), longitude, latitude, **more
    )


def test_a_landslide_across_two_bursts_counts_its_overlap_once():
    one = sample([-0.01, -0.02, -0.03], sigma=0.002)
    other = sample([-0.09, -0.05], burst="t026_000002_iw2", sigma=0.003, column=2)
    found = stability_table(inventory(1), [one, other], **OPTIONS)
    (row,) = found.to_dict("records")
    assert row["points"] == 4
    # The third place is of the burst with the smaller sigma.
    assert row["velocity"] == pytest.approx((-0.01 - 0.02 - 0.03 - 0.05) / 4)
    assert row["velocity_sigma"] == pytest.approx((3 * 0.002 + 0.003) / 4)
    assert row["bursts"] == "t026_000001_iw2,t026_000002_iw2"
    assert row["deciding"]
    # In any order.
    again = stability_table(inventory(1), [other, one], **OPTIONS)
    assert again.drop(columns="geometry").equals(found.drop(columns="geometry"))


def test_each_track_has_its_row_and_the_smallest_sigma_decides():
    up, down = sample([-0.03], sigma=0.004), sample([-0.001], track="descending 131", burst="d", sigma=0.002)
    found = stability_table(inventory(1), [up, down], **OPTIONS)
    assert found["track"].tolist() == ["ascending 026", "descending 131"]
    assert found["class"].tolist() == ["rapid", "stable"]
    assert found["deciding"].tolist() == [False, True]


def test_a_track_that_is_blind_to_the_slope_does_not_decide():
    kinds = {"kind": np.array([GOOD], np.uint8)}
    up = sample([-0.03], sigma=0.004, sensitivity=np.array([-0.8], np.float32), **kinds)
    down = sample(
        [-0.001], track="descending 131", burst="d", sigma=0.002, sensitivity=np.array([0.1], np.float32),
        kind=np.array([FORESHORTENED], np.uint8),
    )  # fmt: skip
    found = stability_table(inventory(1), [up, down], **OPTIONS)
    assert found["deciding"].tolist() == [True, False]
    assert found["well_seen"].tolist() == [1.0, 0.0]
    np.testing.assert_allclose(found["sensitivity"], [-0.8, 0.1], rtol=1e-6)


def test_too_few_points_do_not_decide_where_another_track_has_enough():
    few = sample([-0.03], sigma=0.0001)
    enough = sample([-0.012] * 6, track="descending 131", burst="d", sigma=0.005)
    found = stability_table(inventory(1), [few, enough], **OPTIONS | {"least_points": 5})
    assert found["class"].tolist() == ["unknown", "active"]
    assert found["deciding"].tolist() == [False, True]


def test_every_landslide_has_one_class():
    samples = [sample([-0.03], landslide=2), sample([0.02], landslide=0)]
    found = stability_table(inventory(3), samples, **OPTIONS)
    assert found["id"].tolist() == ["slide0", "slide1", "slide2"]
    assert found["class"].tolist() == ["uplift", "unknown", "rapid"]
    assert found["deciding"].all()
    assert found["points"].tolist() == [1, 0, 1]
    assert class_counts(found) == {
        "rapid": 1, "active": 0, "potentially unstable": 0, "stable": 0, "uplift": 1, "unknown": 1,
    }  # fmt: skip
    assert len(stability_table(inventory(0), [], **OPTIONS)) == 0


def test_borders_are_compared_in_the_precision_of_the_maps():
    """A mean of float32 velocities of exactly -20 mm/yr is rapid, though the float32 lies above the decimal number."""
    assert float(np.float32(-0.02)) > -0.02
    found = stability_table(inventory(1), [sample(np.full(7, -0.02, np.float32))], **OPTIONS)
    assert found["class"].tolist() == ["rapid"]
    assert found["confidence"][0] == pytest.approx(0.5, abs=1e-3)


def test_what_is_removed_is_taken_off():
    found = stability_table(inventory(1), [sample([-0.022, -0.024], removed=-0.0126)], **OPTIONS)
    assert found["velocity"][0] == pytest.approx(-0.0104)
    assert found["removed"][0] == pytest.approx(-0.0126)
    assert found["class"][0] == "active"
