"""A risk index of a region whose rates are known, by block and by hand."""

from __future__ import annotations

import dexing
import numpy as np
import pytest
import risky

from slidecloud.hazard.factor_classes import Tally, categories
from slidecloud.hazard.risk import BINS, RiskSettings, fit, histogram, index, level_breaks
from slidecloud.kernels.information_value import MASKED

ENTROPY = RiskSettings(weighting="entropy")
JUDGED = ((1.0, 2.0, 4.0), (0.5, 1.0, 2.0), (0.25, 0.5, 1.0))


@pytest.fixture(scope="module")
def region():
    return risky.region(4)


@pytest.fixture(scope="module")
def fitted(region):
    return fit(risky.CLASSES, region.tallies(), region.at_points, settings=ENTROPY)


def test_known_rates_are_found(region, fitted):
    """Within four sigmas: chance, and other factors, whose classes do not share out evenly over 1,600 patches."""
    for table, rate in zip(fitted.tables, (risky.SLOPE_RATE, risky.LITHOLOGY_RATE, np.ones(8)), strict=True):
        truth = np.log(rate / np.average(rate, weights=table.tally.cells))
        assert (np.abs(table.information.value - truth) < 4 * table.information.sigma).all()


def test_the_factor_that_does_nothing_has_no_information(fitted):
    spread = [np.ptp(table.information.value) for table in fitted.tables]
    assert spread[2] < 0.4 * min(spread[:2])
    # Scaled to its own ends it looks like the others: entropy weighs how unevenly values are spread, not what they say.
    assert fitted.weights[2] > 0.05


def test_by_hand():
    """Two factors of two classes: the worse class of each becomes 1, the better 0."""
    classes = [categories("a", {0: "x", 1: "y"}), categories("b", {0: "x", 1: "y"})]
    tallies = [Tally(np.array([30, 10]), np.array([30, 10])), Tally(np.array([20, 20]), np.array([20, 20]))]
    points = np.array([[0, 1, 1, 1], [0, 0, 0, 1]])
    found = fit(classes, tallies, points, settings=RiskSettings(weighting="judgement", judgements=((1, 3), (1 / 3, 1))))
    np.testing.assert_allclose(found.weights, [0.75, 0.25])
    np.testing.assert_allclose(found.tables[0].information.value, np.log([2 / 4, 4 / 2]))
    np.testing.assert_allclose(index(found, np.array([[0, 1, 0, 1, -1], [0, 0, 1, 1, 0]])), [0.25, 1, 0, 0.75, np.nan])
    assert found.bounds == (0.0, 1.0)
    # By entropy: (0, 1) with a quarter of the ground at 1 leaves ln 4 - 0 of ln 40 less, and half of it ln 2.
    weighed = fit(classes, tallies, points, settings=ENTROPY).weights
    np.testing.assert_allclose(weighed, [2 / 3, 1 / 3])


def test_weightings(region):
    def weights(**options):
        given = RiskSettings(**{"judgements": JUDGED} | options)
        return fit(risky.CLASSES, region.tallies(), region.at_points, settings=given)

    judged, both, equal = weights(weighting="judgement"), weights(), weights(weighting="equal")
    np.testing.assert_allclose(judged.weights, np.array([4, 2, 1]) / 7)
    np.testing.assert_allclose(equal.weights, 1 / 3)
    share = both.combination
    np.testing.assert_allclose(both.weights, share.first * judged.weights + share.second * both.entropy)
    assert share.first >= 0.5
    assert both.names == risky.NAMES
    assert both.priorities.consistency_ratio == pytest.approx(0, abs=1e-12)


def test_blocks_give_the_same_index_histogram_and_levels(region, fitted):
    whole = index(fitted, region.codes)
    rows = [slice(0, 77), slice(77, 200)]
    parts = [index(fitted, region.codes[:, part]) for part in rows]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    cells = histogram(fitted, whole)
    np.testing.assert_array_equal(sum(histogram(fitted, part) for part in parts), cells)
    assert (cells.sum(), len(cells)) == (whole.size, BINS)
    breaks = level_breaks(fitted, cells)
    level = breaks.level(whole)
    assert set(np.unique(level)) == {1, 2, 3, 4}
    # More landslides on the ground of each higher level.
    held = np.bincount(level[region.row, region.column], minlength=5)[1:] / np.bincount(level.ravel())[1:]
    assert (np.diff(held) > 0).all()


@pytest.mark.parametrize("method", ["minmax", "z", "rank"])
def test_bounds_hold_every_index(region, method):
    settings = RiskSettings(weighting="equal", scaling=method)
    found = fit(risky.CLASSES, region.tallies(), region.at_points, settings=settings)
    values = index(found, region.codes)
    low, high = found.bounds
    assert low - 1e-6 <= values.min() < values.max() <= high + 1e-6
    assert histogram(found, values).sum() == values.size


def test_ground_that_a_mask_took_is_flagged_and_average_or_missing(region):
    """A radar that sees no slopes facing north: none of them can be a point."""
    seen = ~np.isin(region.codes[2], [0, 1, 7])
    at = seen[region.row, region.column]
    points = region.at_points[:, at]
    found = fit(risky.CLASSES, region.tallies(seen), points, settings=ENTROPY)
    table = found.tables[2]
    assert np.flatnonzero(table.information.state == MASKED).tolist() == [0, 1, 7]
    np.testing.assert_array_equal(table.information.value[[0, 1, 7]], 0.0)
    assert not np.isnan(index(found, region.codes)).any()
    strict = fit(
        risky.CLASSES, region.tallies(seen), points, settings=RiskSettings(weighting="entropy", masked="missing")
    )
    np.testing.assert_array_equal(np.isnan(index(strict, region.codes)), ~seen)
    with pytest.raises(ValueError, match=r"factor aspect: points: class 1 has .* no open cell"):
        fit(risky.CLASSES, region.tallies(seen), region.at_points, settings=ENTROPY)


def test_a_region_that_is_the_same_everywhere_has_no_levels():
    classes, ground = [categories("a", {0: "x"})], [Tally(np.array([9]), np.array([9]))]
    found = fit(classes, ground, [[0, 0]], settings=RiskSettings(weighting="equal"))
    cells = histogram(found, index(found, [np.zeros(9, np.int16)]))
    assert cells[0] == 9
    with pytest.raises(ValueError, match="index: takes 1 different values, expected at least 4"):
        level_breaks(found, cells)


def test_bad_input_is_named(region):
    with pytest.raises(ValueError, match="judgements: found none, expected a matrix of 3 rows"):
        fit(risky.CLASSES, region.tallies(), region.at_points)
    with pytest.raises(ValueError, match="found 3, 2 and 3 factors"):
        fit(risky.CLASSES, region.tallies()[:2], region.at_points)
    with pytest.raises(ValueError, match="names: found 3, expected 11"):
        fit(risky.CLASSES, region.tallies(), region.at_points, settings=RiskSettings(judgements=dexing.MATRIX.tolist()))
    wrong = (*JUDGED[:2], (0.25, 0.4, 1.0))
    with pytest.raises(ValueError, match="aspect against lithology"):
        fit(risky.CLASSES, region.tallies(), region.at_points, settings=RiskSettings(judgements=wrong))
    with pytest.raises(ValueError, match="factor slope: points: found none"):
        fit(risky.CLASSES, region.tallies(), np.full((3, 4), -1), settings=ENTROPY)
