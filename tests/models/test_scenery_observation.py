"""The fast way to a view against the slow one: pairs with speckle, through the kernels of a run."""

import dataclasses
import itertools

import numpy as np
import pytest

from slidecloud import simulate
from slidecloud.models.scenery.exact import stacked
from slidecloud.models.scenery.observation import observe
from slidecloud.models.scenery.survey import survey
from slidecloud.models.scenery.world import world_of
from slidecloud.simulate import Atmosphere, Coherence

SHAPE = (144, 144)
INNER = (slice(12, -12), slice(12, -12))
GROUND = {
    "pure noise": Coherence.uniform(0.05, time=1.0),
    "vegetated": Coherence.uniform(0.03, time=14.0, quality=0.95),
    "middling": Coherence.uniform(0.15, time=30.0, quality=0.95),
    "bare": Coherence.uniform(0.5, time=60.0, quality=0.95),
}


def quiet_scene(seed=3, *, coherence, dates=40, **options):
    quiet = {"slides": 0, "atmosphere": None, "dem_error": 0.0, "water": 0.0, "geometry": "radar"}
    return simulate.scene(seed, shape=SHAPE, dates=dates, coherence=coherence, **{**quiet, **options})


def both(scene, **options):
    times = survey(scene.dates, baseline=scene.perpendicular_baseline)
    slow = stacked(scene, times, **options)
    return slow, observe(world_of(scene), times, np.random.default_rng(1), **options)


def spread(values):
    return float(np.nanstd(values[INNER]))


@pytest.mark.parametrize("estimator", ["coherent", "sum"])
@pytest.mark.parametrize("ground", GROUND)
def test_decorrelation_is_as_large_as_that_of_the_pairs(ground, estimator):
    slow, fast = both(quiet_scene(coherence=GROUND[ground]), estimator=estimator)
    for axis in ("x", "y"):
        found, expected = spread(getattr(fast.view, axis)), spread(getattr(slow, axis))
        assert 0.75 < found / expected < 1.33, (axis, found, expected)
        sigma = np.nanmedian(getattr(fast.view, f"{axis}_sigma")) / np.nanmedian(getattr(slow, f"{axis}_sigma"))
        assert 0.7 < sigma < 1.4, (axis, sigma)
    np.testing.assert_allclose(np.nanmean(fast.view.coherence), np.nanmean(slow.coherence), atol=0.03)


@pytest.mark.parametrize("ground", ["vegetated", "bare"])
def test_decorrelation_has_the_spectrum_of_the_window(ground):
    slow, fast = both(quiet_scene(coherence=GROUND[ground]))
    for axis in ("x", "y"):
        found, expected = (bands(getattr(view, axis)[INNER]) for view in (fast.view, slow))
        # Each band holds some hundred frequencies: a few per cent of chance, and the law's own error.
        np.testing.assert_allclose(found, expected, rtol=0.25, atol=0.01)


def bands(field):
    """Share of the power in rings of wavenumber along x and along y, cycles per pixel."""
    power = np.abs(np.fft.fft2(field - field.mean())) ** 2
    k = np.hypot(np.fft.fftfreq(field.shape[0])[:, None], np.fft.fftfreq(field.shape[1])[None, :])
    edges = [0.0, 0.04, 0.08, 0.12, 0.2, 0.8]
    shares = [power[(k >= low) & (k < high)].sum() for low, high in itertools.pairwise(edges)]
    return np.array(shares) / power.sum()


def test_atmosphere_telescopes_to_the_same_size():
    air = Atmosphere(turbulence=0.006, stratified=0.0)
    coherence = Coherence.uniform(0.9, time=300.0)
    ratios = []
    for seed in range(3):
        slow, fast = both(quiet_scene(seed, coherence=coherence, atmosphere=air))
        ratios.append([spread(fast.view.x) / spread(slow.x), spread(fast.view.y) / spread(slow.y)])
    # A handful of independent fields on either side: their sizes scatter by some ten per cent.
    assert 0.75 < np.exp(np.log(ratios).mean()) < 1.33


def test_errors_of_the_elevation_model_show_where_they_are():
    # Small enough that angles add: phase that varies within a block lowers its weight, and errors no longer telescope.
    scene = quiet_scene(coherence=Coherence.uniform(0.9999, time=1e6), dem_error=3.0, baseline=30.0)
    slow, fast = both(scene)
    for axis in ("x", "y"):
        found, expected = (getattr(view, axis)[INNER] for view in (fast.view, slow))
        known = np.isfinite(found) & np.isfinite(expected)
        found, expected = found[known], expected[known]
        assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.97
        assert 0.8 < (found * expected).sum() / (expected**2).sum() < 1.2


@pytest.mark.parametrize(("estimator", "tolerance"), [("coherent", 0.02), ("sum", 0.03)])
def test_motion_is_shown_as_the_kernels_show_it(estimator, tolerance):
    scene = quiet_scene(coherence=Coherence.uniform(0.9, time=200.0), slides=4)
    slowed = [dataclasses.replace(slide, rate=0.2 * slide.rate, motion="linear") for slide in scene.slides]
    scene = quiet_scene(coherence=Coherence.uniform(0.9, time=200.0), slides=slowed)
    slow, fast = both(scene, estimator=estimator)
    for motion, found in ((fast.motion_x, slow.x), (fast.motion_y, slow.y)):
        known = np.isfinite(found)
        known[:12], known[-12:], known[:, :12], known[:, -12:] = False, False, False, False
        slope = (motion * found)[known].sum() / (motion**2)[known].sum()
        np.testing.assert_allclose(slope, 1.0, atol=tolerance)
        assert np.corrcoef(motion[known], found[known])[0, 1] > 0.98


def test_seasonal_motion_shows_in_its_season_alone():
    slides = [simulate.Slide(70, 70, 1200.0, 900.0, 0.06, motion="oscillating")]
    scene = quiet_scene(coherence=Coherence.uniform(0.9, time=200.0), slides=slides, dates=92)
    times = survey(scene.dates)
    summer, winter, year = (
        observe(world_of(scene), times, np.random.default_rng(0), season=season) for season in (0, 1, None)
    )
    np.testing.assert_allclose(winter.motion_x, -summer.motion_x, atol=0.25 * np.abs(summer.motion_x).max())
    assert np.abs(year.motion_x).max() < 0.2 * np.abs(summer.motion_x).max()


def test_fast_motion_is_aliased_as_angles_are():
    slides = [simulate.Slide(70, 70, 1200.0, 900.0, 4.0)]
    scene = quiet_scene(coherence=Coherence.uniform(0.9, time=200.0), slides=slides)
    seen = observe(world_of(scene), survey(scene.dates), np.random.default_rng(0))
    slow_world = dataclasses.replace(world_of(scene), los_rate=scene.los_rate / 100)
    slower = observe(slow_world, survey(scene.dates), np.random.default_rng(0))
    assert np.abs(seen.motion_x).max() < 50 * np.abs(slower.motion_x).max()
    # Half a turn across the lever of 6 pixels in the shortest span, 12 days.
    turn = 0.5 * 0.5 * 0.05546576 / (12 / 365.25) / (6 * 40.0)
    assert np.abs(seen.motion_x).max() <= turn


def test_a_season_without_pairs_is_refused():
    scene = quiet_scene(coherence=GROUND["bare"], dates=6)
    with pytest.raises(ValueError, match="no pair in season 0"):
        observe(world_of(scene), survey(scene.dates), np.random.default_rng(0), season=0)
    with pytest.raises(ValueError, match="expected the 6 of the scene"):
        stacked(scene, survey(7))
