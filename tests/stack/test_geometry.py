"""Look vectors against the triangle they stand for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slidecloud.stack.geometry import checked_look_vectors, flight_pass, heading_of, look_vector

headings = st.floats(-179, 179).filter(lambda heading: abs(abs(heading) - 90) > 1)
incidences = st.floats(0.3, 1.0)


@given(headings, incidences)
def test_the_look_vector_is_a_unit_vector_across_the_track_to_the_left_of_flight(heading, incidence):
    east, north, up = look_vector(heading, incidence)
    assert east**2 + north**2 + up**2 == pytest.approx(1)
    assert np.arccos(up) == pytest.approx(incidence)
    flight = np.sin(np.radians(heading)), np.cos(np.radians(heading))
    assert east * flight[0] + north * flight[1] == pytest.approx(0, abs=1e-12)
    # ground lies to the right of a right-looking radar, so the satellite is to the left of the line of flight
    assert flight[0] * north - flight[1] * east > 0
    left = look_vector(heading, incidence, look_direction="left")
    assert left[:2] == pytest.approx((-east, -north))


@given(headings, incidences)
def test_heading_is_found_again_and_the_check_agrees_with_the_pass(heading, incidence):
    parts = [np.full((2, 3), value, np.float32) for value in look_vector(heading, incidence)]
    assert heading_of(parts[0], parts[1]) == pytest.approx(heading, abs=1e-3)
    maps = checked_look_vectors(*parts, pass_=flight_pass(heading), name="maps")
    assert maps["incidence"] == pytest.approx(incidence, abs=1e-5)


def test_east_is_negative_ascending_and_positive_descending():
    assert flight_pass(-12.3) == "ascending"
    assert look_vector(-12.3, 0.7)[0] < 0
    assert flight_pass(-167.7) == flight_pass(192.3) == "descending"
    assert look_vector(-167.7, 0.7)[0] > 0
