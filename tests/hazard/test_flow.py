"""Water runs down the steepest way, out of every pit, and off the grid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from slidecloud.hazard.flow import flow
from slidecloud.kernels.flow import DOWN, NOWHERE, PIT, RIGHT

NEIGHBOURS = list(zip(DOWN, RIGHT, strict=True))


def spill_levels(height):
    """The level to which each cell has to be filled so that it spills over the border, by repetition."""
    level = np.full(height.shape, np.inf)
    valid = np.isfinite(height)
    around = np.pad(valid, 1)
    border = valid & ~np.all([np.roll(around, (-d, -r), (0, 1))[1:-1, 1:-1] for d, r in NEIGHBOURS], axis=0)
    level[border] = height[border]
    while True:
        padded = np.pad(level, 1, constant_values=np.inf)
        lowest = np.min([np.roll(padded, (-d, -r), (0, 1))[1:-1, 1:-1] for d, r in NEIGHBOURS], axis=0)
        new = np.where(valid, np.minimum(level, np.maximum(height, lowest)), np.inf)
        if np.array_equal(new, level):
            return level
        level = new


def path(direction, cell):
    """Cells from one to where its water leaves."""
    seen = [cell]
    while direction[cell] != PIT:
        turn = int(np.log2(direction[cell]))
        cell = (cell[0] + DOWN[turn], cell[1] + RIGHT[turn])
        assert cell not in seen, "water runs in a circle"
        seen.append(cell)
    return seen


@pytest.mark.parametrize("turn", range(8))
@pytest.mark.parametrize("spacing", [(30.0, 30.0), (20.0, 50.0)])
def test_a_plane_drains_the_way_it_falls(turn, spacing):
    y, x = np.mgrid[0:9, 0:12]
    length = np.hypot(spacing[0] * DOWN[turn], spacing[1] * RIGHT[turn])
    fall = (DOWN[turn] * spacing[0] ** 2 * y + RIGHT[turn] * spacing[1] ** 2 * x) / length
    found = flow(500 - 0.3 * fall, spacing=spacing)
    assert (found.direction[1:-1, 1:-1] == 1 << turn).all()


@settings(deadline=None, max_examples=60)
@given(
    arrays.arrays(np.int8, st.tuples(st.integers(2, 9), st.integers(2, 9)), elements=st.integers(0, 6)),
    st.sets(st.integers(0, 80), max_size=6),
)
def test_water_never_rises_above_the_level_at_which_it_spills(heights, holes):
    height = heights.astype(np.float32)
    for hole in holes:
        if hole < height.size - 1:
            height.flat[hole] = np.nan
    found = flow(height, spacing=(1.0, 1.0))
    level = spill_levels(height)
    through = np.zeros(height.shape, int)
    for cell in zip(*np.nonzero(np.isfinite(height)), strict=True):
        way = path(found.direction, cell)
        for step in way:
            through[step] += 1
        if len(way) > 1:
            fall = {
                (d, r): (level[cell] - level[cell[0] + d, cell[1] + r]) / np.hypot(d, r)
                for d, r in NEIGHBOURS
                if 0 <= cell[0] + d < height.shape[0] and 0 <= cell[1] + r < height.shape[1]
            }
            taken = fall[(way[1][0] - cell[0], way[1][1] - cell[1])]
            assert taken == max(0.0, *fall.values())
    assert np.array_equal(found.accumulation, through)
    assert ((found.direction == NOWHERE) == np.isnan(height)).all()


def test_stems_follow_the_larger_branch_to_the_divide():
    """A valley to the south with a shorter one from the west: the long one is one stem, and so is the short."""
    y, x = np.mgrid[0:40, 0:31].astype(float)
    height = 1000 - 5.0 * y + 40.0 * np.abs(x - 20)
    side = (x <= 20) & (y >= 10) & (y <= 30)
    height = np.where(side, np.minimum(height, 1000 - 5.0 * 20 + 3.0 * (20 - x) + 40.0 * np.abs(y - 20)), height)
    found = flow(height, spacing=(30.0, 30.0))
    trunk, branch = found.stem[2:39, 20], found.stem[20, 5:20]
    assert (trunk == found.accumulation[39, 20]).all()
    assert (branch == found.accumulation[20, 19]).all()
    assert branch[0] < trunk[0]
    assert (found.stem >= found.accumulation).all()


@pytest.mark.parametrize(
    ("elevation", "spacing", "said"),
    [
        (np.zeros(5), (1.0, 1.0), "shape"),
        (np.full((4, 4), np.nan), (1.0, 1.0), "no value"),
        (np.full((4, 4), np.inf), (1.0, 1.0), "infinities"),
        (np.zeros((4, 4)), (-30.0, 30.0), "sign"),
    ],
)
def test_what_is_no_ground_is_refused(elevation, spacing, said):
    with pytest.raises(ValueError, match=said):
        flow(elevation, spacing=spacing)
