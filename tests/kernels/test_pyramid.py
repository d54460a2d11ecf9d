"""Coarse pixels are means of what is known in their block."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slidecloud.kernels.pyramid import shrink


@given(height=st.integers(1, 23), width=st.integers(1, 23), power=st.integers(0, 4), seed=st.integers(0, 99))
def test_a_pixel_is_the_mean_of_the_known_of_its_block(height: int, width: int, power: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    values = random.normal(size=(height, width)).astype(np.float32)
    values[random.random(values.shape) < 0.4] = np.nan
    factor = 2**power
    found = shrink(values, factor)
    assert found.shape == (-(-height // factor), -(-width // factor))
    assert found.dtype == np.float32
    for row, column in np.ndindex(found.shape):
        block = values[row * factor : (row + 1) * factor, column * factor : (column + 1) * factor]
        known = block[np.isfinite(block)].astype(np.float64)
        expected = known.mean() if known.size else np.nan
        np.testing.assert_allclose(found[row, column], expected, rtol=1e-6, atol=1e-7)


def test_classes_stay_classes() -> None:
    values = np.array([[1, 1, 9], [1, 7, 9], [4, 4, 5]], np.uint8)
    assert shrink(values, 2).tolist() == [[7, 9], [4, 5]]


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_what_has_one_sign_keeps_it(sign: float) -> None:
    assert (sign * shrink(np.full((5, 7), sign * 0.03, np.float32), 4) > 0).all()
