"""Tiles of gradient maps with known slides."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels.views import GradientView
from slidecloud.types import Float32


class Tile(NamedTuple):
    """A square of gradient maps and the slides in it.

    Attributes
    ----------
    view
        Maps of 416 x 416 pixels.
    boxes
        Slides, float32 (n, 4): top, left, bottom, right in pixels, half-open.
    visible
        bool (n,). False: too weak to be asked for, so that a detection there is neither right nor wrong.
    """

    view: GradientView
    boxes: Float32
    visible: NDArray[np.bool_]
