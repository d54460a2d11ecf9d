"""Pixels of a velocity map inside outlines, on maps and in radar geometry, of whole bursts and of patches."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import shapely
import zarr
from pyproj import Transformer

from slidecloud.simulate import viewing
from slidecloud.store import locate
from slidecloud.store.velocity_maps import Pixels, velocity_maps

SHAPE = (30, 40)
HEADING = -12.3


def header(geometry):
    return viewing.header("t026_000001_iw2", geometry, SHAPE, (40.0, 40.0), (2, 8), HEADING, 0.68)


def places(geometry):
    """Longitude and latitude of every pixel of the burst."""
    axes = viewing.axes(HEADING, geometry)
    latitude, longitude = viewing.latitude_longitude(*viewing.positions(SHAPE, (40.0, 40.0), axes))
    return longitude, latitude


def store(folder, geometry, windows):
    """A run store whose burst has these groups: path below the burst, and rows and columns."""
    one, (longitude, latitude) = header(geometry), places(geometry)
    for path, (rows, columns) in windows.items():
        group = zarr.open_group(str(folder / "run.zarr/bursts" / one.id / path), mode="w", zarr_format=3)
        arrays = {"velocity": np.arange(1200, dtype=np.float32).reshape(SHAPE)[rows, columns]}
        arrays["displacement"] = np.stack([arrays["velocity"], 2 * arrays["velocity"]])
        if one.grid is not None:
            arrays |= {"y": one.grid.y[rows], "x": one.grid.x[columns]}
        else:
            arrays |= {"latitude": latitude[rows, columns], "longitude": longitude[rows, columns]}
        for name, values in arrays.items():
            group.create_array(name, data=np.ascontiguousarray(values))
    return velocity_maps(locate(str(folder / "run.zarr")), one)


PATCHES = {
    "patches/r000004_c000010/timeseries": (slice(4, 20), slice(10, 30)),
    "patches/r000020_c000030/timeseries": (slice(20, 30), slice(30, 40)),
}


@pytest.mark.parametrize("geometry", ["map", "radar"])
def test_the_pixels_inside_are_those_whose_centres_are(tmp_path, geometry):
    (whole,) = store(tmp_path, geometry, {"timeseries": (slice(0, 30), slice(0, 40)), **PATCHES})
    assert whole.path.endswith("iw2/timeseries")
    longitude, latitude = places(geometry)
    middle = shapely.Point(longitude[12, 18], latitude[12, 18]).buffer(0.0025)
    far = shapely.Point(90.0, 10.0).buffer(0.01)
    outlines = np.array([far, middle], object)
    near = whole.near(outlines)
    assert near.tolist() == [1]
    (pixels,) = whole.inside(outlines[near])
    expected = shapely.contains_xy(middle, longitude, latitude)
    found = np.zeros(SHAPE, bool)
    found[pixels] = True
    assert (found == expected).all()
    assert 20 < expected.sum() < 200
    for one, true in zip(whole.place(pixels), (longitude, latitude), strict=True):
        np.testing.assert_allclose(one, true[expected], atol=1e-7)
    np.testing.assert_array_equal(whole.map("velocity")[pixels], np.flatnonzero(expected))
    np.testing.assert_array_equal(whole.series("displacement", pixels)[1], 2 * np.flatnonzero(expected))


@pytest.mark.parametrize("geometry", ["map", "radar"])
def test_patches_know_where_they_lie(tmp_path, geometry):
    first, second = store(tmp_path, geometry, PATCHES)
    assert first.shape == (16, 20)
    assert first.window() == (slice(4, 20), slice(10, 30))
    assert second.window() == (slice(20, 30), slice(30, 40))
    longitude, latitude = places(geometry)
    corner = Pixels(np.array([0]), np.array([0]))
    np.testing.assert_allclose(
        [part[0] for part in second.place(corner)], [longitude[20, 30], latitude[20, 30]], atol=1e-7
    )
    only = np.array([shapely.Point(longitude[25, 35], latitude[25, 35]).buffer(0.001)], object)
    assert second.near(only).tolist() == [0]
    assert not len(first.near(only))
    assert not len(next(first.inside(only)).rows)


def test_a_whole_burst_of_geographic_pixels(tmp_path):
    """A grid in degrees needs no turning."""
    (whole,) = store(tmp_path, "map", {"timeseries": (slice(0, 30), slice(0, 40))})
    grid = header("map").grid
    turn = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True)
    left, top = turn.transform(grid.left, grid.top)
    degrees = dataclasses.replace(grid, crs="EPSG:4326", left=left, top=top, dx=4e-4, dy=-4e-4)
    group = zarr.open_group(str(tmp_path / "run.zarr" / whole.path), mode="r+")
    group["x"][:], group["y"][:] = degrees.x, degrees.y
    (whole,) = velocity_maps(whole.run, dataclasses.replace(whole.header, grid=degrees))
    outline = shapely.box(left + 4e-4 * 3, top - 4e-4 * 9, left + 4e-4 * 8, top - 4e-4 * 5)
    (pixels,) = whole.inside([outline])
    assert (set(pixels.rows.tolist()), set(pixels.columns.tolist())) == ({5, 6, 7, 8}, {3, 4, 5, 6, 7})


def test_a_burst_without_displacement_has_none(tmp_path):
    assert not velocity_maps(locate(str(tmp_path / "run.zarr")), header("map"))
