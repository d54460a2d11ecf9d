"""Simulated slides do what their numbers say."""

from __future__ import annotations

import numpy as np
import pytest

from slidecloud.simulate.slides_daily import slides_daily


def test_same_seed_same_slides_and_another_seed_others():
    one, again, other = slides_daily(3), slides_daily(3), slides_daily(4)
    for first, second in zip(one, again, strict=True):
        np.testing.assert_array_equal(first, second)
    assert not np.array_equal(one.truth, other.truth)


def test_noise_and_gaps_leave_the_truth_alone():
    loud, quiet = slides_daily(1, noise=2.0, missing=0.3), slides_daily(1, noise=0.0, missing=0.0)
    np.testing.assert_array_equal(loud.truth, quiet.truth)
    day = (quiet.passes - quiet.days[0]).astype(int)
    np.testing.assert_array_equal(quiet.observed, quiet.truth[:, day])
    assert len(quiet.passes) == 140
    assert 0.6 < len(loud.passes) / 140 < 0.8
    assert 0.25 < np.isnan(loud.observed).mean() < 0.35
    error = loud.observed - loud.truth[:, (loud.passes - loud.days[0]).astype(int)]
    assert np.nanstd(error) == pytest.approx(2.0, rel=0.05)
    shared = np.isin(quiet.passes, slides_daily(1, missing=0.1).passes)
    assert shared.sum() > 110


def test_truth_is_the_sum_of_what_moves_it():
    """Fitted by least squares with the known lags, every answer comes back."""
    found = slides_daily(2, points=5)
    since = (found.days - found.passes[0]).astype(float)
    angle = 2 * np.pi * since / 365.25
    fade = np.exp(-0.25)
    wet = np.zeros(len(found.days))
    for day in range(len(wet)):
        wet[day] = fade * (wet[day - 1] if day else 0.0) + (1 - fade) * found.rain[day]
    fall = np.maximum(-np.diff(found.level, prepend=found.level[0]), 0.0)
    for point in range(5):
        columns = [np.ones_like(since), since / 365.25, np.sin(angle), np.cos(angle)]
        for forcing, lag in ((wet, found.rain_lag[point]), (fall, found.level_lag[point])):
            columns.append(np.cumsum(np.concatenate([np.zeros(lag), forcing[: len(forcing) - lag]])))
        answer, *_ = np.linalg.lstsq(np.column_stack(columns), found.truth[point], rcond=None)
        assert answer[1] == pytest.approx(found.rate[point], abs=1e-6)
        assert np.hypot(*answer[2:4]) == pytest.approx(found.season[point], abs=1e-6)
        assert answer[4] == pytest.approx(found.rain_answer[point], abs=1e-9)
        assert answer[5] == pytest.approx(found.level_answer[point], abs=1e-8)


def test_weather_is_that_of_a_reservoir_in_the_monsoon():
    found = slides_daily(0)
    month = found.days.astype("datetime64[M]").astype(int) % 12
    assert found.rain[np.isin(month, [5, 6, 7])].mean() > 2 * found.rain[np.isin(month, [11, 0, 1])].mean()
    assert 600 < found.rain.mean() * 365 < 2000
    assert 140 < found.level.min() < 150 < 170 < found.level.max() < 180
    steps = np.abs(np.diff(found.observed, axis=1))
    assert {0, 1, 2, 3, 4} <= set(np.digitize(steps[np.isfinite(steps)], [2, 4, 6, 8]))


@pytest.mark.parametrize("change", [{"points": 0}, {"passes": 1}, {"noise": -1.0}, {"missing": 1.0}])
def test_what_cannot_be_is_refused(change):
    with pytest.raises(ValueError, match="expected at least 1"):
        slides_daily(0, **change)
