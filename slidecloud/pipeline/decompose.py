"""The stage ``decompose``: motion east, up and down the slope where ascending and descending passes see the ground."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.config_decompose import DecomposeConfig
from slidecloud.kernels import terrain
from slidecloud.kernels.decomposition import downslope_of_looks, east_up
from slidecloud.pipeline.areas import Area, Look, areas
from slidecloud.pipeline.looks import Laid, laid, levelled, mosaicked
from slidecloud.pipeline.tiles import BASE_MEMORY, SHARE
from slidecloud.pipeline.timeseries import STAGE as SERIES
from slidecloud.pipeline.units import Unit
from slidecloud.store import records, templates
from slidecloud.store.arrays import Writer
from slidecloud.store.decomposition_specs import DECOMPOSITION, FOLDER, area_group
from slidecloud.store.location import Location
from slidecloud.types import Float32, Float64, Grid, track_of

STAGE: Final = "decompose"
UNITS: Final = "areas"
_LOOK_BYTES, _PIXEL_BYTES = 60, 700
_STATIC_BYTES: Final = 120
_ROWS: Final = 128
"""Rows that are solved at once."""
_MOST: Final = 4_000_000
"""Pixels of an area, at most."""
_REFERENCE: Final = (
    "each look less its median velocity over the ground that both passes see outside detections, which is taken to be "
    "at rest (level); northward motion is taken to be zero in east and up"
)


@dataclass(frozen=True)
class DecomposeWork:
    """Lay the velocities of an area on its grid, level them on common ground, and solve for motion."""

    run: Location
    area: Area
    config: DecomposeConfig

    def __call__(self, writer: Writer) -> dict[str, Any]:
        grid, looks = self.area.grid, self.area.looks
        found = [laid(self.run, look, grid) for look in looks]
        levels = levelled(found)
        tracks = mosaicked([one for one, level in zip(found, levels, strict=True) if level.pixels])
        elevation = _mean([one.elevation for one in found if one is not None], grid)
        maps = self._solved(tracks, elevation)
        maps["tracks"] = np.zeros((grid.height, grid.width), np.uint8)
        for one in tracks:
            maps["tracks"] += np.isfinite(one.velocity)
        path = area_group(self.area.name)
        for name, values in maps.items():
            writer.write(f"{path}/{name}", values)
        writer.write(f"{path}/level", np.array([level.median for level in levels], np.float32))
        writer.write(f"{path}/level_scatter", np.array([level.scatter for level in levels], np.float32))
        writer.write(f"{path}/level_pixels", np.array([level.pixels for level in levels], np.int32))
        facts: dict[str, Any] = {"pixels": int(np.isfinite(maps["east"]).sum()), "looks": len(tracks)}
        lost = [look.path for look, level in zip(looks, levels, strict=True) if not level.pixels]
        return facts | ({"note": self._note(lost, bool(tracks))} if lost else {})

    def _solved(self, tracks: Sequence[Laid], elevation: Float32) -> dict[str, NDArray[Any]]:
        """All maps (y, x), some rows at a time."""
        grid = self.area.grid
        slope, aspect = _slopes(elevation, grid)
        names = [spec.name for spec in DECOMPOSITION if spec.dims == ("y", "x") and spec.dtype == "float32"]
        maps: dict[str, NDArray[Any]] = {name: np.full((grid.height, grid.width), np.nan, np.float32) for name in names}
        maps |= {"slope": slope, "aspect": aspect, "elevation": elevation}
        for top in range(0, grid.height if tracks else 0, _ROWS):
            rows = slice(top, top + _ROWS)
            rate, sigma, e, n, u = (
                np.stack([getattr(one, name)[rows] for one in tracks])
                for name in ("velocity", "sigma", "los_east", "los_north", "los_up")
            )
            both = east_up(rate, sigma, e, u, worst_condition=self.config.worst_condition)
            for name in ("east", "up", "east_sigma", "up_sigma"):
                maps[name][rows] = getattr(both, name)
            maps["east_up_correlation"][rows] = both.correlation
            down = downslope_of_looks(
                rate, sigma, slope[rows], aspect[rows], e, n, u, least=self.config.least_sensitivity
            )
            steep = slope[rows] >= np.float32(math.radians(self.config.least_slope))
            maps["downslope_sensitivity"][rows] = np.where(steep, down.sensitivity, np.float32(np.nan))
            maps["downslope"][rows] = np.where(steep, down.rate, np.float32(np.nan))
            maps["downslope_sigma"][rows] = np.where(steep, down.sigma, np.float32(np.nan))
        return maps

    def _note(self, lost: Sequence[str], some: bool) -> str:
        left = "were left out" if some else "cannot be put together"
        return (
            f"Area {self.area.name}: {len(lost)} of {len(self.area.looks)} looks {left}, such as {lost[0]}: it is not "
            "finished, or has too little ground at rest in common with the other pass. Raise timeseries.halo."
        )


def plan(
    run: Location, config: DecomposeConfig, looks: Sequence[Look], units: Sequence[Unit], *, memory: int
) -> tuple[list[Unit], dict[str, Mapping[str, bytes]]]:
    """Units of all areas that two passes see, and the templates of what they write; none where one pass is alone.

    Parameters
    ----------
    run, config
        The run store and the settings.
    looks
        Series of all bursts.
    units
        Of the run, those of its series among them.
    memory
        Bytes of a worker.
    """
    room = SHARE * memory - BASE_MEMORY - _STATIC_BYTES * max((_pixels(look) for look in looks), default=0)
    largest = int(min(_MOST, max(room / (_PIXEL_BYTES + 4 * _LOOK_BYTES), 10_000)))
    nothing: dict[str, Any] = {"attributes": {}, "coordinates": {}, "grid": None}
    collected: dict[str, Mapping[str, bytes]] = {
        path: templates.group((), {}, path=path, **nothing) for path in ("products", FOLDER)
    }
    series = [unit for unit in units if unit.key.stage == SERIES and not unit.key.unit.endswith("/trajectory")]
    made = []
    for area in areas(looks, spacing=config.spacing, largest=largest):
        grid, name = area.grid, area.name
        own = [unit for unit in series if any(_makes(unit, look) for look in area.looks)]
        settings = config.model_dump(mode="json", exclude={"spacing"})
        parts = [
            "decompose/1", settings, repr(grid), [look.path for look in area.looks],
            sorted([unit.key.unit, unit.key.digest] for unit in own),
            [[look.ground.burst, dict(look.ground.checksums)] for look in area.looks],
        ]  # fmt: skip
        pixels, count = grid.height * grid.width, len(area.looks)
        largest_burst = max(_pixels(look) for look in area.looks)
        made.append(
            Unit(
                records.Key(STAGE, f"{UNITS}/{name}", records.digest(parts)),
                DecomposeWork(run, area, config),
                after=tuple(unit.name for unit in own),
                bytes_read=sum(8 * look.window.pixels + 28 * _pixels(look) for look in area.looks),
                bytes_written=45 * pixels,
                peak_memory=BASE_MEMORY + pixels * (_PIXEL_BYTES + count * _LOOK_BYTES) + _STATIC_BYTES * largest_burst,
                kernel="levels",
                samples=20 * count * pixels,
            )
        )
        collected[area_group(name)] = templates.group(
            DECOMPOSITION, {"y": grid.height, "x": grid.width, "look": count}, path=area_group(name),
            attributes=_attributes(area), coordinates={}, grid=grid,
        )  # fmt: skip
    return made, collected


def _attributes(area: Area) -> dict[str, Any]:
    looks = area.looks
    return {
        "looks": [look.path for look in looks],
        "bursts": sorted({look.header.id for look in looks}),
        "look_tracks": [track_of(look.header) for look in looks],
        "reference": _REFERENCE,
    }


def _makes(unit: Unit, look: Look) -> bool:
    """Whether a unit has a part in the series of a look."""
    place = look.path.removeprefix("bursts/").removesuffix(f"/{SERIES}").replace("/patches/", "/")
    return unit.key.unit.startswith(f"{place}/")


def _pixels(look: Look) -> int:
    return math.prod(look.header.shape)


def _mean(maps: Sequence[Float32], grid: Grid) -> Float32:
    """Mean of the maps that know a pixel; NaN where none does."""
    total, count = np.zeros((grid.height, grid.width)), np.zeros((grid.height, grid.width))
    for values in maps:
        known = np.isfinite(values)
        total[known] += values[known]
        count += known
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)


def _slopes(elevation: Float32, grid: Grid) -> terrain.SlopeAspect:
    """Slope and aspect; the aspect from true north, which the grid's is turned away from."""
    from pyproj import CRS, Proj, Transformer

    slope, aspect = terrain.slope_aspect(elevation, spacing=(-grid.dy, grid.dx))
    crs = CRS.from_user_input(grid.crs)
    centre: tuple[Float64, Float64] = (
        np.array(grid.left + grid.dx * grid.width / 2), np.array(grid.top + grid.dy * grid.height / 2)
    )  # fmt: skip
    longitude, latitude = Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform(*centre)
    turned = math.radians(Proj(crs).get_factors(longitude, latitude).meridian_convergence)
    aspect = np.where(slope > 0, np.mod(aspect + turned, 2 * np.pi), aspect).astype(np.float32)
    return terrain.SlopeAspect(slope, aspect)
