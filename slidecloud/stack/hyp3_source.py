"""The source of HyP3 products: masks of each pair, and maps put together from the products that cover the grid."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce

import numpy as np

from slidecloud.stack.geometry import checked_look_vectors
from slidecloud.stack.geotiff import GeotiffSource, read_elevation
from slidecloud.stack.names import printable
from slidecloud.stack.rasters import Layer, read_rows
from slidecloud.types import DataError, Float32, PairBlock, Pass

_SLACK = 1e-3


@dataclass(frozen=True)
class Hyp3Source(GeotiffSource):
    """A `GeotiffSource` whose layers may hold ``components`` and ``land``.

    Attributes
    ----------
    elevations
        Files of elevations in metres; of several that hold a pixel the first counts.
    angles
        Files of look angles, each the elevation angle (rad above the horizontal) and the orientation (rad from east
        towards north) of the direction from ground to satellite; the first counts.
    """

    elevations: tuple[Layer, ...] = ()
    angles: tuple[tuple[Layer, Layer], ...] = ()

    def static(self) -> dict[str, Float32]:
        """Elevation (m), incidence (rad) and look vectors, as far as products have them; see `Source.static`.

        Raises
        ------
        DataError
            If a file cannot be read, elevations are absurd, or angles are none of a radar that looks to the right.
        """
        height, width = self.header.shape
        maps: dict[str, Float32] = {}
        if self.elevations:
            maps["elevation"] = _first(read_elevation(layer, height, width) for layer in self.elevations)
        if self.angles:
            theta, phi = (_first(read_rows(pair[part], 0, height, width) for pair in self.angles) for part in range(2))
            names = [printable(layer.path) for layer in self.angles[0]]
            maps |= look_maps(theta, phi, names=(names[0], names[1]), pass_=self.header.pass_)
        return maps

    def _read(self, key: str, start: int, stop: int) -> PairBlock:
        """Rows of a pair: nothing on water, unwrapped phase inside connected components only."""
        block = super()._read(key, start, stop)
        layers, width = self.layers[key], self.header.shape[1]
        if "land" in layers:
            water = ~(read_rows(layers["land"], start, stop, width) > 0)
            block.phase[water] = 0
            block.coherence[water] = 0
            if block.unwrapped is not None:
                block.unwrapped[water] = np.nan
        if "components" in layers and block.unwrapped is not None:
            block.unwrapped[~(read_rows(layers["components"], start, stop, width) > 0)] = np.nan
        return block


def look_maps(theta: Float32, phi: Float32, *, names: tuple[str, str], pass_: Pass) -> dict[str, Float32]:
    """``los_east``, ``los_north``, ``los_up`` and ``incidence`` (rad) from look angles (y, x) in radians.

    The unit vector from ground to satellite is ``(cos theta cos phi, cos theta sin phi, sin theta)``, theta counted
    from the horizontal upwards and phi from east towards north, so the incidence is ``pi/2 - theta`` (HyP3 InSAR
    product guide).

    Raises
    ------
    DataError
        If angles are out of range, or point to the wrong side; see `checked_look_vectors`.
    """
    for values, name, low, high in ((theta, names[0], 0.0, math.pi / 2), (phi, names[1], -math.pi, 2 * math.pi)):
        known = values[~np.isnan(values)]
        if known.size and not (known.min() >= low - _SLACK and known.max() <= high + _SLACK):
            raise DataError(
                f"{name} holds angles from {known.min():g} to {known.max():g}, expected radians from {low:.4g} to "
                f"{high:.4g}: fetch it again"
            )
    level = np.cos(theta)
    return checked_look_vectors(level * np.cos(phi), level * np.sin(phi), np.sin(theta), pass_=pass_, name=names[1])


def covering(layers: Mapping[str, Layer], shape: tuple[int, int]) -> list[str]:
    """Keys of layers that together hold every pixel any of them holds: the largest first, then those that add some."""
    chosen: list[str] = []
    covered = np.zeros(shape, bool)
    for key, layer in sorted(layers.items(), key=lambda item: (-item[1].height * item[1].width, item[0])):
        rows = slice(max(0, layer.row), max(0, layer.row + layer.height))
        part = covered[rows, max(0, layer.column) : max(0, layer.column + layer.width)]
        if not part.all():
            chosen.append(key)
            part[...] = True
    return chosen


def _first(maps: Iterable[Float32]) -> Float32:
    """Of every pixel the first value that is known."""
    return reduce(lambda first, other: np.where(np.isnan(first), other, first), maps)
