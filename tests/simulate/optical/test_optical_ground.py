"""Ways, fields and cover of the simulated ground."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from slidecloud.simulate.optical.families import FAMILIES
from slidecloud.simulate.optical.ground import ground, paint
from slidecloud.simulate.optical.materials import BANDS, REFLECTANCE, spectrum
from slidecloud.simulate.optical.parcels import STATES, parcels
from slidecloud.simulate.optical.relief import relief
from slidecloud.simulate.optical.routes import routes


@pytest.fixture(scope="module")
def humid():
    return relief(5, shape=(128, 160), spacing=5.0, family=FAMILIES["humid"])


def test_a_river_is_one_way_through_the_scene_and_keeps_to_the_valley(humid):
    river = routes(5, humid.elevation, spacing=5.0, family=FAMILIES["humid"]).river
    near = river < 5.0
    _, parts = ndimage.label(near, np.ones((3, 3)))
    assert parts == 1
    rows, columns = np.nonzero(near)
    assert max(np.ptp(rows), np.ptp(columns)) > 0.4 * 160
    assert humid.elevation[near].mean() < np.quantile(humid.elevation, 0.3)


def test_roads_climb_gently():
    """Roads go along slopes, not up them: over ten scenes their grade is a fraction of the slope that they cross."""
    grades, slopes = [], []
    for seed in range(10):
        form = relief(seed, shape=(128, 160), spacing=5.0, family=FAMILIES["humid"])
        roads = routes(seed, form.elevation, spacing=5.0, family=FAMILIES["humid"]).roads
        gone = np.gradient(ndimage.gaussian_filter(roads, 2.0))
        across = np.hypot(*gone)
        beside = (roads > 8.0) & (roads < 15.0) & (form.slope > 0.3) & (across > 0.5)
        along = np.stack([-gone[1], gone[0]]) / np.maximum(across, 1e-9)
        grades.append(np.abs((form.rise * along).sum(0))[beside])
        slopes.append(np.tan(form.slope[beside]))
    grade, slope = np.concatenate(grades), np.concatenate(slopes)
    assert grade.size > 1000
    # A way that does not mind crosses slopes at any angle: the median of |cos| is then 0.71.
    assert np.median(grade / slope) < 0.5


def test_roads_mind_the_grade_whatever_the_spacing():
    """Ground stretched in all directions has the same grades, and so the same roads."""
    elevation = relief(3, shape=(64, 64), spacing=20.0, family=FAMILIES["humid"]).elevation
    near, far = (routes(3, k * elevation, spacing=20.0 * k, family=FAMILIES["humid"]).roads for k in (1.0, 1.5))
    np.testing.assert_allclose(far, 1.5 * near, rtol=1e-5)


def test_fields_lie_on_gentle_ground_and_change(humid):
    family = FAMILIES["terraces"]
    form = relief(5, shape=(128, 160), spacing=5.0, family=family)
    found = parcels(5, form, family=family, dates=2)
    inside = found.farmed > 0
    assert inside.mean() > 0.1
    assert np.mean(form.slope[inside] < family.farmed_slope) > 0.7
    changed = (found.state[0] != found.state[1])[inside].mean()
    assert 0.25 < changed < 0.65
    assert set(np.unique(found.state)) <= set(range(len(STATES)))
    assert (found.houses <= inside).all()


def test_snow_lies_high_and_only_where_the_family_has_it(humid):
    alpine = relief(5, shape=(96, 96), spacing=5.0, family=FAMILIES["alpine"])
    white = ground(5, alpine, family=FAMILIES["alpine"], dates=2).snow > 0.5
    assert white[0].mean() == pytest.approx(0.06, abs=0.01)
    assert white[1].mean() == pytest.approx(0.04, abs=0.01)
    assert alpine.elevation[white[0]].min() > np.median(alpine.elevation)
    assert not ground(5, humid, family=FAMILIES["humid"], dates=2).snow.any()


def test_painting_is_mixing():
    canvas = np.full((2, 1, 3), 0.4, np.float32)
    share = np.array([[0.0, 0.5, 1.0]], np.float32)
    paint(canvas, share, np.array([0.2, 0.8], np.float32))
    np.testing.assert_allclose(canvas[:, 0], [[0.4, 0.3, 0.2], [0.4, 0.6, 0.8]], rtol=1e-6)


def test_spectra_have_the_marks_of_their_kind():
    blue, green, red, _, nir, swir, _ = range(len(BANDS))
    for name in ("broadleaf", "conifer", "meadow", "crop"):
        leaves = spectrum(name)
        assert leaves[nir] > 3 * leaves[red]
        assert leaves[green] > leaves[red]
    for name in ("brown soil", "red soil", "loess"):
        assert (np.diff(spectrum(name)[blue : swir + 1]) > 0).all()
    snow = spectrum("snow")
    assert (snow[green] - snow[swir]) / (snow[green] + snow[swir]) > 0.4
    assert all(spectrum(name).min() > 0 and spectrum(name).max() < 1 for name in REFLECTANCE)
