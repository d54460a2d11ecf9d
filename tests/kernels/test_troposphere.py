"""Delays and ramps: signs, known answers, and that what lies outside the mask has no say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slidecloud import simulate
from slidecloud.kernels.troposphere import checkerboard, delay_phase, height_correlated, judge, ramp, slant
from slidecloud.simulate import fields
from slidecloud.simulate.atmosphere import delays

SHAPE = (80, 90)


def hills(seed=0):
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    phases = np.random.default_rng(seed).uniform(0, 6, 4)
    height = 1500 + 300 * np.sin(rows / 9 + phases[0]) * np.cos(columns / 13 + phases[1])
    return (height + 100 * np.sin(columns / 5 + phases[2])).astype(np.float32)


ALL = np.ones(SHAPE, bool)


def test_the_pair_of_two_delays_has_the_sign_and_size_of_the_simulated_one():
    """A simulated scene whose phases hold nothing but delays, made by other code from the same conventions."""
    scene = simulate.scene(3, shape=(24, 30), dates=4, slides=[], dem_error=0.0)
    history = simulate.phase_history(scene)
    header = scene.header
    fields = list(
        delays(
            scene.atmosphere,
            seed=3,
            dates=scene.dates,
            elevation=scene.elevation,
            incidence=scene.incidence,
            spacing=header.spacing,
        )
    )
    found = delay_phase(fields[1], fields[3], header.wavelength)
    np.testing.assert_allclose(found, history[3] - history[1], atol=1e-4)
    assert delay_phase(2.0, 2.01, header.wavelength) > 0


@settings(deadline=None)
@given(zenith=st.floats(0.5, 3.0), theta=st.floats(0.0, 1.4))
def test_slant_delays_grow_with_the_path(zenith, theta):
    assert np.isclose(slant(zenith, theta) * np.cos(theta), zenith, rtol=1e-6)


@settings(max_examples=10, deadline=None)
@given(slope=st.floats(-0.02, 0.02), level=st.floats(-20, 20), seed=st.integers(0, 1000))
def test_a_line_in_elevation_is_found_under_noise_and_cycles(slope, level, seed):
    """A tenth of the pixels is off by a turn, another tenth is missing; the level of the map stays as it is."""
    rng = np.random.default_rng(seed)
    height = hills(seed)
    truth = slope * (height.astype(float) - np.median(height))
    phase = (truth + level + rng.normal(0, 0.3, SHAPE)).astype(np.float32)
    phase[rng.random(SHAPE) < 0.1] += 2 * np.pi
    phase[rng.random(SHAPE) < 0.1] = np.nan
    found = height_correlated(phase, height, mask=ALL)
    known = np.isfinite(phase)
    # Standard error of the slope: 0.3 rad over 200 m of relief and 6,000 pixels; six of them, and the outliers' pull.
    assert np.abs(found - (truth - slope * (np.median(height[known]) - np.median(height)))).max() < 0.12
    assert np.isfinite(found).all()


def test_windows_follow_a_slope_that_changes_across_the_scene():
    rng = np.random.default_rng(1)
    height = hills()
    slope = np.linspace(-0.004, 0.012, SHAPE[1])[None] * np.ones(SHAPE)
    truth = slope * (height - np.median(height))
    phase = (truth + rng.normal(0, 0.2, SHAPE)).astype(np.float32)
    one, many = (height_correlated(phase, height, mask=ALL, window=window) for window in (None, 30))
    assert np.std(truth - many) < 0.5 * np.std(truth - one)
    constant = (0.005 * (height - np.median(height))).astype(np.float32)
    np.testing.assert_allclose(height_correlated(constant, height, mask=ALL, window=24), constant, atol=1e-3)


@pytest.mark.parametrize("window", [None, 24])
def test_ground_outside_the_mask_has_no_say(window):
    """A slide on one flank, which follows elevation closely, is left whole."""
    rng = np.random.default_rng(2)
    height = hills()
    slide = np.zeros(SHAPE, bool)
    slide[30:50, 30:60] = True
    phase = (0.004 * height + rng.normal(0, 0.3, SHAPE)).astype(np.float32)
    moved = np.where(slide, phase + np.float32(0.03) * height, phase).astype(np.float32)
    still = height_correlated(phase, height, mask=~slide, window=window)
    np.testing.assert_array_equal(height_correlated(moved, height, mask=~slide, window=window), still)


@settings(max_examples=10, deadline=None)
@given(a=st.floats(-9, 9), b=st.floats(-0.2, 0.2), c=st.floats(-0.2, 0.2), seed=st.integers(0, 1000))
def test_planes_are_found_under_cycles(a, b, c, seed):
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    truth = a + b * rows + c * columns
    phase = (truth + rng.normal(0, 0.2, SHAPE)).astype(np.float32)
    phase[:20, :20] += 2 * np.pi
    found = ramp(phase, mask=ALL)
    assert np.abs(found - truth).max() < 0.2
    exact = ramp(truth.astype(np.float32), mask=ALL)
    np.testing.assert_allclose(exact, truth, atol=1e-4)


def test_what_helps_is_told_from_what_hurts():
    """Half of the right correction helps, twice it does nothing, its opposite hurts; turns in a few pixels count
    little."""
    rng = np.random.default_rng(3)
    delay = rng.normal(0, 1, SHAPE).astype(np.float32)
    before = delay + rng.normal(0, 0.3, SHAPE).astype(np.float32)
    before[rng.random(SHAPE) < 0.05] += 2 * np.pi
    verdicts = [judge(before, before - np.float32(share) * delay, mask=ALL) for share in (1, 0.5, 2.5, -1)]
    assert [verdict.helps for verdict in verdicts] == [True, True, False, False]
    assert 0.28 < verdicts[0].after_std < 0.4
    assert not judge(before, before, mask=ALL).helps
    assert not judge(before, before - np.float32(0.05) * delay, mask=ALL, least_gain=0.1).helps


@pytest.mark.parametrize("window", [None, 24])
def test_pixels_that_were_not_fitted_tell_stratification_from_chance(window):
    """Smooth noise alone, and with a slope of 4 rad a km, 0.65 of the noise."""
    height = hills()
    smooth = fields.spectrum(SHAPE, (1.0, 1.0), fields.power_law(-3.0, longest=12.0, shortest=4.0))
    board = checkerboard(SHAPE, side=8)
    assert abs(board.mean() - 0.5) < 0.05
    accepted = {0.0: 0, 0.004: 0}
    for seed in range(8):
        noise = fields.draw(np.random.default_rng(seed), smooth)
        for slope in accepted:
            phase = (noise + slope * (height - 1500)).astype(np.float32)
            part = height_correlated(phase, height, mask=board, window=window)
            accepted[slope] += judge(phase, phase - part, mask=~board, least_gain=0.02).helps
    assert accepted == {0.0: 0, 0.004: 8}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: slant(2.0, np.pi / 2), "incidence"),
        (lambda: delay_phase(1.0, 2.0, 0.0), "wavelength"),
        (lambda: ramp(hills(), mask=np.zeros(SHAPE, bool)), "found 0 valid pixels"),
        (lambda: ramp(hills(), mask=np.arange(SHAPE[0])[:, None] == np.full(SHAPE, 5)), "one line"),
        (lambda: ramp(hills(), mask=ALL[1:]), "shapes"),
        (lambda: height_correlated(hills(), np.full(SHAPE, 7, np.float32), mask=ALL), "one height"),
        (lambda: height_correlated(hills(), hills(), mask=ALL, window=4), "at least 8"),
        (lambda: judge(hills(), np.full(SHAPE, np.nan, np.float32), mask=ALL), "found 0 valid pixels"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
