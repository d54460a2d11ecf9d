"""Batches: physics of turning, boxes that stay on their slides, and the same batch for the same seed and step."""

from __future__ import annotations

from itertools import product

import dipoles
import numpy as np
import pytest
from scipy import ndimage

from slidecloud.kernels.views import SPACING, GradientView
from slidecloud.models.batches import Turn, batch, crop
from slidecloud.models.features import Inputs, features
from slidecloud.models.prepared import prepare
from slidecloud.models.tile_sets import SIDE
from slidecloud.types import DataError

TURNS = [Turn(*sides) for sides in product([False, True], repeat=3)]


@pytest.fixture(scope="module")
def clear(tmp_path_factory):
    """Tiles without noise."""
    return dipoles.dipole_set(tmp_path_factory.mktemp("tiles"), seed=1, count=5, noise=1e-9)


def view_of(velocity):
    y, x = np.gradient(velocity, SPACING)
    sigma = 0.02 + np.abs(velocity) / 1e3
    return GradientView(*(maps.astype(np.float32) for maps in (x, y, sigma, 2 * sigma, np.exp(-sigma))), 5.0)


@pytest.mark.parametrize("turn", TURNS, ids=str)
@pytest.mark.parametrize(
    "inputs", [Inputs(motion=True), Inputs("phase", "range"), Inputs("sigma", "azimuth"), Inputs("physical")], ids=str
)
def test_turned_features_are_those_of_turned_ground(turn, inputs):
    """Gradients of mirrored or inverted velocity, computed anew, look as the features turned."""
    velocity = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(64, 96)), 5) * 1e3
    ground = velocity[:: -1 if turn.rows else 1, :: -1 if turn.columns else 1] * (-1 if turn.sign else 1)
    found = turn.maps(features(view_of(velocity), inputs).astype(np.float16), inputs.odd)
    expected = features(view_of(ground), inputs)
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(found, expected, atol=2e-3 if not inputs.motion else 2e-2)


@pytest.mark.parametrize("turn", TURNS, ids=str)
def test_boxes_turn_with_their_pixels(turn):
    mask = np.zeros((20, 30))
    mask[3:8, 11:29] = 1
    box = np.array([[3, 11, 8, 29]], np.float32)
    ((top, left, bottom, right),) = turn.boxes(box, mask.shape).astype(int)
    turned = turn.maps(mask[None].astype(np.float16), np.zeros((1, 3), bool))[0]
    assert turned[top:bottom, left:right].all()
    assert turned.sum() == (bottom - top) * (right - left)
    np.testing.assert_array_equal(turn.boxes(turn.boxes(box, mask.shape), mask.shape), box)


def test_a_batch_depends_on_seed_and_step_alone(tiles):
    def made(seed, step):
        return batch([prepare(tiles, Inputs())], size=3, seed=seed, step=step, mosaic=0.5)

    for one, same in zip(made(4, 7), made(4, 7), strict=True):
        np.testing.assert_array_equal(one, same)
    assert not np.array_equal(made(4, 7).features, made(4, 8).features)
    assert not np.array_equal(made(4, 7).features, made(5, 7).features)


@pytest.mark.parametrize("mosaic", [0.0, 1.0])
def test_slides_lie_in_their_boxes_and_nowhere_else(clear, mosaic):
    """Without noise, what moves is what the boxes (two standard deviations wide, and as much again) hold."""
    inputs = Inputs("physical", "both")
    seen, prepared = 0, [prepare(clear, inputs)]
    for step in range(6):
        made = batch(prepared, size=4, seed=1, step=step, mosaic=mosaic)
        assert made.features.shape == (4, 2, SIDE, SIDE)
        for number, maps in enumerate(made.features):
            moving = np.hypot(*maps) > 0.1
            around = np.zeros_like(moving)
            for top, left, bottom, right in made.boxes[made.image == number]:
                down, across = (bottom - top) / 2, (right - left) / 2
                rows = slice(max(0, int(top - down) - 1), int(bottom + down) + 2)
                around[rows, max(0, int(left - across) - 1) : int(right + across) + 2] = True
                seen += moving[int(top) : int(bottom) + 1, int(left) : int(right) + 1].any()
            if mosaic == 0:
                assert not moving[~around].any()
            else:  # a slide cut so far that its box is gone may leave its rim
                assert moving[~around].sum() < 0.1 * moving.sum() + 50
    assert seen > 0.95 * sum(len(batch(prepared, size=4, seed=1, step=s, mosaic=mosaic).boxes) for s in range(6))


def test_a_mosaic_shows_several_tiles(tiles):
    """Its parts meet in a cross somewhere near the middle, boxes included on all sides."""
    made = batch([prepare(tiles, Inputs("physical", "range"))], size=8, seed=0, step=0, mosaic=1.0)
    middle = (made.boxes[:, :2] + made.boxes[:, 2:]) / 2
    quarters = {(bool(y > SIDE / 2), bool(x > SIDE / 2)) for y, x in middle}
    assert len(quarters) == 4
    assert (made.boxes >= 0).all()
    assert (made.boxes <= SIDE).all()


def test_boxes_cut_by_the_border_are_kept_hidden_or_dropped_by_what_is_left():
    boxes = np.array([[20, 20, 30, 30], [12, 20, 22, 30], [5, 20, 15, 30], [0, 20, 10.5, 30]], np.float32)
    cut = crop(boxes, np.ones(4, bool), (10, 0, 40, 40))
    np.testing.assert_array_equal(cut.boxes, [[10, 20, 20, 30], [2, 20, 12, 30], [0, 20, 5, 30]])
    np.testing.assert_array_equal(cut.visible, [True, True, False])
    assert not crop(boxes, np.zeros(4, bool), (0, 0, 40, 40)).visible.any()


def test_no_tiles_no_batch():
    with pytest.raises(ValueError, match=r"no tiles|high <= 0"):
        batch([], size=1, seed=0, step=0, mosaic=0.0)


def test_features_are_made_once_and_go_with_their_tiles(tmp_path):
    tiles = dipoles.dipole_set(tmp_path, seed=1, count=2)
    prepared = prepare(tiles, Inputs())
    part = slice(3, 20), slice(40, 90)
    np.testing.assert_allclose(prepared.features(1, *part), features(tiles.view(1), Inputs())[:, *part], atol=1e-3)
    (kept,) = tmp_path.glob("features-*")
    before = kept.stat().st_mtime_ns
    prepare(tiles, Inputs())
    assert kept.stat().st_mtime_ns == before
    prepare(tiles, Inputs("physical"))
    assert len(list(tmp_path.glob("features-*"))) == 2
    dipoles.dipole_set(tmp_path, seed=2, count=2)
    assert not list(tmp_path.glob("features-*"))


@pytest.mark.parametrize("damage", [b"", b"short", b"\x93NUMPY"])
def test_damaged_features_are_named(tmp_path, damage):
    tiles = dipoles.dipole_set(tmp_path, seed=1, count=1)
    prepare(tiles, Inputs())
    (kept,) = tmp_path.glob("features-*")
    kept.write_bytes(damage)
    with pytest.raises(DataError, match=rf"{kept.name}.* cannot be read.*Remove it"):
        prepare(tiles, Inputs())


def test_features_of_other_tiles_are_refused(tmp_path):
    tiles = dipoles.dipole_set(tmp_path, seed=1, count=1)
    prepare(tiles, Inputs())
    (kept,) = tmp_path.glob("features-*")
    np.save(kept, np.zeros((2, 3), np.float16))
    with pytest.raises(DataError, match="expected float16"):
        prepare(tiles, Inputs())
