"""The stage ``timeseries`` of patches: each is levelled over its own still ground and inverted by itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from slidecloud.config_resources import Device
from slidecloud.config_timeseries import TimeseriesConfig
from slidecloud.pipeline import patch_atmosphere, timeseries, unwrap
from slidecloud.pipeline.inputs import Selection
from slidecloud.pipeline.levelling import LevelsWork, reference_digest
from slidecloud.pipeline.pair_editing import SAMPLE, SAMPLE_BYTES
from slidecloud.pipeline.patch_atmosphere import Air
from slidecloud.pipeline.patch_choice import choosing
from slidecloud.pipeline.patch_recovered import recovering
from slidecloud.pipeline.patch_velocities import integrating
from slidecloud.pipeline.patches import Patch
from slidecloud.pipeline.tiles import BASE_MEMORY, SHARE, cut
from slidecloud.pipeline.timeseries import LEVEL_BYTES, LEVEL_PAIR_BYTES, MOST_TOGETHER, READ_BYTES, SOLVE_BYTES, STAGE
from slidecloud.pipeline.units import Unit
from slidecloud.pipeline.unwrapped_pairs import of_patch
from slidecloud.pipeline.wrapped_patch import wrapped_of
from slidecloud.store import records
from slidecloud.store.location import Location
from slidecloud.store.patch_specs import patch_group, window_header

_LABEL_BYTES = 11
"""Bytes a pixel and pair that connected components and turns take on top, with the phase that is moved by them."""
_PAIR_BYTES = 12
"""Bytes a pixel of a pair while it is read: phase, coherence, component, turns, and the phase moved by them."""


def group(burst: str, patch: Patch) -> str:
    """Path of the series of a patch."""
    return f"{patch_group(burst, patch.name)}/{STAGE}"


def plan(
    run: Location,
    selection: Selection,
    patch: Patch,
    config: TimeseriesConfig,
    *,
    memory: int,
    tile: tuple[int, int] | None = None,
    window: tuple[int, int],
    gap: tuple[int, int],
    season: NDArray[np.intp],
    device: Device = "cpu",
    after: Sequence[tuple[str, str]] = (),
    air: Air | None = None,
    given: tuple[float, ...] | None = None,
) -> list[Unit]:
    """Units of one patch: its pairs are unwrapped where that is asked for, levelled, and inverted tile by tile.

    Parameters
    ----------
    run, selection, patch, config
        The run store, the pairs, the patch and the settings.
    memory, tile, device
        Bytes of a worker, rows and columns of a tile, and where pixels are inverted.
    window, gap
        Pixels (y, x), as gradients are stacked.
    season
        (pair,) the pairs of the season whose gradients are integrated.
    after
        Units that must be done before.
    air
        What corrections for the atmosphere are made from, where they are wanted.
    given
        How the reference moves, as `LevelsWork` takes it.
    """
    first = unwrap.plan(run, selection, patch, config, after=after)
    levels = _levels(run, selection, patch, config, memory, first, given)
    burst, place = selection.header.id, group(selection.header.id, patch)
    seen_air = patch_atmosphere.correcting(run, selection, patch, config, place, air, levels, memory=memory)
    tiles = _tiles(run, selection, patch, config, memory, tile, device, [levels, *seen_air])
    units = [*first, levels, *seen_air, *tiles]
    units += patch_atmosphere.filtering(run, selection, patch, config, place, tiles)
    if config.integrate:
        seen = wrapped_of(selection, patch, window=window, gap=gap, chosen=season)
        science = [selection.subset(season).signature, selection.place]
        made = integrating(burst, place, seen, inject=config.recovered, signature=science, after=after)
        units.append(made)
    method = unwrap.method_of(selection, config)
    if config.recovered and method != "stored":
        seen = wrapped_of(selection, patch, window=window, gap=gap, chosen=None)
        how = (method, config.goldstein, config.min_coherence, config.robust)
        known = recovering(run, burst, place, seen, how=how, tiles=tiles)
        units.append(known)
        if config.integrate:
            units.append(choosing(run, burst, place, patch, after=[*tiles, known, made]))
    return units


def _levels(
    run: Location,
    selection: Selection,
    patch: Patch,
    config: TimeseriesConfig,
    memory: int,
    unwrapped: Sequence[Unit],
    given: tuple[float, ...] | None,
) -> Unit:
    header, count, pixels = selection.header, len(selection.pairs), patch.window.pixels
    pair_bytes = LEVEL_PAIR_BYTES + _LABEL_BYTES
    compared = SAMPLE_BYTES * count * min(pixels, 2 * SAMPLE) if config.edit else 0
    room = (SHARE * memory - BASE_MEMORY - compared) / pixels - LEVEL_BYTES
    together = max(1, min(MOST_TOGETHER, int(room // pair_bytes)))
    passes = 3 + (config.reference.kind != "stable") + config.edit
    work = LevelsWork(
        of_patch(run, unwrap.group(header.id, patch), selection, config.min_coherence),
        group(header.id, patch),
        window_header(header, patch.window),
        config.reference,
        together,
        patch,
        tuple(pair.key for pair in selection.pairs),
        config.edit,
        given,
    )
    parts = [
        "timeseries.patch_levels/2", selection.signature, selection.place, config.min_coherence, config.edit,
        header.effective_looks, reference_digest(config.reference, given), dataclasses.astuple(patch.window),
        patch.moving, [unit.key.digest for unit in unwrapped],
    ]  # fmt: skip
    return Unit(
        records.Key(STAGE, f"{header.id}/{patch.name}/levels", records.digest(parts)),
        work,
        requires=tuple(unit.name for unit in unwrapped),
        bytes_read=5 * count * pixels * passes,
        bytes_written=2 * pixels,
        peak_memory=BASE_MEMORY + compared + pixels * (LEVEL_BYTES + together * pair_bytes),
        kernel="levels",
        samples=count * pixels * passes,
    )


def _tiles(
    run: Location,
    selection: Selection,
    patch: Patch,
    config: TimeseriesConfig,
    memory: int,
    tile: tuple[int, int] | None,
    device: Device,
    before: Sequence[Unit],
) -> list[Unit]:
    header, count, dates = selection.header, len(selection.pairs), len(selection.dates)
    per_pixel = _PAIR_BYTES * count + max(READ_BYTES, 9 * dates + SOLVE_BYTES)
    per_pixel += 4 * dates if config.atmosphere.corrects else 0
    tiles = cut(
        patch.window.shape,
        selection.chunks[1:],
        read_per_pixel=_PAIR_BYTES * count,
        memory_per_pixel=per_pixel,
        memory=memory,
        tile=tile,
    )
    common = timeseries.InvertWork(
        of_patch(run, unwrap.group(header.id, patch), selection, config.min_coherence),
        run,
        group(header.id, patch),
        window_header(header, patch.window),
        tiles[0],
        config.minimum_norm,
        config.robust,
        device,
        corrected=config.atmosphere.corrects,
    )
    units = []
    for part in tiles:
        parts = [
            "timeseries.patch/1", before[-1].key.digest, str(part), config.minimum_norm, config.robust,
            header.effective_looks, *([device] if device != "cpu" else []),
        ]  # fmt: skip
        units.append(
            Unit(
                records.Key(STAGE, f"{header.id}/{patch.name}/{part}", records.digest(parts)),
                dataclasses.replace(common, tile=part),
                requires=tuple(unit.name for unit in before),
                bytes_read=_PAIR_BYTES * count * part.pixels,
                bytes_written=(9 * dates + 26) * part.pixels,
                peak_memory=BASE_MEMORY + part.pixels * per_pixel,
                kernel="robust" if config.robust else "sbas",
                samples=count * part.pixels,
                device=device,
            )
        )
    return units
