"""Intervals of Student's t cover as often as they promise."""

from __future__ import annotations

import numpy as np
import pytest

from slidecloud.kernels.interval import by_student, of_mean


def test_by_hand():
    # t of 97.5 % with 4 degrees of freedom is 2.776.
    found = by_student(2.0, 0.5, 4)
    assert (found.low, found.high) == pytest.approx((2 - 1.388, 2 + 1.388), abs=1e-3)
    assert found.holds(found.low)
    assert not found.holds(0.6)


def test_means_of_few_values_cover():
    random = np.random.default_rng(0)
    covered = np.mean([of_mean(random.normal(1, 3, 5), level=0.9).holds(1.0) for _ in range(2000)])
    # Binomial standard error .007.
    assert covered == pytest.approx(0.9, abs=0.02)


def test_too_few_values_promise_nothing():
    assert np.isnan(of_mean([3.0]).low)
    assert of_mean([3.0, np.nan]).value == 3.0
    assert np.isnan(of_mean([]).value)
    with pytest.raises(ValueError, match="level: found 95"):
        of_mean([1, 2], level=95)
