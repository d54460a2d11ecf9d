"""The inversion on the device against dense float64 references, against the CPU's, and against itself."""

from __future__ import annotations

import numpy as np
import pytest

from slidecloud.kernels import _sbas_cuda_plan, device
from slidecloud.kernels import reference_sbas as dense
from slidecloud.kernels.sbas import Inversion, invert, solve

pytestmark = pytest.mark.gpu

REVISIT = 12 / 365.25
ABSOLUTE = {"drift_factor": 1e-3, "velocity_sigma": 1e-4, "velocity": 1e-4}
SETTLED = 1e-3
"""Robust fits end when a step moves no date by as many radians: two ways to them are no nearer to each other."""


def network(dates, reach):
    pairs = np.array([(i, j) for i in range(dates) for j in range(i + 1, min(dates, i + reach + 1))])
    return pairs[:, 0].copy(), pairs[:, 1].copy()


def observations(rng, reference, secondary, pixels):
    truth = np.cumsum(rng.normal(0, 1, (secondary.max() + 1, pixels)), axis=0)
    weight = rng.uniform(0.5, 10, (reference.size, pixels)).astype(np.float32)
    error = rng.normal(size=weight.shape) / np.sqrt(weight)
    return (truth[secondary] - truth[reference] + error).astype(np.float32), weight


def invert_there(phase, weight, reference, secondary, **options):
    found = invert(device.to_device(phase), device.to_device(weight), reference, secondary, **options)
    assert all(device.on_device(field) for field in found)
    return Inversion(*map(device.to_host, found))


def solve_there(phase, weight, reference, secondary, time, **options):
    found = solve(device.to_device(phase), device.to_device(weight), reference, secondary, time=time, **options)
    assert device.on_device(found)
    return device.to_host(found)


def assert_close(here, there, robust=False):
    rtol, least = (0.02, 2 * SETTLED) if robust else (1e-4, 2e-5)
    for name in Inversion._fields:
        one, other = getattr(here, name), getattr(there, name)
        assert one.dtype == other.dtype, name
        absolute = max(least, ABSOLUTE.get(name, 0.0))
        np.testing.assert_allclose(other, one, rtol=rtol, atol=absolute, err_msg=name)


def assert_identical(one, other):
    for name in Inversion._fields:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


def dense_series(phase, weight, reference, secondary, time):
    columns = [
        dense.minimum_norm_series(value, w, reference, secondary, time)
        for value, w in zip(phase.T.astype(float), weight.T.astype(float), strict=True)
    ]
    return np.stack(columns, axis=1)


@pytest.mark.parametrize("bad_winter", [False, True])
def test_equals_dense_weighted_least_squares(bad_winter):
    rng = np.random.default_rng(0)
    reference, secondary = network(145, 3)
    time = np.arange(145) * REVISIT
    phase, weight = observations(rng, reference, secondary, 3)
    if bad_winter:
        weight[(reference >= 60) & (secondary < 80)] *= 1e-3
    expected = dense_series(phase, weight, reference, secondary, time)
    found = solve_there(phase, weight, reference, secondary, time)
    assert np.sqrt(np.mean((found - expected) ** 2) / np.mean(expected**2)) < 1e-5


@pytest.mark.parametrize("reach", range(1, 11))
def test_series_and_sigma_are_right_for_every_width_of_the_band(reach):
    """One to nine superdiagonals in float32, ten in float64."""
    rng = np.random.default_rng(reach)
    reference, secondary = network(16, reach)
    time = np.arange(16) * REVISIT
    phase, weight = observations(rng, reference, secondary, 2)
    found = invert_there(phase, weight, reference, secondary, time=time)
    expected = dense_series(phase, weight, reference, secondary, time)
    assert np.sqrt(np.mean((found.series - expected) ** 2) / np.mean(expected**2)) < 1e-5
    covariance = dense.network_covariance(weight[:, 0].astype(float), reference, secondary, 16)
    scatter = np.nan_to_num(found.date_sigma[0]) ** 2
    sigma = np.sqrt(np.diag(covariance) * found.variance_factor[0] + scatter)
    np.testing.assert_allclose(found.sigma[:, 0], sigma, rtol=1e-4)


