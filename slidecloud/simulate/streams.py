"""Random streams of a simulation, one per subject, so that one subject never disturbs another.

A stream is named by the seed, the subject and what it belongs to: a row, a date, a pair. Drawing more dates, slides or
rows therefore leaves every other number as it was.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Subject(IntEnum):
    """What a stream of random numbers is for."""

    TERRAIN = 0
    SLIDES = 1
    BASELINES = 2
    DEM_ERROR = 3
    VEGETATION = 4
    TURBULENCE = 5
    STRATIFICATION = 6
    SPECKLE = 7
    OFFSETS = 8
    UNWRAPPING = 9
    RAIN = 10
    WATER_LEVEL = 11
    RESPONSES = 12
    PASSES = 13
    PASS_NOISE = 14
    COVER = 15
    PARCELS = 16
    ROUTES = 17
    SCARS = 18
    CLOUDS = 19
    SENSOR = 20


def stream(seed: int, subject: Subject, *key: int) -> np.random.Generator:
    """The generator of `subject` and `key` (numbers of at least 0) under `seed`."""
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed, spawn_key=(int(subject), *key))))


def date_key(date: np.datetime64) -> int:
    """Seconds since 1970, which name a date in streams."""
    return int(date.astype("datetime64[s]").astype(np.int64))
