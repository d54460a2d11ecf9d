"""Weighted overlay by hand, with missing factors, and its bounds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from slidecloud.kernels.overlay import overlay

LAYERS = st.integers(1, 5).flatmap(
    lambda n: st.tuples(
        arrays.arrays(np.float64, (n, 3, 4), elements=st.integers(0, 20).map(lambda k: k / 20)),
        st.lists(st.integers(1, 9), min_size=n, max_size=n),
    )
)


def test_by_hand():
    layers = np.array([[1.0, 0.0, np.nan], [0.0, 0.5, 0.5]])
    np.testing.assert_allclose(overlay(layers, [3, 1]), [0.75, 0.125, np.nan])
    np.testing.assert_allclose(overlay(layers, [3, 1], least_known=0.25), [0.75, 0.125, 0.5])
    np.testing.assert_allclose(overlay(layers, [3, 1], least_known=0.3), [0.75, 0.125, np.nan])
    np.testing.assert_allclose(overlay(layers, [0, 1]), [0.0, 0.5, 0.5])


@settings(deadline=None)
@given(LAYERS)
def test_a_mean_lies_between_its_factors_and_does_not_depend_on_blocks(case):
    layers, weights = case
    found = overlay(layers, weights)
    assert found.dtype == np.float32
    assert (found >= layers.min(axis=0) - 1e-6).all()
    assert (found <= layers.max(axis=0) + 1e-6).all()
    np.testing.assert_array_equal(overlay(layers[:, 1:, :2], weights), found[1:, :2])
    np.testing.assert_array_equal(overlay((layer for layer in layers), weights), found)


@pytest.mark.parametrize(
    ("layers", "weights", "options", "says"),
    [
        ([[0.1], [0.2]], [1], {}, "found 2 so far"),
        ([[0.1]], [1, 1], {}, "found 1, expected 2"),
        ([[0.1], [0.2, 0.3]], [1, 1], {}, r"shape \(2,\); expected 2 of \(1,\)"),
        ([[0.1]], [0], {}, "weights"),
        ([[0.1]], [-1], {}, "weights"),
        ([[0.1]], [1], {"least_known": 0}, "least_known: found 0"),
    ],
)
def test_bad_layers_are_named(layers, weights, options, says):
    with pytest.raises(ValueError, match=says):
        overlay(layers, weights, **options)