@pytest.mark.parametrize("seasonal", [False, True])
@pytest.mark.parametrize("independent_pairs", [False, True])
def test_equals_the_cpu_where_nothing_is_missing(seasonal, independent_pairs):
    rng = np.random.default_rng(8)
    reference, secondary = network(20, 3)
    pairs = (*observations(rng, reference, secondary, 4), reference, secondary)
    time = 2018.3 + np.arange(20) * REVISIT
    options = {"time": time, "seasonal": seasonal, "independent_pairs": independent_pairs}
    assert_close(invert(*pairs, **options), invert_there(*pairs, **options))


def broken(rng):
    """Pixels that lose dates, a winter, every other link or all but one pair, beside one that loses nothing."""
    reference, secondary = network(20, 3)
    phase, weight = observations(rng, reference, secondary, 9)
    phase[(reference == 7) | (secondary == 7), 1] = np.nan
    phase[(reference < 10) & (secondary >= 10), 2] = np.nan
    weight[reference < 5, 3] = 0
    phase[1:, 4] = np.nan
    weight[:, 5] = 0
    phase[secondary - reference != 2, 6] = np.nan
    phase[rng.random(phase.shape[0]) < 0.3, 7] = np.nan
    return phase, weight, reference, secondary


@pytest.mark.parametrize("robust", [False, True])
@pytest.mark.parametrize("irregular", [False, True])
def test_equals_the_cpu_for_gaps_and_subsets(robust, irregular):
    rng = np.random.default_rng(2)
    pairs = broken(rng)
    step = rng.choice([6, 12, 24, 96], size=20) if irregular else np.full(20, 12)
    terms = {"minimum_norm": irregular, "seasonal": irregular != robust}
    options = {"time": np.cumsum(step) / 365.25, "robust": robust, **terms}
    here, there = invert(*pairs, **options), invert_there(*pairs, **options)
    assert there.subset[:, 2].max() == 2
    assert np.isnan(there.velocity[5])
    assert_close(here, there, robust)


def test_robust_fit_leaves_outliers_aside():
    rng = np.random.default_rng(1)
    reference, secondary = network(20, 4)
    time = np.arange(20) * REVISIT
    truth = 3 * time + 0.5 * rng.normal(size=20)
    phase = np.repeat((truth[secondary] - truth[reference])[:, None], 2, axis=1).astype(np.float32)
    phase[30] += np.float32(2 * np.pi)
    phase[51, 1] -= np.float32(2 * np.pi)
    series = solve_there(phase, np.ones_like(phase), reference, secondary, time, robust=True)
    assert np.abs(series - (truth - truth[0])[:, None]).max() < 0.05
    plain = solve_there(phase, np.ones_like(phase), reference, secondary, time)
    assert np.abs(plain - (truth - truth[0])[:, None]).max() > 0.5


def test_pairs_of_thirty_steps_and_none_longer_than_the_window():
    rng = np.random.default_rng(3)
    reference, secondary = network(34, 2)
    reference, secondary = np.append(reference, [0, 2]), np.append(secondary, [30, 32])
    time = np.arange(34) * REVISIT
    phase, weight = observations(rng, reference, secondary, 1)
    found = solve_there(phase, weight, reference, secondary, time)
    np.testing.assert_allclose(found, dense_series(phase, weight, reference, secondary, time), rtol=1e-5, atol=1e-5)
    reference, secondary = np.append(np.arange(70), 0), np.append(np.arange(1, 71), 70)
    nothing = np.zeros((71, 1), np.float32)
    with pytest.raises(ValueError, match="found a pair of 70 date steps, expected at most 64"):
        invert_there(nothing, nothing, reference, secondary, time=np.arange(71) * REVISIT)


