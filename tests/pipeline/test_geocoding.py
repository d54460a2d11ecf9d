"""Pixels of a burst lie where its map, or its latitude and longitude, say."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import runs
import sliding

from slidecloud import open_run, simulate
from slidecloud.pipeline.geocoding import Geocoder
from slidecloud.stack import ArraySource
from slidecloud.types import DataError

HEIGHT, WIDTH = 40, 50


@pytest.fixture(scope="module", params=["map", "radar"])
def made(request):
    return simulate.scene(1, shape=(HEIGHT, WIDTH), dates=6, slides=[], geometry=request.param, id="one")


def geocoder_of(made):
    if made.latitude is None:
        return Geocoder(made.header)
    return Geocoder(made.header, made.latitude.astype(np.float32), made.longitude.astype(np.float32))


def test_pixel_centres_are_where_the_scene_says(made):
    row, column = np.indices((HEIGHT, WIDTH)) + 0.5
    longitude, latitude = geocoder_of(made)(row.ravel(), column.ravel())
    true_longitude, true_latitude = sliding.positions(made)
    # Longitudes of 105 degrees in single precision are good to 8e-6, which is 0.7 m.
    np.testing.assert_allclose(longitude, true_longitude.ravel(), atol=8e-6)
    np.testing.assert_allclose(latitude, true_latitude.ravel(), atol=2e-6)


def test_between_and_beyond_the_centres_it_goes_on_evenly(made):
    """40 m a pixel in every direction, also over the rim."""
    place = geocoder_of(made)
    for row, column, step in ((20.0, 25.0, 10), (-1.0, 10.0, 10), (HEIGHT + 1.0, WIDTH + 1.0, -10)):
        longitude, latitude = place(np.array([row, row + step, row]), np.array([column, column, column + step]))
        north = np.radians(latitude - latitude[0]) * 6_371_008.8
        east = np.radians(longitude - longitude[0]) * 6_371_008.8 * np.cos(np.radians(latitude[0]))
        # Sphere against ellipsoid: half a per cent; single precision: a metre or two.
        assert np.hypot(east, north)[1:] == pytest.approx(400.0, abs=6.0)


def test_corners_hold_every_pixel(made):
    west, south, east, north = geocoder_of(made).corners()
    longitude, latitude = sliding.positions(made)
    assert west <= longitude.min() < longitude.max() <= east
    assert south <= latitude.min() < latitude.max() <= north


def test_a_radar_burst_that_does_not_say_where_it_lies_is_not_searched_and_the_rest_goes_on(tmp_path):
    made = simulate.scene(1, shape=(HEIGHT, WIDTH), dates=6, slides=[], geometry="radar", id="one")
    seen = simulate.interferograms(made)
    source = ArraySource(made.header, seen.pairs, seen.phase, seen.coherence, seen.unwrapped, {})
    runs.ingest(source, str(tmp_path / "stacks"))
    summary = runs.rerun(tmp_path, "resources: {executor: serial, memory: 2 GiB}")
    assert [(item.stage, item.unit) for item in summary.quarantined] == [("detect", "one")]
    assert "radar geometry without latitude and longitude" in summary.quarantined[0].reason
    run = open_run(str(tmp_path / "run.zarr"))
    assert np.isfinite(run.timeseries("one").velocity.values).any()
    with pytest.raises(KeyError, match="no inventory"):
        run.inventory  # noqa: B018


def test_positions_without_a_number_are_refused():
    made = simulate.scene(1, shape=(HEIGHT, WIDTH), dates=6, slides=[], geometry="radar", id="one")
    nothing = np.full((HEIGHT, WIDTH), np.nan, np.float32)
    with pytest.raises(DataError, match="no finite longitude and latitude"):
        Geocoder(made.header, nothing, nothing).corners()
    with pytest.raises(DataError, match="without latitude and longitude"):
        Geocoder(dataclasses.replace(made.header, id="two"))
