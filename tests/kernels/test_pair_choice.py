"""Which unwrapped pairs are used."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slidecloud.kernels.pair_choice import choose_pairs

REFERENCE, SECONDARY = np.array([[i, j] for i in range(6) for j in range(i + 1, min(i + 3, 6))]).T


def _subsets(reference, secondary, used):
    """Groups of dates, by spreading labels until nothing changes."""
    label = {date: date for date in {*reference, *secondary}}
    for _ in label:
        for i, j in zip(reference[used], secondary[used], strict=True):
            label[i] = label[j] = min(label[i], label[j])
    return len(set(label.values()))


def test_coherent_pairs_are_used_and_nothing_else_where_they_link_all_dates():
    coherence = np.where(SECONDARY - REFERENCE == 1, 0.5, 0.2)
    found = choose_pairs(coherence, REFERENCE, SECONDARY)
    np.testing.assert_array_equal(found.used, coherence >= 0.3)
    assert not found.weak.any()
    assert found.subsets == 1


def test_a_gap_is_closed_by_the_best_pair_alone_and_it_is_flagged():
    crossing = (REFERENCE < 3) & (SECONDARY >= 3)
    coherence = np.where(crossing, 0.05 + 0.02 * np.arange(REFERENCE.size), 0.6)
    found = choose_pairs(coherence, REFERENCE, SECONDARY)
    best = np.flatnonzero(crossing)[-1]
    np.testing.assert_array_equal(np.flatnonzero(found.weak), [best])
    np.testing.assert_array_equal(found.used, ~crossing | found.weak)


@given(coherence=st.lists(st.floats(0, 1), min_size=REFERENCE.size, max_size=REFERENCE.size))
@settings(max_examples=50, deadline=None)
def test_dates_stay_linked_and_no_weak_pair_can_be_spared(coherence):
    level = np.array(coherence)
    found = choose_pairs(level, REFERENCE, SECONDARY)
    every = level > 0
    assert found.subsets == _subsets(REFERENCE, SECONDARY, every)
    assert _subsets(REFERENCE, SECONDARY, found.used) == found.subsets
    assert (found.used | (level < 0.3)).all()
    np.testing.assert_array_equal(found.weak, found.used & (level < 0.3))
    for pair in np.flatnonzero(found.weak):
        fewer = found.used.copy()
        fewer[pair] = False
        assert _subsets(REFERENCE, SECONDARY, fewer) > found.subsets


def test_pairs_without_data_are_never_used():
    coherence = np.full(REFERENCE.size, 0.5)
    coherence[[0, 3]] = np.nan, 0.0
    found = choose_pairs(coherence, REFERENCE, SECONDARY, least=0.0)
    assert not found.used[[0, 3]].any()
    nothing = choose_pairs(np.zeros(2), [0, 1], [1, 2])
    assert not nothing.used.any()
    assert nothing.subsets == 3


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="shapes"):
        choose_pairs([0.5], [0, 1], [1, 2])
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        choose_pairs([1.5], [0], [1])
