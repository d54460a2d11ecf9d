"""Two dates of one place: what is asked for is there, and each subject leaves the others alone."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from slidecloud.kernels.terrain import slope_aspect
from slidecloud.simulate.optical import BANDS, FAMILIES, optical_scene
from slidecloud.simulate.optical.scars import STEEP, coverage

SHAPE = (160, 160)


@pytest.fixture(scope="module", params=sorted(FAMILIES))
def scene(request):
    return optical_scene(11, family=request.param, shape=SHAPE, bands=BANDS, slides=8)


def vegetation_index(image):
    red, nir = image[BANDS.index("red")], image[BANDS.index("nir")]
    return (nir - red) / (nir + red)


def test_a_scene_is_a_pure_function_of_its_seed():
    first, again, other = (optical_scene(seed, shape=(64, 64)) for seed in (4, 4, 5))
    np.testing.assert_array_equal(first.images, again.images)
    np.testing.assert_array_equal(first.labels, again.labels)
    assert first.grid == again.grid
    assert abs(np.corrcoef(first.images[0, 0].ravel(), other.images[0, 0].ravel())[0, 1]) < 0.9
    assert abs(first.grid.left - other.grid.left) > 64 * 5.0


def test_shapes_types_and_values(scene):
    assert scene.images.shape == (2, len(BANDS), *SHAPE)
    assert scene.images.dtype == np.float32
    assert scene.labels.shape == (2, *SHAPE)
    assert scene.images.min() > 0.0
    counts = scene.images.astype(np.float64) * 1e4
    np.testing.assert_allclose(counts, counts.round(), atol=2e-3)
    assert set(np.unique(scene.labels)) <= set(range(len(scene.scars) + 1))


def test_bands_are_chosen_from_the_same_image(scene):
    fewer = optical_scene(11, family=scene.family, shape=SHAPE, bands=("nir", "blue"), slides=8)
    np.testing.assert_array_equal(fewer.images, scene.images[:, [BANDS.index("nir"), 0]])
    np.testing.assert_array_equal(fewer.labels, scene.labels)


def test_slides_do_as_their_fate_says(scene):
    before, after = ([(labels == number).sum() for number in range(1, len(scene.scars) + 1)] for labels in scene.labels)
    for number, (scar, first, last) in enumerate(zip(scene.scars, before, after, strict=True), 1):
        if scar.fate == "new":
            assert first == 0
            assert last >= 12
        elif scar.fate == "vanished":
            assert first >= 12
            assert last == 0
        elif scar.fate == "lasting":
            assert first == last >= 12
        else:
            assert 0 < first < 0.9 * last
            common = (scene.labels[0] == number) & (scene.labels[1] == number)
            assert common.sum() > 0.8 * first
    assert {scar.fate for scar in scene.scars} == {"new", "lasting", "grown", "vanished"}


def test_slides_begin_on_steep_ground_run_down_it_and_lie_apart(scene):
    slope = slope_aspect(ndimage.gaussian_filter(scene.elevation, 12.0 / 5.0, mode="nearest"), spacing=(5.0, 5.0)).slope
    for scar in scene.scars:
        head, toe = (tuple(np.rint(scar.path[end]).astype(int)) for end in (0, -1))
        assert slope[head] > STEEP - 1e-3
        assert scene.elevation[toe] < scene.elevation[head]
    widest = np.maximum(scene.labels[0], scene.labels[1])
    for number in range(1, len(scene.scars) + 1):
        around = ndimage.binary_dilation(widest == number, iterations=2)
        assert set(np.unique(widest[around])) <= {0, number}


def test_slides_lie_apart_where_there_is_no_room_for_all():
    crowded = optical_scene(0, shape=(96, 96), slides=40)
    assert 20 < len(crowded.scars) < 40
    areas = [coverage(scar, (96, 96), seed=0, number=number) > 0.5 for number, scar in enumerate(crowded.scars)]
    around = [ndimage.binary_dilation(area, iterations=2) for area in areas]
    assert np.sum(areas, axis=0)[np.sum(around, axis=0) > 1].max() == 0


def test_new_slides_bare_the_ground_that_was_green():
    """Where a new slide lies in full view, the vegetation index falls; about it, it does not."""
    scene = optical_scene(11, family="humid", shape=SHAPE, bands=BANDS, clouds=0.0)
    change = vegetation_index(scene.images[1]) - vegetation_index(scene.images[0])
    new = [number for number, scar in enumerate(scene.scars, 1) if scar.fate == "new"]
    fresh = np.isin(scene.labels[1], new)
    nothing = ~ndimage.binary_dilation(scene.labels.max(0) > 0, iterations=3)
    assert np.median(change[ndimage.binary_erosion(fresh)]) < -0.25
    assert abs(np.median(change[nothing])) < 0.1


def test_families_look_different():
    """Mean reflectance in the sun, of any two families, differs by more than a tenth in some band."""
    means = {
        name: np.median(optical_scene(2, family=name, shape=(96, 96), bands=BANDS, clouds=0.0).images[0], (1, 2))
        for name in FAMILIES
    }
    names = sorted(means)
    for number, one in enumerate(names):
        for other in names[number + 1 :]:
            assert np.abs(np.log(means[one] / means[other])).max() > 0.1, (one, other)


def test_clouds_change_nothing_but_what_they_cover_or_shade():
    clear, cloudy = (optical_scene(7, shape=SHAPE, clouds=share) for share in (0.0, 0.2))
    np.testing.assert_array_equal(clear.labels, cloudy.labels)
    assert not clear.clouded.any()
    for date in (0, 1):
        assert cloudy.clouded[date].mean() == pytest.approx(0.2, abs=0.04)
        assert cloudy.images[date, 0][cloudy.clouded[date]].mean() > 2 * clear.images[date, 0].mean()
        differs = np.abs(clear.images[date] - cloudy.images[date]).max(0)
        seen = ndimage.binary_dilation(cloudy.clouded[date] | cloudy.shaded[date], iterations=2)
        # The edges of clouds, too thin to count, change the light by less than those that count do.
        assert differs[~seen].max() < 0.15
        assert np.mean(differs[~seen] == 0.0) > 0.5
        assert differs[cloudy.clouded[date]].min() > 0.0
        assert not cloudy.mask(date)[cloudy.clouded[date]].any()
        np.testing.assert_array_equal(clear.mask(date), clear.labels[date] > 0)


def test_no_slides_where_none_are_asked_for():
    scene = optical_scene(3, shape=(64, 64), slides=0)
    assert scene.scars == ()
    assert not scene.labels.any()


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"seed": -1}, "seed: found -1"),
        ({"family": "lunar"}, "family: found 'lunar', expected one of humid"),
        ({"shape": (63, 100)}, "at least 64 x 64"),
        ({"spacing": 0.5}, "spacing: found 0.5"),
        ({"bands": ("red", "thermal")}, "bands: found red, thermal"),
        ({"bands": ("red", "red")}, "expected each once"),
        ({"bands": ()}, "bands: found none"),
        ({"slides": -1}, "slides: found -1"),
        ({"clouds": 0.95}, "clouds: found 0.95"),
    ],
)
def test_what_cannot_be_made_is_named(asked, words):
    with pytest.raises(ValueError, match=words):
        optical_scene(**{"shape": (64, 64)} | asked)
