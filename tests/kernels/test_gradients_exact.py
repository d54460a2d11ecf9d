"""The same bits for every tiling, every order of the pairs and every neighbour in the vector."""

from __future__ import annotations

import numpy as np
import pytest
import ramps
import speckle
from hypothesis import given, settings
from hypothesis import strategies as st

from slidecloud.kernels import gradients

SHAPE = (70, 420)
ESTIMATORS = ("coherent", "overlap", "rate", "sum", "rewrapped")


def _make():
    generator = np.random.default_rng(11)
    pairs = speckle.series_pairs(
        generator, SHAPE, dates=7, longest=3, decorrelation=18, looks=4, gradient=(0.08, -0.03), turbulent=0.02
    )
    coherence = np.where(generator.random(pairs.coherence.shape) < 0.2, 0, pairs.coherence).astype(np.uint8)
    coherence[:, 20:40, 100:130] = 0
    return pairs._replace(coherence=coherence)


PAIRS = _make()
BASELINE = ramps.baselines(PAIRS, 60.0)
WHOLE = {}


def sums_of(part, estimator, window, interior=None, order=slice(None), origin=(0, 0)):
    return gradients.accumulate(
        PAIRS.phase[order][:, part[0], part[1]], PAIRS.coherence[order][:, part[0], part[1]],
        reference=PAIRS.reference[order], secondary=PAIRS.secondary[order],
        span=(PAIRS.secondary - PAIRS.reference)[order] * 0.03, baseline=BASELINE[order], window=window,
        estimator=estimator, interior=interior, origin=origin,
    )  # fmt: skip


def whole(estimator, window):
    key = (estimator, window)
    if key not in WHOLE:
        WHOLE[key] = sums_of((slice(None), slice(None)), estimator, window)
    return WHOLE[key]


def tiled(estimator, window, height, width, extra):
    """Sums put together from tiles that were read with their halo, and ``extra`` pixels more."""
    margins = gradients.halo(window, estimator=estimator)
    result = [np.full_like(field, 99) for field in whole(estimator, window)]
    for top in range(0, SHAPE[0], height):
        for left in range(0, SHAPE[1], width):
            target, source, inside = [], [], []
            for start, step, size, (before, after) in zip((top, left), (height, width), SHAPE, margins, strict=True):
                stop = min(start + step, size)
                first = max(0, start - before - extra)
                target.append(slice(start, stop))
                source.append(slice(first, min(size, stop + after + extra)))
                inside.append(slice(start - first, stop - first))
            origin = (source[0].start, source[1].start)
            part = sums_of(source, estimator, window, tuple(inside), origin=origin)
            for field, values in zip(result, part, strict=True):
                field[tuple(target)] = values
    return type(whole(estimator, window))(*result)


def assert_same_bits(one, other):
    for name, first, second in zip(one._fields, one, other, strict=True):
        assert first.tobytes() == second.tobytes(), name


@settings(max_examples=12, deadline=None)
@given(
    estimator=st.sampled_from(ESTIMATORS),
    window=st.sampled_from([3, 6, 10, (4, 9)]),
    height=st.integers(7, 70),
    width=st.integers(11, 420),
    extra=st.integers(0, 5),
)
def test_tiles_with_a_halo_give_the_same_bits(estimator, window, height, width, extra):
    assert_same_bits(tiled(estimator, window, height, width, extra), whole(estimator, window))


@settings(max_examples=8, deadline=None)
@given(estimator=st.sampled_from(ESTIMATORS), order=st.permutations(range(len(PAIRS.reference))))
def test_the_order_of_arrival_does_not_show(estimator, order):
    assert_same_bits(sums_of((slice(None), slice(None)), estimator, 10, order=np.array(order)), whole(estimator, 10))


def test_gradients_of_tiles_equal_those_of_the_whole():
    everything = gradients.finish(whole("coherent", 10))
    part = gradients.GradientSums(*(field[13:37, 57:101] for field in whole("coherent", 10)))
    for name, values in gradients.finish(part)._asdict().items():
        assert values.tobytes() == np.ascontiguousarray(getattr(everything, name)[13:37, 57:101]).tobytes(), name


@pytest.mark.long
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_many_tilings(estimator):
    for window in (3, 5, 10, (4, 9), 21):
        for height, width in ((70, 420), (1, 420), (70, 6), (32, 384), (31, 383), (33, 385), (16, 64), (9, 40)):
            if min(height, width) < 7 and window == 21:
                continue
            assert_same_bits(tiled(estimator, window, height, width, 0), whole(estimator, window))
