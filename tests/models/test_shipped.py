"""The weights that come with slidecloud: what they promise on tiles that they have not seen."""

from __future__ import annotations

import numpy as np
import pytest

from slidecloud.kernels import blobs
from slidecloud.kernels.boxes import iou
from slidecloud.kernels.views import GradientView
from slidecloud.models.evaluation import evaluate
from slidecloud.models.predict import load
from slidecloud.models.scenery.eroded import eroded_world
from slidecloud.models.scenery.ground import Ground
from slidecloud.models.scenery.observation import observe
from slidecloud.models.scenery.survey import survey
from slidecloud.models.scenery.tile_maker import build, plans

LEVELS = (1.0, 0.5, 0.2, 0.1, 0.05)
LEAST = 0.01


@pytest.fixture(scope="module")
def shipped():
    return load()


@pytest.fixture(scope="module")
def view():
    """A view of 448 x 448 pixels with slides, of a seed that is in no split."""
    rng = np.random.default_rng(0)
    ground = Ground((448, 448), (40.0, 40.0), "radar", -12.3)
    world = eroded_world(rng, ground, seed=2**50, kind="slides", level=1.0)
    return observe(world, survey(40), rng).view


def moved(view, rows, columns):
    x, y, x_sigma, y_sigma, coherence = (part[rows : rows + 416, columns : columns + 416] for part in view[:5])
    return GradientView(x, y, x_sigma, y_sigma, coherence, view.span)


def test_boxes_stay_where_the_ground_moves_by_some_pixels(shipped, view):
    steps = [(1, 1), (2, 5), (7, 3), (13, 11), (16, 16), (21, 8), (31, 31)]
    kept = asked = 0
    here = shipped.detect(moved(view, 0, 0))
    for rows, columns in steps:
        there = shipped.detect(moved(view, rows, columns)).boxes + np.array([rows, columns, rows, columns])
        # What lies whole within both cuts.
        inner = (here.boxes[:, 0] > rows + 16) & (here.boxes[:, 1] > columns + 16) & (here.boxes[:, 2:] < 400).all(1)
        asked += inner.sum()
        kept += (iou(here.boxes[inner], there).max(1, initial=0.0) >= 0.5).sum()
    assert asked >= 30
    assert kept >= 0.95 * asked, (kept, asked)


def test_scores_do_not_depend_on_the_batch(shipped, view):
    alone, together = (shipped.detect(view, threshold=LEAST, batch=size) for size in (1, 4))
    np.testing.assert_allclose(alone.scores, together.scores, atol=1e-3)
    np.testing.assert_allclose(alone.boxes, together.boxes, atol=0.1)


def test_nothing_is_found_where_nothing_is_known(shipped):
    nothing = np.full((500, 700), np.nan, dtype=np.float32)
    found = shipped.detect(GradientView(nothing, nothing, nothing, nothing, nothing, 1.0), threshold=LEAST)
    assert len(found.boxes) == 0


@pytest.mark.long
def test_probabilities_hold_on_the_family_that_was_learnt_from(shipped, request):
    tiles = build(request.config.cache.mkdir("tiles") / "eroded", plans("eroded", "test", 300), workers=2)
    scores = evaluate(lambda one: shipped.detect(one, threshold=LEAST), tiles, calibration=shipped.card.calibration)
    assert scores.calibration_error <= 0.05, "\n".join(scores.lines())


@pytest.mark.long
def test_the_network_closes_a_third_of_what_the_classical_method_leaves(shipped, request):
    wanted = [plan for level in LEVELS for plan in plans("ridged", "test", 300, level=level)]
    tiles = build(request.config.cache.mkdir("tiles") / "ridged", wanted, workers=2)
    net = evaluate(lambda one: shipped.detect(one, threshold=LEAST), tiles, calibration=shipped.card.calibration)
    classical = evaluate(lambda one: blobs.detect(one, threshold=2.0), tiles)
    table = "\n".join([*net.lines(), "classical", *classical.lines()])
    for ours, plain in zip(net.levels, classical.levels, strict=True):
        if plain.ap50 > 0.1:
            assert ours.ap50 - plain.ap50 >= 0.3 * (1.0 - plain.ap50), table
