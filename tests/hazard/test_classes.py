"""Five classes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slidecloud.hazard.classes import classify


def test_a_border_belongs_to_the_class_above():
    np.testing.assert_array_equal(classify([0, 0.19, 0.2, 0.5, 0.6, 0.8, 1, np.nan]), [1, 1, 2, 3, 4, 5, 5, 0])


@given(st.integers(0, 100))
def test_classes_by_area_cover_their_share_of_it(seed):
    value = np.random.default_rng(seed).beta(0.5, 30, 1000)
    value[::10] = np.nan
    kind = classify(value, by="area", borders=(0.5, 0.75, 0.9, 0.95))
    known = np.isfinite(value)
    share = np.bincount(kind[known], minlength=6)[1:] / known.sum()
    np.testing.assert_allclose(share, [0.5, 0.25, 0.15, 0.05, 0.05], atol=2 / known.sum())
    assert (kind[~known] == 0).all()
    assert (np.diff(kind[known][np.argsort(value[known])].astype(int)) >= 0).all()


def test_rare_slides_are_very_low_by_probability():
    assert set(classify([0.001, 0.01, 0.1])) == {1}


@pytest.mark.parametrize("borders", [(0.2, 0.4, 0.6), (0.2, 0.2, 0.6, 0.8), (0.8, 0.6, 0.4, 0.2), (0, 0.1, 0.2, 0.3)])
def test_bad_borders_are_refused(borders):
    with pytest.raises(ValueError, match="four rising numbers"):
        classify([0.5], borders=borders)


def test_unknown_kind_of_classes_is_refused():
    with pytest.raises(ValueError, match="by: found 'quantile'"):
        classify([0.5], by="quantile")
