"""Offsets between maps that overlap: what was put in comes back within what the standard error says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import uniform_filter

from slidecloud.kernels.seams import adjust, difference

ROWS, COLUMNS = (axis.ravel() for axis in np.mgrid[:40, :60])


def test_offsets_scatter_as_their_standard_error_says_though_neighbours_share_noise():
    random = np.random.default_rng(0)
    errors = []
    for _ in range(150):
        noise = uniform_filter(random.normal(0, 1, (40, 60)), 3).ravel()
        found = difference(0.7 + noise, np.zeros(noise.size), ROWS, COLUMNS)
        errors.append((found.offset - 0.7) / found.sigma)
    assert 0.75 < np.std(errors) < 1.3
    assert np.mean(np.abs(errors) < 2) > 0.9


@given(share=st.floats(0, 0.3), wrong=st.floats(-50, 50))
@settings(max_examples=25, deadline=None)
def test_a_part_that_is_wrong_hardly_moves_the_offset(share, wrong):
    random = np.random.default_rng(1)
    first = random.normal(0, 0.1, ROWS.size)
    first[: int(share * ROWS.size)] += wrong
    found = difference(first, np.zeros(ROWS.size), ROWS, COLUMNS)
    assert abs(found.offset) < 0.1
    assert found.pixels == ROWS.size


def test_too_little_in_common_gives_no_offset():
    first = np.full(ROWS.size, np.nan)
    first[:24] = 1
    found = difference(first, np.zeros(ROWS.size), ROWS, COLUMNS)
    assert np.isnan([found.offset, found.sigma, found.scatter]).all()
    assert found.pixels == 24
    with pytest.raises(ValueError, match="expected one shape"):
        difference(first, np.zeros(3), ROWS, COLUMNS)


@given(seed=st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_exact_differences_give_exact_levels_whatever_the_way(seed):
    """Seven maps in a ring and one alone; the ring is closed, so every map has two ways to the datum."""
    random = np.random.default_rng(seed)
    true = random.normal(size=8)
    true[2] = 0
    first, second = np.arange(7), (np.arange(7) + 1) % 7
    sigma = random.uniform(0.1, 3, 7)
    found = adjust(first, second, true[first] - true[second], sigma, datum=np.array([2] * 7 + [7]))
    np.testing.assert_allclose(found.offset[:7], true[:7], atol=1e-9)
    assert found.offset[7] == found.sigma[7] == found.sigma[2] == 0
    assert (np.delete(found.sigma[:7], 2) > 0).all()


def test_sigmas_add_up_along_a_chain_and_a_gap_leaves_the_rest_unknown():
    chain = np.arange(4), np.arange(1, 5)
    datum = np.zeros(5, np.intp)
    offset, sigma = np.array([1.0, 1, 1, 1]), np.array([3.0, 4, 1, 1])
    found = adjust(*chain, offset, sigma, datum=datum)
    np.testing.assert_allclose(found.offset, [0, -1, -2, -3, -4])
    np.testing.assert_allclose(found.sigma[:3], [0, 3, 5])
    offset[2] = np.nan
    gone = adjust(*chain, offset, sigma, datum=datum)
    np.testing.assert_allclose(gone.offset[:3], [0, -1, -2])
    assert np.isnan(gone.offset[3:]).all()
