"""The stage ``visibility``: what the radar sees of the slopes of a burst, from its elevation and its view."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels import radar_slopes, terrain
from slidecloud.kernels import visibility as kernel
from slidecloud.pipeline.ground import Ground, ground_of
from slidecloud.pipeline.inputs import Selection
from slidecloud.pipeline.spacing import signed_spacing
from slidecloud.pipeline.tiles import BASE_MEMORY
from slidecloud.pipeline.units import Unit
from slidecloud.store import records
from slidecloud.store.arrays import Writer
from slidecloud.types import DataError, Float32, StackHeader

STAGE: Final = "visibility"
_PIXEL_BYTES: Final = 220
_READ_BYTES, _WRITTEN_BYTES = 16, 19
_GROUND: Final = ("elevation", "incidence")
_PLACES: Final = ("latitude", "longitude")


@dataclass(frozen=True, slots=True)
class VisibilityWork:
    """R-index, classes and sensitivity of a whole burst."""

    ground: Ground
    header: StackHeader

    def __call__(self, writer: Writer) -> dict[str, Any]:
        maps = self._ground()
        slope, aspect = self._slopes(maps)
        view: dict[str, Any] = {"heading": self.header.heading, "look_direction": self.header.look_direction}
        seen = kernel.visibility(slope, aspect, maps["incidence"], **view)
        rays = self._rays(maps)
        kind = seen.kind.copy()
        known = kind != kernel.UNKNOWN
        # What other ground covers, or what other ground shares its range with, is not seen well however it is turned.
        kind[known & rays.layover & (kind != kernel.SHADOW)] = kernel.LAYOVER
        kind[known & rays.shadow] = kernel.SHADOW
        found: dict[str, NDArray[Any]] = {
            "r_index": seen.r_index,
            "class": kind,
            "sensitivity": kernel.sensitivity(slope, aspect, maps["incidence"], **view),
            "slope": slope,
            "aspect": aspect,
            "layover": rays.layover.astype(np.uint8),
            "shadow": rays.shadow.astype(np.uint8),
        }
        for name, values in found.items():
            writer.write(f"{group(self.header.id)}/{name}", values, (0, 0))
        shares = {name: float((kind[known] == code).mean()) for code, name in kernel.CLASSES.items() if known.any()}
        return {"pixels_with_data": int(known.sum()), "shares": shares}

    def _ground(self) -> dict[str, Float32]:
        """The maps that are needed, as they were when the run was planned."""
        wanted = _GROUND if self.header.grid is not None else (*_GROUND, *_PLACES)
        maps = self.ground.read(
            wanted,
            why="the stage visibility needs. Ingest it with its elevation model and view, or leave visibility out of "
            "'stages'.",
        )
        if not np.isfinite(maps["elevation"]).any():
            raise DataError(
                f"The elevation of stack {self.header.id} has no data, which the stage visibility needs. Ingest it "
                "with its elevation model, or leave visibility out of 'stages'."
            )
        return maps

    def _slopes(self, maps: Mapping[str, Float32]) -> terrain.SlopeAspect:
        if self.header.grid is None:
            return radar_slopes.slope_aspect(maps["elevation"], maps["latitude"], maps["longitude"])
        step_y, step_x = signed_spacing(self.header)
        return terrain.slope_aspect(maps["elevation"], spacing=(abs(step_y), step_x[:, 0]))

    def _rays(self, maps: Mapping[str, Float32]) -> terrain.LayoverShadow:
        """Layover and shadow that other ground casts; radar grids are turned so that range runs eastward."""
        elevation, incidence = maps["elevation"], maps["incidence"]
        # Rays need a view everywhere; ground without one has no class anyway.
        theta = np.where(np.isfinite(incidence), incidence, np.nanmedian(incidence))
        if self.header.grid is None:
            return terrain.layover_shadow(elevation, spacing=self.header.spacing, incidence=theta, heading=0.0)
        return terrain.layover_shadow(
            elevation, spacing=self.header.spacing, incidence=theta, heading=self.header.heading,
            look_direction=self.header.look_direction,
        )  # fmt: skip


def group(burst: str) -> str:
    """Path of the stage's group."""
    return f"bursts/{burst}/{STAGE}"


def plan(selection: Selection, static: Mapping[str, NDArray[np.float32]]) -> Unit:
    """The unit of a burst.

    Parameters
    ----------
    selection
        Pairs of the burst, of which only the stack and the grid matter.
    static
        Maps of the burst that do not change with time, on the grid of its pairs.
    """
    header = selection.header
    names = (*_GROUND, *_PLACES) if header.grid is None else _GROUND
    ground = ground_of(selection, static, names)
    parts = ["visibility/1", ground.checksums, selection.place, header.heading, header.look_direction]
    pixels = math.prod(header.shape)
    return Unit(
        records.Key(STAGE, f"{header.id}/maps", records.digest(parts)),
        VisibilityWork(ground, header),
        bytes_read=_READ_BYTES * pixels,
        bytes_written=_WRITTEN_BYTES * pixels,
        peak_memory=BASE_MEMORY + _PIXEL_BYTES * pixels,
    )
