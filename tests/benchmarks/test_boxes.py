"""What a nation's boxes cost to suppress and to group; rates reported, only the gain over every pair asserted."""

from __future__ import annotations

import numpy as np
import pytest

from slidecloud.kernels.boxes import giou, iou, rank, suppress
from slidecloud.kernels.places import same_slides
from slidecloud.pipeline.bench_timing import race

NATION = 100_000
FEW = 5_000
CLOSE = 500.0
DEGREES = 40.0 / 111_195.0
"""Of latitude, in a pixel of 40 m."""


def _boxes(count, seed=5):
    """Four sightings of each of so many slides, as thickly strewn as 25 in a square of 416 pixels."""
    random = np.random.default_rng(seed)
    side = 416 * np.sqrt(count / 4 / 25)
    corner = np.repeat(random.uniform(0, side, (count // 4, 2)), 4, axis=0) + random.normal(0, 2, (count, 2))
    return np.concatenate([corner, corner + random.uniform(10, 50, (count, 2))], axis=1), random.uniform(size=count)


def _suppress_every_pair(boxes, scores):
    order = rank(boxes, scores)
    over = iou(boxes[order], boxes[order]) > 0.45
    alive = np.ones(len(order), dtype=bool)
    for k in range(len(order)):
        if alive[k]:
            alive[k + 1 :] &= ~over[k, k + 1 :]
    return order[alive]


def _group_every_pair(boxes, scores):
    from scipy.sparse.csgraph import connected_components

    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    apart = np.hypot(*(middle[:, None] - middle[None]).transpose(2, 0, 1))
    return connected_components((giou(boxes, boxes) > 0) | (apart <= CLOSE / 40.0))[1]


def _group(boxes, scores):
    """Each box from a burst of its own, near the equator."""
    return same_slides(boxes * DEGREES, np.arange(len(boxes)), distance=CLOSE)


@pytest.mark.long
def test_boxes_of_a_nation(record_property, capsys):
    few, nation = _boxes(FEW), _boxes(NATION)
    works = {
        "suppress, every pair": lambda: _suppress_every_pair(*few),
        "suppress": lambda: suppress(*few),
        "group, every pair": lambda: _group_every_pair(*few),
        "group": lambda: _group(*few),
    }
    best = race(works, 10.0)
    large = race({"suppress": lambda: suppress(*nation), "group": lambda: _group(*nation)}, 10.0)
    with capsys.disabled():
        for name, seconds in best.items():
            print(f"\n{FEW:,} boxes, {name}: {seconds:.3f} s", end="")  # noqa: T201
        for name, seconds in large.items():
            record_property(name, seconds)
            print(f"\n{NATION:,} boxes, {name}: {seconds:.2f} s", end="")  # noqa: T201
        print()  # noqa: T201
    for name in ("suppress", "group"):
        assert best[name] < best[f"{name}, every pair"] / 5
