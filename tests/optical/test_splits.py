"""Parts that share nothing, and the refusal of those that do."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pictured
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from slidecloud.optical.likeness import ALIKE, SIDE, check_unlike, likeness, sketch
from slidecloud.optical.patches import Patch
from slidecloud.optical.sets import PatchSet
from slidecloud.optical.splits import _groups, check_apart, split
from slidecloud.types import DataError


def patch(name, source, place):
    return Patch(name, source, place, None, (4, 8, 8), lambda: None)


def of(pairs):
    return PatchSet(tuple(patch(f"p{number:03}", *pair) for number, pair in enumerate(pairs)), 4)


@given(
    st.lists(st.tuples(st.sampled_from("abcdefghijkl"), st.sampled_from("ABCDEFGHIJKL")), min_size=3, max_size=60),
    st.integers(0, 3),
)
def test_parts_share_no_source_and_no_place_and_lose_no_patch(pairs, seed):
    patches = of([(f"s{source}", f"p{place}") for source, place in pairs])
    if len(_groups(patches)) < 3:
        with pytest.raises(DataError, match="expected at least 3, one for each part"):
            split(patches, seed=seed)
        return
    parts = split(patches, seed=seed)
    check_apart(parts._asdict())
    assert all(len(part) for part in parts)
    assert sorted(one.name for part in parts for one in part) == [one.name for one in patches]
    for what in ("source", "place"):
        for one, other in combinations(parts, 2):
            assert not {getattr(each, what) for each in one} & {getattr(each, what) for each in other}


def test_shares_are_kept_as_far_as_places_allow():
    patches = of([(f"s{number}", f"p{number // 4}") for number in range(400)])
    parts = split(patches, shares=(0.7, 0.2, 0.1), seed=1)
    assert [len(part) for part in parts] == [280, 80, 40]


def test_a_split_depends_on_seed_and_names_alone():
    patches = of([(f"s{number}", f"p{number // 2}") for number in range(40)])
    turned = PatchSet(patches.patches[::-1], 4)
    names = [
        [sorted(one.name for one in part) for part in split(each, seed=seed)]
        for each, seed in ((patches, 0), (turned, 0), (patches, 1))
    ]
    assert names[0] == names[1]
    assert names[0] != names[2]


def test_what_joins_patches_joins_them_through_others():
    """a and b share a source, b and c a place: all three stay together."""
    patches = of([("1", "A"), ("1", "B"), ("2", "B"), ("3", "C"), ("4", "D")])
    parts = split(patches, seed=3)
    (together,) = [part for part in parts if any(one.name == "p000" for one in part)]
    assert {"p000", "p001", "p002"} <= {one.name for one in together}


@pytest.mark.parametrize("shares", [(0.5, 0.5, 0.5), (1.0, 0.0, 0.0), (1.2, -0.1, -0.1)])
def test_shares_add_up(shares):
    with pytest.raises(ValueError, match="three numbers above 0 that add up to 1"):
        split(of([("a", "A")] * 3), shares=shares)


@pytest.mark.parametrize("what", ["source", "place"])
def test_leaks_are_refused(what):
    own = {"source": ("s1", "p2"), "place": ("s2", "p1")}[what]
    parts = {"train": [patch("one", "s1", "p1")], "test": [patch("two", *own), patch("three", *own)]}
    with pytest.raises(DataError, match=rf"one \(train\) and two \(test\) are of the same {what}.*1 more of test"):
        check_apart(parts)
    check_apart({"train": parts["train"], "test": [patch("four", "s3", "p3")]})


def ground(seed, shape=(4, 96, 80)):
    rng = np.random.default_rng(seed)
    return ndimage.gaussian_filter(rng.normal(size=shape), (0, 2, 2)).astype(np.float32) * 20 + 5


CHANGES = {
    "mirrored": lambda image: image[:, :, ::-1],
    "turned": lambda image: np.rot90(image, 1, (1, 2)),
    "turned and mirrored": lambda image: np.rot90(image, 3, (1, 2))[:, ::-1],
    "brighter": lambda image: 1.4 * image + 3,
    "blurred": lambda image: ndimage.gaussian_filter(image, (0, 1.5, 1.5)),
    "noisy": lambda image: image + np.random.default_rng(9).normal(size=image.shape, scale=0.5 * image.std()),
    "with holes": lambda image: np.where(np.arange(96)[:, None] < 10, np.nan, image),
}


@pytest.mark.parametrize("change", CHANGES)
def test_augmented_copies_are_found(change):
    """One of a hundred images comes again, changed: it is found, and nothing else."""
    train = np.stack([sketch(ground(seed)) for seed in range(100)])
    other = np.stack([sketch(ground(seed)) for seed in range(100, 120)])
    copy = sketch(CHANGES[change](ground(37)).astype(np.float32))[None]
    best, which = likeness(np.concatenate([other, copy]), train)
    assert best[-1] > ALIKE
    assert which[-1] == 37
    assert best[:-1].max() < 0.7 * ALIKE
    names = {"train": [f"a{seed}" for seed in range(100)], "test": [f"b{seed}" for seed in range(20)] + ["copy"]}
    with pytest.raises(DataError, match=r"copy \(test\) shows the same as a37 \(train\).* 1 of 21 patches of test"):
        check_unlike({"train": train, "test": np.concatenate([other, copy])}, names)
    check_unlike({"train": train, "test": other}, names)


def framed(image, kind, colour):
    rows, columns = np.mgrid[: image.shape[1], : image.shape[2]]
    border = np.minimum(np.minimum(rows, rows[::-1]), np.minimum(columns, columns[:, ::-1])) < 8
    corners = np.hypot(rows - rows.mean(), columns - columns.mean()) > rows.mean()
    return np.where({"border": border, "disc": corners, "strip": rows < 20}[kind], np.float32(colour), image)


@pytest.mark.parametrize("colour", [0, 30])
@pytest.mark.parametrize("kind", ["border", "disc", "strip"])
def test_a_frame_makes_no_copies_and_hides_none(kind, colour):
    """Different ground in frames alike is not the same; a copy, its frame noisy as all of it, is."""
    train = np.stack([sketch(framed(ground(seed), kind, colour)) for seed in range(30)])
    other = np.stack([sketch(framed(ground(seed), kind, colour)) for seed in range(100, 130)])
    image = framed(ground(7), kind, colour)
    noise = np.random.default_rng(9).normal(size=image.shape, scale=2.0).astype(np.float32)
    copies = [image[:, :, ::-1], ndimage.gaussian_filter(image, (0, 1, 1)), image + noise]
    best, which = likeness(np.concatenate([other, np.stack([sketch(copy) for copy in copies])]), train)
    assert best[:-3].max() < ALIKE
    assert best[-3:].min() > 1.2 * ALIKE
    np.testing.assert_array_equal(which[-3:], 7)


@pytest.mark.parametrize("shape", [(3, 24, 24), (3, 50, 37), (14, 128, 128), (1, 10, 12)])
def test_a_sketch_turns_with_its_image(shape):
    image = ground(1, shape)
    square = sketch(image).reshape(SIDE, SIDE)
    np.testing.assert_allclose(sketch(image[:, ::-1]).reshape(SIDE, SIDE), square[::-1], atol=1e-5)
    np.testing.assert_allclose(sketch(np.rot90(image, 1, (1, 2))).reshape(SIDE, SIDE), np.rot90(square), atol=1e-5)
    assert np.linalg.norm(square) == pytest.approx(1.0, abs=1e-5)


def test_even_ground_is_like_nothing():
    even = sketch(np.full((4, 32, 32), 7.0, np.float32))
    assert not even.any()
    empty = sketch(np.full((4, 32, 32), np.nan, np.float32))
    assert not empty.any()
    best, _ = likeness(np.stack([even]), np.stack([even, empty]))
    assert best[0] <= 0.0


def test_shared_support_pictures_are_unlike():
    """The miniatures that other tests divide into parts are no copies of each other."""
    sketches = np.stack([sketch(pictured.picture(seed)[0].astype(np.float32)) for seed in range(40)])
    best, _ = likeness(sketches[:20], sketches[20:])
    assert best.max() < ALIKE
