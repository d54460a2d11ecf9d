"""Kernel densities integrate to their count, have the shape of their kernel, and forget the order of the points."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slidecloud.kernels.density import point_density

KERNELS = pytest.mark.parametrize("kernel", ["quartic", "epanechnikov"])
few = settings(max_examples=30, deadline=None)


@KERNELS
@few
@given(
    points=st.lists(st.tuples(st.floats(0, 40), st.floats(0, 60)), max_size=12),
    radius=st.floats(100, 20_000),
    steps=st.tuples(st.floats(200, 2000), st.floats(200, 2000)),
)
def test_density_times_area_sums_to_the_number_of_points(kernel, points, radius, steps):
    rows, columns = (np.clip([p[axis] for p in points], 0, (39.99, 59.99)[axis]) for axis in (0, 1))
    wide = steps[1] * np.linspace(1.0, 0.9, 40)
    found = point_density(rows, columns, shape=(40, 60), spacing=(steps[0], wide), radius=radius, kernel=kernel)
    assert (found * steps[0] * wide[:, None]).sum() == pytest.approx(len(points), rel=1e-9)
    assert found.min() >= 0


@KERNELS
def test_far_from_the_border_it_is_the_kernel(kernel):
    """Closed forms: 3 / (pi R^2) (1 - u^2)^2 and 2 / (pi R^2) (1 - u^2); 50 cells across resolve them to 1 %."""
    radius, step = 5000.0, 200.0
    found = point_density([50.3], [50.9], shape=(100, 100), spacing=(step, step), radius=radius, kernel=kernel)
    row, column = np.indices((100, 100)) + 0.5
    inside = np.clip(1 - ((row - 50.3) ** 2 + (column - 50.9) ** 2) * (step / radius) ** 2, 0, None)
    expected = (3 * inside**2 if kernel == "quartic" else 2 * inside) / (np.pi * radius**2)
    np.testing.assert_allclose(found, expected, atol=0.01 * expected.max())


def test_without_the_edge_correction_half_of_a_point_on_the_border_is_lost():
    arguments = {"shape": (60, 60), "spacing": (100.0, 100.0), "radius": 2000.0}
    lost = point_density([0.0], [30.0], edge=False, **arguments).sum() * 1e4
    kept = point_density([0.0], [30.0], edge=True, **arguments).sum() * 1e4
    assert lost == pytest.approx(0.5, abs=1e-9)
    assert kept == pytest.approx(1.0)
    # Points beyond the grid count by what reaches it.
    assert 0 < point_density([-5.0], [30.0], edge=False, **arguments).sum() * 1e4 < 0.5


def test_the_order_of_the_points_does_not_show():
    rng = np.random.default_rng(3)
    rows, columns = rng.uniform(0, 30, (2, 400))
    first = point_density(rows, columns, shape=(30, 30), spacing=(500.0, 500.0), radius=3000.0)
    order = rng.permutation(400)
    again = point_density(rows[order], columns[order], shape=(30, 30), spacing=(500.0, 500.0), radius=3000.0)
    np.testing.assert_array_equal(first, again)


def test_no_points_no_density():
    assert point_density([], [], shape=(4, 5), spacing=(1.0, 1.0), radius=2.0).tolist() == [[0.0] * 5] * 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"column": [1.0, 2.0]}, "row, column: found 1 and 2"),
        ({"row": [np.nan]}, "expected as many finite positions"),
        ({"radius": 0.0}, "shape, radius: found"),
        ({"shape": (0, 4)}, "shape, radius: found"),
        ({"spacing": (1.0, -1.0)}, "spacing: expected positive metres"),
        ({"kernel": "box"}, "kernel: found 'box', expected one of epanechnikov, quartic"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(change, message):
    arguments = {"row": [1.0], "column": [1.0], "shape": (4, 4), "spacing": (1.0, 1.0), "radius": 2.0} | change
    with pytest.raises(ValueError, match=message):
        point_density(arguments.pop("row"), arguments.pop("column"), **arguments)
