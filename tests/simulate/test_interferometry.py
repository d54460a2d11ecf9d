"""Interferograms carry what the scene says, with the statistics of radar."""

from __future__ import annotations

import numpy as np
import pytest

from slidecloud import simulate
from slidecloud.kernels import phase as binary_angle
from slidecloud.simulate import Atmosphere, Coherence, Slide
from slidecloud.types import SENTINEL1_WAVELENGTH, Pair

RADIANS_PER_METRE = 4.0 * np.pi / SENTINEL1_WAVELENGTH
NO_AIR = {"atmosphere": None, "dem_error": 0.0}
FLAT = np.zeros((64, 64))


@pytest.fixture(scope="module")
def scene():
    return simulate.scene(6, shape=(50, 61), dates=9, slides=2, looks=(1, 4))


@pytest.fixture(scope="module")
def pairs(scene):
    return simulate.interferograms(scene)


def flat_scene(gamma, *, looks=(2, 8), dates=3, **options):
    """Flat stable ground of the same coherence for every pair."""
    coherence = Coherence.uniform(gamma, time=0.5)
    return simulate.scene(elevation=FLAT, dates=dates, slides=[], looks=looks, coherence=coherence, **NO_AIR, **options)


def wrapped(radians):
    return np.angle(np.exp(1j * np.asarray(radians, dtype=np.float64)))


def test_default_pairs_are_the_next_three_within_36_days(scene, pairs):
    days = [(p.secondary - p.reference) / np.timedelta64(1, "D") for p in pairs.pairs]
    assert sorted(set(days)) == [12.0, 24.0, 36.0]
    assert len(pairs.pairs) == 8 + 7 + 6
    assert list(pairs.pairs) == sorted(pairs.pairs)
    for pair in pairs.pairs:
        i, j = (int(np.flatnonzero(scene.dates == t)[0]) for t in (pair.reference, pair.secondary))
        difference = scene.perpendicular_baseline[j] - scene.perpendicular_baseline[i]
        assert pair.perpendicular_baseline == pytest.approx(difference)


def test_arrays_and_no_data(scene, pairs):
    size = (len(pairs.pairs), 50, 61)
    assert pairs.phase.shape == pairs.coherence.shape == pairs.unwrapped.shape == size
    assert (pairs.phase.dtype, pairs.coherence.dtype, pairs.unwrapped.dtype) == (np.int16, np.uint8, np.float32)
    assert not scene.valid.all()
    assert np.all(pairs.coherence[:, scene.valid] >= 1)
    assert np.all(pairs.coherence[:, ~scene.valid] == 0)
    assert np.all(pairs.phase[:, ~scene.valid] == 0)
    np.testing.assert_array_equal(np.isnan(pairs.unwrapped), np.broadcast_to(~scene.valid, size))


def test_wrapped_is_unwrapped_without_its_offset(scene, pairs):
    rest = pairs.unwrapped.astype(np.float64) - pairs.offset[:, None, None] - binary_angle.decode(pairs.phase)
    assert np.nanmax(np.abs(wrapped(rest))) < 1e-4
    assert np.std(pairs.offset) > 1.0


@pytest.mark.parametrize("block_rows", [1, 7, 64])
def test_values_do_not_depend_on_blocks(scene, pairs, block_rows):
    parts = list(simulate.blocks(scene, block_rows=block_rows))
    assert [rows.start for rows, _ in parts] == list(range(0, 50, block_rows))
    for name in ("phase", "coherence", "unwrapped"):
        joined = np.concatenate([getattr(part, name) for _, part in parts], axis=1)
        np.testing.assert_array_equal(joined, getattr(pairs, name), err_msg=name)


def test_more_dates_leave_common_pairs_as_they_were(pairs):
    longer = simulate.interferograms(simulate.scene(6, shape=(50, 61), dates=13, slides=2, looks=(1, 4)))
    place = {pair.key: index for index, pair in enumerate(longer.pairs)}
    common = [place[pair.key] for pair in pairs.pairs]
    assert len(longer.pairs) > len(common)
    for name in ("phase", "coherence", "unwrapped", "offset"):
        np.testing.assert_array_equal(getattr(longer, name)[common], getattr(pairs, name), err_msg=name)


def test_fewer_pairs_in_another_order_are_the_same_pairs(scene, pairs):
    some = simulate.interferograms(scene, [pairs.pairs[5], pairs.pairs[2]])
    assert some.pairs == (pairs.pairs[2], pairs.pairs[5])
    np.testing.assert_array_equal(some.phase, pairs.phase[[2, 5]])
    np.testing.assert_array_equal(some.unwrapped, pairs.unwrapped[[2, 5]])


def test_an_atmosphere_does_not_change_the_speckle():
    common = {"shape": (24, 24), "dates": 4, "slides": [], "dem_error": 0.0}
    still = simulate.scene(1, atmosphere=None, **common)
    moist = simulate.scene(1, atmosphere=Atmosphere(), **common)
    first, second = (simulate.interferograms(s) for s in (still, moist))
    history = simulate.phase_history(moist)
    change = np.stack([history[j] - history[i] for i, j in ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))])
    assert np.nanstd(change) > 0.1
    rest = wrapped(second.unwrapped.astype(np.float64) - first.unwrapped - change)
    assert np.nanmax(np.abs(rest)) < 1e-4


