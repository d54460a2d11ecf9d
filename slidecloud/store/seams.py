"""Offsets of the patches or bursts of a track against each other where they overlap, and how they are taken off."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from slidecloud.store import records, tables
from slidecloud.store.location import Location
from slidecloud.store.referencing import SHIFTED, models
from slidecloud.store.tables import ColumnSpec
from slidecloud.types import Float64

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

STAGE: Final = "seams"
FOLDER: Final = "products/seams"
DISPLACEMENT: Final = "displacement"
VELOCITIES: Final = ("velocity", "velocity_integrated")
SAME_PASS: Final = np.timedelta64(1, "h")
"""Times closer than this are one pass of the satellite: its bursts follow within seconds."""

SEAMS: Final[tuple[ColumnSpec, ...]] = (
    ColumnSpec("track", "text", "", "pass, and relative orbit or heading"),
    ColumnSpec("burst", "text", "", "id of the burst"),
    ColumnSpec("patch", "text", "", "name of the patch; empty for a whole burst"),
    ColumnSpec("part", "int64", "", "number of those that hang together by overlaps; one of them stays as it is"),
    ColumnSpec("quantity", "text", "", "displacement, velocity or velocity_integrated"),
    ColumnSpec("time", "int64", "s since 1970", "time of the pass of a displacement; 0 for a velocity"),
    ColumnSpec("offset", "float64", "m or m/year", "to be taken off, so that overlaps agree; NaN where not known"),
    ColumnSpec("sigma", "float64", "m or m/year", "standard error of the offset, 0 of the one that stays"),
    ColumnSpec("scatter", "float64", "m or m/year", "scatter of a pixel in the overlaps about the offsets, median"),
    ColumnSpec("pixels", "int64", "", "pixels in the overlaps that have data"),
)
"""What ``products/seams/<track>.parquet`` holds; a point in the middle of each patch or burst is the geometry."""


def table_name(track: str) -> str:
    """Key of the table of a track: ``ascending 026`` is ``products/seams/ascending_026.parquet``."""
    return f"{FOLDER}/{slug(track)}.parquet"


def slug(track: str) -> str:
    """A track as part of a key."""
    return re.sub(r"[^a-z0-9]+", "_", track.lower()).strip("_")


@dataclass(frozen=True, eq=False)
class Level:
    """What is taken off a patch or a burst.

    Attributes
    ----------
    part
        Number of those that hang together.
    time
        datetime64[s] (pass,).
    displacement
        (pass,) m; NaN where no overlap tells.
    velocity
        m/yr by name, of `VELOCITIES`; NaN where no overlap tells.
    """

    part: int
    time: NDArray[np.datetime64]
    displacement: Float64
    velocity: Mapping[str, float]

    def at(self, dates: NDArray[np.datetime64]) -> Float64:
        """Displacement (date,) to take off at some dates; NaN at passes that no overlap shares."""
        wanted = np.asarray(dates).astype("datetime64[s]")
        nearest = np.abs(self.time[None, :] - wanted[:, None]).argmin(axis=1)
        near = np.abs(self.time[nearest] - wanted) <= SAME_PASS
        return np.where(near, self.displacement[nearest], np.nan)


def read_table(run: Location, track: str) -> GeoDataFrame | None:
    """The stored offsets of a track, None where there are none."""
    if not run.keys(f"{records.DONE}/{STAGE}/{slug(track)}"):
        return None  # never made, or of patches that are being made again
    data = run.read(table_name(track))
    return None if data is None else tables.decode((f"{run}/{table_name(track)}", data))


def read_levels(run: Location, track: str) -> dict[tuple[str, str], Level]:
    """What is taken off the patches of a track, by burst and patch; those that overlap no other are left out."""
    found = read_table(run, track)
    levels: dict[tuple[str, str], Level] = {}
    for name, rows in () if found is None else found.groupby(["burst", "patch"]):
        moved = rows[rows["quantity"] == DISPLACEMENT]
        others = rows[rows["quantity"] != DISPLACEMENT]
        levels[str(name[0]), str(name[1])] = Level(
            int(rows["part"].iloc[0]),
            moved["time"].to_numpy(np.int64).astype("datetime64[s]"),
            moved["offset"].to_numpy(np.float64),
            dict(zip(others["quantity"], others["offset"].to_numpy(np.float64).tolist(), strict=True)),
        )
    return levels


def levelled(series: xr.Dataset, level: Level | None) -> xr.Dataset:
    """Series and velocities, lazily, less what is taken off; as they are where nothing overlaps them.

    Dates that no overlap shares become NaN: what the patch is off by then is not known. A velocity from gradients,
    which is relative to still ground in any case, stays where no overlap has two of them. Sigmas stay as they are, and
    the attribute ``part`` tells with which others the series can be compared; -1 with none.
    """
    if level is None:
        return series.assign_attrs(part=-1)
    taken = xr.DataArray(level.at(series["time"].values).astype(np.float32), dims="time")
    changes = models(series, taken.values)
    changes |= {name: (series[name] - taken).assign_attrs(series[name].attrs) for name in SHIFTED if name in series}
    for name, offset in level.velocity.items():
        if name in series and np.isfinite(offset):
            changes[name] = (series[name] - np.float32(offset)).assign_attrs(series[name].attrs)
    if "reference_displacement" in series:
        changes["reference_displacement"] = series["reference_displacement"] + taken
    return series.assign(changes).assign_attrs(part=level.part)
