"""Every failure we can cause, on real processes, by seeds: afterwards nothing is lost, doubled or left behind."""

from __future__ import annotations

import time
from dataclasses import asdict

import pytest
from cases import choices
from injuries import KINDS
from losses import Loss

CASES = 6
"""Seeds of each kind."""
DEFAULT = {"worker kill -9", "scheduler kill -9", "driver kill -9", "store throttles", "network cut"}
"""Kinds of which the first seed runs by default."""
_PARAMETERS = [
    pytest.param(kind, seed, marks=() if kind in DEFAULT and seed == 0 else pytest.mark.long)
    for seed in range(CASES)
    for kind in KINDS
]


@pytest.mark.long
@pytest.mark.parametrize("place", ["folder", "bucket"])
def test_no_fault(field, place):
    """What the others are compared with."""
    assert field.undisturbed(place, times=3) > 0


@pytest.mark.parametrize(("kind", "seed"), _PARAMETERS)
def test_a_fault(field, record_property, kind, seed):
    injure, places = KINDS[kind]
    place = places[seed % len(places)]
    undisturbed, choice = field.undisturbed(place), choices(kind, seed)
    for _ in range(5):  # a run may end before its moment comes
        with field.case(place, mount="16m" if kind == "disk full" and seed % 2 == 0 else None) as case:
            started = time.monotonic()
            faults = injure(case, choice)
            case.finish()
            seconds = time.monotonic() - started
            case.check(field.expected[place])
        if faults:
            break
    assert faults > 0
    loss = Loss(kind, seed, place, faults, case.attempts, seconds - undisturbed, case.begun_again)
    record_property("loss", asdict(loss))
