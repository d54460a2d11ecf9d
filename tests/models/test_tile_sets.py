"""Tile sets come back as they were written, and damaged ones are refused by name."""

from __future__ import annotations

import numpy as np
import pytest

from slidecloud.kernels.views import GradientView
from slidecloud.models.tile_sets import SIDE, Selection, open_tiles, write
from slidecloud.models.tiles import Tile
from slidecloud.types import DataError


def tiles(count):
    random = np.random.default_rng(3)
    for number in range(count):
        maps = random.normal(0, 1e-4, (4, SIDE, SIDE)).astype(np.float32)
        maps[:, : 10 * number] = np.nan
        boxes = np.sort(random.uniform(0, SIDE, (number, 2, 2)), axis=1).reshape(-1, 4).astype(np.float32)
        coherence = random.random((SIDE, SIDE), dtype=np.float32)
        yield Tile(GradientView(*maps, coherence, 3.0 + number), boxes, random.random(number) < 0.5)


def labels(count):
    return {
        "level": [0.5] * count,
        "family": ["one"] * count,
        "kind": [f"kind {n}" for n in range(count)],
        "geometry": ["map"] * count,
    }


@pytest.fixture
def stored(tmp_path):
    write(tmp_path, tiles(3), **labels(3))
    return tmp_path


def test_tiles_come_back(stored):
    """To half precision: 11 bits, and 6e-12/yr (the smallest number in units of 1e-4/yr) near zero."""
    found = open_tiles(stored)
    assert len(found) == 3
    assert list(found.kind) == ["kind 0", "kind 1", "kind 2"]
    for there, back in zip(tiles(3), found, strict=True):
        for before, after in zip(there.view[:5], back.view[:5], strict=True):
            assert after.dtype == np.float32
            np.testing.assert_allclose(after, before, rtol=2**-11, atol=6e-12)
        assert back.view.span == there.view.span
        np.testing.assert_array_equal(back.boxes, there.boxes)
        np.testing.assert_array_equal(back.visible, there.visible)
    np.testing.assert_array_equal(found[-1].boxes, found[2].boxes)


def test_a_part_of_a_tile_is_that_part(stored):
    found = open_tiles(stored)
    part = found.view(1, slice(5, 30), slice(100, 103))
    for whole, cut in zip(found[1].view[:5], part[:5], strict=True):
        np.testing.assert_array_equal(cut, whole[5:30, 100:103])


def test_there_are_no_other_tiles(stored):
    with pytest.raises(IndexError, match=r"tile 3 of .*; expected one of 3"):
        open_tiles(stored)[3]


def test_a_set_that_was_not_finished_is_not_opened(tmp_path):
    with pytest.raises(ValueError, match="zip"):
        write(tmp_path, tiles(2), **labels(3))
    assert [path.name for path in tmp_path.iterdir()] == []
    with pytest.raises(FileNotFoundError, match=r"no tile set in .*: views\.npy is missing"):
        open_tiles(tmp_path)


def damage_views(folder):
    (folder / "views.npy").write_bytes(b"\x93NUMPY")


def damage_truth(folder):
    (folder / "truth.npz").write_bytes(b"PK")


def other_maps(folder):
    np.save(folder / "views.npy", np.zeros((3, 4, SIDE, SIDE), np.float16))


def fewer_maps(folder):
    np.save(folder / "views.npy", np.zeros((2, 5, SIDE, SIDE), np.float16))


def change_truth(folder, **changes):
    with np.load(folder / "truth.npz") as truth:
        kept = {name: truth[name] for name in truth.files} | changes
    np.savez(folder / "truth.npz", **{name: value for name, value in kept.items() if value is not None})


DAMAGE = {
    "cannot be read": damage_views,
    "cannot be read ": damage_truth,
    r"float16 \(3, 4, 416, 416\); expected": other_maps,
    "has 2 tiles, but 3 span": fewer_maps,
    "lacks kind, level": lambda folder: change_truth(folder, kind=None, level=None),
    "boxes of .* do not belong": lambda folder: change_truth(folder, boxes=np.zeros((1, 4), np.float32)),
}


@pytest.mark.parametrize("message", DAMAGE)
def test_damage_is_named(stored, message):
    DAMAGE[message](stored)
    with pytest.raises(DataError, match=message.strip()):
        open_tiles(stored)


def test_a_selection_is_spread_over_all_sets(stored, tmp_path):
    other = write(tmp_path / "other", tiles(4), **(labels(4) | {"kind": ["x"] * 4}))
    first = open_tiles(stored)
    everything = Selection([first, other])
    assert list(everything.kind) == ["kind 0", "kind 1", "kind 2", "x", "x", "x", "x"]
    assert [tile.view.span for tile in everything] == [3, 4, 5, 3, 4, 5, 6]
    some = Selection([first, other], 3)
    assert [tile.view.span for tile in some] == [3, 3, 6]
    assert list(some.kind) == ["kind 0", "x", "x"]
    assert len(Selection([first], 50)) == 3
