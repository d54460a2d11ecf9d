"""Points are chosen by how far their coherence lies beyond that of noise, which inversion of noise tells."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slidecloud.forecast.point_choice import beyond_noise, chosen, noise_coherence


def inverted(dates, reach, pixels, *, noise=np.pi, seed=0):
    """Series (pixel, date), coherence and redundancy of pixels whose pairs, of up to `reach` steps, are uniform noise.

    The fit is by least squares, as that of the inversion with equal weights.
    """
    pairs = [(i, j) for i in range(dates) for j in range(i + 1, min(i + reach, dates - 1) + 1)]
    covers = np.array([[i <= k < j for k in range(dates - 1)] for i, j in pairs], float)
    phase = np.random.default_rng(seed).uniform(-noise, noise, (len(pairs), pixels))
    steps = np.linalg.lstsq(covers, phase, rcond=None)[0]
    coherence = np.abs(np.exp(1j * (phase - covers @ steps)).mean(axis=0))
    series = np.concatenate([np.zeros((1, pixels)), np.cumsum(steps, axis=0)]).T
    return series, coherence, np.full(pixels, len(pairs) - dates + 1)


@pytest.mark.parametrize(("dates", "reach"), [(20, 2), (40, 3), (145, 3), (30, 8)])
def test_noise_has_the_coherence_that_is_expected_of_it(dates, reach):
    series, coherence, redundancy = inverted(dates, reach, 400)
    expected = noise_coherence(redundancy, dates - 1)
    assert np.sqrt(np.mean(coherence**2)) == pytest.approx(expected[0], abs=0.03)
    net = beyond_noise(coherence, redundancy, dates - 1)
    # As often above as below what is expected of noise, and hardly ever what is asked of a point.
    assert 0.2 < np.mean(net > 0) < 0.8
    assert chosen(series, coherence, redundancy).mean() < 0.01


def test_the_figure_of_a_real_network():
    # 429 pairs of 145 dates: .28 by simulation; as many pairs as unknowns: 1.
    assert noise_coherence(429 - 144, 144) == pytest.approx(0.28, abs=0.015)
    assert noise_coherence(0, 144) == 1.0
    assert np.isnan(noise_coherence(0, 0))
    # Many pairs for one unknown: noise adds up like a random walk.
    assert noise_coherence(9999, 1) == pytest.approx(0.01, rel=0.05)


def test_pairs_that_agree_are_kept():
    series, coherence, redundancy = inverted(30, 3, 50, noise=0.5)
    assert chosen(series, coherence, redundancy).all()
    assert not chosen(series, coherence, np.zeros(50)).any()
    gaps = series.copy()
    gaps[:10, :12] = np.nan
    kept = chosen(gaps, coherence, redundancy, least_known=0.7)
    np.testing.assert_array_equal(kept, np.arange(50) >= 10)
    # Series from elsewhere are judged by their dates.
    np.testing.assert_array_equal(chosen(gaps), kept)


@settings(deadline=None)
@given(st.floats(0, 1), st.integers(1, 500), st.integers(1, 300))
def test_no_coherence_grows_by_taking_noise_away(coherence, redundancy, rank):
    net = float(beyond_noise(coherence, redundancy, rank))
    assert 0.0 <= net <= coherence + 1e-12
    assert float(beyond_noise(1.0, redundancy, rank)) == pytest.approx(1.0)


def test_bad_requests_are_refused():
    with pytest.raises(ValueError, match=r"found shapes \(2,\) and \(0,\)"):
        chosen(np.zeros((2, 4)), np.ones(2))
