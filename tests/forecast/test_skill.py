"""Intervals of skill and coverage hold the truth as often as they promise, where points go their own ways."""

from __future__ import annotations

import numpy as np
import pytest
from judging import judged, told

from slidecloud.forecast.scores import score
from slidecloud.forecast.skill import coverage, skill

POINTS, PASSES = 30, 40


def drawn(random, *, quality):
    """Points of different size of motion; a forecast errs by a share of it that differs from point to point."""
    size = random.uniform(1, 5, POINTS)[:, None]
    moved = size * random.normal(size=(POINTS, PASSES))
    wrong = size * quality * random.uniform(0.5, 1.5, POINTS)[:, None] * random.normal(size=moved.shape)
    point = np.repeat(np.arange(POINTS), PASSES)
    return judged(moved.ravel(), point=point), told((moved + wrong).ravel(), half=2.0)


def test_intervals_of_skill_and_coverage_cover():
    truth = drawn(np.random.default_rng(0), quality=0.5)
    # The mean square of the shares: .25 times that of 0.5 to 1.5.
    skilled = 1 - 0.25 * (1 + 1 / 12)
    random = np.random.default_rng(1)
    held, inside, shares = [], [], []
    for number in range(300):
        samples, forecast = drawn(random, quality=0.5)
        held.append(skill(samples, forecast, draws=200, level=0.9, seed=number).holds(skilled))
        inside.append(coverage(samples, forecast, draws=200, level=0.9, seed=number))
        shares.append(inside[-1].value)
    # Binomial standard error .017.
    assert np.mean(held) == pytest.approx(0.9, abs=0.05)
    assert np.mean([one.holds(np.mean(shares)) for one in inside]) == pytest.approx(0.9, abs=0.05)
    assert skill(*truth).value == pytest.approx(score(*truth).skill)
    assert coverage(*truth).value == pytest.approx(score(*truth).coverage)


def test_points_of_one_slide_are_one_block():
    random = np.random.default_rng(2)
    samples, forecast = drawn(random, quality=0.5)
    twice = judged(np.tile(samples.increment, 2), point=np.concatenate([samples.point, samples.point + POINTS]))
    doubled = told(np.tile(forecast.increment, 2))
    alone, slides = skill(twice, doubled), skill(twice, doubled, block=twice.point % POINTS)
    single = skill(samples, forecast)
    # The same points again tell nothing new, and as blocks they do not seem to.
    assert slides.sigma == pytest.approx(single.sigma, rel=0.1)
    assert alone.sigma == pytest.approx(single.sigma / np.sqrt(2), rel=0.15)


def test_skill_against_another_method():
    samples, forecast = drawn(np.random.default_rng(3), quality=0.5)
    _, worse = drawn(np.random.default_rng(3), quality=1.0)
    assert skill(samples, forecast, against=worse).value == pytest.approx(0.75)
    assert skill(samples, forecast, against=forecast).value == 0.0
    assert skill(samples, forecast, against=worse).low > 0.5


def test_draws_are_those_of_the_seed():
    found = drawn(np.random.default_rng(4), quality=1.2)
    one, two, other = (skill(*found, seed=seed) for seed in (0, 0, 1))
    assert one == two != other


def test_bad_requests_are_named():
    with pytest.raises(ValueError, match="found 1 blocks and 1000"):
        skill(judged([1.0, 2.0]), told([1.0, 2.0]))
    with pytest.raises(ValueError, match=r"block: found shape \(1,\), expected \(2,\)"):
        skill(judged([1.0, 2.0]), told([1.0, 2.0]), block=[1])
