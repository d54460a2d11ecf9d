"""A scene's truth is consistent, geometrically right and reproducible."""

from __future__ import annotations

import dataclasses
import pickle

import numpy as np
import pyproj
import pytest

from slidecloud import simulate
from slidecloud.kernels import terrain
from slidecloud.simulate import Coherence, Slide

ASCENDING, DESCENDING = -12.3, 192.2


@pytest.fixture(scope="module")
def scene():
    return simulate.scene(2, shape=(96, 120), dates=40, slides=4)


def arrays(scene):
    """Every array of a scene that does not grow with its dates."""
    for field in dataclasses.fields(scene):
        value = getattr(scene, field.name)
        if isinstance(value, np.ndarray) and field.name not in ("dates", "perpendicular_baseline"):
            yield field.name, value
    yield from zip(scene.coherence._fields, scene.coherence, strict=True)


@pytest.mark.parametrize(("heading", "pass_"), [(ASCENDING, "ascending"), (DESCENDING, "descending")])
def test_header_and_line_of_sight(heading, pass_):
    scene = simulate.scene(1, shape=(48, 48), heading=heading, dates=3)
    assert scene.header.pass_ == pass_
    assert np.all((scene.los_east < 0.0) == (pass_ == "ascending"))
    np.testing.assert_allclose(scene.los_up, np.cos(scene.incidence), atol=1e-6)
    # Incidence grows away from the satellite.
    far_side = scene.incidence[:, -1] if pass_ == "ascending" else scene.incidence[:, 0]
    near_side = scene.incidence[:, 0] if pass_ == "ascending" else scene.incidence[:, -1]
    assert np.all(far_side > near_side)
    assert scene.incidence.mean() == pytest.approx(np.radians(39.0), abs=1e-5)
    assert 8.4e5 < scene.header.slant_range < 8.9e5
    assert (scene.header.grid.height, scene.header.grid.width) == scene.elevation.shape


def test_velocity_is_the_line_through_the_displacement(scene):
    series = scene.displacement(scene.dates).astype(np.float64)
    years = (scene.dates - scene.dates[0]) / np.timedelta64(1, "s") / (365.25 * 86_400)
    fitted = np.polyfit(years, series.reshape(len(years), -1), 1)[0].reshape(scene.velocity.shape)
    np.testing.assert_allclose(scene.velocity, fitted, atol=1e-7)
    assert np.all(series[0] == 0.0)
    assert np.all(scene.velocity[scene.labels == 0] == 0.0)
    assert np.abs(scene.velocity).max() > 0.01


def test_displacement_of_one_time_equals_that_of_several(scene):
    np.testing.assert_array_equal(scene.displacement(scene.dates[7]), scene.displacement(scene.dates)[7])
    with pytest.raises(ValueError, match="time: found shape"):
        scene.displacement(scene.dates.reshape(2, -1))


def test_layover_and_shadow_are_those_of_the_terrain_kernel(scene):
    masks = terrain.layover_shadow(
        scene.elevation, spacing=(40.0, 40.0), incidence=scene.incidence, heading=scene.header.heading
    )
    np.testing.assert_array_equal(masks.layover, scene.layover)
    np.testing.assert_array_equal(masks.shadow, scene.shadow)
    assert scene.water.mean() == pytest.approx(0.01, abs=1e-3)
    assert len(np.unique(scene.elevation[scene.water])) == 1


def test_steep_front_slopes_fall_into_layover_and_steep_back_slopes_into_shadow():
    y, x = np.indices((81, 81), dtype=float) - 40.0
    cone = np.clip(1500.0 - np.hypot(x, y) * 40.0 * np.tan(np.radians(62.0)), 0.0, None)
    for heading, front in ((ASCENDING, slice(0, 40)), (DESCENDING, slice(41, 81))):
        scene = simulate.scene(elevation=cone, heading=heading, dates=3, slides=[])
        back = slice(41, 81) if front.start == 0 else slice(0, 40)
        assert scene.layover[40, front].sum() > 15
        assert scene.shadow[40, back].sum() > 5
        assert scene.shadow[40, front].sum() == 0


@pytest.mark.parametrize("heading", [ASCENDING, DESCENDING])
def test_radar_geometry_looks_along_increasing_columns(heading):
    scene = simulate.scene(4, shape=(40, 50), spacing=(30.0, 20.0), heading=heading, geometry="radar", dates=3)
    assert scene.header.grid is None
    assert set(scene.static()) == {
        "elevation", "incidence", "los_east", "los_north", "los_up", "latitude", "longitude"
    }  # fmt: skip
    assert np.all(np.diff(scene.incidence, axis=1) > 0.0)
    geod = pyproj.Geod(ellps="WGS84")
    lon, lat = scene.longitude, scene.latitude
    azimuth, _, metres = geod.inv(lon[0, 0], lat[0, 0], lon[-1, 0], lat[-1, 0])
    turn = np.radians(azimuth - heading)
    assert np.cos(turn) > 0.9999
    assert metres == pytest.approx(39 * 30.0, rel=2e-3)
    azimuth, _, metres = geod.inv(lon[0, 0], lat[0, 0], lon[0, -1], lat[0, -1])
    assert np.cos(np.radians(azimuth - heading - 90.0)) > 0.9999
    assert metres == pytest.approx(49 * 20.0, rel=2e-3)
    # The ground distance towards the satellite falls along the line of sight.
    towards = np.sin(np.radians(azimuth)) * scene.los_east[0, 0] + np.cos(np.radians(azimuth)) * scene.los_north[0, 0]
    assert towards < -0.5


