"""Drawn piece by piece, a sample is that of the whole land."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from region import region

from slidecloud.config_susceptibility import SusceptibilityConfig
from slidecloud.hazard.drawing import part, sample_of, whole
from slidecloud.hazard.ground import Ground, sampled
from slidecloud.types import DataError

METHODS = (
    {"method": "random", "ratio": 2},
    {"method": "buffered", "distance": 900},
    {"method": "slope", "slope": "steep", "least_slope": 20},
    {"method": "target_group", "effort": "steep"},
)


def _ground():
    land = region(0, side=40, mean=-3.5)
    table = land.table.assign(steep=np.abs(land.table["slope"]) / 2, rock=np.arange(land.slid.size) % 3 - 1)
    table.iloc[:200, 0] = np.nan
    return Ground(table, land.x, land.y, land.slid, ("rock",))


def _piece(ground, at):
    return Ground(ground.table.iloc[at], ground.x[at], ground.y[at], ground.slid[at], ground.categories)


@pytest.mark.parametrize("absences", METHODS, ids=lambda one: one["method"])
@settings(max_examples=8, deadline=None)
@given(cuts=st.lists(st.integers(1, 1599), max_size=4, unique=True))
def test_pieces_give_what_the_whole_gives(absences, cuts):
    ground = _ground()
    config = SusceptibilityConfig(absences=absences, slides="-")
    slides = np.stack([ground.x, ground.y], axis=1)[ground.slid]
    pieces = np.split(np.arange(1600), sorted(cuts))
    most = 2 * int(ground.slid.sum())
    parts = [part(_piece(ground, at), at, config, most=most, slides=slides) for at in reversed(pieces)]
    rows, eligible, unknown = whole(parts, config, most=most)
    expected, places = sampled(_piece(ground, np.arange(1600)), config)
    np.testing.assert_array_equal(rows["place"], expected.place)
    np.testing.assert_array_equal(rows["slide"], expected.event)
    np.testing.assert_array_equal(rows[list(places.table)].to_numpy(), places.table.to_numpy())
    found = sample_of(rows["place"], rows["slide"].to_numpy(bool), eligible, config.absences, config.seed)
    assert found.record() == expected.record()
    assert unknown == (ground.slid & ~ground.known(["slope", "rock"])).sum() > 0


def test_given_absences_are_taken_as_they_are():
    ground = _ground()
    other = np.arange(1600) % 10 == 0
    given = {"method": "given", "column": "slid"}
    config = SusceptibilityConfig(absences=given, slides="-", true_share=0.1)
    rows, eligible, _ = whole([part(ground, np.arange(1600), config, most=1, other=other)], config, most=1)
    expected = other & ~ground.slid & ground.known(ground.table.columns)
    assert rows["place"][~rows["slide"]].tolist() == np.flatnonzero(expected).tolist()
    assert eligible == expected.sum()


def test_barred_ground_is_neither():
    ground = _ground()
    config = SusceptibilityConfig(slides="-", absences={"ratio": 50})
    barred = ~ground.slid & (np.arange(1600) % 2 == 0)
    rows, _, _ = whole([part(ground, np.arange(1600), config, most=5000, barred=barred)], config, most=5000)
    assert not barred[rows["place"]].any()


def test_places_without_a_region_are_not_drawn():
    """They would be taken for a region of their own. Rock is -1 on every third cell."""
    ground = _ground()
    config = SusceptibilityConfig(
        slides="-", factors=("slope",), absences={"ratio": 50}, splits={"method": "regions", "region": "rock"}
    )
    rows, _, unknown = whole([part(ground, np.arange(1600), config, most=5000)], config, most=5000)
    assert set(rows["rock"]) == {0, 1}
    assert unknown == (ground.slid & ~ground.known(["slope", "rock"])).sum() > 0


def test_land_without_a_slide_is_refused():
    ground = _ground()
    bare = Ground(ground.table, ground.x, ground.y, np.zeros(1600, bool), ground.categories)
    config = SusceptibilityConfig(slides="-")
    with pytest.raises(DataError, match="found 0 slides and 1 places without one"):
        whole([part(bare, np.arange(1600), config, most=1)], config, most=1)
