"""Made mountains have the slope asked for and rivers that run."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from slidecloud.kernels.terrain import slope_aspect
from slidecloud.simulate import terrain


def test_drainage_area_counts_every_node_upstream_once():
    # 0 -> 1 -> 2 -> 3 (outlet), 4 -> 2, 5 alone
    receiver = np.array([1, 2, 3, 3, 2, 5])
    np.testing.assert_array_equal(terrain._drainage_area(receiver), [1, 2, 4, 5, 1, 1])


def test_downstream_equation_is_solved():
    rng = np.random.default_rng(0)
    receiver = np.array([max(0, n - int(rng.integers(1, 4))) for n in range(200)])
    share = np.where(receiver == np.arange(200), 0.0, rng.uniform(0.1, 0.9, 200))
    own = rng.normal(size=200)
    solved = terrain._solve_downstream(own, share, receiver)
    np.testing.assert_allclose(solved, own + share * solved[receiver], atol=1e-12)


@pytest.mark.parametrize(("shape", "spacing"), [((96, 128), (40.0, 40.0)), ((60, 90), (100.0, 20.0))])
def test_mean_slope_and_lowest_point_are_as_asked(shape, spacing):
    height = terrain.fractal_mountains(3, shape=shape, spacing=spacing, mean_slope=0.35, lowest=900.0)
    assert height.shape == shape
    assert height.dtype == np.float32
    assert height.min() == 900.0
    assert slope_aspect(height, spacing=spacing).slope.mean() == pytest.approx(0.35, rel=1e-3)


def test_valleys_connect():
    # Seen at the scale of rivers, few points of the landscape have no way down.
    height = ndimage.gaussian_filter(
        terrain.fractal_mountains(5, shape=(128, 128), spacing=(40.0, 40.0), mean_slope=0.4, lowest=0.0), 2.0
    )
    inner = height[1:-1, 1:-1]
    pits = inner == ndimage.minimum_filter(height, 3)[1:-1, 1:-1]
    noise = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(128, 128)), 2.0)
    noise_pits = noise[1:-1, 1:-1] == ndimage.minimum_filter(noise, 3)[1:-1, 1:-1]
    assert pits.sum() < 0.2 * noise_pits.sum()


def test_seeds_make_different_mountains():
    make = {"shape": (32, 32), "spacing": (40.0, 40.0), "mean_slope": 0.4, "lowest": 0.0}
    first, again, other = (terrain.fractal_mountains(seed, **make) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert abs(np.corrcoef(first.ravel(), other.ravel())[0, 1]) < 0.9