def test_radar_slide_moves_down_its_slope():
    # The ground falls along rows, so along the flight: north-north-west.
    ramp = np.tile(-20.0 * np.arange(60.0)[:, None], (1, 60))
    scene = simulate.scene(elevation=ramp, geometry="radar", dates=3, slides=[Slide(30, 30, 900, 500, 0.1)])
    assert np.cos(scene.slides[0].direction - np.radians(ASCENDING)) > 0.9999


def test_the_same_seed_gives_the_same_scene_and_another_does_not(scene):
    again = simulate.scene(2, shape=(96, 120), dates=40, slides=4)
    other = simulate.scene(3, shape=(96, 120), dates=40, slides=4)
    for (name, first), (_, second), (_, third) in zip(arrays(scene), arrays(again), arrays(other), strict=True):
        np.testing.assert_array_equal(first, second, err_msg=name)
        if name not in ("quality", "shadow", "layover", "leaf_loss", "snow_loss", "los_north", "los_east", "los_up"):
            assert name == "incidence" or np.any(first != third), name


def test_more_dates_leave_everything_else_as_it_was(scene):
    longer = simulate.scene(2, shape=(96, 120), dates=50, slides=4)
    for (name, first), (_, second) in zip(arrays(scene), arrays(longer), strict=True):
        np.testing.assert_array_equal(first, second, err_msg=name)
    np.testing.assert_array_equal(longer.perpendicular_baseline[:40], scene.perpendicular_baseline)
    np.testing.assert_array_equal(simulate.phase_history(longer)[:40], simulate.phase_history(scene))


def test_dem_error_has_its_size_and_sits_on_ridges(scene):
    assert scene.dem_error.std() == pytest.approx(4.0, rel=0.3)
    lowered = simulate.scene(2, shape=(96, 120), dates=3, slides=4, dem_error=0.0)
    assert not lowered.dem_error.any()


def test_scene_can_be_pickled(scene):
    copy = pickle.loads(pickle.dumps(scene))
    np.testing.assert_array_equal(copy.velocity, scene.velocity)


def test_uniform_coherence_and_seasons():
    uniform = simulate.scene(1, shape=(32, 32), dates=3, coherence=Coherence.uniform(0.3, time=20.0, quality=0.8))
    gamma = uniform.coherence.between(uniform.dates[0], uniform.dates[1])
    np.testing.assert_allclose(gamma, 0.8 * (0.3 + 0.7 * np.exp(-12.0 / 20.0)), rtol=1e-5)
    winter, summer = np.datetime64("2020-01-20T00:00:00"), np.datetime64("2020-07-15T00:00:00")
    seasonal = simulate.scene(1, shape=(64, 64), dates=3, lowest=2300.0).coherence
    leafy, snowy = seasonal.leaf_loss > 0.4, seasonal.snow_loss > 0.9
    assert leafy.any()
    assert snowy.any()
    bare_low = (seasonal.leaf_loss < 0.1) & (seasonal.snow_loss < 0.1)
    leafy_low = leafy & (seasonal.snow_loss < 0.1)
    assert leafy_low.any()
    assert np.all(seasonal.quality_at(summer)[leafy_low] < 0.7 * seasonal.quality_at(winter)[leafy_low])
    assert np.all(seasonal.quality_at(winter)[snowy] < 0.2)
    assert np.all(seasonal.quality_at(summer)[bare_low] > 0.8)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seed": -1}, "seed: found -1"),
        ({"shape": (4, 4)}, "at least 8 x 8"),
        ({"incidence": 39.0}, "convert degrees"),
        ({"mean_slope": 24.0}, "mean_slope: found 24"),
        ({"water": 1.0}, "share of the scene"),
        ({"looks": (0, 4)}, "looks: found"),
        ({"id": "Burst-1"}, "a-z, 0-9"),
        ({"geometry": "slant"}, "'map' or 'radar'"),
        ({"baseline": -1.0}, "baseline: found"),
        ({"dem_error": float("nan")}, "dem_error: found nan"),
        ({"elevation": np.zeros(5)}, "elevation: found shape"),
        ({"elevation": np.zeros((8, 8)), "shape": (9, 9)}, "equal to shape"),
        ({"elevation": np.full((8, 8), np.nan)}, "fill holes"),
        ({"spacing": (-40.0, 40.0)}, "spacing"),
    ],
)
def test_bad_arguments_say_what_was_expected(arguments, message):
    with pytest.raises(ValueError, match=message):
        simulate.scene(**({"dates": 3, "slides": []} | arguments))


@pytest.mark.parametrize("name", ["bare_persistent", "quality", "vegetation"])
def test_coherence_shares_are_checked(name):
    with pytest.raises(ValueError, match=f"coherence {name}: found 1.5"):
        Coherence(**{name: 1.5})
    with pytest.raises(ValueError, match="more than 0"):
        Coherence(bare_time=0.0)
