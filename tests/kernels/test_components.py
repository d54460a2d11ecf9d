"""Whole turns between connected components, and unwrapping in parts that hang together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slidecloud.kernels.components import LEFT_OUT, levelled, turns
from slidecloud.kernels.unwrapping import Unwrapped
from slidecloud.kernels.unwrapping_parts import parts, unwrap_in_parts

TURN = 2 * np.pi


@given(st.lists(st.integers(-20, 20), min_size=2, max_size=6), st.integers(0, 2**31))
def test_components_come_to_the_level_of_the_largest(jumps, seed):
    rng = np.random.default_rng(seed)
    component = np.repeat(np.arange(1, len(jumps) + 1), 200 - 10 * np.arange(len(jumps))).astype(np.uint8)
    true = rng.normal(0, 0.5, component.size)
    phase = (true + TURN * np.array(jumps)[component - 1]).astype(np.float32)
    found = turns(phase, component, np.ones(component.size, bool), least=5)
    assert found[1 : len(jumps) + 1].tolist() == [jump - jumps[0] for jump in jumps]
    assert np.allclose(levelled(phase, component, found), true + TURN * jumps[0], atol=1e-4)


def test_a_component_that_the_still_ground_does_not_reach_is_left_out():
    component = np.repeat(np.array([1, 2, 0], np.uint8), 50)
    phase = np.zeros(150, np.float32)
    found = turns(phase, component, component == 1, least=5)
    assert (found[0], found[1], found[2]) == (0, 0, LEFT_OUT)
    assert np.isnan(levelled(phase, component, found)[component == 2]).all()
    assert (turns(phase, component, np.zeros(150, bool)) == LEFT_OUT).all()
    nowhere = turns(phase, np.zeros(150, np.uint8), np.ones(150, bool))
    assert nowhere[0] == 0
    with pytest.raises(ValueError, match="expected one shape"):
        turns(phase, component[:10], component == 1)


@given(st.integers(30, 200), st.integers(30, 200))
def test_parts_cover_everything_and_overlap(height, width):
    seen = np.zeros((height, width), int)
    for rows, columns in parts((height, width), largest=1600, overlap=10):
        assert (rows.stop - rows.start) * (columns.stop - columns.start) <= 1600
        seen[rows, columns] += 1
    assert seen.min() == 1
    if height * width > 1600:
        assert seen.max() > 1


@given(st.integers(0, 2**31))
def test_parts_leave_no_seam(seed):
    """Whatever level a program gives each part, the whole is the true phase but for one constant of whole turns."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:90, :130]
    true = 0.2 * x + 0.1 * y + 8 * np.sin(x / 20) + rng.normal(0, 0.2, (90, 130))
    angle = (np.mod(np.rint(true * 32768 / np.pi), 65536)).astype(np.uint16).view(np.int16)
    coherence = np.full(true.shape, 200, np.uint8)
    places = iter(parts(true.shape, largest=1600, overlap=8))

    def program(phase, quality):
        rows, columns = next(places)
        level = TURN * rng.integers(-9, 10)
        return Unwrapped((true[rows, columns] + level).astype(np.float32), np.ones(phase.shape, np.uint8))

    found = unwrap_in_parts(angle, coherence, program, largest=1600, overlap=8)
    difference = (found.phase - true) / TURN
    assert np.abs(difference - np.rint(difference)).max() < 1e-4
    assert np.unique(np.rint(difference)).size == 1
    assert (found.component == 1).all()


def test_too_much_overlap_is_refused():
    with pytest.raises(ValueError, match="twice the overlap"):
        unwrap_in_parts(np.zeros((50, 50), np.int16), np.ones((50, 50), np.uint8), Unwrapped, largest=100, overlap=9)
