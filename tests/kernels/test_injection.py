"""A known slide laid into a stack, and how much of it comes back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slidecloud.kernels.injection import inject, place_like, recovered, standard_slide
from slidecloud.kernels.phase import decode, encode, wrap

WAVELENGTH = 0.0555
SHAPE = (20, 24)


def _phase(seed=0, pairs=3):
    return np.random.default_rng(seed).integers(-32768, 32768, (pairs, *SHAPE)).astype(np.int16)


@given(rate=st.floats(-2, 2), span=st.floats(0.01, 3))
@settings(max_examples=25, deadline=None)
def test_phase_turns_by_what_the_path_grows(rate, span):
    phase = _phase()
    moved = inject(phase, np.full(SHAPE, rate, np.float32), [span] * 3, wavelength=WAVELENGTH)
    gained = wrap(decode(moved).astype(np.float64) - decode(phase))
    # Towards the satellite is positive motion and negative phase.
    expected = wrap(np.full((3, *SHAPE), -4 * np.pi / WAVELENGTH * np.float64(np.float32(rate)) * span))
    np.testing.assert_allclose(wrap(gained - expected), 0, atol=2e-4)


def test_what_is_injected_is_taken_out_exactly():
    phase, rate = _phase(), standard_slide(SHAPE, (10, 12), length=12, width=8, rate=0.4)
    span = [0.03, 0.07, 1.3]
    moved = inject(phase, rate, span, wavelength=WAVELENGTH)
    assert (moved != phase).any()
    np.testing.assert_array_equal(inject(moved, -rate, span, wavelength=WAVELENGTH), phase)
    still = np.full(SHAPE, np.nan, np.float32)
    np.testing.assert_array_equal(inject(phase, still, span, wavelength=WAVELENGTH), phase)


def test_it_equals_a_stack_of_moving_ground():
    rng, rate = np.random.default_rng(1), standard_slide(SHAPE, (9, 11), length=14, width=10, rate=-0.3)
    noise, span = rng.uniform(-3, 3, (4, *SHAPE)), np.array([0.033, 0.066, 0.1, 0.2])
    moving = encode(noise - 4 * np.pi / WAVELENGTH * rate * span[:, None, None])
    found = inject(encode(noise), rate, span, wavelength=WAVELENGTH)
    assert np.abs((found.view(np.uint16) - moving.view(np.uint16)).view(np.int16)).max() <= 1


def test_a_standard_slide_has_its_size_and_speed():
    slide = standard_slide((80, 60), (40, 30), length=40, width=20, rate=-0.06)
    assert slide[40, 30] == pytest.approx(-0.06)
    rows, columns = np.nonzero(slide)
    assert np.ptp(rows) + 1 == pytest.approx(40, abs=2)
    assert np.ptp(columns) + 1 == pytest.approx(20, abs=2)
    turned = standard_slide((60, 80), (30, 40), length=40, width=20, rate=-0.06, turn=np.pi / 2)
    np.testing.assert_allclose(turned, slide.T, atol=1e-7)


def test_it_goes_where_coherence_is_alike_and_all_is_stable():
    coherence = np.full((60, 60), 0.6, np.float32)
    coherence[:, 30:] = 0.25
    stable = np.ones((60, 60), bool)
    stable[:20] = False
    row, column = place_like(coherence, stable=stable, wanted=0.25, length=12, width=8)
    assert row >= 26
    assert column >= 36
    assert place_like(coherence, stable=stable, wanted=0.7, length=12, width=8)[1] <= 24


def test_recovered_is_the_slope_and_its_spread():
    rng, rate = np.random.default_rng(2), standard_slide((80, 80), (40, 40), length=50, width=40, rate=0.1)
    without = rng.normal(0, 0.05, rate.shape).astype(np.float32)
    found = recovered((without + 0.55 * rate).astype(np.float32), without, rate)
    assert found.fraction == pytest.approx(0.55, abs=1e-5)
    assert found.spread < 1e-6
    assert found.correlation == pytest.approx(1)
    noisy = recovered((without + rate + rng.normal(0, 0.01, rate.shape)).astype(np.float32), without, rate)
    # The slope's error is noise / (rms of the truth * sqrt(pixels)), here 0.004.
    assert noisy.fraction == pytest.approx(1, abs=0.02)
    assert noisy.spread == pytest.approx(0.01, rel=0.1)


def test_unknown_pixels_do_not_count():
    rate = standard_slide(SHAPE, (10, 12), length=12, width=8, rate=0.1)
    without = np.zeros(SHAPE, np.float32)
    gained = np.where(np.arange(SHAPE[1]) > 12, np.nan, rate).astype(np.float32)
    found = recovered(gained, without, rate)
    assert found.fraction == pytest.approx(1)
    assert found.pixels < (rate > 0.02).sum()
    nothing = recovered(np.full(SHAPE, np.nan, np.float32), without, rate)
    assert np.isnan(nothing.fraction)
    assert nothing.pixels == 0


def test_bad_input_is_named():
    phase, rate = _phase(), np.zeros(SHAPE, np.float32)
    with pytest.raises(TypeError, match="int16"):
        inject(decode(phase), rate, [1, 1, 1], wavelength=WAVELENGTH)
    with pytest.raises(ValueError, match="shapes"):
        inject(phase, rate, [1, 1], wavelength=WAVELENGTH)
    with pytest.raises(ValueError, match="finite years"):
        inject(phase, rate, [1, np.nan, 1], wavelength=WAVELENGTH)
    with pytest.raises(ValueError, match="zero everywhere"):
        recovered(rate, rate, rate)
    with pytest.raises(ValueError, match="length, width"):
        standard_slide(SHAPE, (1, 1), length=0, width=3, rate=1)
    with pytest.raises(ValueError, match="no stable pixel"):
        place_like(rate, stable=np.zeros(SHAPE, bool), wanted=0.3, length=5, width=5)