def test_motion_towards_the_satellite_is_negative_phase():
    west_facing = 500.0 + 0.4 * 40.0 * np.indices((64, 64))[1]
    slide = Slide(32, 32, 1200, 800, 0.3)
    scene = simulate.scene(elevation=west_facing, dates=3, slides=[slide], **NO_AIR)
    found = simulate.interferograms(scene, noise=False, coherence="true")
    at = (slice(None), 32, 32)
    moved = scene.displacement(scene.dates)[:, 32, 32]
    assert moved[1] > 0.002
    expected = [-RADIANS_PER_METRE * (moved[j] - moved[i]) for i, j in ((0, 1), (0, 2), (1, 2))]
    np.testing.assert_allclose(wrapped(binary_angle.decode(found.phase)[at] - expected), 0.0, atol=2e-4)
    np.testing.assert_allclose(found.unwrapped[at] - found.offset, expected, atol=1e-4)


def test_dem_error_phase_is_proportional_to_the_baseline():
    scene = simulate.scene(3, shape=(32, 32), dates=5, slides=[], atmosphere=None, dem_error=10.0, water=0.0)
    found = simulate.interferograms(scene, noise=False, coherence="true")
    lever = scene.dem_error / (scene.header.slant_range * np.sin(scene.incidence))
    for index, pair in enumerate(found.pairs):
        expected = -RADIANS_PER_METRE * pair.perpendicular_baseline * lever
        rest = (found.unwrapped[index] - found.offset[index] - expected)[scene.valid]
        assert np.abs(rest).max() < 1e-4
    assert np.nanstd(found.unwrapped[0] - found.offset[0]) > 0.01


@pytest.mark.parametrize("gamma", [0.2, 0.5, 0.8])
def test_phase_noise_and_coherence_are_those_of_16_looks(gamma):
    found = simulate.interferograms(flat_scene(gamma, dates=2))
    noise = binary_angle.decode(found.phase[0]).ravel()
    # Second moment of the density of Lee et al. (1994) at 16 looks; the density itself is tested with the speckle.
    assert noise.std() == pytest.approx({0.2: 1.0322, 0.5: 0.3432, 0.8: 0.1384}[gamma], rel=0.04)
    estimate = found.coherence[0] / 255.0
    assert estimate.mean() == pytest.approx(gamma, abs=0.01)
    true = simulate.interferograms(flat_scene(gamma, dates=2), coherence="true").coherence
    assert np.all(true == round(255 * gamma))


def test_single_look_pairs_close_and_16_look_pairs_do_not():
    for looks, low, high in (((1, 1), 0.0, 3e-4), ((2, 8), 0.05, 2.0)):
        found = simulate.interferograms(flat_scene(0.4, looks=looks))
        phi = {pair.key: binary_angle.decode(phase) for pair, phase in zip(found.pairs, found.phase, strict=True)}
        first, long, second = (phi[key] for key in sorted(phi))
        assert low <= wrapped(first + second - long).std() <= high


def test_gradients_lower_estimated_coherence_as_in_real_products():
    scene = flat_scene(0.8, dates=2)
    ramp = Slide(32, 32, 1500, 1500, 3.0, direction=np.pi / 2)
    coherence = Coherence.uniform(0.8, time=0.5)
    moving = simulate.scene(elevation=FLAT, dates=2, slides=[ramp], coherence=coherence, **NO_AIR)
    still, steep = (simulate.interferograms(s).coherence[0] for s in (scene, moving))
    margin = np.hypot(*np.gradient(simulate.phase_history(moving)[1])) > 0.7
    assert margin.any()
    assert steep[margin].mean() < still[margin].mean() - 20


def test_unwrapping_errors_are_whole_turns_in_part_of_some_pairs(scene, pairs):
    wrong = simulate.interferograms(scene, unwrapping_errors=0.5)
    turns = (wrong.unwrapped - pairs.unwrapped)[:, scene.valid] / (2 * np.pi)
    np.testing.assert_allclose(turns, np.round(turns), atol=1e-4)
    touched = np.any(np.abs(turns) > 0.5, axis=1)
    assert 3 <= touched.sum() <= 18
    assert np.all(np.mean(np.abs(turns[touched]) > 0.5, axis=1) < 0.6)
    np.testing.assert_array_equal(wrong.phase, pairs.phase)


def test_unwrapped_can_be_left_out(scene, pairs):
    found = simulate.interferograms(scene, unwrapped=False)
    assert found.unwrapped is None
    np.testing.assert_array_equal(found.phase, pairs.phase)


def test_pairs_may_come_in_another_time_unit(scene, pairs):
    fine = [Pair(p.reference.astype("datetime64[ns]"), p.secondary.astype("datetime64[ns]")) for p in pairs.pairs[:2]]
    found = simulate.interferograms(scene, fine)
    np.testing.assert_array_equal(found.unwrapped, pairs.unwrapped[:2])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"coherence": "guessed"}, "'estimated' or 'true'"),
        ({"noise": False}, "coherence='true'"),
        ({"coherence_window": 4}, "odd number"),
        ({"unwrapping_errors": 2.0}, "share of pairs"),
        ({"pairs": [Pair(np.datetime64("2001-01-01"), np.datetime64("2001-01-13"))]}, "dates of the scene"),
    ],
)
def test_bad_options_say_what_to_do(scene, options, message):
    with pytest.raises(ValueError, match=message):
        simulate.interferograms(scene, **options)


def test_reversed_pairs_and_empty_blocks_are_refused(scene):
    with pytest.raises(ValueError, match="expected it earlier"):
        simulate.interferograms(scene, [Pair(scene.dates[1], scene.dates[0])])
    with pytest.raises(ValueError, match="at least one row"):
        next(simulate.blocks(scene, block_rows=0))


@pytest.mark.long
def test_demo_size_stays_within_its_time_and_memory():
    import resource
    import time

    scene = simulate.scene(3)
    started = time.process_time()
    found = simulate.interferograms(scene)
    assert time.process_time() - started < 60.0
    assert found.phase.shape == (270, 256, 256)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 2_500_000