def test_stored_coherence_and_offsets_equal_what_they_stand_for():
    rng = np.random.default_rng(4)
    reference, secondary = network(12, 3)
    time = np.arange(12) * REVISIT
    phase, _ = observations(rng, reference, secondary, 4)
    stored = rng.integers(0, 255, phase.shape).astype(np.uint8)
    table = np.concatenate([[0], rng.uniform(0.1, 9, 255)]).astype(np.float32)
    offset = rng.normal(size=reference.size).astype(np.float32)
    found = solve_there(phase, stored, reference, secondary, time, weight_table=table, offset=offset)
    plain = solve_there(phase - offset[:, None], table[stored], reference, secondary, time)
    np.testing.assert_array_equal(found, plain)
    angle = rng.integers(-32768, 32768, phase.shape).astype(np.int16)
    offset[3] = np.nan
    found = solve_there(angle, stored, reference, secondary, time, weight_table=table, offset=offset)
    turned = (angle * (np.pi / 32768) - offset[:, None]).astype(np.float32)
    plain = solve_there(turned, table[stored], reference, secondary, time)
    np.testing.assert_allclose(found, plain, rtol=1e-5, atol=1e-5)
    small = invert_there(phase, stored, reference, secondary, time=time)
    assert_identical(small, invert_there(phase, stored.astype(np.float32), reference, secondary, time=time))


@pytest.mark.parametrize("robust", [False, True])
def test_batches_and_order_of_pairs_leave_no_trace(monkeypatch, robust):
    rng = np.random.default_rng(5)
    phase, weight, reference, secondary = broken(rng)
    options = {"time": np.arange(20) * REVISIT, "robust": robust}
    whole = invert_there(phase, weight, reference, secondary, **options)
    monkeypatch.setattr(_sbas_cuda_plan, "QUICK_BATCH", 5)
    monkeypatch.setattr(_sbas_cuda_plan, "CAREFUL_BATCH", 2)
    order = rng.permutation(reference.size)
    parts = invert_there(phase[order], weight[order], reference[order], secondary[order], **options)
    assert_identical(whole, parts)


def test_series_alone_are_those_of_the_whole_inversion():
    rng = np.random.default_rng(6)
    pairs = broken(rng)
    time = np.arange(20) * REVISIT
    np.testing.assert_allclose(solve_there(*pairs, time), invert_there(*pairs, time=time).series, rtol=1e-6, atol=1e-6)


def test_unused_dates_are_empty():
    rng = np.random.default_rng(7)
    reference, secondary = network(8, 2)
    phase, weight = observations(rng, reference, secondary, 2)
    time = np.arange(8) * REVISIT
    plain = invert_there(phase, weight, reference, secondary, time=time)
    more = np.concatenate([[-REVISIT], time, [20 * REVISIT]])
    padded = invert_there(phase, weight, reference + 1, secondary + 1, time=more)
    np.testing.assert_array_equal(padded.series[1:-1], plain.series)
    for name, empty in (("series", np.nan), ("sigma", np.nan), ("subset", 0)):
        np.testing.assert_array_equal(getattr(padded, name)[[0, -1]], np.full((2, 2), empty))


def test_no_pixels():
    reference, secondary = network(4, 2)
    nothing = np.zeros((reference.size, 0), np.float32)
    assert invert_there(nothing, nothing, reference, secondary, time=np.arange(4.0)).series.shape == (4, 0)


@pytest.mark.parametrize(
    ("phase", "weight", "words"),
    [
        (np.inf, 1, "phase: found infinite"),
        (1, -1, "weight: found negative"),
        (1, np.inf, "weight: found negative or infinite"),
    ],
)
@pytest.mark.parametrize("robust", [False, True])
def test_refuses_by_name(phase, weight, words, robust):
    phases, weights = np.ones((2, 2, 3), np.float32)
    phases[1, 2], weights[1, 2] = phase, weight
    with pytest.raises(ValueError, match=words):
        invert_there(phases, weights, [0, 1], [1, 2], time=[0.0, 0.1, 0.2], robust=robust)


def test_arrays_on_both_sides_are_refused():
    host = np.ones((1, 2), np.float32)
    for pair, name in (((device.to_device(host), host), "weight"), ((host, device.to_device(host)), "phase")):
        with pytest.raises(TypeError, match=f"{name}: found ndarray"):
            invert(*pair, [0], [1], time=[0.0, 1.0])
