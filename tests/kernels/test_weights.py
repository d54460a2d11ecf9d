"""Inverse phase variance against a closed form, against simulated speckle, and at its limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slidecloud.kernels.weights import inverse_phase_variance, phase_density, phase_variance


@pytest.mark.parametrize("coherence", [0.05, 0.3, 0.6, 0.9, 0.99])
def test_one_look_equals_the_closed_form(coherence):
    """Bamler and Hartl (1998): pi^2/3 - pi asin g + asin^2 g - Li2(g^2)/2."""
    k = np.arange(1, 20000)
    dilogarithm = np.sum(coherence ** (2.0 * k) / k**2)
    angle = np.arcsin(coherence)
    expected = np.pi**2 / 3 - np.pi * angle + angle**2 - dilogarithm / 2
    assert np.isclose(phase_variance(coherence, 1.0), expected, rtol=1e-9)


@settings(max_examples=30, deadline=None)
@given(coherence=st.floats(0, 0.999), looks=st.floats(0.5, 500))
def test_density_is_one_in_all_and_never_negative(coherence, looks):
    phase = np.linspace(-np.pi, np.pi, 4001)
    density = phase_density(phase, coherence, looks)
    # Where the peak is high, the terms of the formula cancel beside it to the last bits of the peak.
    assert density.min() > -1e-10 * max(10.0, density.max())
    assert np.isclose(np.trapezoid(density, phase), 1, rtol=1e-6)


@pytest.mark.parametrize(("coherence", "looks"), [(0.2, 4), (0.5, 10), (0.8, 3)])
def test_equals_the_spread_of_simulated_speckle(coherence, looks):
    rng = np.random.default_rng(0)
    shape = (looks, 100_000)
    a, n = (rng.normal(size=shape) + 1j * rng.normal(size=shape) for _ in range(2))
    b = coherence * a + np.sqrt(1 - coherence**2) * n
    phase = np.angle(np.sum(a * b.conj(), axis=0))
    assert np.isclose(phase_variance(coherence, looks), np.mean(phase**2), rtol=0.02)


def test_limits():
    weight = inverse_phase_variance(np.arange(256, dtype=np.uint8), looks=20)
    assert weight.dtype == np.float32
    assert weight[0] == 0
    assert np.isclose(weight[1], 3 / np.pi**2, rtol=0.05)
    assert (np.diff(weight) > 0).all()
    coherence = 250 / 255
    assert np.isclose(weight[250], 2 * 20 * coherence**2 / (1 - coherence**2), rtol=0.06)


def test_keeps_shape_and_refuses_by_name():
    assert inverse_phase_variance(np.ones((2, 3, 4), np.uint8), looks=5.5).shape == (2, 3, 4)
    with pytest.raises(TypeError, match="coherence: found dtype float32"):
        inverse_phase_variance(np.ones(3, np.float32), looks=5)
    for looks in (0, -1, np.nan, 2000):
        with pytest.raises(ValueError, match="looks: found"):
            inverse_phase_variance(np.ones(3, np.uint8), looks=looks)
