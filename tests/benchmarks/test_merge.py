"""A nation's detections become its inventory in seconds: time grows with their number, not with its square."""

from __future__ import annotations

import time

import numpy as np
import pytest
import shapely

from slidecloud.kernels.boxes import giou
from slidecloud.kernels.places import same_slides
from slidecloud.pipeline.merge import merged
from slidecloud.products.density import area_fraction, density, density_grid
from slidecloud.store import tables
from slidecloud.store.inventory_specs import DETECTIONS

BURSTS = 486
LANDSLIDES = 60_000
AREA = (98.0, 27.0, 104.0, 32.0)
"""West, south, east, north: about 180,000 km2 are seen, from both sides."""


def nation(count: int, *, bursts: int = BURSTS) -> list[object]:
    """Detections of a nation's bursts: each landslide is seen by one to three of them, at slightly other places."""
    rng = np.random.default_rng(0)
    west, south, east, north = AREA
    places = np.stack([rng.uniform(west, east, count), rng.uniform(south, north, count)], axis=1)
    again = rng.integers(0, count, round(count * 2 / 3))
    seen = np.concatenate([places, places[again] + rng.normal(0, 1e-3, (len(again), 2))])
    half = rng.uniform(1.5e-3, 6e-3, (len(seen), 2))
    lower, upper = np.round(seen - half, 7), np.round(seen + half, 7)
    burst = rng.integers(0, bursts, len(seen))
    frames = []
    for number in range(bursts):
        mine = burst == number
        shapes = shapely.box(*lower[mine].T, *upper[mine].T)
        values = {spec.name: rng.uniform(0, 1, mine.sum()) for spec in DETECTIONS}
        values |= {spec.name: [f"{spec.name}{number}"] * mine.sum() for spec in DETECTIONS if spec.dtype == "text"}
        values |= {"pair_count": np.full(mine.sum(), 100)}
        values |= dict(zip(("west", "south", "east", "north"), (*lower[mine].T, *upper[mine].T), strict=True))
        frames.append(tables.table(DETECTIONS, values, list(shapes)))
    return frames


@pytest.mark.long
def test_a_nation_is_merged_in_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    took = {}
    for count in (LANDSLIDES // 4, LANDSLIDES):
        stored = [tables.encode(frame) for frame in nation(count)]
        began = time.perf_counter()
        every = tables.decode(*(("burst", data) for data in stored))
        read = time.perf_counter()
        table = merged(every, distance=500.0, configuration="x")
        joined = time.perf_counter()
        grid = density_grid([AREA])
        density(table, grid, radius=5000.0)
        area_fraction(table.geometry.values, grid)
        mapped = time.perf_counter()
        data = tables.encode(table)
        ended = time.perf_counter()
        took[count] = ended - began
        with capsys.disabled():
            print(  # noqa: T201
                f"\n{len(every):,} detections of {BURSTS} bursts, {len(table):,} landslides: read "
                f"{read - began:.1f} s, merge {joined - read:.1f} s, maps {mapped - joined:.1f} s, write "
                f"{ended - mapped:.1f} s ({len(data) / 1e6:.0f} MB)"
            )
    # Four times the detections; pair by pair it would be sixteen times the work.
    assert took[LANDSLIDES] < 10 * took[LANDSLIDES // 4]


def test_the_index_beats_all_pairs(capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(1)
    corner = rng.uniform((27.0, 98.0), (32.0, 104.0), (4000, 2))
    boxes, source = np.concatenate([corner, corner + 4e-3], axis=1), rng.integers(0, 50, 4000)
    same_slides(boxes[:10], source[:10], distance=500.0)
    began = time.perf_counter()
    same_slides(boxes, source, distance=500.0)
    indexed = time.perf_counter() - began
    began = time.perf_counter()
    (giou(boxes, boxes) > 0).sum()
    pairwise = time.perf_counter() - began
    with capsys.disabled():
        print(f"\n4,000 boxes: {indexed:.3f} s with the index, {pairwise:.3f} s for all pairs' overlaps")  # noqa: T201
    assert indexed < pairwise / 3
