"""Closed loops of three pairs, of networks whose loops are known and of real pairs."""

from __future__ import annotations

from itertools import combinations

import mexico
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slidecloud.kernels.closure import closure, triplets


@given(pairs=st.sets(st.tuples(st.integers(0, 8), st.integers(0, 8)).filter(lambda p: p[0] < p[1]), min_size=1))
def test_finds_every_loop_once(pairs):
    reference, secondary = np.array(sorted(pairs, key=lambda p: (p[1], -p[0]))).T
    found = triplets(reference, secondary)
    expected = {(a, b, c) for a, b, c in combinations(range(9), 3) if {(a, b), (b, c), (a, c)} <= pairs}
    loops = [(reference[ab], secondary[ab], secondary[bc]) for ab, bc, _ in found]
    assert loops == sorted(expected)
    for ab, bc, ac in found:
        assert reference[bc] == secondary[ab]
        assert (reference[ac], secondary[ac]) == (reference[ab], secondary[bc])


def test_dates_close_and_errors_show():
    rng = np.random.default_rng(0)
    reference, secondary = np.array([(0, 1), (0, 2), (1, 2), (1, 3), (2, 3)]).T
    date = rng.normal(0, 10, (4, 6))
    phase = (date[secondary] - date[reference]).astype(np.float32)
    phase[2, 1] += 2 * np.pi
    phase[4, 3] = np.nan
    found = closure(phase, triplets(reference, secondary))
    expected = np.zeros((2, 6))
    expected[:, 1] = 2 * np.pi
    expected[1, 3] = np.nan
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_no_loop_gives_an_empty_table():
    found = triplets([0, 1], [1, 2])
    assert found.shape == (0, 3)
    assert closure(np.zeros((2, 5), np.float32), found).shape == (0, 5)


@pytest.mark.parametrize(
    ("reference", "secondary", "error", "words"),
    [
        ([0.5], [1], TypeError, "integer"),
        ([0, 1], [1], ValueError, "shape"),
        ([1], [0], ValueError, "swap"),
        ([0, 0], [1, 1], ValueError, "more than once"),
    ],
)
def test_refuses_by_name(reference, secondary, error, words):
    with pytest.raises(error, match=words):
        triplets(reference, secondary)


def test_mexico_loops_close_but_for_a_constant():
    data = mexico.load()
    found = closure(data.phase, triplets(data.reference, data.secondary))
    assert found.shape[0] == 24
    middle = np.nanmedian(found, axis=1)
    assert np.abs(middle).max() > 10
    departure = found - middle[:, None]
    known = np.isfinite(departure)
    assert np.mean(np.abs(departure[known]) > np.pi) <= 0.001
