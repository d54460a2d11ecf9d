"""Probabilities counted in bins: sums do not depend on parts, and borders leave the shares that are asked for."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from slidecloud.hazard.classes import between
from slidecloud.hazard.probability_bins import BINS, bin_of, borders_by_area, counted, lowest

PROBABILITIES = st.lists(st.floats(0, 1, width=32), min_size=1, max_size=50)


@given(PROBABILITIES)
def test_bins_rise_and_are_narrow(values):
    found = bin_of(values)
    assert found.min() >= 0
    assert found.max() < BINS
    order = np.argsort(values)
    assert (np.diff(found[order]) >= 0).all()
    edge = lowest(found)
    normal = np.array(values) > 1e-30
    assert (edge <= values).all()
    np.testing.assert_array_less(np.array(values)[normal] / edge[normal], 1 + 1 / 128)


def test_what_is_not_known_is_in_no_bin():
    assert bin_of([np.nan, 0.0]).tolist() == [-1, 0]
    assert np.isnan(lowest([-1])[0])
    number, cells = counted(np.array([0.5, np.nan, 0.5, 0.25]))
    assert lowest(number).tolist() == [0.25, 0.5]
    assert cells.tolist() == [1, 2]


def test_borders_leave_shares_of_the_ground():
    values = np.random.default_rng(0).beta(0.5, 20, 50_000)
    cells = np.zeros(BINS, np.int64)
    for half in np.split(values, 2):
        number, count = counted(half)
        cells[number] += count
    borders = borders_by_area(cells, (0.2, 0.4, 0.6, 0.8))
    shares = np.bincount(between(values.astype(np.float32), borders), minlength=6)[1:] / values.size
    np.testing.assert_allclose(shares, 0.2, atol=0.005)
    # All ground alike: no border can part it.
    alike = np.zeros(BINS, np.int64)
    alike[bin_of(0.5)] = 7
    assert borders_by_area(alike, (0.2, 0.8)).tolist() == [0.5, 0.5]
