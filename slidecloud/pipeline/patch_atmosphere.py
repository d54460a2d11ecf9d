"""The units of a patch that take the atmosphere off: before its pairs are inverted, and a filter of its series."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from slidecloud.config_timeseries import TimeseriesConfig
from slidecloud.pipeline.atmosphere import SAMPLE, AtmosphereWork
from slidecloud.pipeline.ground import Ground
from slidecloud.pipeline.inputs import Selection
from slidecloud.pipeline.patches import Patch
from slidecloud.pipeline.series_filter import FilterWork
from slidecloud.pipeline.tiles import BASE_MEMORY, SHARE
from slidecloud.pipeline.timeseries import LEVEL_PAIR_BYTES, MOST_TOGETHER, STAGE
from slidecloud.pipeline.units import Unit
from slidecloud.pipeline.unwrap import group as unwrapped_group
from slidecloud.pipeline.unwrapped_pairs import of_patch
from slidecloud.store import records
from slidecloud.store.location import Location
from slidecloud.store.patch_specs import window_header

_DATE_BYTES: Final = 24
"""Bytes a pixel and date: what is seen, what GACOS expects, its parts and the correction, and copies on the way."""
_PIXEL_BYTES, _LABEL_BYTES, _FILTER_BYTES = 200, 11, 16


@dataclass(frozen=True, slots=True)
class Air:
    """What corrections are made from: maps of the burst, and the fingerprint of the GACOS folder where there is one."""

    ground: Ground
    delays: str | None


def correcting(
    run: Location,
    selection: Selection,
    patch: Patch,
    config: TimeseriesConfig,
    group: str,
    air: Air | None,
    levels: Unit,
    *,
    memory: int,
) -> list[Unit]:
    """The unit that finds the corrections of a patch, none where none are asked for.

    Parameters
    ----------
    run, selection, patch, config
        The run store, the pairs, the patch and the settings.
    group
        Of the patch's series.
    air
        As `Air` says.
    levels
        The unit that levels the pairs.
    memory
        Bytes of a worker.
    """
    if air is None or not config.atmosphere.corrects:
        return []
    header, count, pixels = selection.header, len(selection.pairs), patch.window.pixels
    fixed = _PIXEL_BYTES + _DATE_BYTES * len(selection.dates)
    pair_bytes = LEVEL_PAIR_BYTES + _LABEL_BYTES
    samples = 2 * min(pixels, SAMPLE) * (8 * count + 12 * len(selection.dates))
    room = (SHARE * memory - BASE_MEMORY - samples) / pixels - fixed
    together = max(1, min(MOST_TOGETHER, int(room // pair_bytes)))
    settings = config.atmosphere.model_copy(update={"filter": False})
    work = AtmosphereWork(
        of_patch(run, unwrapped_group(header.id, patch), selection, config.min_coherence),
        run,
        group,
        window_header(header, patch.window),
        patch,
        air.ground,
        tuple(selection.dates),
        settings,
        config.reference,
        together,
    )
    tried = settings.model_dump(mode="json", include={"height", "ramp"})
    parts = ["atmosphere/1", levels.key.digest, tried, air.delays, air.ground.checksums, header.effective_looks]
    return [
        Unit(
            records.Key(STAGE, f"{header.id}/{patch.name}/atmosphere", records.digest(parts)),
            work,
            requires=(levels.name,),
            bytes_read=12 * count * pixels,
            bytes_written=4 * len(selection.dates) * pixels,
            peak_memory=BASE_MEMORY + samples + pixels * (fixed + together * pair_bytes),
            kernel="levels",
            samples=count * pixels,
        )
    ]


def filtering(
    run: Location,
    selection: Selection,
    patch: Patch,
    config: TimeseriesConfig,
    group: str,
    tiles: Sequence[Unit],
) -> list[Unit]:
    """The unit that filters the series of a patch, none where it is not asked for; arguments as of `correcting`."""
    air, header = config.atmosphere, selection.header
    if not air.filter:
        return []
    pixels = air.filter_metres / math.sqrt(header.spacing[0] * header.spacing[1])
    dates, area = len(selection.dates), patch.window.pixels
    name = f"Patch {patch.name} of burst {header.id}"
    years = tuple(float(year) for year in selection.years)
    parts = ["filter/1", [unit.key.digest for unit in tiles], pixels, air.filter_years, dataclasses.astuple(patch)]
    return [
        Unit(
            records.Key(STAGE, f"{header.id}/{patch.name}/filter", records.digest(parts)),
            FilterWork(run, group, name, years, pixels, air.filter_years),
            requires=tuple(unit.name for unit in tiles),
            bytes_read=4 * dates * area,
            bytes_written=4 * dates * area,
            peak_memory=BASE_MEMORY + area * (_PIXEL_BYTES + _FILTER_BYTES * dates),
            kernel="levels",
            samples=dates * area,
        )
    ]
