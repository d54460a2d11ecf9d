"""Boxes that several views show of one slide become one detection."""

from __future__ import annotations

import numpy as np
import pytest

from slidecloud.pipeline.detections import Candidate, unite

ORDER = ("all", "4", "10")


def box(name, edges, score, peak=1.0):
    return Candidate(name, np.array(edges, np.float32), score, None, {"peak_gradient": peak})


def test_the_best_stands_for_all_views():
    found = [box("all", (0, 0, 10, 10), 0.7), box("4", (1, 0, 11, 10), 0.9, 3.0), box("10", (0, 1, 10, 11), 0.5, 5.0)]
    ((best, names, strongest),) = unite(found, ORDER)
    assert (best.name, names, strongest) == ("4", "all,4,10", "10")


def test_part_of_a_slide_is_the_same_slide():
    whole, part = (0, 0, 20, 20), (2, 2, 8, 8)
    assert len(unite([box("all", whole, 0.9), box("4", part, 0.6)], ORDER)) == 1
    assert len(unite([box("all", whole, 0.9), box("all", part, 0.6)], ORDER)) == 1
    # Half of it outside: another slide.
    assert len(unite([box("all", whole, 0.9), box("4", (16, 2, 28, 8), 0.6)], ORDER)) == 2


def test_equal_gradients_are_those_of_the_year():
    found = [box("10", (0, 0, 10, 10), 0.9), box("all", (0, 0, 10, 10), 0.8)]
    assert unite(found, ORDER)[0][1:] == ("all,10", "all")


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_boxes_does_not_show(seed):
    rng = np.random.default_rng(seed)
    corner = rng.uniform(0, 60, (30, 2))
    edges = np.concatenate([corner, corner + rng.uniform(5, 25, (30, 2))], axis=1)
    found = [box(ORDER[k % 3], e, float(s)) for k, (e, s) in enumerate(zip(edges, rng.choice(9, 30) / 9, strict=True))]
    first = [(id(best), names, strongest) for best, names, strongest in unite(found, ORDER)]
    shuffled = [found[k] for k in rng.permutation(30)]
    assert [(id(best), names, strongest) for best, names, strongest in unite(shuffled, ORDER)] == first
    assert unite([], ORDER) == []
