"""What is true of the slides of a scene: boxes where gradients show them, and which of them can be seen at all."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from slidecloud.kernels.regrid import DetectorGrid, nearest, where_shown
from slidecloud.types import Float32

CORE: Final = 0.1
"""Share of its greatest speed at which a slide's box ends."""
VISIBLE_SIGMAS: Final = 3.0
VISIBLE_SHARE: Final = 0.1
"""A slide is visible where its gradient exceeds that many sigmas of the noise on that share of its pixels."""


def boxes_of(
    grid: DetectorGrid, velocity: Float32, labels: NDArray[Any], *, window: tuple[int, int]
) -> dict[int, NDArray[np.float64]]:
    """Box (4,) of each slide on the detectors' grid, by its label, where gradients of a window show it.

    Parameters
    ----------
    grid
        The detectors'.
    velocity, labels
        (y, x) of the source: motion, and the number of the slide a pixel belongs to, 0 for none.
    window
        Rows and columns of the gradients' window.
    """
    speed, labels = np.abs(velocity), labels.astype(np.int64)
    greatest = np.asarray(ndimage.maximum(speed, labels, index=np.arange(labels.max(initial=0) + 1)))
    cores = nearest(grid, np.where(speed >= CORE * greatest[labels], labels, 0), outside=0)
    found = [(number, part) for number, part in enumerate(ndimage.find_objects(cores), start=1) if part is not None]
    boxes = np.array([(rows.start, columns.start, rows.stop, columns.stop) for _, (rows, columns) in found])
    shown = where_shown(grid, boxes.reshape(-1, 4), window=window)
    return dict(zip([number for number, _ in found], shown, strict=True))


def visible(labels: NDArray[Any], strong: NDArray[np.bool_], known: NDArray[np.bool_], *, count: int) -> NDArray[Any]:
    """Whether each slide 1 ... `count` stands out of the noise: bool (count,).

    Parameters
    ----------
    labels
        (y, x) number of the slide a pixel belongs to, 0 for none.
    strong
        Where its gradient exceeds `VISIBLE_SIGMAS` of the noise along an axis.
    known
        Where there is data.
    """
    pixels = np.bincount(labels[known], minlength=count + 1)[1:]
    above = np.bincount(labels[known & strong], minlength=count + 1)[1:]
    return (pixels > 0) & (above >= VISIBLE_SHARE * pixels)
