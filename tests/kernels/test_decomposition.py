"""Motion put together from looks: exact without noise, sigmas that cover, and silence where the looks do not tell."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slidecloud.kernels.decomposition import downslope, downslope_of_looks, east_up
from slidecloud.kernels.terrain import los_vector, slope_aspect

ASCENDING, DESCENDING = los_vector(np.radians(39.0), -12.3), los_vector(np.radians(36.0), 192.2)
EAST = np.array([ASCENDING.east, DESCENDING.east])
NORTH = np.array([ASCENDING.north, DESCENDING.north])
UP = np.array([ASCENDING.up, DESCENDING.up])


@settings(deadline=None)
@given(e=st.floats(-1, 1), u=st.floats(-1, 1), a=st.floats(0.001, 1), b=st.floats(0.001, 1))
def test_two_looks_give_back_east_and_up_whatever_their_sigmas(e, u, a, b):
    found = east_up(EAST * e + UP * u, np.array([a, b]), EAST, UP)
    assert found.usable
    np.testing.assert_allclose([found.east, found.up], [e, u], atol=1e-6)


def test_sigmas_cover_and_the_better_look_counts_more():
    rng = np.random.default_rng(0)
    east, up = (np.concatenate([part, part[:1]])[:, None] * np.ones(4000) for part in (EAST, UP))
    sigma = np.array([0.002, 0.004, 0.02])[:, None] * np.ones(4000)
    rate = 0.03 * east - 0.05 * up + sigma * rng.normal(size=sigma.shape)
    found = east_up(rate, sigma, east, up)
    for value, spread, truth in ((found.east, found.east_sigma, 0.03), (found.up, found.up_sigma, -0.05)):
        assert abs(np.std((value - truth) / spread) - 1) < 0.04
        assert abs(np.mean(value) - truth) < 4 * np.mean(spread) / np.sqrt(4000)
    assert abs(np.corrcoef(found.east - 0.03, found.up + 0.05)[0, 1] - found.correlation[0]) < 0.03
    assert abs(found.correlation[0]) > 0.3
    two = east_up(rate[:2], sigma[:2], east[:2], up[:2])
    assert (found.east_sigma < two.east_sigma).all()


def test_looks_too_alike_and_single_ones_say_nothing():
    rate = np.array([[0.01, 0.01, np.nan, np.nan], [0.02, np.nan, 0.02, np.nan]])
    found = east_up(rate, np.ones_like(rate), EAST[:, None], UP[:, None])
    assert found.usable.tolist() == [True, False, False, False]
    assert np.isnan(found.up[1:]).all()
    assert 1.2 < found.condition[0] < 1.4
    near = los_vector(np.radians(41.0), -12.3)
    alike = east_up([0.01, 0.02], [1, 1], [ASCENDING.east, near.east], [ASCENDING.up, near.up])
    same = east_up([0.01, 0.02], [1, 1], [ASCENDING.east] * 2, [ASCENDING.up] * 2)
    assert not alike.usable
    assert not same.usable
    assert alike.condition > 20
    assert np.isinf(same.condition)


def test_northward_motion_comes_out_as_stated():
    found = east_up(NORTH * 1.0, [1, 1], EAST, UP)
    assert abs(found.up + 0.17) < 0.01
    assert abs(found.east) < 0.02


@settings(deadline=None)
@given(slope=st.floats(0.05, 1.2), aspect=st.floats(0, 6.28), speed=st.floats(-0.5, 0.5))
def test_motion_down_a_slope_comes_back_or_is_masked(slope, aspect, speed):
    """The slope as a plane whose descent `terrain` measures; motion along its steepest line, by plain vectors."""
    rows, columns = np.mgrid[:5, :5] * 10.0
    east, north = columns, -rows
    plane = -np.tan(slope) * (east * np.sin(aspect) + north * np.cos(aspect))
    measured = slope_aspect(plane, spacing=(10.0, 10.0))
    down = np.array([np.sin(aspect) * np.cos(slope), np.cos(aspect) * np.cos(slope), -np.sin(slope)])
    seen = speed * down @ np.array([ASCENDING.east, ASCENDING.north, ASCENDING.up])
    found = downslope(seen, 0.001, measured.slope[2, 2], measured.aspect[2, 2], *ASCENDING)
    kept = down @ np.array([ASCENDING.east, ASCENDING.north, ASCENDING.up])
    assert abs(found.sensitivity - kept) < 1e-5
    if abs(kept) > 0.2001:
        np.testing.assert_allclose([found.rate, found.sigma], [speed, 0.001 / abs(kept)], rtol=1e-3, atol=1e-6)
    if abs(kept) < 0.1999:
        assert np.isnan(found.rate)
        assert not found.usable


def test_looks_together_tell_more_of_downslope_motion_than_each():
    """Slopes to all sides, two looks of unequal noise: unbiased, sigmas cover, and what one look is blind to comes from
    the other."""
    rng = np.random.default_rng(1)
    aspect = rng.uniform(0, 2 * np.pi, 4000)
    slope = np.full(4000, 0.4)
    down = np.array([np.sin(aspect) * np.cos(slope), np.cos(aspect) * np.cos(slope), -np.sin(slope)])
    lines = [np.repeat(part[:, None], 4000, axis=1) for part in (EAST, NORTH, UP)]
    kept = sum(line * part for line, part in zip(lines, down, strict=True))
    sigma = np.repeat([[0.002], [0.004]], 4000, axis=1)
    rate = 0.05 * kept + sigma * rng.normal(size=kept.shape)
    rate[1, ::7] = np.nan
    found = downslope_of_looks(rate, sigma, slope, aspect, *lines)
    told = (np.abs(kept) > 0.2) & np.isfinite(rate)
    assert (found.usable == told.any(axis=0)).all()
    assert (np.isfinite(found.rate) == found.usable).all()
    standard = ((found.rate - 0.05) / found.sigma)[found.usable]
    assert abs(np.std(standard) - 1) < 0.05
    assert abs(np.mean(standard)) < 0.06
    one = downslope(rate[0], sigma[0], slope, aspect, *(line[0] for line in lines))
    both = told.all(axis=0)
    assert (found.sigma[both] < one.sigma[both]).all()
    assert found.usable.mean() > one.usable.mean() + 0.05
    seen = np.where(np.isfinite(rate), np.abs(kept), 0.0).max(axis=0)
    np.testing.assert_allclose(np.abs(found.sensitivity), seen, atol=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: east_up([0.1], [1.0], EAST[:1], UP[:1]), "at least two"),
        (lambda: east_up([0.1, 0.2], [1.0], EAST, UP), "shapes"),
        (lambda: east_up([0.1, 0.2], [1.0, 0.0], EAST, UP), "sigma"),
        (lambda: downslope(0.1, 0.01, 0.5, 1.0, *ASCENDING, least=0.0), "least"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
