"""What a network sees: odd, finite, of known scale."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slidecloud.kernels.views import SPACING, GradientView
from slidecloud.models.features import Inputs, features

ALL = [
    Inputs(scaling, axes) for scaling in ("both", "sigma", "physical", "phase") for axes in ("both", "range", "azimuth")
]
SHAPE = (5, 7)


def view(x=1e-4, y=-2e-4, sigma=2e-5, coherence=0.5, span=10.0, shape=SHAPE):
    full = [np.full(shape, value, np.float32) for value in (x, y, sigma, sigma, coherence)]
    return GradientView(*full, span)


any_number = st.floats(width=32)


@settings(max_examples=60, deadline=None)
@given(x=any_number, y=any_number, sigma=any_number, coherence=st.floats(0, 1, width=32))
@pytest.mark.parametrize("inputs", ALL, ids=str)
def test_anything_gives_finite_maps(inputs, x, y, sigma, coherence):
    """NaN, infinities and impossible sigmas included."""
    found = features(view(x, y, sigma, coherence), inputs)
    assert found.shape == (inputs.channels, *SHAPE)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    assert np.abs(found).max() <= 2


@pytest.mark.parametrize("inputs", ALL, ids=str)
def test_gradients_turned_round_turn_their_maps_round(inputs):
    """All maps of gradients are odd; sigma and coherence stay as they are."""
    there, back = features(view(), inputs), features(view(x=-1e-4, y=2e-4), inputs)
    of_gradients = inputs.channels if inputs.scaling != "both" else 2 * (inputs.channels - 1) // 3
    np.testing.assert_array_equal(back[:of_gradients], -there[:of_gradients])
    np.testing.assert_array_equal(back[of_gradients:], there[of_gradients:])


def test_the_publication_sees_the_summed_phase_in_quarters_of_its_clip():
    """-4 pi / wavelength * 40 m * gradient * span: 0.9 rad along range, beyond the clip of 4 rad in azimuth."""
    wavelength = 0.05
    rate = -4 * np.pi / wavelength * SPACING
    given = view(x=0.9 / rate / 10, y=-50 / rate / 10)
    found = features(given, Inputs("phase"), wavelength=wavelength)
    np.testing.assert_allclose(found[0], 0.9 / 4, rtol=1e-5)
    np.testing.assert_array_equal(found[1], -1)


def test_channels_are_in_the_order_they_are_described():
    """sigma units x and y, physical x and y, log sigma x and y, coherence; values by hand."""
    found = features(view(), Inputs())[:, 0, 0]
    expected = [np.arcsinh(1), np.arcsinh(-2), np.arcsinh(1), np.arcsinh(-2)]
    np.testing.assert_allclose(found[:4], np.array(expected) / 3, rtol=1e-5)
    np.testing.assert_allclose(found[4:], [np.log10(0.2) / 2, np.log10(0.2) / 2, 0.5], rtol=1e-5)


@pytest.mark.parametrize("inputs", ALL, ids=str)
def test_what_is_undefined_is_zero(inputs):
    nothing = view(x=np.nan, y=np.nan, sigma=np.nan, coherence=np.nan)
    np.testing.assert_array_equal(features(nothing, inputs), 0)


@pytest.mark.parametrize("sigma", [0.0, -1e-5, np.nan])
def test_a_gradient_without_a_sigma_has_no_significance(sigma):
    np.testing.assert_array_equal(features(view(sigma=sigma), Inputs("sigma")), 0)


def test_one_axis_is_that_axis():
    both, x, y = (features(view(), Inputs("both", axes)) for axes in ("both", "range", "azimuth"))
    np.testing.assert_array_equal(both[[0, 2, 4, 6]], x)
    np.testing.assert_array_equal(both[[1, 3, 5, 6]], y)


@pytest.mark.parametrize("wrong", [{"scaling": "decibels"}, {"axes": "east"}])
def test_unknown_inputs_are_refused_by_name(wrong):
    ((name, value),) = wrong.items()
    with pytest.raises(ValueError, match=rf"{name} of the inputs is '{value}'; expected both"):
        Inputs(**wrong)
