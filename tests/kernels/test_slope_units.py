"""Half-basins of a valley are its two sides; patches are what hangs together along edges."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage

from slidecloud.hazard.flow import flow
from slidecloud.kernels.slope_units import borders, extents, half_basins, patches, sums

SMALL = st.tuples(st.integers(1, 12), st.integers(1, 12))


def valley(rows=40, columns=31):
    """A straight valley that falls to the south, its stream in the middle column."""
    y, x = np.mgrid[0:rows, 0:columns].astype(float)
    return 1000 - 2.0 * y + 30.0 * np.abs(x - columns // 2)


def test_half_basins_of_a_valley_are_its_two_sides():
    found = flow(valley(), spacing=(30.0, 30.0))
    region = np.zeros(found.direction.shape, np.int32)
    label = half_basins(*found, region, threshold=800)
    middle = label.shape[1] // 2
    inside = label[5:-5]
    assert len(np.unique(inside)) == 2
    # Seen downstream, to the south, the left bank is in the east; the stream belongs to it.
    assert (inside[:, :middle] == inside[0, 0]).all()
    assert (inside[:, middle:] == inside[0, -1]).all()
    whole = half_basins(*found, region, threshold=800, sides=False)
    assert len(np.unique(whole[5:-5])) == 1


def test_streams_of_a_lower_threshold_cut_within_the_half_basins_of_a_higher_one():
    rng = np.random.default_rng(5)
    height = valley(60, 61) + ndimage.gaussian_filter(rng.normal(0, 300, (60, 61)), 3)
    found = flow(height, spacing=(30.0, 30.0))
    region = np.zeros(height.shape, np.int32)
    coarse = half_basins(*found, region, threshold=1000)
    few = len(np.unique(coarse))
    for threshold in (400, 150, 60):
        finer = half_basins(*found, region, threshold=threshold)
        together = np.unique(np.stack([finer.ravel(), coarse.ravel()]), axis=1)
        assert len(np.unique(together[0])) == together.shape[1], "a finer half-basin lies in two coarser ones"
        coarse = finer
    assert len(np.unique(coarse)) > 2 * few


def test_a_region_is_cut_as_if_it_were_alone():
    rng = np.random.default_rng(11)
    height = valley(50, 51) + ndimage.gaussian_filter(rng.normal(0, 300, (50, 51)), 3)
    found = flow(height, spacing=(30.0, 30.0))
    links = half_basins(*found, np.zeros(height.shape, np.int32), threshold=500, sides=False)
    region = np.unique(links, return_inverse=True)[1].reshape(links.shape).astype(np.int32)
    together = half_basins(*found, region, threshold=60)
    for one in range(region.max() + 1):
        alone = half_basins(*found, np.where(region == one, 0, -1).astype(np.int32), threshold=60)
        inside = region == one
        assert (alone[~inside] == -1).all()
        assert np.array_equal(alone[inside], together[inside])


@settings(deadline=None)
@given(arrays.arrays(np.int8, SMALL, elements=st.integers(-1, 3)), st.data())
def test_patches_are_connected_components_numbered_by_their_first_cells(label, data):
    region = data.draw(arrays.arrays(np.int32, label.shape, elements=st.integers(-1, 1)))
    found = patches(label, region)
    assert ((found.label < 0) == ((label < 0) | (region < 0))).all()
    count = 0
    for value in range(4):
        for part in range(2):
            components, number = ndimage.label((label == value) & (region == part))
            count += number
            for one in range(1, number + 1):
                assert len(np.unique(found.label[components == one])) == 1
    assert count == len(found.first)
    assert (np.diff(found.first) > 0).all()
    assert np.array_equal(found.label.ravel()[found.first], np.arange(count))


@given(arrays.arrays(np.int32, SMALL, elements=st.integers(-1, 4)))
def test_borders_are_found_once(label):
    region = np.where(label >= 0, label // 3, -1).astype(np.int32)
    wanted = set()
    for (i, j), one in np.ndenumerate(label):
        for k, m in ((i, j + 1), (i + 1, j)):
            if k < label.shape[0] and m < label.shape[1]:
                other = label[k, m]
                if one != other and min(one, other) >= 0 and region[i, j] == region[k, m]:
                    wanted.add((min(one, other), max(one, other)))
    found = borders(label, region)
    assert [tuple(pair) for pair in found.tolist()] == sorted(wanted)


def test_sums_do_not_depend_on_the_window():
    rng = np.random.default_rng(2)
    label = np.full((20, 30), -1, np.int32)
    label[5:12, 6:20] = rng.integers(0, 3, (7, 14))
    values = rng.normal(0, 1e6, label.shape)
    assert np.array_equal(sums(label, values, 3), sums(label[4:13, 5:22], values[4:13, 5:22], 3))


@settings(deadline=None)
@given(arrays.arrays(np.int32, SMALL, elements=st.integers(-1, 4)))
def test_extents_are_those_of_the_cells(label):
    found = patches(label, np.where(label >= 0, 0, -1).astype(np.int32))
    name = np.where(found.label >= 0, np.append(found.first, 0)[found.label] + 1, 0).astype(np.int32)
    names, edges = extents(name)
    assert names.tolist() == (found.first + 1).tolist()
    for one, (top, bottom, left, right) in zip(names, edges, strict=True):
        rows, columns = np.nonzero(name == one)
        assert (top, bottom, left, right) == (rows.min(), rows.max() + 1, columns.min(), columns.max() + 1)
