"""Five classes."""

from __future__ import annotations

import numpy as np

from slidecloud.hazard.classes import between

BORDERS = (0.2, 0.4, 0.6, 0.8)


def test_a_border_belongs_to_the_class_above():
    np.testing.assert_array_equal(between([0, 0.19, 0.2, 0.5, 0.6, 0.8, 1, np.nan], BORDERS), [1, 1, 2, 3, 4, 5, 5, 0])


def test_rare_slides_are_very_low_by_probability():
    assert set(between([0.001, 0.01, 0.1], BORDERS)) == {1}
