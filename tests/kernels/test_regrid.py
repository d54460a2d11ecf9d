"""The detectors' grid: fields whose answer is known in closed form, any heading and spacing, and the way back."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from slidecloud.kernels import regrid
from slidecloud.kernels.views import SPACING

HEADINGS = st.floats(-180.0, 360.0)
STEPS = st.floats(18.0, 110.0)
few = settings(max_examples=25, deadline=None)


def places(grid):
    """East and north (m from the source's outer corner) of the centres of the detectors' pixels."""
    row, column = np.indices(grid.shape) + 0.5
    (a, b), (c, d) = grid.matrix
    return c * row + d * column + grid.origin[1], a * row + b * column + grid.origin[0]


def view_of(grid, x, y, sigma=(1e-5, 1e-5), coherence=0.5):
    flat = np.ones(grid.source_shape, np.float32)
    return regrid.to_detector(grid, x, y, sigma[0] * flat, sigma[1] * flat, coherence * flat, 12.5)


@few
@given(heading=HEADINGS, dy=STEPS, dx=STEPS, side=st.sampled_from(["right", "left"]))
def test_quadratic_velocity_has_the_right_parts_along_range_and_azimuth(heading, dy, dx, side):
    """Velocity a E + b N + c E N + d E^2 (m/yr, m): its gradients change linearly, which no resampling may alter."""
    a, b, c, d = 2e-4, -3e-4, 4e-8, -2e-8
    shape = (23, 31)
    row, column = np.indices(shape) + 0.5
    east, north = column * dx, -row * dy
    grid = regrid.detector_grid(shape, spacing=(dy, dx), heading=heading, geometry="map", look_direction=side)
    view = view_of(grid, a + c * north + 2 * d * east, b + c * east)
    source_column, source_row = places(grid)
    east, north = source_column * dx, -source_row * dy
    flight = math.radians(heading)
    look = flight + (math.pi / 2 if side == "right" else -math.pi / 2)
    gradient = (a + c * north + 2 * d * east, b + c * east)
    whole = ndimage.binary_erosion(np.isfinite(view.x), iterations=2 + 2 * max(grid.reach))
    for found, angle in ((view.x, look), (view.y, flight)):
        expected = math.sin(angle) * gradient[0] + math.cos(angle) * gradient[1]
        # Single precision of fields of 5e-4 is 6e-11 a step; a few are added.
        np.testing.assert_allclose(found[whole], expected[whole], atol=1e-9)


@few
@given(heading=HEADINGS, dy=STEPS, dx=STEPS)
def test_stepping_along_rows_follows_the_flight_and_along_columns_leads_away_from_the_radar(heading, dy, dx):
    grid = regrid.detector_grid((40, 50), spacing=(dy, dx), heading=heading, geometry="map")
    column, row = places(grid)
    east, north = column * dx, -row * dy
    turn = math.radians(heading)
    for axis, angle in ((0, turn), (1, turn + math.pi / 2)):
        np.testing.assert_allclose(np.diff(east, axis=axis), SPACING * math.sin(angle), atol=1e-6)
        np.testing.assert_allclose(np.diff(north, axis=axis), SPACING * math.cos(angle), atol=1e-6)


@few
@given(heading=HEADINGS, dy=STEPS, dx=STEPS)
def test_every_source_pixel_is_covered_and_no_row_is_wasted(heading, dy, dx):
    shape = (17, 29)
    grid = regrid.detector_grid(shape, spacing=(dy, dx), heading=heading, geometry="map")
    corners = np.array([(row, column) for row in (0, shape[0]) for column in (0, shape[1])])
    seen = np.linalg.solve(np.array(grid.matrix), (corners - np.array(grid.origin)).T)
    assert (seen > -1e-6).all()
    assert (seen < np.array(grid.shape)[:, None] + 1e-6).all()
    # The bounding box of a turned rectangle, and at most one pixel more at each end.
    turn = math.radians(heading)
    high, wide = shape[0] * dy / SPACING, shape[1] * dx / SPACING
    assert grid.shape[0] <= abs(high * math.cos(turn)) + abs(wide * math.sin(turn)) + 2
    assert grid.shape[1] <= abs(high * math.sin(turn)) + abs(wide * math.cos(turn)) + 2


def test_the_lattice_is_fixed_to_the_origin_of_the_source():
    """A longer source has the same lattice: pixels of one are pixels of the other."""
    short = regrid.detector_grid((30, 40), spacing=(40.0, 40.0), heading=-12.3, geometry="map")
    long = regrid.detector_grid((300, 400), spacing=(40.0, 40.0), heading=-12.3, geometry="map")
    shift = np.linalg.solve(np.array(short.matrix), np.subtract(long.origin, short.origin))
    np.testing.assert_allclose(shift, np.round(shift), atol=1e-9)


@pytest.mark.parametrize("spacing", [(40.0, 40.0), (38.5, 41.5)])
def test_radar_grids_of_about_40_m_are_taken_as_they_are(spacing):
    grid = regrid.detector_grid((20, 30), spacing=spacing, heading=192.0, geometry="radar")
    x = np.random.default_rng(0).normal(size=(20, 30)).astype(np.float32)
    x[3, 4] = np.nan
    view = view_of(grid, x, 2 * x)
    np.testing.assert_array_equal(view.x, x)
    np.testing.assert_array_equal(view.y, 2 * x)
    boxes = np.array([[1.0, 2.0, 5.0, 7.0]])
    assert regrid.to_source(grid, boxes).tolist() == [[[1, 2], [1, 7], [5, 7], [5, 2]]]
    assert view.span == 12.5


def test_radar_grids_of_other_spacing_are_not_turned():
    grid = regrid.detector_grid((40, 60), spacing=(20.0, 80.0), heading=192.0, geometry="radar")
    assert grid.shape == (20, 120)
    undefined = np.full((40, 60), np.nan)
    view = view_of(grid, np.full((40, 60), 3e-4), undefined)
    # At the rim a quarter of the weight lies outside: still more than half.
    np.testing.assert_allclose(view.x, 3e-4, rtol=1e-6)
    assert np.isnan(view.y).all()


def test_fine_maps_are_averaged_before_they_are_sampled():
    """A chequerboard of 20 m pixels is too fine for 40 m: sampling alone would alias it into large blocks."""
    shape = (80, 80)
    board = np.where(np.indices(shape).sum(axis=0) % 2, 1e-3, -1e-3)
    grid = regrid.detector_grid(shape, spacing=(20.0, 20.0), heading=0.0, geometry="map")
    view = view_of(grid, board, np.zeros(shape))
    inside = view.x[2:-2, 2:-2]
    assert np.abs(inside).max() < 1e-9


@few
@given(heading=HEADINGS, step=st.floats(20.0, 80.0))
def test_noise_stays_as_large_as_its_sigma_says(heading, step):
    """Noise as smooth as the stacking window of 400 m, of another size along each axis."""
    rng = np.random.default_rng(5)
    shape, sigma = (round(9000 / step),) * 2, (2e-4, 5e-4)
    maps = []
    for size in sigma:
        noise = ndimage.uniform_filter(rng.normal(size=shape), max(3, round(400 / step)), mode="wrap")
        maps.append(size * noise / noise.std())
    grid = regrid.detector_grid(shape, spacing=(step, step), heading=heading, geometry="map")
    view = view_of(grid, *maps, sigma=sigma)
    for values, claimed in ((view.x, view.x_sigma), (view.y, view.y_sigma)):
        # A mean over 40 to 80 m of noise that is 400 m smooth loses up to a tenth; about 500 independent places
        # leave 5 % of scatter, and chance ties the two axes of one draw by a few per cent.
        assert 0.8 < np.nanstd(values / claimed) < 1.12


def test_half_of_the_weight_must_be_valid():
    shape = (12, 12)
    grid = regrid.detector_grid(shape, spacing=(40.0, 40.0), heading=0.0, geometry="map")
    x = np.full(shape, 1e-3)
    x[:, 6:] = np.nan
    view = view_of(grid, x, np.zeros(shape))
    # Not turned and on the same lattice: pixels are copied, the hole begins where it began.
    columns = np.isfinite(view.x).sum(axis=1)
    assert set(columns.tolist()) == {6}
    np.testing.assert_allclose(view.x[np.isfinite(view.x)], 1e-3, rtol=1e-6)


@few
@given(
    heading=HEADINGS,
    step=st.tuples(STEPS, STEPS),
    box=st.tuples(st.floats(0, 20), st.floats(0, 20), st.floats(1, 20), st.floats(1, 20)),
)
def test_boxes_go_there_and_back(heading, step, box):
    grid = regrid.detector_grid((60, 70), spacing=step, heading=heading, geometry="map")
    top, left, height, width = box
    corners = regrid.to_source(grid, [[top, left, top + height, left + width]])[0]
    back = np.linalg.solve(np.array(grid.matrix), (corners - grid.origin).T).T
    expected = [(top, left), (top, left + width), (top + height, left + width), (top + height, left)]
    np.testing.assert_allclose(back, expected, atol=1e-6)
    # Areas agree in square metres.
    row, column = corners.T
    area = 0.5 * abs(np.dot(row, np.roll(column, 1)) - np.dot(column, np.roll(row, 1))) * step[0] * step[1]
    assert area == pytest.approx(height * width * SPACING**2, rel=1e-6)


def test_labels_keep_their_area():
    shape = (90, 110)
    labels = np.zeros(shape, np.int16)
    labels[20:40, 30:60] = 3
    grid = regrid.detector_grid(shape, spacing=(40.0, 40.0), heading=-12.3, geometry="map")
    seen = regrid.nearest(grid, labels, outside=-1)
    assert set(np.unique(seen).tolist()) == {-1, 0, 3}
    assert (seen == 3).sum() == pytest.approx(600, rel=0.03)


@pytest.mark.parametrize(("window", "half"), [((10, 10), (0.5, 0.5)), ((5, 4), (0.0, 0.5)), ((3, 7), (0.0, 0.0))])
def test_gradients_show_things_half_a_pixel_of_the_source_before_they_lie(window, half):
    grid = regrid.detector_grid((90, 110), spacing=(25.0, 60.0), heading=-12.3, geometry="map")
    box = [[3.0, 4.0, 8.0, 12.0]]
    shown = regrid.where_shown(grid, box, window=window)
    moved = regrid.to_source(grid, box) - regrid.to_source(grid, shown)
    np.testing.assert_allclose(moved, np.broadcast_to(half, (1, 4, 2)), atol=1e-9)
    assert regrid.half_pixel(window) == half


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"spacing": (40.0, -40.0)}, "spacing: found"),
        ({"spacing": (40.0, math.nan)}, "spacing: found"),
        ({"shape": (0, 5)}, "shape: found"),
        ({"heading": math.nan}, "heading: found nan"),
        ({"geometry": "polar"}, "geometry: found 'polar'"),
        ({"look_direction": "up"}, "look_direction: found 'up'"),
    ],
)
def test_grids_that_make_no_sense_are_refused(change, message):
    arguments = {"shape": (5, 6), "spacing": (40.0, 40.0), "heading": 10.0, "geometry": "map"} | change
    with pytest.raises(ValueError, match=message):
        regrid.detector_grid(arguments.pop("shape"), **arguments)


def test_maps_of_another_shape_are_refused():
    grid = regrid.detector_grid((5, 6), spacing=(40.0, 40.0), heading=10.0, geometry="map")
    good, bad = np.zeros((5, 6)), np.zeros((6, 5))
    with pytest.raises(ValueError, match=r"y_sigma: found shape \(6, 5\), expected \(5, 6\)"):
        regrid.to_detector(grid, good, good, good, bad, good, 1.0)
