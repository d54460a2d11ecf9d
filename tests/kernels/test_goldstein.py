"""The Goldstein filter: noise goes, fringes stay, what is missing stays missing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slidecloud.kernels.goldstein import filtered


def fringes(shape=(70, 90), down=0.31, across=-0.52):
    row, column = np.indices(shape)
    return down * row + across * column


def departure(field, truth):
    """Phase of a field less the truth, rad."""
    return np.angle(field * np.exp(-1j * truth))


def inner(array):
    return array[16:-16, 16:-16]


def test_no_power_no_filter():
    field = np.exp(1j * np.random.default_rng(0).normal(0, 2, (50, 41))).astype(np.complex64)
    np.testing.assert_allclose(filtered(field, alpha=0.0), field, atol=2e-6)


@given(
    level=st.floats(-3.1, 3.1),
    alpha=st.floats(0, 1),
    window=st.integers(4, 40),
    overlap=st.sampled_from([0.0, 0.3, 0.5, 0.75]),
    shape=st.tuples(st.integers(1, 40), st.integers(1, 40)),
)
@settings(max_examples=40, deadline=None)
def test_a_constant_keeps_its_phase(level, alpha, window, overlap, shape):
    field = np.full(shape, np.exp(1j * level))
    found = filtered(field, alpha=alpha, window=window, overlap=overlap)
    np.testing.assert_allclose(np.angle(found * np.exp(-1j * level)), 0, atol=1e-4)


def test_fringes_keep_their_phase():
    truth = fringes()
    found = filtered(np.exp(1j * truth), alpha=0.8)
    assert np.abs(inner(departure(found, truth))).max() < 0.03


def test_more_power_less_noise():
    truth, rng = fringes(), np.random.default_rng(1)
    field = np.exp(1j * (truth + rng.normal(0, 0.9, truth.shape)))
    left = [inner(departure(filtered(field, alpha=alpha), truth)).std() for alpha in (0.0, 0.3, 0.6, 1.0)]
    assert left == sorted(left, reverse=True)
    assert left[-1] < 0.25 * left[0]


def test_what_is_missing_stays_missing():
    truth = fringes()
    gone = np.random.default_rng(2).random(truth.shape) < 0.3
    gone[20:40, 30:70] = True
    found = filtered(np.where(gone, 0, np.exp(1j * truth)), alpha=0.7)
    np.testing.assert_array_equal(found == 0, gone)
    assert np.abs(inner(np.where(gone, 0, departure(found, truth)))).std() < 0.1


def test_moving_the_origin_by_a_step_moves_the_result():
    """No border but those of the field: the grid of windows starts beyond it."""
    rng = np.random.default_rng(4)
    field = np.exp(1j * rng.normal(0, 2, (80, 80)))
    whole = filtered(field, alpha=0.5, window=16, overlap=0.5)
    part = filtered(field[16:], alpha=0.5, window=16, overlap=0.5)
    np.testing.assert_allclose(whole[32:-16], part[16:-16], atol=1e-6)


def test_empty_fields_pass():
    assert filtered(np.zeros((0, 5), np.complex64), alpha=0.5).shape == (0, 5)
    assert not filtered(np.zeros((9, 9), np.complex64), alpha=0.5).any()


@pytest.mark.parametrize(
    ("field", "options", "words"),
    [
        (np.zeros(4, complex), {"alpha": 0.5}, "expected .y, x."),
        (np.full((4, 4), np.nan + 0j), {"alpha": 0.5}, "not finite"),
        (np.zeros((4, 4), complex), {"alpha": 1.1}, "alpha"),
        (np.zeros((4, 4), complex), {"alpha": 0.5, "window": 2}, "at least 4 pixels"),
        (np.zeros((4, 4), complex), {"alpha": 0.5, "overlap": 1.0}, "at least 4 pixels"),
    ],
)
def test_refuses_by_name(field, options, words):
    with pytest.raises(ValueError, match=words):
        filtered(field, **options)
