"""The series alone, and pairs as they are stored: offsets, tables of weights, binary angles."""

from __future__ import annotations

import numpy as np
import pytest

from slidecloud.kernels import reference_sbas as dense
from slidecloud.kernels.sbas import Inversion, invert, solve
from slidecloud.kernels.weights import inverse_phase_variance, weight_table

REVISIT = 12 / 365.25


def stack(seed, dates, reach, pixels):
    """Pairs of at most ``reach`` date steps in random order, some missing; one pixel in nine is split in mid time."""
    rng = np.random.default_rng(seed)
    pairs = rng.permutation([(i, j) for i in range(dates) for j in range(i + 1, min(dates, i + reach + 1))])
    reference, secondary = pairs.T.copy()
    truth = np.cumsum(rng.normal(0, 1, (dates, pixels)), axis=0)
    phase = (truth[secondary] - truth[reference] + 0.3 * rng.normal(size=(len(pairs), pixels))).astype(np.float32)
    coherence = rng.integers(26, 250, phase.shape).astype(np.uint8)
    coherence[rng.random(phase.shape) < 0.02] = 0
    phase[rng.random(phase.shape) < 0.02] = np.nan
    split = (reference < dates // 2) & (secondary >= dates // 2)
    coherence[np.ix_(split, np.arange(pixels) % 9 == 0)] = 0
    return phase, coherence, reference, secondary, np.arange(dates) * REVISIT


@pytest.mark.parametrize("robust", [False, True])
@pytest.mark.parametrize("reach", [1, 3, 5])
def test_solve_is_the_series_of_invert_bit_for_bit(reach, robust):
    phase, coherence, *network, time = stack(0, 20, reach, 300)
    weight = inverse_phase_variance(coherence, looks=10)
    alone = solve(phase, weight, *network, time=time, robust=robust)
    np.testing.assert_array_equal(alone, invert(phase, weight, *network, time=time, robust=robust).series)


def test_solve_leaves_unused_dates_empty():
    phase, coherence, reference, secondary, time = stack(1, 12, 2, 5)
    longer = np.concatenate([time, [time[-1] + 1]])
    found = solve(phase, coherence, reference, secondary, time=longer)
    np.testing.assert_array_equal(found[:-1], solve(phase, coherence, reference, secondary, time=time))
    assert np.isnan(found[-1]).all()


@pytest.mark.parametrize("reach", [2, 4])
def test_solve_equals_dense_weighted_least_squares(reach):
    phase, coherence, reference, secondary, time = stack(2, 60, reach, 72)
    table = weight_table(looks=12)
    found = solve(phase, coherence, reference, secondary, time=time, weight_table=table)
    error, size = [], []
    for k in range(phase.shape[1]):
        known = np.isfinite(phase[:, k]) & (coherence[:, k] > 0)
        pairs = (reference[known], secondary[known])
        weight = table[coherence[known, k]].astype(float)
        expected = dense.minimum_norm_series(phase[known, k].astype(float), weight, *pairs, time)
        label = dense.components(*pairs, 60)
        seen = label > 0
        expected -= expected[seen][0]
        assert (np.isnan(found[:, k]) == ~seen).all()
        error.append(np.mean((found[seen, k] - expected[seen]) ** 2))
        size.append(np.mean(expected[seen] ** 2))
    assert np.sqrt(np.mean(error)) <= 1e-5 * np.sqrt(np.mean(size))


def test_offset_is_subtracted_and_drops_pairs_where_unknown():
    phase, coherence, *network, time = stack(3, 15, 3, 70)
    offset = np.random.default_rng(0).normal(size=len(phase)).astype(np.float32)
    offset[4] = np.nan
    inside = invert(phase, coherence, *network, time=time, offset=offset)
    outside = invert(phase - offset[:, None], coherence, *network, time=time)
    for name in Inversion._fields:
        np.testing.assert_array_equal(getattr(inside, name), getattr(outside, name), err_msg=name)


def test_table_of_weights_is_looked_up():
    phase, coherence, *network, time = stack(4, 15, 3, 70)
    table = weight_table(looks=7, least=0.3)
    assert (table[:76] == 0).all()
    assert (table[77:] > 0).all()
    inside = invert(phase, coherence, *network, time=time, weight_table=table)
    outside = invert(phase, table[coherence], *network, time=time)
    for name in Inversion._fields:
        np.testing.assert_array_equal(getattr(inside, name), getattr(outside, name), err_msg=name)


def test_binary_angles_are_radians():
    phase, coherence, *network, time = stack(5, 12, 2, 40)
    angle = np.random.default_rng(0).integers(-32768, 32768, phase.shape).astype(np.int16)
    radians = angle.astype(np.float32) * np.float32(np.pi / 32768)
    one, other = (solve(each, coherence, *network, time=time) for each in (angle, radians))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("robust", [False, True])
def test_any_grouping_and_memory_layout_of_pixels_gives_the_same_bits(robust):
    phase, coherence, *network, time = stack(6, 16, 3, 600)
    whole = solve(phase, coherence, *network, time=time, robust=robust)
    for part in (slice(0, 1), slice(3, 40), slice(100, 356), slice(77, 600)):
        found = solve(phase[:, part], coherence[:, part], *network, time=time, robust=robust)
        np.testing.assert_array_equal(found, whole[:, part])
    columns = (np.asfortranarray(phase), np.asfortranarray(coherence))
    np.testing.assert_array_equal(solve(*columns, *network, time=time, robust=robust), whole)


def test_no_pixels_give_no_series():
    phase, coherence, *network, time = stack(7, 6, 2, 3)
    assert solve(phase[:, :0], coherence[:, :0], *network, time=time).shape == (6, 0)
    assert invert(phase[:, :0], coherence[:, :0], *network, time=time).velocity.shape == (0,)


@pytest.mark.parametrize(("row", "column", "value"), [(0, 0, np.inf), (20, 299, -np.inf)])
@pytest.mark.parametrize("reach", [3, 12])
def test_a_single_infinite_phase_is_refused(reach, row, column, value):
    phase, coherence, *network, time = stack(8, 16, reach, 300)
    phase[row, column] = value
    with pytest.raises(ValueError, match="infinite"):
        solve(phase, coherence, *network, time=time)


def test_a_single_negative_weight_is_refused():
    phase, coherence, *network, time = stack(9, 16, 3, 300)
    weight = coherence.astype(np.float32)
    weight[11, 222] = -1
    with pytest.raises(ValueError, match="negative"):
        solve(phase, weight, *network, time=time)
