"""Farmed land: fields that are bare, green or ripe and change from one date to the other, and houses among them."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from slidecloud.simulate.optical.families import Family
from slidecloud.simulate.optical.relief import Relief
from slidecloud.simulate.streams import Subject, stream
from slidecloud.types import Float32

STATES: Final = ("bare", "crop", "straw", "meadow")
_CHANCE: Final = (0.3, 0.35, 0.2, 0.15)
_CHANGING: Final = 0.6
_HOUSES: Final = 0.08
_EDGE: Final = 0.6


class Parcels(NamedTuple):
    """Farmed land.

    Attributes
    ----------
    farmed
        float32 (y, x): share of a pixel, 1 inside a field and less on its edge.
    state
        int8 (date, y, x): which of `STATES` a field is in; without meaning where nothing is farmed.
    brightness
        float32 (y, x): factor on the reflectance of a field.
    houses
        bool (y, x).
    """

    farmed: Float32
    state: NDArray[np.int8]
    brightness: Float32
    houses: NDArray[np.bool_]


def parcels(seed: int, ground: Relief, *, family: Family, dates: int) -> Parcels:
    """Fields where the ground is flat enough; along the contours where they are terraced."""
    rng = stream(seed, Subject.PARCELS)
    rows, columns = ground.elevation.shape
    place = np.stack(
        [*np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij"), ground.elevation / ground.spacing], -1
    )
    place[..., 2] *= family.terraced
    count = max(4, round(rows * columns * (ground.spacing / family.parcel) ** 2))
    middles = place.reshape(-1, 3)[rng.integers(rows * columns, size=count)]
    apart, number = cKDTree(middles).query(place.reshape(-1, 3), k=2)
    parcel = number[:, 0].reshape(rows, columns)
    wish = ground.field(rng, exponent=-3.0, longest=700.0)
    suits = (wish > np.quantile(wish, 1.0 - family.farmed)) & (ground.slope < family.farmed_slope)
    taken = np.bincount(parcel[suits], minlength=count) > 0.6 * np.bincount(parcel.ravel(), minlength=count)
    edge = np.clip((apart[:, 1] - apart[:, 0]).reshape(rows, columns) / 1.5, _EDGE, 1.0)
    farmed = np.where(taken[parcel], edge, 0.0).astype(np.float32)
    state = rng.choice(len(STATES), count, p=_CHANCE)
    states = [state]
    for _ in range(dates - 1):
        changed = rng.random(count) < _CHANGING
        states.append(np.where(changed, rng.choice(len(STATES), count, p=_CHANCE), states[-1]))
    brightness = rng.normal(1.0, 0.12, count).clip(0.7, 1.3)
    return Parcels(
        farmed,
        np.stack([one[parcel] for one in states]).astype(np.int8),
        brightness[parcel].astype(np.float32),
        _houses(rng, farmed > 0.0, ground.spacing),
    )


def _houses(rng: np.random.Generator, farmed: NDArray[np.bool_], spacing: float) -> NDArray[np.bool_]:
    """Rectangles of 8 to 20 m in a few hamlets."""
    found = np.zeros(farmed.shape, bool)
    candidates = np.flatnonzero(farmed)
    if not candidates.size:
        return found
    hamlets = rng.choice(candidates, 1 + candidates.size // 20_000)
    count = round(_HOUSES * candidates.size * (spacing / 60.0) ** 2) + 5
    for _ in range(count):
        middle = np.array(np.unravel_index(rng.choice(hamlets), farmed.shape))
        top, left = (middle + rng.normal(0.0, 70.0 / spacing, 2)).astype(int)
        height, width = np.maximum(1, np.round(rng.uniform(8.0, 20.0, 2) / spacing).astype(int))
        if top >= 0 and left >= 0:
            found[top : top + height, left : left + width] = True
    return found & farmed
