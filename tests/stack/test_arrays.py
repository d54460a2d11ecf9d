"""Arrays in memory as a source: order, encodings, and what is refused."""

from __future__ import annotations

import dataclasses
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from slidecloud.kernels.phase import decode
from slidecloud.stack import ArraySource
from slidecloud.stack.blocks import encode_coherence, pair_block
from slidecloud.types import Pair, StackHeader

HEADER = StackHeader(
    id="small",
    geometry="radar",
    shape=(4, 5),
    spacing=(40.0, 40.0),
    wavelength=0.05546576,
    range_looks=8,
    azimuth_looks=2,
    effective_looks=9.4,
    heading=-12.0,
    look_direction="right",
    pass_="ascending",
    slant_range=878300.0,
    source="arrays",
    processor="none",
    filtered=False,
    has_unwrapped=False,
)
PAIRS = [
    Pair(np.datetime64("2018-01-18"), np.datetime64("2018-01-30"), 1.0),
    Pair(np.datetime64("2018-01-06"), np.datetime64("2018-01-30"), 2.0),
    Pair(np.datetime64("2018-01-06"), np.datetime64("2018-01-18"), 3.0),
]


def layers(dtype, low=0.1, high=0.9):
    return np.random.default_rng(1).uniform(low, high, (3, 4, 5)).astype(dtype)


def test_pairs_are_offered_in_order_of_time_with_their_own_pixels():
    phase = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    source = ArraySource(HEADER, PAIRS, phase, np.full((3, 4, 5), 200, np.uint8))
    assert [item.pair for item in source.pairs] == [PAIRS[2], PAIRS[1], PAIRS[0]]
    for item, layer in zip(source.pairs, (2, 1, 0), strict=True):
        block = source.read(item, slice(1, 3))
        assert np.array_equal(block.phase, phase[layer, 1:3])
        assert block.coherence.dtype == np.uint8
        assert block.unwrapped is None
    assert source.rejected == ()


def test_float_radians_are_wrapped_and_nan_is_no_data_in_all_layers():
    header = dataclasses.replace(HEADER, has_unwrapped=True)
    truth = layers(np.float32, -20, 20)
    phase, coherence = truth.copy(), layers(np.float32)
    phase[0, 0, 0] = np.nan
    coherence[0, 0, 1] = 0
    source = ArraySource(header, PAIRS, phase, coherence, unwrapped=truth)
    block = source.read(source.pairs[2], slice(None))
    assert block.coherence[0, :2].tolist() == [0, 0]
    assert np.isnan(block.unwrapped[0, :2]).all()
    assert np.isfinite(block.unwrapped[1:]).all()
    wrapped = np.angle(np.exp(1j * (decode(block.phase) - truth[0])))
    assert np.abs(wrapped[block.coherence > 0]).max() <= np.pi / 65536 + 2e-6  # half a step of the binary angle
    assert np.abs(block.coherence[1:] / 255 - coherence[0, 1:]).max() <= 0.5 / 255 + 1e-6


def test_the_arrays_given_are_not_changed():
    phase, coherence = np.ones((3, 4, 5), np.int16), np.zeros((3, 4, 5), np.uint8)
    source = ArraySource(HEADER, PAIRS, phase, coherence)
    assert not source.read(source.pairs[0], slice(None)).phase.any()
    assert phase.all()


def test_a_source_can_be_pickled_and_fingerprints_follow_the_pixels():
    phase = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    coherence = np.full((3, 4, 5), 200, np.uint8)
    source = ArraySource(HEADER, PAIRS, phase, coherence, static={"elevation": np.ones((4, 5))})
    again = pickle.loads(pickle.dumps(source))
    assert again.pairs == source.pairs
    assert np.array_equal(again.static()["elevation"], np.ones((4, 5), np.float32))
    changed = phase.copy()
    changed[0, 0, 0] += 1
    other = ArraySource(HEADER, PAIRS, changed, coherence)
    same = [a.fingerprint == b.fingerprint for a, b in zip(source.pairs, other.pairs, strict=True)]
    assert same == [True, True, False]


@given(hnp.arrays(np.float32, (3, 7), elements=st.floats(0, 1, width=32)))
def test_coherence_is_stored_to_half_a_step_and_only_zero_is_no_data(values):
    stored = encode_coherence(values, "coherence")
    assert np.array_equal(stored > 0, values > 0)
    large = values >= 0.5 / 255
    assert np.abs(stored[large] / 255 - values[large]).max(initial=0) <= 0.5 / 255 + 1e-6


@given(hnp.arrays(np.float32, (3, 7), elements=st.floats(-1000, 1000, width=32)), st.integers(0, 6))
def test_a_block_does_not_depend_on_the_columns_beside_it(values, cut):
    coherence = np.full(values.shape, 100, np.uint8)
    whole = pair_block(None, values, coherence)
    part = pair_block(None, values[:, cut:], coherence[:, cut:])
    assert np.array_equal(whole.phase[:, cut:], part.phase)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"phase": np.zeros((3, 4, 6), np.int16)}, ValueError, r"phase has shape \(3, 4, 6\): expected \(3, 4, 5\)"),
        ({"phase": np.zeros((3, 4, 5), np.int32)}, TypeError, "phase has dtype int32"),
        ({"phase": np.zeros((3, 4, 5), complex)}, TypeError, "phase has dtype complex128"),
        ({"coherence": np.full((3, 4, 5), 200.0)}, ValueError, "coherence reaches 200"),
        ({"coherence": np.ones((3, 4, 5), np.int16)}, TypeError, "coherence has dtype int16"),
        ({"pairs": PAIRS[:2]}, ValueError, r"expected \(2, 4, 5\)"),
        ({"pairs": [PAIRS[0], PAIRS[0], PAIRS[1]]}, ValueError, "given twice"),
        ({"pairs": [Pair(PAIRS[0].secondary, PAIRS[0].reference), *PAIRS[1:]]}, ValueError, "swap them"),
        ({"unwrapped": np.zeros((3, 4, 5), np.float32)}, ValueError, "has_unwrapped is False, but unwrapped is given"),
        ({"header": dataclasses.replace(HEADER, id="No slug")}, ValueError, "cannot name a stack"),
        ({"static": {"elevation": np.zeros((2, 2))}}, ValueError, "elevation has shape"),
        ({"static": {"height": np.zeros((4, 5))}}, ValueError, "'height' is unknown"),
    ],
)
def test_what_does_not_fit_together_is_refused(change, error, message):
    given_ = {
        "header": HEADER,
        "pairs": PAIRS,
        "phase": np.zeros((3, 4, 5), np.int16),
        "coherence": np.full((3, 4, 5), 200, np.uint8),
    }
    with pytest.raises(error, match=message):
        ArraySource(**(given_ | change))


@pytest.mark.parametrize("rows", [slice(0, 5), slice(-1, 2), slice(2, 2), slice(0, 4, 2)])
def test_rows_outside_the_stack_are_refused(rows):
    source = ArraySource(HEADER, PAIRS, layers(np.float32), layers(np.float32))
    with pytest.raises(ValueError, match="rows"):
        source.read(source.pairs[0], rows)


def test_a_pair_of_another_stack_is_refused():
    source = ArraySource(HEADER, PAIRS[:2], layers(np.float32)[:2], layers(np.float32)[:2])
    other = ArraySource(HEADER, PAIRS, layers(np.float32), layers(np.float32))
    with pytest.raises(KeyError, match="20180106_20180118 is not in stack small"):
        source.read(other.pairs[0], slice(None))
