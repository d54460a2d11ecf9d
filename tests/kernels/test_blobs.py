"""The classical detector on simple shapes in noise of known law: what it finds and what must not matter."""

from __future__ import annotations

import moving
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slidecloud.kernels.blobs import detect
from slidecloud.kernels.boxes import iou
from slidecloud.kernels.matching import match
from slidecloud.kernels.precision import Outcomes, average_precision
from slidecloud.kernels.views import GradientView

SIGMA = 2e-5
LIKELY = 0.5


def _likely(view):
    found = detect(view)
    return found.boxes[found.scores >= LIKELY]


def _judge(scenes, least):
    """Outcomes at an overlap; slides with less than a tenth of their pixels above 3 sigma are not asked for."""
    matches = []
    for scene in scenes:
        y, x = (moving.gradient(scene.velocity, axis) for axis in range(2))
        seen = [np.mean(np.hypot(x, y)[mask] > 3 * SIGMA) >= 0.1 for mask in scene.masks]
        found = detect(scene.view)
        matches.append(match(found.boxes, found.scores, scene.boxes, ignored=~np.array(seen), iou=least))
    return Outcomes.of(matches)


@pytest.mark.parametrize(("strength", "ap50", "ap30"), [((5, 10), 0.8, 0.9), ((10, 40), 0.8, 0.9)])
def test_slides_in_noise_are_found(strength, ap50, ap30):
    """Slides of 300 m to 3 km; strength is their steepest gradient in sigmas. Half the scenes have gaps and air."""
    scenes = [
        moving.scene(seed, strength=strength, sigma=SIGMA, holes=0.1 * (seed % 2), atmosphere=0.002 * (seed % 2))
        for seed in range(8)
    ]
    assert average_precision(_judge(scenes, 0.5)) >= ap50
    assert average_precision(_judge(scenes, 0.3)) >= ap30


def test_noise_and_atmosphere_are_not_slides():
    """Twelve views of 277 km² each, half of them with turbulent air of 3 mm/yr."""
    views = [moving.view(np.zeros((416, 416)), seed=seed, atmosphere=0.003 * (seed % 2)) for seed in range(12)]
    assert sum(len(_likely(view)) for view in views) <= 2


def test_faults_and_wide_bowls_are_not_slides():
    y, x = np.mgrid[:416, :416]
    fault = 0.1 * np.tanh((0.8 * x - 0.6 * y) / 3)
    bowl = -1.5 * np.exp(-((y - 200) ** 2 + (x - 210) ** 2) / (2 * 60**2))
    for velocity in (fault, bowl):
        view = moving.view(velocity, seed=1)
        steepest = np.nanmax(np.hypot(view.x, view.y)) / SIGMA
        assert steepest > 15, "the case would be too weak to tell"
        assert not len(_likely(view))


def test_one_clear_slide_is_one_box():
    made = 0.05 * moving.shape(256, (120, 140), 40, 25, 0.0)
    found = detect(moving.view(made, sigma=SIGMA))
    assert iou(found.boxes[:1], [[107.5, 120, 132.5, 160]])[0, 0] > 0.6
    assert found.scores[0] > 0.9
    assert (found.scores[1:] < LIKELY).all()


@pytest.fixture(scope="module")
def scene():
    return moving.scene(5, side=240, count=4, strength=(8, 25), sigma=SIGMA, holes=0.05)


def _same(one, other, to=lambda boxes: boxes):
    assert len(one.scores) == len(other.scores) >= 2
    np.testing.assert_allclose(one.scores, other.scores, atol=0.01)
    np.testing.assert_allclose(to(one.boxes), other.boxes, atol=0.05)


@given(st.floats(1e-3, 1e3), st.sampled_from([-1.0, 1.0]))
@settings(max_examples=10, deadline=None)
def test_unit_and_sign_do_not_matter(scene, factor, sign):
    v = scene.view
    scaled = (
        (np.float32(sign * factor) * g for g in (v.x, v.y)),
        (np.float32(factor) * s for s in (v.x_sigma, v.y_sigma)),
    )
    _same(detect(v), detect(GradientView(*scaled[0], *scaled[1], v.coherence, v.span)))


