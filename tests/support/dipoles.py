"""Tiles that are quick to make and to learn: round bumps of velocity, seen as dipoles in the gradients, in noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from slidecloud.kernels.boxes import iou
from slidecloud.kernels.views import SPACING, GradientView
from slidecloud.models.tile_sets import SIDE, TileSet, write
from slidecloud.models.tiles import Tile


def dipole_view(
    random: np.random.Generator, shape: tuple[int, int], slides: int, *, noise: float = 3e-5, sizes=(10, 40)
):
    """A view with so many bumps of 20 to 60 mm/yr that do not overlap much, and their boxes."""
    rows, columns = (np.arange(size, dtype=np.float32) + 0.5 for size in shape)
    velocity = np.zeros(shape, np.float32)
    boxes = []
    for _ in range(slides):
        size = random.uniform(*sizes, 2)
        centre = random.uniform(size / 2, np.array(shape) - size / 2)
        bump = random.uniform(0.02, 0.06) * random.choice([-1, 1])
        # The box holds two standard deviations to each side.
        y, x = ((axis - c) / (s / 4) for axis, c, s in zip((rows, columns), centre, size, strict=True))
        velocity += (bump * np.exp(-(y[:, None] ** 2 + x[None] ** 2) / 2)).astype(np.float32)
        boxes.append([*(centre - size / 2), *(centre + size / 2)])
    sigma = np.full(shape, noise, np.float32)
    y, x = (
        np.gradient(velocity, SPACING, axis=axis) + random.normal(0, noise, shape).astype(np.float32) for axis in (0, 1)
    )
    view = GradientView(x, y, sigma, sigma, np.full(shape, 0.5, np.float32), 20.0)
    return view, np.array(boxes, np.float32).reshape(-1, 4)


def dipole_set(folder: Path, *, seed: int, count: int, slides: int = 5, **options) -> TileSet:
    """A tile set of such views; every fourth tile is empty."""
    random = np.random.default_rng(seed)

    def tiles():
        for number in range(count):
            view, boxes = dipole_view(random, (SIDE, SIDE), 0 if number % 4 == 3 else slides, **options)
            yield Tile(view, boxes, np.ones(len(boxes), bool))

    return write(
        folder,
        tiles(),
        level=[1.0] * count,
        family=["dipoles"] * count,
        kind=["bumps"] * count,
        geometry=["radar"] * count,
    )


def best_overlap(boxes, others):
    """The largest IoU of each box with any of the others, 0 where there is none."""
    overlap = iou(boxes, others)
    return overlap.max(1) if overlap.size else np.zeros(len(boxes))
