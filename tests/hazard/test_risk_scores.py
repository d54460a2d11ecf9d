"""Scores on held-out points: skill where there is some, none where there is none, and the traps that are warned of."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import risky

from slidecloud.hazard.risk import RiskSettings, fit, index
from slidecloud.hazard.risk_scores import caveats, held_out, shared_criteria
from slidecloud.hazard.scores import auc

ENTROPY = RiskSettings(weighting="entropy")


def places(region, points, seed, *, allowed=None):
    """Codes at points and at as many random places, and which are points."""
    random = np.random.default_rng(seed)
    cells = np.flatnonzero(np.ones(region.codes.shape[1:], bool) if allowed is None else allowed)
    drawn = random.choice(cells, points.shape[1])
    others = region.codes.reshape(3, -1)[:, drawn]
    return np.concatenate([points, others], axis=1), np.arange(2 * points.shape[1]) < points.shape[1]


def splits(count, seed, number=5):
    part = np.random.default_rng(seed).permutation(np.arange(count) % number)
    return [SimpleNamespace(train=np.flatnonzero(part != k), test=np.flatnonzero(part == k)) for k in range(number)]


@pytest.fixture(scope="module")
def region():
    return risky.region(6)


def test_skill_is_that_of_the_true_rates(region):
    risk = fit(risky.CLASSES, region.tallies(), region.at_points, settings=ENTROPY)
    codes, point = places(region, region.at_points, 1)
    found = held_out(risk, codes, point, splits(len(point), 2))
    truth = auc(risky.SLOPE_RATE[codes[0]] * risky.LITHOLOGY_RATE[codes[1]], point)
    # Nothing beats the true rates by more than chance; equal say for a factor that does nothing costs some.
    assert truth - 0.1 < found.auc < truth + 0.01
    assert found.auc > 0.7
    assert found.auc <= found.apparent
    assert (found.points, found.others) == (int(point.sum()), int((~point).sum()))
    assert found.fold_auc.mean() == pytest.approx(found.auc)
    # The curves are averaged at 501 places.
    assert found.curve.area == pytest.approx(found.auc, abs=2e-3)
    assert (np.diff(found.curve.up) >= 0).all()


def test_points_at_random_have_no_skill_but_when_they_are_looked_up(region):
    """60 points that follow nothing: the index they made themselves says otherwise."""
    apparent, fair = [], []
    for seed in range(12):
        codes, point = places(
            region, region.codes.reshape(3, -1)[:, np.random.default_rng(seed).choice(40_000, 60)], 99
        )
        risk = fit(risky.CLASSES, region.tallies(), codes[:, point], settings=ENTROPY)
        found = held_out(risk, codes, point, splits(len(point), seed))
        apparent.append(found.apparent)
        fair.append(found.auc)
    # Standard error of the mean of 12 areas of 60 against 60: 0.015.
    assert 0.43 < np.mean(fair) < 0.53
    assert np.mean(apparent) > np.mean(fair) + 0.05


def test_points_picked_by_factors_of_the_index_are_warned_of(region):
    """Steep ground that faces east, where nothing slides: the score is high, and tells of the picking alone."""
    seen = (region.codes[0] >= 2) & np.isin(region.codes[2], [1, 2, 3])
    random = np.random.default_rng(3)
    points = region.codes.reshape(3, -1)[:, random.choice(np.flatnonzero(seen), 300)]
    risk = fit(risky.CLASSES, region.tallies(), points, settings=ENTROPY)
    codes, point = places(region, points, 4)
    flattered = held_out(risk, codes, point, splits(600, 5), picked_by=["visibility", "rain"])
    assert flattered.auc > 0.85
    assert flattered.criteria == ("visibility",)
    assert any("picked by visibility" in text for text in caveats(risk, flattered))
    # Masked alike, points and random places cannot be told apart.
    masked = fit(risky.CLASSES, region.tallies(seen), points, settings=ENTROPY)
    codes, point = places(region, points, 6, allowed=seen)
    fair = held_out(masked, codes, point, splits(600, 7))
    assert 0.42 < fair.auc < 0.56
    assert fair.criteria == ()
    told = caveats(masked, fair, optimistic=True)
    assert any("a mask took their ground; they count as average: slope below 15°" in text for text in told)
    assert told[-1].startswith("The points were held out at random")


def test_criteria_meet_factors_by_name_kind_and_origin():
    assert shared_criteria(["steepness"], ["slope"], kinds={"steepness": "slope"}) == ("slope",)
    assert shared_criteria(["relief"], ["slope"]) == ("slope",)
    assert shared_criteria(["rise"], ["los_rate"], kinds={"rise": "los_displacement"}) == ("los_rate",)
    assert shared_criteria(["rain", "ndvi"], ["slope", "visibility", "lithology"]) == ()
    assert shared_criteria(["rain"], ["rain"]) == ("rain",)


def test_what_speaks_against_an_index_is_said(region):
    contrary = ((1, 9, 1 / 9), (1 / 9, 1, 9), (9, 1 / 9, 1))
    risk = fit(
        risky.CLASSES, region.tallies(), region.at_points[:, :30],
        settings=RiskSettings(weighting="judgement", judgements=contrary),
    )  # fmt: skip
    told = " ".join(caveats(risk))
    assert "contradict each other" in told
    assert "rest on 30 points" in told
    whole = fit(risky.CLASSES, region.tallies(), region.at_points, settings=ENTROPY)
    (idle,) = caveats(whole)
    assert idle.startswith("Factors whose classes differ by no more than chance: aspect (weight 0.")


def test_places_without_an_index_are_left_out(region):
    risk = fit(risky.CLASSES, region.tallies(), region.at_points, settings=ENTROPY)
    codes, point = places(region, region.at_points, 1)
    codes[1, ::3] = -1
    found = held_out(risk, codes, point, splits(len(point), 2))
    assert found.points + found.others == np.count_nonzero(codes[1] >= 0)
    assert np.isfinite(index(risk, codes)).sum() == found.points + found.others


def test_bad_input_is_named(region):
    risk = fit(risky.CLASSES, region.tallies(), region.at_points, settings=ENTROPY)
    codes, point = places(region, region.at_points, 1)
    with pytest.raises(ValueError, match="found shapes"):
        held_out(risk, codes[:2], point, [])
    with pytest.raises(ValueError, match="splits: found 0 of 0 places"):
        held_out(risk, codes, point, [])
    alone = SimpleNamespace(train=np.arange(len(point)), test=np.flatnonzero(point))
    with pytest.raises(ValueError, match=r"splits: found 1 of .* none with both"):
        held_out(risk, codes, point, [alone])


def test_a_part_of_one_kind_has_no_area_and_the_others_keep_theirs(region):
    risk = fit(risky.CLASSES, region.tallies(), region.at_points, settings=ENTROPY)
    codes, point = places(region, region.at_points, 1)
    both = splits(len(point), 2, number=2)[0]
    alone = SimpleNamespace(train=both.train, test=both.test[point[both.test]])
    found = held_out(risk, codes, point, [both, alone])
    assert np.isnan(found.fold_auc).tolist() == [False, True]
    assert found.auc == held_out(risk, codes, point, [both]).auc
