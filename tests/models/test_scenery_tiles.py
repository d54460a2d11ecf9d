"""Tiles of truth: reproducible, disjoint, and with boxes where slides are."""

import dataclasses
import itertools

import numpy as np
import pytest
import rasterio
from scipy import special

from slidecloud.kernels.views import SPACING
from slidecloud.models.scenery.ground import Ground
from slidecloud.models.scenery.mountains import mountains
from slidecloud.models.scenery.pair_weights import pair_weights
from slidecloud.models.scenery.ragged import ragged_slides
from slidecloud.models.scenery.ridged import ridged_world
from slidecloud.models.scenery.speckle_law import phase_law
from slidecloud.models.scenery.survey import random_survey, survey
from slidecloud.models.scenery.tile_maker import Plan, build, make, plans
from slidecloud.models.scenery.upsampling import enlarged
from slidecloud.models.tile_sets import SIDE
from slidecloud.types import DataError


@pytest.mark.parametrize("looks", [1, 4, 16])
def test_phase_law_is_that_of_speckle(looks):
    rng = np.random.default_rng(looks)
    for coherence in (0.05, 0.4, 0.8):
        a, noise = (rng.standard_normal((2, 100_000, looks)) for _ in range(2))
        one = a[0] + 1j * a[1]
        other = coherence * one + np.sqrt(1 - coherence**2) * (noise[0] + 1j * noise[1])
        phase = np.angle((one * other.conj()).sum(-1))
        law = phase_law(np.float32(coherence), looks=looks)
        np.testing.assert_allclose(law.cosine, np.cos(phase).mean(), atol=0.008)
        np.testing.assert_allclose(law.sine_square, (np.sin(phase) ** 2).mean(), atol=0.008)
        np.testing.assert_allclose(law.variance, (phase**2).mean(), rtol=0.03)


def test_phase_law_at_its_ends():
    law = phase_law(np.array([0.0, 1.0], np.float32), looks=4)
    np.testing.assert_allclose(law.cosine, [0.0, 1.0], atol=1e-6)
    np.testing.assert_allclose(law.variance, [np.pi**2 / 3, 0.0], rtol=1e-3, atol=1e-6)
    # The variance of one look in closed form (Bamler and Hartl 1998), with the dilogarithm of its square.
    c = np.float32(0.6)
    exact = np.pi**2 / 3 - np.pi * np.arcsin(c) + np.arcsin(c) ** 2 - 0.5 * special.spence(1.0 - c**2)
    np.testing.assert_allclose(phase_law(c, looks=1).variance, exact, rtol=1e-3)


@pytest.mark.parametrize("estimator", ["coherent", "sum"])
def test_shares_of_pairs_give_steady_motion_its_velocity(estimator):
    times = random_survey(np.random.default_rng(0), pairs=90)
    coherence = np.full((len(times.first), 2, 3), 0.9, np.float32)
    weights = pair_weights(coherence, times, np.arange(len(times.first)), pixels=40.0, estimator=estimator)
    velocity = np.tensordot(times.spans, weights.share.astype(float), 1)
    # Coherent products are unbiased; the published sum loses what neighbours share, little at this coherence.
    np.testing.assert_allclose(velocity, 1.0, rtol=1e-5 if estimator == "coherent" else 0.02)


def test_equal_pairs_of_one_season_leave_the_ends_of_the_network_alone():
    times = survey(12, connections=1)
    members = np.flatnonzero(times.bin == times.bin[0])
    coherence = np.full((len(members), 1, 1), 0.5, np.float32)
    share = pair_weights(coherence, times, members, pixels=40.0, estimator="coherent").share[:, 0, 0]
    weight = np.zeros(len(times.dates))
    np.add.at(weight, times.second[members], share)
    np.add.at(weight, times.first[members], -share)
    inner = weight[1 : times.second[members].max()]
    np.testing.assert_allclose(inner, 0.0, atol=1e-6 * share.max())


def test_enlarging_keeps_planes_and_constants():
    rows, columns = np.mgrid[0:5, 0:7].astype(np.float32)
    large = enlarged(2 * rows + columns, (50, 70))
    centre = (np.arange(50) + 0.5) / 10 - 0.5
    inner = slice(5, 45)
    expected = 2 * centre[inner, None] + ((np.arange(70) + 0.5) / 10 - 0.5)[None, 5:65]
    np.testing.assert_allclose(large[inner, 5:65], expected, atol=1e-5)
    np.testing.assert_array_equal(enlarged(np.ones((1, 1), np.float32), (3, 4)), np.ones((3, 4)))


@pytest.mark.parametrize("family", ["eroded", "ridged"])
@pytest.mark.parametrize("geometry", ["radar", "map"])
def test_a_tile_again_is_the_same_and_shows_its_slides(family, geometry):
    (plan,) = plans(family, "test", 1, kind="slides", level=1.0, pairs=120, geometry=geometry)
    tile, again = make(plan), make(plan)
    for one, other in zip(tile.view[:5], again.view[:5], strict=True):
        assert one.shape == (SIDE, SIDE)
        assert one.dtype == np.float32
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(tile.boxes, again.boxes)
    assert np.all(tile.boxes[:, :2] < tile.boxes[:, 2:])
    assert tile.boxes.min() >= 0
    assert tile.boxes.max() <= SIDE
    assert tile.visible.any()
    size = np.sqrt((tile.view.x / tile.view.x_sigma) ** 2 + (tile.view.y / tile.view.y_sigma) ** 2)
    strongest = [
        np.nanmax(size[int(t) : int(b), int(left) : int(right)])
        for t, left, b, right in tile.boxes[tile.visible]
        if np.isfinite(size[int(t) : int(b), int(left) : int(right)]).any()
    ]
    assert np.median(strongest) > 2 * np.nanmedian(size)


