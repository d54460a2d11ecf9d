"""Small pieces join the neighbour that faces most like them, within the limits."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from slidecloud.hazard.merging import Pieces, joined


def facing(cells, degrees):
    """Pieces whose cells all face one way."""
    cells, aspect = np.array(cells), np.radians(degrees)
    return Pieces(cells, cells, cells * np.cos(aspect), cells * np.sin(aspect))


def test_a_small_piece_joins_what_faces_most_like_it():
    pieces = facing([100, 3, 100], [10.0, 30.0, 90.0])
    owner = joined(pieces, np.array([[0, 1], [1, 2]]), least=10, largest=1000, spread=0.5)
    assert owner.tolist() == [0, 0, 2]


def test_it_stays_alone_where_the_limits_forbid_it():
    pieces = facing([10, 8, 10], [0.0, 180.0, 0.0])
    assert joined(pieces, np.array([[0, 1], [1, 2]]), least=9, largest=1000, spread=0.3).tolist() == [0, 1, 2]
    pieces = facing([10, 8, 10], [0.0, 0.0, 0.0])
    assert joined(pieces, np.array([[0, 1], [1, 2]]), least=9, largest=17, spread=0.3).tolist() == [0, 1, 2]


def test_flat_ground_joins_anything_and_adds_no_aspect():
    pieces = Pieces(np.array([50, 5]), np.array([50, 0]), np.array([50.0, 0.0]), np.array([0.0, 0.0]))
    assert joined(pieces, np.array([[0, 1]]), least=10, largest=100, spread=0.1).tolist() == [0, 0]


@settings(deadline=None)
@given(st.integers(2, 30), st.integers(0, 2**31), st.floats(0.05, 0.6))
def test_no_small_piece_is_left_that_could_join_another(count, seed, spread):
    rng = np.random.default_rng(seed)
    pieces = facing(rng.integers(1, 30, count), rng.uniform(0, 360, count))
    pairs = np.sort(rng.integers(0, count, (3 * count, 2)), axis=1)
    touching = np.unique(pairs[pairs[:, 0] < pairs[:, 1]], axis=0)
    owner = joined(pieces, touching, least=20, largest=60, spread=spread)
    assert np.array_equal(owner[owner], owner)
    assert (owner <= np.arange(count)).all()
    whole = Pieces(*(np.bincount(owner, weights=values, minlength=count) for values in pieces))
    assert (whole.spread <= spread + 1e-12).all()
    grown = np.bincount(owner, minlength=count) > 1
    assert (whole.cells[grown] <= 60).all()
    for one, other in {(owner[a], owner[b]) for a, b in touching.tolist() if owner[a] != owner[b]}:
        both = Pieces(*(np.array([values[one] + values[other]]) for values in whole))
        if min(whole.cells[one], whole.cells[other]) < 20:
            assert both.cells[0] > 60 or both.spread[0] > spread - 1e-12
