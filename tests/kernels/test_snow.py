"""Snow is told from water, rock, forest and clouds by its published thresholds."""

from __future__ import annotations

import numpy as np
import pytest

from slidecloud.kernels.snow import snow_mask


@pytest.mark.parametrize(
    ("what", "green", "shortwave", "infrared", "snow"),
    [
        ("fresh snow", 0.9, 0.1, 0.85, True),
        ("old snow", 0.45, 0.08, 0.35, True),
        ("snow in the sun", 1.2, 0.2, 1.1, True),
        ("lake", 0.05, 0.01, 0.02, False),
        ("bright lake", 0.32, 0.02, 0.1, False),
        ("cloud", 0.7, 0.5, 0.75, False),
        ("rock", 0.2, 0.3, 0.25, False),
        ("forest", 0.04, 0.12, 0.4, False),
        ("shadow", 0.0, 0.0, 0.0, False),
        ("no data", np.nan, np.nan, np.nan, False),
        ("at the index", 0.7, 0.3, 0.5, False),
    ],
)
def test_ground(what, green, shortwave, infrared, snow):
    assert bool(snow_mask([[green]], [[shortwave]], [[infrared]])[0, 0]) is snow, what


def test_share_of_a_scene():
    """The index of green 0.5 is 0.4 at a shortwave of 3/14: what is darker there is snow."""
    shortwave = np.linspace(0, 0.5, 1001)
    snow = snow_mask(np.full(1001, 0.5), shortwave, np.full(1001, 0.4))
    np.testing.assert_array_equal(snow, shortwave < 0.5 * 0.6 / 1.4)


def test_digital_numbers_and_other_shapes_are_refused():
    with pytest.raises(ValueError, match="green: found up to 5000, expected reflectance"):
        snow_mask([5000.0], [0.1], [0.1])
    with pytest.raises(ValueError, match="bands: found shapes"):
        snow_mask([0.5], [0.1, 0.2], [0.1])
    assert snow_mask([], [], []).shape == (0,)
