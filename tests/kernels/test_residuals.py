"""Residuals of dates: nothing where pairs agree, the error where one does not, nothing to tell without a loop."""

from __future__ import annotations

import numpy as np
import pytest

from slidecloud.kernels.residuals import residual_of_dates

TIME = np.arange(6) * 12 / 365.25
REFERENCE = np.array([i for i in range(6) for j in (i + 1, i + 2) if j < 6])
SECONDARY = np.array([j for i in range(6) for j in (i + 1, i + 2) if j < 6])


def residual(phase, coherence=200, chosen=slice(None)):
    seen = np.full(phase.shape, coherence, np.uint8)
    return residual_of_dates(
        phase[chosen].astype(np.float32), seen[chosen], REFERENCE[chosen], SECONDARY[chosen], time=TIME, looks=16.0
    )


def test_pairs_of_one_series_leave_nothing_and_a_wrong_one_shows_at_its_dates():
    series = np.random.default_rng(0).normal(0, 3, 6)
    phase = series[SECONDARY] - series[REFERENCE]
    np.testing.assert_allclose(residual(phase), 0, atol=1e-4)
    wrong = phase.copy()
    pair = int(np.flatnonzero((REFERENCE == 2) & (SECONDARY == 4))[0])
    wrong[pair] += 2 * np.pi
    found = residual(wrong)
    assert {int(date) for date in np.argsort(found)[-2:]} <= {2, 3, 4}
    assert found[2] > 0.5
    assert found[0] < found[2]


def test_dates_without_pairs_and_networks_without_loops_say_nothing():
    phase = np.zeros(REFERENCE.size)
    phase[(REFERENCE == 5) | (SECONDARY == 5)] = np.nan
    found = residual(phase)
    assert np.isnan(found[5])
    assert found[:5] == pytest.approx(0)
    assert np.isnan(residual(np.zeros(REFERENCE.size), chosen=SECONDARY == REFERENCE + 1)).all()
    assert np.isnan(residual(np.zeros(REFERENCE.size), coherence=0)).all()
