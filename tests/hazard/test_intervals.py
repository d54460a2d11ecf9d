"""Intervals cover as often as they promise, on differences that are known."""

from __future__ import annotations

import numpy as np
import pytest

from slidecloud.hazard.intervals import delong, spatial_bootstrap
from slidecloud.hazard.scores import auc, brier
from slidecloud.kernels.interval import Interval
from slidecloud.types import DataError


def _independent(random, count=160):
    """Two predictions that share half of their noise: their AUCs differ by chance alone."""
    event = np.arange(count) % 4 == 0
    shared = random.normal(size=count)
    return *(event + shared + random.normal(size=count) for _ in range(2)), event


def _in_blocks(random, blocks=24, count=12):
    """The same with noise that neighbours share, as factors of real land do."""
    block = np.repeat(np.arange(blocks), count)
    event = random.uniform(size=block.size) < np.where(random.uniform(size=blocks) < 0.35, 0.8, 0.05)[block]
    return (
        *(event + random.normal(size=(blocks,))[block] + random.normal(size=block.size) for _ in range(2)),
        event,
        block,
    )


def test_delong_covers_among_independent_places():
    random = np.random.default_rng(3)
    covered = np.mean([delong(*_independent(random), level=0.9).holds(0.0) for _ in range(500)])
    # Binomial standard error .013.
    assert 0.86 < covered < 0.94


def test_blocks_cover_where_delong_does_not():
    random = np.random.default_rng(4)
    blocks, places = 0, 0
    for _ in range(80):
        first, second, event, block = _in_blocks(random)
        blocks += spatial_bootstrap(first, second, event, block, draws=100, level=0.9).holds(0.0)
        places += delong(first, second, event, level=0.9).holds(0.0)
    # Binomial standard errors .034 and .054.
    assert blocks / 80 > 0.8
    assert places / 80 < 0.7


def test_delong_sigma_is_the_spread_of_many_samples():
    random = np.random.default_rng(5)
    found = [delong(*_independent(random)) for _ in range(400)]
    assert np.mean([each.sigma for each in found]) == pytest.approx(np.std([each.value for each in found]), rel=0.12)


def test_difference_is_that_of_the_scores():
    random = np.random.default_rng(6)
    first, second, event = _independent(random)
    block = np.arange(event.size) // 8
    better = auc(second, event) - auc(first, event)
    assert delong(first, second, event).value == pytest.approx(better)
    assert delong(second, first, event).value == pytest.approx(-better)
    assert spatial_bootstrap(first, second, event, block, draws=100).value == pytest.approx(better)
    chance = [1 / (1 + np.exp(-each)) for each in (first, second)]
    change = brier(chance[1], event) - brier(chance[0], event)
    assert spatial_bootstrap(*chance, event, block, draws=100, statistic=brier).value == pytest.approx(change)


def test_a_model_does_not_differ_from_itself():
    first, _, event = _independent(np.random.default_rng(7))
    for found in (
        delong(first, first, event),
        spatial_bootstrap(first, first, event, np.arange(event.size), draws=100),
    ):
        assert found == Interval(0.0, 0.0, 0.0, 0.0, 0.95)


def test_a_real_gain_is_seen():
    random = np.random.default_rng(8)
    event = np.arange(400) % 2 == 0
    weak = random.normal(0.5 * event, 1)
    strong = weak + random.normal(1.5 * event, 1)
    for found in (delong(weak, strong, event), spatial_bootstrap(weak, strong, event, np.arange(400) // 10, draws=200)):
        assert found.low > 0.05


def test_draws_are_those_of_the_seed():
    first, second, event, block = _in_blocks(np.random.default_rng(9))
    one, two, other = (spatial_bootstrap(first, second, event, block, draws=100, seed=seed) for seed in (1, 1, 2))
    assert one == two != other


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: delong([1, 2, 3], [1, 2, 3], [True, False, False]), "found 1 of 3, expected at least two"),
        (lambda: delong([1, 2], [1, 2], [True, False], level=95), "level: found 95"),
        (lambda: spatial_bootstrap([1, 2], [1, 2], [True, False], [0, 1], draws=10), "draws: found 10"),
        (lambda: spatial_bootstrap([1, 2], [1, 2], [True, False], [0]), r"block: found shape \(1,\)"),
        (lambda: spatial_bootstrap([1, 2], [1, 2], [True, False], [0, 1]), "found 2 blocks, 1 with an event"),
    ],
)
def test_bad_requests_are_named(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_places_without_slides_in_one_block_of_many_are_too_few():
    event = np.r_[np.ones(3000, bool), False]
    block = np.r_[np.arange(3000) // 1500, 2]
    value = np.arange(3001.0)
    # One draw in three misses the block, so that all goes well; the message needs a case without any other place.
    assert spatial_bootstrap(value, value, event, block, draws=100).value == 0
    with pytest.raises(DataError, match="places of one kind alone"):
        spatial_bootstrap(value, value, np.ones(3001, bool), block, draws=100)
