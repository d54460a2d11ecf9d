"""Patches: windows of a burst around what was found or asked for, in which displacement is wanted."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels.regrid import grid_of
from slidecloud.pipeline.area import shapes_in_pixels
from slidecloud.store import records, tables
from slidecloud.store.inventory_specs import detections
from slidecloud.store.location import Location
from slidecloud.store.patch_specs import Window
from slidecloud.types import DataError, Float32, Float64, StackHeader

Ring = tuple[tuple[float, float], ...]
"""Corners (row, column) in pixels of the burst, from the outer corner of its first pixel."""

_DECIMALS = 3
"""Of a pixel: what lies beyond is rounding, and windows are made from these."""


@dataclass(frozen=True, slots=True)
class Patch:
    """A window of a burst, and the outlines of what moves in it.

    Attributes
    ----------
    window
        In the burst.
    moving
        Outlines of the detections that reach into the window: no reference is taken inside them.
    """

    window: Window
    moving: tuple[Ring, ...]

    @property
    def name(self) -> str:
        """Name of the patch, from where it lies."""
        return self.window.name

    def mask(self) -> NDArray[np.bool_]:
        """Pixels (y, x) of the window that a detection touches."""
        import shapely
        from rasterio.features import rasterize

        if not self.moving:
            return np.zeros(self.window.shape, np.bool_)
        corner = (self.window.left, self.window.top)
        shapes = [
            shapely.Polygon([(column - corner[0], row - corner[1]) for row, column in ring]) for ring in self.moving
        ]
        burnt: NDArray[np.uint8] = rasterize(shapes, out_shape=self.window.shape, all_touched=True, dtype="uint8")
        return burnt > 0


def found_in(
    run: Location, header: StackHeader, unit: records.Key, done: Iterable[records.Key], *, shift: tuple[float, float]
) -> list[Ring] | None:
    """Outlines of the detections of a burst, or None where they are not known yet.

    Parameters
    ----------
    run, header
        The run store and the burst.
    unit
        Key of the unit that detects in the burst.
    done
        Keys of all units that are done.
    shift
        Source pixels (y, x) by which detections lie behind the pixels they were found at.

    Raises
    ------
    DataError
        If the table of detections is gone or cannot be read.
    """
    if unit not in done:
        return None
    name = detections(header.id)
    data = run.read(name)
    if data is None:
        raise DataError(
            f"{name} is missing from {run} though its record is there. "
            f"Run 'slidecloud verify {run} --repair' and then 'slidecloud run' again."
        )
    found = tables.decode((f"{run}/{name}", data))
    boxes = found[["top", "left", "bottom", "right"]].to_numpy(np.float64)
    return [_ring(header, box, shift) for box in boxes]


def _ring(header: StackHeader, box: Float64, shift: tuple[float, float]) -> Ring:
    """A box on the detectors' grid as a ring on the burst's."""
    grid = grid_of(header)
    top, left, bottom, right = box
    corners = np.array([(top, left), (top, right), (bottom, right), (bottom, left)])
    placed = corners @ np.array(grid.matrix).T + np.array(grid.origin) + np.array(shift)
    return tuple((round(float(row), _DECIMALS), round(float(column), _DECIMALS)) for row, column in placed)


def around(header: StackHeader, rings: Sequence[Ring], *, halo: float, moving: Sequence[Ring]) -> list[Patch]:
    """Patches of a burst: windows around rings, those that overlap made one, in order of their place.

    Parameters
    ----------
    header
        Of the burst; windows end at its borders.
    rings
        What is wanted.
    halo
        Metres of ground around it.
    moving
        What moves.
    """
    reach = tuple(math.ceil(halo / step) for step in header.spacing)
    windows: list[Window] = []
    for ring in rings:
        window = _window(ring, reach, header.shape)
        if window is None:
            continue
        while touching := [other for other in windows if other.touches(window)]:
            windows = [other for other in windows if other not in touching]
            for other in touching:
                window = window.united(other)
        windows.append(window)
    slides = tuple(sorted(set(moving)))
    bounds = {ring: _window(ring, (0, 0), header.shape) for ring in slides}
    return [
        Patch(window, tuple(ring for ring in slides if (box := bounds[ring]) is not None and box.touches(window)))
        for window in sorted(windows, key=lambda one: (one.top, one.left))
    ]


def _window(ring: Ring, reach: tuple[int, ...], shape: tuple[int, int]) -> Window | None:
    """The whole pixels around a ring, cut at the burst's borders; None where it lies outside of it."""
    rows, columns = np.array(ring).T
    top, left = (max(0, math.floor(axis.min()) - far) for axis, far in zip((rows, columns), reach, strict=True))
    bottom, right = (
        min(size, math.ceil(axis.max()) + far) for axis, far, size in zip((rows, columns), reach, shape, strict=True)
    )
    return Window(top, bottom, left, right) if top < bottom and left < right else None


def whole(header: StackHeader, moving: Sequence[Ring] = ()) -> Patch:
    """The whole burst as one patch."""
    height, width = header.shape
    return Patch(Window(0, height, 0, width), tuple(sorted(moving)))


def asked_for(
    path: str, header: StackHeader, *, latitude: Float32 | None = None, longitude: Float32 | None = None
) -> list[Ring]:
    """Polygons of a file as rings on the pixels of a burst; those that it does not cover are left out.

    Raises
    ------
    DataError
        If the file cannot be read, has no CRS or no polygon.
    """
    position: dict[str, Any] = {"latitude": latitude, "longitude": longitude}
    return [
        tuple((round(float(row), _DECIMALS), round(float(column), _DECIMALS)) for row, column in corners)
        for corners in shapes_in_pixels(path, header, **position)
    ]