def test_empty_tiles_hold_nothing_and_weak_slides_are_not_asked_for():
    (empty,) = plans("eroded", "test", 1, kind="empty")
    assert make(empty).boxes.shape == (0, 4)
    (weak,) = plans("eroded", "test", 1, kind="slides", level=1e-6, geometry="radar")
    tile = make(weak)
    assert len(tile.boxes) > 0
    assert not tile.visible.any()


def test_seeds_of_splits_and_families_are_disjoint():
    found = {}
    for family, split in itertools.product(("eroded", "ridged"), ("train", "validation", "test")):
        for plan in plans(family, split, 50):
            assert found.setdefault(plan.seed, (family, split, plan.number)) == (family, split, plan.number)
    assert len(found) == 300
    last = Plan("eroded", "train", 2**32 - 1, "empty", 1.0, "radar", 30)
    assert last.seed < plans("eroded", "validation", 1)[0].seed


def test_coherence_that_comes_and_goes_takes_the_place_of_the_worlds():
    (plan,) = plans("ridged", "test", 1, kind="empty", geometry="radar", pairs=100)
    dim = make(dataclasses.replace(plan, coherence=(0.03,)))
    clear = make(dataclasses.replace(plan, coherence=(0.9,)))
    known = np.isfinite(dim.view.x) & np.isfinite(clear.view.x)
    assert dim.view.x[known].std() > 2 * clear.view.x[known].std()


def test_ragged_slides_lie_apart_on_slopes_that_are_seen():
    rng = np.random.default_rng(5)
    ground = Ground((200, 200), (SPACING, SPACING), "radar", -12.3)
    world = ridged_world(rng, ground, kind="slides", level=1.0, seed=0)
    laid = ragged_slides(rng, ground, world.elevation, world.incidence, ~world.valid, count=8)
    assert 1 <= len(laid.slides) <= 8
    assert set(np.unique(laid.labels)) == set(range(len(laid.slides) + 1))
    assert not np.any(laid.labels[~world.valid])
    assert np.abs(laid.los_rate).max() <= max(slide.rate for slide in laid.slides)
    assert not np.any(laid.los_rate[laid.labels == 0])


def test_tile_sets_are_made_once_and_again_where_plans_change(tmp_path):
    wanted = plans("eroded", "validation", 2, geometry="radar", kind="slides")
    made = build(tmp_path / "tiles", wanted)
    written = (tmp_path / "tiles/views.npy").stat().st_mtime_ns
    again = build(tmp_path / "tiles", wanted)
    assert (tmp_path / "tiles/views.npy").stat().st_mtime_ns == written
    np.testing.assert_array_equal(made[1].boxes, again[1].boxes)
    np.testing.assert_array_equal(again.level, [plan.level for plan in wanted])
    # Half precision keeps three digits.
    np.testing.assert_allclose(again[0].view.x, make(wanted[0]).view.x, rtol=2e-3, atol=1e-8)
    build(tmp_path / "tiles", wanted[:1])
    assert (tmp_path / "tiles/views.npy").stat().st_mtime_ns != written


def test_mountains_come_from_an_elevation_model_where_one_is_given(tmp_path):
    rows, columns = np.mgrid[0:600, 0:600]
    height = (2000 + 400 * np.sin(rows / 15) + 300 * np.cos(columns / 11)).astype(np.float32)
    path = tmp_path / "dem.tif"
    place = rasterio.Affine(80, 0, 400_000, 0, -80, 3_500_000)
    kind = {"driver": "GTiff", "width": 600, "height": 600, "count": 1, "dtype": "float32", "nodata": -9999}
    with rasterio.open(path, "w", crs="EPSG:32648", transform=place, **kind) as made:
        made.write(height, 1)
    cut = mountains(3, str(path))
    assert cut.shape == (400, 400)
    assert height.min() - 1 <= cut.min() < cut.max() <= height.max() + 1
    assert not np.array_equal(cut, mountains(4, str(path)))
    (plan,) = plans("eroded", "test", 1, kind="slides", geometry="radar", pairs=60, dem=str(path))
    assert np.isfinite(make(plan).view.x).mean() > 0.5
    with pytest.raises(ValueError, match="terrain of its own"):
        make(dataclasses.replace(plan, family="ridged"))
    small = tmp_path / "small.tif"
    with rasterio.open(small, "w", crs="EPSG:32648", transform=place, **kind | {"width": 60, "height": 60}) as made:
        made.write(height[:60, :60], 1)
    with pytest.raises(DataError, match="no part of 32 x 32 km"):
        mountains(3, str(small))
    with pytest.raises(DataError, match="cannot be read"):
        mountains(3, str(tmp_path / "none.tif"))
