"""A region whose landslides follow known rates of the classes of three factors, one of which does nothing."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from slidecloud.hazard.factor_classes import FactorClasses, Tally, categories, ranges, sectors, tally

NAMES = ("slope", "lithology", "aspect")
SLOPE_RATE = np.array([0.1, 0.5, 1.5, 3.0])
LITHOLOGY_RATE = np.array([0.4, 1.0, 2.5])
CLASSES: tuple[FactorClasses, ...] = (
    ranges("slope", [15, 30, 45], units="rad"),
    categories("lithology", {7: "granite", 2: "slate", 5: "marl"}),
    sectors("aspect"),
)


class Region(NamedTuple):
    """Factor maps (y, x), their codes (factor, y, x), and the places of landslides as (row, column)."""

    maps: tuple[np.ndarray, ...]
    codes: np.ndarray
    row: np.ndarray
    column: np.ndarray

    @property
    def at_points(self):
        """Codes (factor, points)."""
        return self.codes[:, self.row, self.column]

    def tallies(self, open_ground=None) -> list[Tally]:
        """Ground of each factor."""
        return [
            tally(classes, code, open_ground=open_ground) for classes, code in zip(CLASSES, self.codes, strict=True)
        ]


def region(seed: int, *, side: int = 200, density: float = 0.02) -> Region:
    """Patches of 5 x 5 cells share their factors; landslides are Poisson with the product of the rates."""
    random = np.random.default_rng(seed)
    patch = (side // 5, side // 5)
    slope = np.radians(random.uniform(0, 60, patch))
    lithology = random.choice([7, 2, 5], patch, p=[0.5, 0.3, 0.2])
    aspect = random.uniform(0, 2 * np.pi, patch)
    maps = tuple(np.kron(values, np.ones((5, 5), values.dtype)) for values in (slope, lithology, aspect))
    codes = np.stack([classes.codes(values) for classes, values in zip(CLASSES, maps, strict=True)])
    rate = SLOPE_RATE[codes[0]] * LITHOLOGY_RATE[codes[1]]
    held = random.poisson(density * rate / rate.mean())
    row, column = (np.repeat(index.ravel(), held.ravel()) for index in np.indices(held.shape))
    return Region(maps, codes, row, column)
