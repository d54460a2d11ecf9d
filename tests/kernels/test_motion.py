"""Motion from its gradients."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from slidecloud.kernels.motion import relative_motion
from slidecloud.kernels.views import SPACING, GradientView

SHAPE = (160, 200)


def patch(size=10.0, place=(80, 90)):
    """A Gaussian patch that moves, m/yr."""
    rows, columns = np.indices(SHAPE)
    return 0.05 * np.exp(-0.5 * ((rows - place[0]) ** 2 + (columns - place[1]) ** 2) / size**2)


def view_of(motion, *, sigma=1e-5, noise=0.0, seed=0):
    rng = np.random.default_rng(seed)
    y, x = np.gradient(motion, SPACING)
    maps = [(part + noise * rng.standard_normal(SHAPE)).astype(np.float32) for part in (x, y)]
    sigmas = [np.full(SHAPE, sigma, np.float32)] * 2
    return GradientView(*maps, *sigmas, np.full(SHAPE, 0.5, np.float32), 5.0)


def test_motion_comes_back_in_sigmas_times_pixels():
    motion = patch()
    found = relative_motion(view_of(motion, sigma=1e-4), finest=40.0, widest=4000.0)
    expected = motion / 1e-4 / SPACING
    middle = (slice(60, 100), slice(70, 110))
    # What is wider than the fading takes a little off; blocks and smoothing the rest.
    assert np.corrcoef(found[middle].ravel(), expected[middle].ravel())[0, 1] > 0.995
    np.testing.assert_allclose(found.max(), expected.max(), rtol=0.2)
    np.testing.assert_allclose(np.unravel_index(found.argmax(), SHAPE), (80, 90), atol=2)


def test_motion_turns_with_its_gradients():
    view = view_of(patch(place=(60, 120)), noise=2e-5)
    turned = view._replace(x=-view.x[:, ::-1], y=view.y[:, ::-1])
    np.testing.assert_allclose(relative_motion(turned), relative_motion(view)[:, ::-1], atol=0.02)
    uplift = view._replace(x=-view.x, y=-view.y)
    np.testing.assert_allclose(relative_motion(uplift), -relative_motion(view), atol=1e-4)


def test_wide_motion_fades_and_a_patch_stays():
    wide = ndimage.gaussian_filter(np.random.default_rng(1).standard_normal(SHAPE), 60)
    wide *= 0.05 / np.abs(wide).max()
    found = relative_motion(view_of(patch() + wide))
    assert found[75:85, 85:95].mean() > 3 * np.abs(found[:40]).max()


def test_nothing_known_moves_nothing():
    view = view_of(patch())
    unknown = np.full(SHAPE, np.nan, np.float32)
    assert not relative_motion(view._replace(x=unknown)).any()
    assert not relative_motion(view._replace(x_sigma=np.zeros(SHAPE, np.float32))).any()
    gaps = view.x.copy()
    gaps[70:80, 85:95] = np.nan
    assert np.isfinite(relative_motion(view._replace(x=gaps))).all()


@pytest.mark.parametrize("shape", [(33, 47), (1, 5)])
def test_any_shape_is_kept(shape):
    zeros, ones = np.zeros(shape, np.float32), np.ones(shape, np.float32)
    assert relative_motion(GradientView(zeros, zeros, ones, ones, ones, 1.0)).shape == shape