def test_mirrored_and_turned_views_give_mirrored_and_turned_boxes(scene):
    v = scene.view
    side = v.x.shape[0]
    mirrored = GradientView(v.x[::-1], -v.y[::-1], v.x_sigma[::-1], v.y_sigma[::-1], v.coherence[::-1], v.span)
    _same(detect(v), detect(mirrored), lambda b: np.stack([side - b[:, 2], b[:, 1], side - b[:, 0], b[:, 3]], axis=1))
    turned = GradientView(v.y.T, v.x.T, v.y_sigma.T, v.x_sigma.T, v.coherence.T, v.span)
    _same(detect(v), detect(turned), lambda b: b[:, [1, 0, 3, 2]])


def test_unknown_ground_around_a_view_hardly_matters(scene):
    wide = GradientView(*(np.pad(g, 60, constant_values=np.nan) for g in scene.view[:5]), scene.view.span)
    bare, framed = detect(scene.view), detect(wide)
    clear = bare.scores > 0.7
    overlap = iou(bare.boxes[clear] + 60, framed.boxes).max(1)
    assert clear.sum() >= 2
    assert (overlap > 0.9).all()


def test_uneven_noise_counts_by_its_sigma():
    """One half is ten times noisier, and says so: the slide in the other half stays, and noise gives none."""
    scene = moving.scene(2, side=256, count=1, strength=(20, 20), sigma=SIGMA)
    noise = moving.view(np.zeros((256, 256)), seed=9, sigma=10 * SIGMA)
    far = np.zeros((256, 256), dtype=bool)
    far[:, 128:] = scene.boxes[0, 1] + scene.boxes[0, 3] < 256
    far[:, :128] = ~far[:, 128:].any()
    mixed = GradientView(*(np.where(far, n, v) for n, v in zip(noise[:5], scene.view[:5], strict=True)), 20.0)
    likely = _likely(mixed)
    assert iou(likely, scene.boxes).max() > 0.5
    assert len(likely) == 1


@pytest.mark.parametrize("bad", [0.0, -1e-5, np.inf, np.nan])
def test_sigmas_without_sense_are_unknown_ground(scene, bad):
    x_sigma, x = scene.view.x_sigma.copy(), scene.view.x.copy()
    x_sigma[:, :60] = bad
    x[:, :60] = np.nan
    _same(detect(scene.view._replace(x_sigma=x_sigma)), detect(scene.view._replace(x=x)))


def test_infinite_gradients_are_unknown_ground(scene):
    infinite, unknown = scene.view.y.copy(), scene.view.y.copy()
    infinite[50:60, 50:60], unknown[50:60, 50:60] = np.inf, np.nan
    _same(detect(scene.view._replace(y=infinite)), detect(scene.view._replace(y=unknown)))


@pytest.mark.parametrize("shape", [(416, 416), (1, 1), (7, 31)])
@pytest.mark.parametrize("value", [np.nan, 0.0])
def test_nothing_gives_nothing(shape, value):
    empty = np.full(shape, value, dtype=np.float32)
    found = detect(GradientView(empty, empty, np.full_like(empty, SIGMA), np.full_like(empty, SIGMA), empty, 1.0))
    assert found.boxes.shape == (0, 4)
    assert found.boxes.dtype == found.scores.dtype == np.float32


def test_boxes_lie_within_odd_views():
    scene = moving.scene(11, side=201, count=4, strength=(10, 30))
    found = detect(scene.view)
    assert len(found.scores)
    assert (found.boxes >= 0).all()
    assert (found.boxes <= 201).all()
    assert (np.diff(found.scores) <= 0).all()
    assert ((found.scores > 0) & (found.scores <= 1)).all()


def test_the_threshold_cuts_the_list(scene):
    most, least = detect(scene.view, threshold=3.0), detect(scene.view, threshold=8.0)
    assert len(least.scores) < len(most.scores)
    np.testing.assert_array_equal(most.scores[: len(least.scores)], least.scores)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"threshold": 0.0}, "threshold: found 0"),
        ({"scales": ()}, "scales: found"),
        ({"scales": (200.0, 100.0)}, "expected rising widths"),
        ({"scales": (10.0, 100.0)}, "of at least 40 m"),
    ],
)
def test_bad_options_are_named(scene, options, says):
    with pytest.raises(ValueError, match=says):
        detect(scene.view, **options)


def test_maps_of_different_shapes_are_refused(scene):
    with pytest.raises(ValueError, match="view: found maps of shapes"):
        detect(scene.view._replace(y=scene.view.y[:-1]))
