"""Binary angles and the polynomial trigonometry, against NumPy's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from slidecloud.kernels import phase

ALL_ANGLES = np.arange(-32768, 32768).astype(np.int16)


@njit
def _sine_cosine(angles):
    sine = np.empty(angles.size, np.float32)
    cosine = np.empty(angles.size, np.float32)
    for i in range(angles.size):
        sine[i] = phase.sine_poly(angles[i])
        cosine[i] = phase.cosine_poly(angles[i])
    return sine, cosine


@njit
def _arctan2(y, x):
    out = np.empty(y.size)
    for i in range(y.size):
        out[i] = phase.arctan2_poly(y[i], x[i])
    return out


def test_every_binary_angle_survives_the_round_trip():
    radians = phase.decode(ALL_ANGLES)
    assert radians.dtype == np.float32
    np.testing.assert_array_equal(phase.encode(radians), ALL_ANGLES)
    assert radians.min() == np.float32(-np.pi)
    assert radians.max() < np.pi


@settings(deadline=None)  # the first call compiles
@given(st.floats(-1e4, 1e4))
def test_encode_wraps_and_rounds_to_half_a_step(radians):
    error = np.angle(np.exp(1j * (float(phase.decode(phase.encode(radians))) - radians)))
    assert abs(error) <= np.pi / 65536 + 1e-6


@given(st.integers(-32768, 32767), st.integers(-32768, 32767))
def test_integer_overflow_is_the_wrap(first, second):
    total = np.array([first], np.int16) + np.array([second], np.int16)
    angle = float(phase.decode(np.array([first], np.int16))[0]) + float(phase.decode(np.array([second], np.int16))[0])
    assert abs(np.angle(np.exp(1j * (float(phase.decode(total)[0]) - angle)))) < 1e-6


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_encode_is_rounding_and_the_remainder(dtype):
    """Whatever the size: beyond 2^53 steps in whole turns, beyond what integers hold too."""
    draw = np.random.default_rng(2)
    radians = np.concatenate([draw.uniform(-(10.0**e), 10.0**e, 500) for e in (-3, 0, 3, 9, 15, 20, 30)]).astype(dtype)
    steps = np.rint(radians.astype(np.float64) * phase.STEPS_PER_RADIAN)
    expected = (np.mod(steps + 32768.0, 65536.0) - 32768.0).astype(np.int16)
    np.testing.assert_array_equal(phase.encode(radians.reshape(50, -1)), expected.reshape(50, -1))


def test_what_is_not_finite_encodes_to_zero():
    np.testing.assert_array_equal(phase.encode([np.nan, np.inf, -np.inf]), [0, 0, 0])


def test_decode_refuses_other_types_and_says_what_to_do():
    with pytest.raises(TypeError, match=r"found dtype float32, expected int16.*encode"):
        phase.decode(np.zeros(3, np.float32))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(value=st.floats(-1e3, 1e3))
def test_wrap_lands_in_the_half_open_interval(dtype, value):
    value = np.asarray([value, np.pi, -np.pi, 3 * np.pi], dtype)
    wrapped = phase.wrap(value)
    assert wrapped.dtype == dtype
    assert np.all((wrapped >= -dtype(np.pi)) & (wrapped < dtype(np.pi)))
    np.testing.assert_allclose(np.exp(1j * wrapped.astype(float)), np.exp(1j * value.astype(float)), atol=3e-4)
    assert np.isnan(phase.wrap(np.array([np.nan], dtype)))[0]


def test_sine_and_cosine_over_the_whole_circle():
    sine, cosine = _sine_cosine(ALL_ANGLES)
    radians = ALL_ANGLES.astype(np.float64) * np.pi / 32768
    assert np.abs(sine - np.sin(radians)).max() < 1e-6
    assert np.abs(cosine - np.cos(radians)).max() < 1e-6
    # No constant part: a mean error would be a false coherent signal.
    assert abs(np.mean(sine)) < 1e-7
    assert abs(np.mean(cosine)) < 1e-7


def test_arctan2_over_all_octants_and_magnitudes():
    generator = np.random.default_rng(1)
    angle = np.concatenate([generator.uniform(-np.pi, np.pi, 20000), np.arange(-8, 9) * np.pi / 8])
    size = 10.0 ** generator.uniform(-200, 200, angle.size)
    y, x = size * np.sin(angle), size * np.cos(angle)
    assert np.abs(_arctan2(y, x) - np.arctan2(y, x)).max() < 1e-8
    edge = np.array([0.0, 0.0, 1.0, -1.0, np.nan, 1.0])
    run = np.array([0.0, -1.0, 0.0, 0.0, 1.0, np.nan])
    expected = [0.0, np.pi, np.pi / 2, -np.pi / 2, np.nan, np.nan]
    np.testing.assert_allclose(_arctan2(edge, run), expected, atol=1e-12)
