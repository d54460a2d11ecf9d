"""Ranges of variograms of fields whose range is known."""

from __future__ import annotations

import numpy as np
import pytest

from slidecloud.hazard.variogram import _spherical, variogram


def _spherical_covariance(distance, reach):
    step = np.minimum(distance / reach, 1)
    return 1 - 1.5 * step + 0.5 * step**3


@pytest.fixture(scope="module")
def places():
    return np.random.default_rng(0).uniform(0, 10_000, (600, 2))


def test_model_is_found_where_it_is_exact():
    distance = np.linspace(250, 4750, 10)
    semivariance = 0.3 + 0.7 * (1 - _spherical_covariance(distance, 2500.0))
    nugget, sill, reach = _spherical(distance, semivariance, np.full(10, 100.0), 4800.0)
    # The candidates lie 20 m apart.
    np.testing.assert_allclose([nugget, sill, reach], [0.3, 0.7, 2500], rtol=0.01)


def test_range_of_a_simulated_field(places):
    apart = np.hypot(*(places[:, None] - places).transpose(2, 0, 1))
    root = np.linalg.cholesky(_spherical_covariance(apart, 1800.0) + 1e-9 * np.eye(len(places)))
    random = np.random.default_rng(1)
    found = [variogram(*places.T, root @ random.normal(size=len(places))).reach for _ in range(5)]
    assert np.median(found) == pytest.approx(1800, rel=0.25)


def test_noise_has_no_range(places):
    random = np.random.default_rng(2)
    found = [variogram(*places.T, random.normal(size=len(places))) for _ in range(5)]
    assert np.median([each.reach for each in found]) < 300
    assert all(each.nugget + each.sill == pytest.approx(1, rel=0.15) for each in found)


def test_turning_and_moving_places_changes_nothing(places):
    value = np.sin(places[:, 0] / 900) + np.cos(places[:, 1] / 700)
    plain = variogram(*places.T, value, longest=3000.0)
    angle = np.deg2rad(30)
    turned = places @ np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) + 5e5
    assert variogram(*turned.T, value, longest=3000.0).reach == pytest.approx(plain.reach, rel=0.02)


def test_missing_values_are_left_out(places):
    value = np.sin(places[:, 0] / 900)
    holes = np.where(np.arange(len(places)) % 3, value, np.nan)
    kept = np.isfinite(holes)
    for one, two in zip(
        variogram(*places.T, holes, longest=3000.0),
        variogram(*places[kept].T, value[kept], longest=3000.0),
        strict=True,
    ):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((np.zeros(5), np.zeros(5), np.zeros(5)), "found 5 places"),
        ((np.zeros(50), np.zeros(50), np.zeros(50)), "expected some distance"),
        ((np.zeros(50), np.zeros(50), np.zeros(40)), "shapes"),
    ],
)
def test_bad_places_are_named(arguments, says):
    with pytest.raises(ValueError, match=says):
        variogram(*arguments)
