"""Stability classes at and beside every border, and how sure they are."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slidecloud.kernels.stability import (
    ACTIVE,
    CLASSES,
    POTENTIAL,
    RAPID,
    STABLE,
    UNKNOWN,
    UPLIFT,
    classify,
    counts,
)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("border", "at", "above"),
    [(-0.020, RAPID, ACTIVE), (-0.010, ACTIVE, POTENTIAL), (-0.005, POTENTIAL, STABLE), (0.005, STABLE, UPLIFT)],
)
def test_each_border_belongs_to_the_lower_class(border, at, above, dtype):
    here = dtype(border)
    beside = np.array([np.nextafter(here, dtype(-1)), here, np.nextafter(here, dtype(1))], dtype)
    assert classify(beside, np.full(3, 0.001)).kind.tolist() == [at, at, above]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("border", "at", "below"), [(0.020, RAPID, ACTIVE), (0.010, ACTIVE, POTENTIAL), (0.005, POTENTIAL, STABLE)]
)
def test_absolute_takes_both_ways_alike(border, at, below, dtype):
    here = dtype(border)
    beside = np.array([np.nextafter(here, dtype(1)), here, np.nextafter(here, dtype(0))], dtype)
    for sign in (dtype(-1), dtype(1)):
        found = classify(sign * beside, np.full(3, 0.001), absolute=True)
        assert found.kind.tolist() == [at, at, below]


def test_another_border_of_uplift():
    found = classify([0.01, 0.0101, 0.006], [0.001] * 3, uplift=0.01)
    assert found.kind.tolist() == [STABLE, UPLIFT, STABLE]


def test_too_few_points_and_gaps_are_unknown():
    found = classify([-0.03, -0.03, np.nan], [0.001] * 3, points=[4, 5, 9], least_points=5)
    assert found.kind.tolist() == [UNKNOWN, RAPID, UNKNOWN]
    assert np.isnan(found.confidence).tolist() == [True, False, True]
    assert np.isnan(classify([-0.03], [np.nan]).confidence).all()


def test_confidence_by_hand():
    found = classify([-0.020, -0.015, -0.015, 0.0], [0.005, 0.005, 0.0, 0.0025])
    assert found.confidence[0] == pytest.approx(0.5)
    # One sigma to either side; none; two sigma to either side.
    assert found.confidence[1] == pytest.approx(math.erf(math.sqrt(0.5)))
    assert found.confidence[2] == 1.0
    assert found.confidence[3] == pytest.approx(math.erf(math.sqrt(2.0)))


@given(
    velocity=st.floats(-0.06, 0.06),
    sigma=st.floats(0.0005, 0.03),
    absolute=st.booleans(),
    seed=st.integers(0, 2**31),
)
def test_confidence_is_the_share_of_draws_in_the_class(velocity, sigma, absolute, seed):
    found = classify([velocity], [sigma], absolute=absolute)
    drawn = np.random.default_rng(seed).normal(velocity, sigma, 4000)
    share = (classify(drawn, np.zeros(4000), absolute=absolute).kind == found.kind[0]).mean()
    # Five standard errors of a share of 4000.
    assert found.confidence[0] == pytest.approx(share, abs=0.04)


def test_counts_name_every_class():
    kind = classify([-0.03, -0.03, -0.012, 0.0, 0.02, np.nan], [0.001] * 6).kind
    assert counts(kind) == {
        "rapid": 2, "active": 1, "potentially unstable": 0, "stable": 1, "uplift": 1, "unknown": 1,
    }  # fmt: skip
    assert [*counts([])] == [*CLASSES.values()]


def test_arguments_that_cannot_be():
    with pytest.raises(ValueError, match="found shapes"):
        classify([0.0, 0.0], [0.001])
    with pytest.raises(ValueError, match="sigma, uplift"):
        classify([0.0], [-0.001])
    with pytest.raises(ValueError, match="sigma, uplift"):
        classify([0.0], [0.001], uplift=0.0)
