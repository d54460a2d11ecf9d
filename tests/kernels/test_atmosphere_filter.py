"""The filter takes what is smooth in space and quick in time, and nothing of motion."""

from __future__ import annotations

import numpy as np
import pytest

from slidecloud.kernels.atmosphere_filter import noise_of_dates
from slidecloud.simulate import fields

SHAPE, DATES = (64, 72), 40
TIME = np.arange(DATES) * 12 / 365.25
ALL = np.ones(SHAPE, bool)


def weather(seed=0, size=0.01):
    """Atmosphere of independent dates, smooth over some 15 pixels, m."""
    of = fields.spectrum(SHAPE, (1.0, 1.0), fields.power_law(-4.0, longest=60.0, shortest=20.0))
    rng = np.random.default_rng(seed)
    return np.stack([size * fields.draw(rng, of) for _ in range(DATES)])


def filtered(displacement, mask=ALL, distance=5.0, years=0.12):
    return noise_of_dates(displacement.astype(np.float32), TIME, mask=mask, distance_pixels=distance, years=years)


def test_weather_is_taken_off():
    """Of white air, the weights of neighbouring dates leave ``1 / sqrt(2 sqrt(pi) 44 / 12)``, 28 %; smoothing in space
    adds what is finer than it."""
    air = weather()
    left = air - filtered(air)
    interior = np.s_[3:-3, 8:-8, 8:-8]
    assert left[interior].std() < 0.45 * air[interior].std()


def test_steady_motion_passes_untouched():
    rate = np.random.default_rng(1).normal(0, 0.05, SHAPE)
    offset = np.random.default_rng(2).normal(0, 0.05, SHAPE)
    found = filtered(offset + TIME[:, None, None] * rate)
    assert np.abs(found).max() < 1e-7


def test_inside_a_landslide_the_air_is_that_around_it():
    """Sudden motion of a masked slide leaves the correction as it is, to the last bit; the air over it is known from
    around."""
    air = weather(3)
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    slide = np.hypot(rows - 30, columns - 36) < 7
    moved = air + np.where(slide, 0.3 * (TIME > 0.7)[:, None, None], 0)
    still, found = filtered(air, ~slide), filtered(moved, ~slide)
    np.testing.assert_array_equal(still, found)
    inside = np.s_[3:-3, slide]
    assert (air - found)[inside].std() < 0.6 * air[inside].std()


def test_holes_in_space_and_time_do_not_spoil_it():
    air = weather(4)
    rng = np.random.default_rng(5)
    holes = air.copy()
    holes[rng.random(air.shape) < 0.3] = np.nan
    holes[11] = np.nan
    found, whole = filtered(holes), filtered(air)
    assert np.isfinite(found).all()
    assert (found[11] == 0).all()
    assert (found - whole)[[k for k in range(DATES) if abs(k - 11) > 3]].std() < 0.2 * whole.std()


@pytest.mark.parametrize("known", [1, 200])
def test_a_few_stable_pixels_serve_the_whole_scene(known):
    air = np.repeat(np.random.default_rng(6).normal(0, 0.01, (DATES, 1)), np.prod(SHAPE), 1).reshape(DATES, *SHAPE)
    mask = np.zeros(SHAPE, bool)
    mask.flat[np.random.default_rng(7).choice(mask.size, known, replace=False)] = True
    found, whole = filtered(air, mask, distance=2.0), filtered(air)
    np.testing.assert_allclose(found, whole, atol=1e-6)


def test_a_constant_of_a_pixel_does_not_matter():
    air = weather(8)
    np.testing.assert_allclose(filtered(air), filtered(air - air[0]), atol=1e-6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"time": TIME[:-1]}, "shapes"),
        ({"time": TIME[::-1]}, "increasing"),
        ({"years": 0.0}, "positive"),
        ({"distance_pixels": -1.0}, "positive"),
        ({"mask": np.zeros(SHAPE, bool)}, "no pixel"),
    ],
)
def test_bad_input_is_refused(changes, message):
    options = {"time": TIME, "mask": ALL, "distance_pixels": 5.0, "years": 0.1} | changes
    time = options.pop("time")
    with pytest.raises(ValueError, match=message):
        noise_of_dates(np.zeros((DATES, *SHAPE), np.float32), time, **options)
