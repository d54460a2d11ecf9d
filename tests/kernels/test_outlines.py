"""Outlines of simulated slides against their masks; velocity put together from gradients with a known answer."""

from __future__ import annotations

import moving
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slidecloud.kernels.outlines import outline, relative_velocity
from slidecloud.kernels.views import SPACING, GradientView


def _exact(velocity, *, sigma=1e-5):
    """Gradients at pixel centres of a velocity, without noise or window."""
    y, x = (np.gradient(velocity, SPACING, axis=axis) for axis in range(2))
    level = np.full(velocity.shape, sigma)
    return GradientView(x, y, level, level, np.full(velocity.shape, 0.5), 10.0)


def _overlaps(scene, **options):
    """Overlap of outlines with the true masks, from true boxes that a detector missed by a tenth of their size."""
    random = np.random.default_rng(0)
    found = []
    for box, mask in zip(scene.boxes, scene.masks, strict=True):
        size = np.tile(box[2:] - box[:2], 2)
        guess = np.clip(box + random.uniform(-0.1, 0.1, 4) * size, 0, mask.shape[0])
        result = outline(scene.view, guess, **options)
        whole = np.zeros(mask.shape, dtype=bool)
        rows, columns = result.mask.shape
        whole[result.top : result.top + rows, result.left : result.left + columns] = result.mask
        found.append((whole & mask).sum() / (whole | mask).sum())
    return found


@pytest.mark.parametrize(("snr", "median", "share"), [(20, 0.75, 0.8), (5, 0.7, 0.8)])
def test_outlines_cover_what_moves(snr, median, share):
    """Ellipses and tongues of 300 m to 3 km; small ones blur to twice their width in the window of 400 m."""
    scenes = [moving.scene(seed, strength=(snr, snr), kinds=("ellipse", "tongue")) for seed in range(6)]
    found = np.concatenate([_overlaps(scene) for scene in scenes])
    assert np.median(found) >= median
    assert np.mean(found >= 0.6) >= share


def test_outlines_bear_holes_and_atmosphere():
    scenes = [moving.scene(seed, strength=(10, 10), atmosphere=0.003, holes=0.1) for seed in range(4)]
    found = np.concatenate([_overlaps(scene) for scene in scenes])
    assert np.median(found) >= 0.6


def test_velocity_is_put_together_exactly():
    """A smooth bump that is 0 at the window's edge; gradients by central differences are 1 % off at this width."""
    y, x = np.mgrid[:61, :71]
    velocity = -0.03 * np.exp(-((y - 30) ** 2 + (x - 35) ** 2) / (2 * 8**2))
    found = relative_velocity(_exact(velocity))
    np.testing.assert_allclose(found, velocity, atol=0.02 * 0.03)


def test_velocity_where_sigmas_differ_and_gradients_lack():
    """Noise a hundred times as large in one half counts less there; a hole is bridged."""
    y, x = np.mgrid[:61, :71]
    velocity = 0.03 * np.exp(-((y - 30) ** 2 + (x - 35) ** 2) / (2 * 8**2))
    view = _exact(velocity)
    spoiled = view.x.copy()
    spoiled[:, 60:] += 1e-3
    sigma = view.x_sigma.copy()
    sigma[:, 60:] = 1e-3
    spoiled[28:33, 33:38] = np.nan
    found = relative_velocity(view._replace(x=spoiled, x_sigma=sigma))
    np.testing.assert_allclose(found[:, :60], velocity[:, :60], atol=0.1 * 0.03)


@given(st.integers(0, 1000), st.floats(0.1, 50), st.sampled_from([-1.0, 1.0]))
@settings(max_examples=20, deadline=None)
def test_outline_depends_on_neither_scale_nor_sign(seed, factor, sign):
    scene = moving.scene(seed % 3, side=160, count=1, strength=(15, 15))
    view = scene.view
    other = GradientView(*(sign * factor * g for g in view[:2]), *(factor * s for s in view[2:4]), *view[4:])
    one, two = outline(view, scene.boxes[0]), outline(other, scene.boxes[0])
    assert np.mean(one.mask != two.mask) < 0.01  # rounding at the threshold
    assert two.peak == pytest.approx(sign * factor * one.peak, rel=1e-3)


def test_peak_is_the_velocity_blurred_by_the_window():
    made = moving.shape(128, (64, 64), 40, 30, 0.3) * -0.05
    found = outline(moving.view(made, sigma=1e-6), [40, 40, 88, 88])
    assert found.peak == pytest.approx(-0.05, rel=0.1)
    assert found.method == "motion"


def test_a_box_at_the_edge_of_the_view():
    scene = moving.scene(0, side=160, count=1, strength=(15, 15))
    top, left, bottom, right = scene.boxes[0]
    result = outline(scene.view, [top - 300, left, bottom, right + 300])
    assert (result.top, result.left) == (0, left)
    assert result.mask.shape == (bottom, 160 - left)


def test_without_gradients_there_is_no_outline():
    view = GradientView(*(np.full((50, 60), np.nan, dtype=np.float32) for _ in range(5)), 1.0)
    found = outline(view, [10, 10, 20, 30])
    assert found.mask.shape == (10, 20)
    assert (found.method, found.mask.any()) == ("none", False)
    assert np.isnan(found.peak)


def test_where_most_is_unknown_significant_gradients_stand_in():
    scene = moving.scene(1, side=160, count=1, strength=(40, 40))
    sparse = np.full((160, 160), np.nan, dtype=np.float32)
    kept = scene.masks[0]
    view = scene.view._replace(x=np.where(kept, scene.view.x, sparse), y=np.where(kept, scene.view.y, sparse))
    top, left, bottom, right = (int(v) for v in scene.boxes[0])
    found = outline(view, scene.boxes[0], margin=60)
    assert found.method == "gradient"
    inside = kept[top:bottom, left:right]
    assert (found.mask & inside).sum() / (found.mask | inside).sum() > 0.6


@pytest.mark.parametrize(
    ("box", "options", "says"),
    [
        ([0, 0, 10], {}, "box: found shape"),
        ([60, 0, 70, 10], {}, "expected one that covers some of"),
        ([5, 5, 5, 9], {}, "expected one that covers some of"),
        ([0, 0, 10, 10], {"margin": 1}, "margin, share: found 1"),
        ([0, 0, 10, 10], {"share": 1.0}, "margin, share"),
    ],
)
def test_bad_requests_are_named(box, options, says):
    with pytest.raises(ValueError, match=says):
        outline(_exact(np.zeros((50, 50))), box, **options)
