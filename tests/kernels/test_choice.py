"""Which velocity is trusted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slidecloud.kernels.choice import best_velocity, expected_error

ERROR = st.floats(1e-4, 0.1)
SHARE = st.floats(0.3, 1.3)
SPEED = st.floats(-0.3, 0.3)


def test_error_is_what_is_lost_and_what_is_noise():
    # Half of 60 mm/yr was lost on the way to 30; 40 mm/yr of noise beside it.
    assert expected_error(0.03, 0.04, recovered_fraction=0.5) == pytest.approx(0.05)
    assert expected_error(-0.03, 0.04, recovered_fraction=0.5) == pytest.approx(0.05)
    assert expected_error(0.1, 0.004, recovered_fraction=1.0) == pytest.approx(0.004)


def test_maps_of_any_shape():
    found = expected_error(np.zeros((3, 4), np.float32), 0.01, recovered_fraction=np.full(4, 0.9))
    assert found.shape == (3, 4)
    np.testing.assert_allclose(found, 0.01)


def test_what_is_unknown_is_infinitely_wrong():
    velocity = np.array([np.nan, 0.1, 0.1, 0.1, 0.1])
    sigma = np.array([0.01, np.nan, 0.01, 0.01, 0.01])
    share = np.array([0.9, 0.9, np.nan, 0.2, 0.3])
    np.testing.assert_array_equal(
        np.isfinite(expected_error(velocity, sigma, recovered_fraction=share)), [False] * 4 + [True]
    )
    assert best_velocity((np.nan, 0.01, 0.9), (0.1, 0.01, 0.1)) is None
    assert best_velocity((np.nan, 0.01, 0.9), (0.1, 0.05, 0.9)) == "integrated"


@given(st.tuples(SPEED, ERROR, SHARE), st.tuples(SPEED, ERROR, SHARE))
@settings(max_examples=50, deadline=None)
def test_the_smaller_error_wins_and_a_series_breaks_the_tie(sbas, integrated):
    errors = [float(expected_error(v, s, recovered_fraction=f)) for v, s, f in (sbas, integrated)]
    assert best_velocity(sbas, integrated) == ("sbas" if errors[0] <= errors[1] else "integrated")
    assert best_velocity(sbas, sbas) == "sbas"


def test_fast_slides_of_coherent_ground_go_to_sbas_and_slow_ones_of_poor_ground_to_gradients():
    assert best_velocity((0.2, 0.004, 1.0), (0.19, 0.002, 0.94)) == "sbas"
    assert best_velocity((0.02, 0.013, 0.9), (0.019, 0.004, 0.94)) == "integrated"
