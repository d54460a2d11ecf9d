"""Outlines counted over classes of the ground, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from slidecloud.optical.histograms import Counted, histogram_table


def counted(*columns):
    return Counted(*(np.array(column, np.int64) for column in columns))


def test_shares_by_hand():
    one = counted([60, 30, 10], [0, 6, 2], [0, 3, 1], [0, 1, 0])
    found = histogram_table(["slope"], [["flat", "steep", "cliff"]], [one])
    assert [*found["class"]] == ["flat", "steep", "cliff"]
    np.testing.assert_allclose(found["ground"], [0.6, 0.3, 0.1])
    np.testing.assert_allclose(found["area"], [0, 0.75, 0.25])
    np.testing.assert_allclose(found["share"], [0, 0.75, 0.25])
    np.testing.assert_allclose(found["times_average"], [0, 2.5, 2.5])
    for number, hits in enumerate((0, 3, 1)):
        exact = binomtest(hits, 4).proportion_ci(method="wilson")
        assert found["low"][number] == pytest.approx(exact.low, abs=1e-4)
        assert found["high"][number] == pytest.approx(exact.high, abs=1e-4)


def test_tiles_add_up_and_nothing_is_nothing():
    one, other = counted([1, 2], [0, 1], [1, 0], [0, 0]), counted([3, 0], [1, 0], [0, 0], [0, 0])
    assert [part.tolist() for part in one.plus(other)] == [[4, 2], [1, 1], [1, 0], [0, 0]]
    found = histogram_table(["slope"], [["a", "b"]], [counted([5, 0], [0, 0], [0, 0], [0, 0])])
    assert found[["area", "share", "low", "high", "times_average"]].isna().all(axis=None)
    np.testing.assert_allclose(found["ground"], [1, 0])
