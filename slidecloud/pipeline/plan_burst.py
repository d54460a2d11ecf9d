"""The plan of one burst: the pairs of each stage, and its units from gradients to displacement."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.config import RunConfig
from slidecloud.pipeline import (
    detect,
    gradients,
    interferograms,
    noise,
    plan_series,
    plan_templates,
    visibility,
)
from slidecloud.pipeline.forming import multilooked_maps, select_formed, select_offered_images
from slidecloud.pipeline.gradient_maps import View
from slidecloud.pipeline.ground import ground_of
from slidecloud.pipeline.ingest import STACK_CHUNKS
from slidecloud.pipeline.inputs import Selection, select, select_offered
from slidecloud.pipeline.snapshots import Snapshot
from slidecloud.pipeline.units import Unit
from slidecloud.stack.slc import SlcSource
from slidecloud.stack.source import Source
from slidecloud.store.location import Location, locate
from slidecloud.store.slc import SlcStack
from slidecloud.store.stacks import Stack

BLOCKS = ("coherent", "rate")
"""Estimators that compare two blocks with a gap between them."""


def static_maps(config: RunConfig, stack: Stack | SlcStack) -> Mapping[str, NDArray[np.float32]]:
    """Maps of a burst that do not change with time, on the grid of its pairs."""
    static = stack.static()
    return multilooked_maps(static, config.interferograms.looks) if isinstance(stack, SlcStack) else static


def noise_note(config: RunConfig, stack: Stack | SlcStack) -> list[str]:
    """A sentence where noise of neighbours reaches across the gap of the blocks."""
    if isinstance(stack, SlcStack) or "gradients" not in config.stages or config.gradients.estimator not in BLOCKS:
        return []
    gap = gradients.gap_of(stack.header, config.gradients)
    note = noise.warning(stack.header.id, noise.known_reach(stack.location), gap)
    return [] if note is None else [note]


class Chosen(NamedTuple):
    """The pairs of each stage."""

    gradients: Selection
    timeseries: Selection


def _limits(config: RunConfig) -> tuple[float | None, float | None]:
    """Longest pair of each stage, in days."""
    both = [days for days in (config.gradients.max_days, config.network.max_days) if days is not None]
    return min(both, default=None), config.network.max_days


def choose(config: RunConfig, stack: Stack | SlcStack) -> Chosen:
    """The pairs of a stack that each stage takes."""
    largest = config.network.max_baseline
    if isinstance(stack, SlcStack):
        forming = config.interferograms
        return Chosen(*(select_formed(stack, forming, max_days=days, max_baseline=largest) for days in _limits(config)))
    return Chosen(*(select(stack, max_days=days, max_baseline=largest) for days in _limits(config)))


def units_of(
    config: RunConfig,
    run: Location,
    chosen: Chosen,
    series: plan_series.Series,
    view: View | None = None,
    inputs: Snapshot | None = None,
    looks: detect.Looking | None = None,
    static: Mapping[str, NDArray[np.float32]] | None = None,
) -> tuple[list[Unit], plan_series.Places]:
    """Units of a burst and its patches; those that read its stack know it by ``inputs``."""
    memory, tile = config.resources.memory_bytes, config.resources.tile
    units: list[Unit] = []
    corrects = "timeseries" in config.stages and config.timeseries.atmosphere.corrects
    ground = ground_of(chosen.timeseries, static or {}) if corrects else None
    seen = [visibility.plan(chosen.timeseries, static or {})] if "visibility" in config.stages else []
    if plan_templates.stores_interferograms(config, chosen.timeseries):
        formed = interferograms.plan(chosen.timeseries, memory=memory, tile=tile)
        units, inputs = [dataclasses.replace(unit, inputs=inputs) for unit in formed], None
        chosen = Chosen(*(interferograms.stored(run, selection, chosen.timeseries) for selection in chosen))
    after, later = tuple(unit.name for unit in units), seen
    if "gradients" in config.stages:
        later += gradients.plan(
            run, chosen.gradients, config.gradients, config.network, memory=memory, tile=tile, after=after,
            view=view, device=config.resources.device,
        )  # fmt: skip
    if looks is not None:
        window = gradients.window_of(chosen.gradients.header, config.gradients)
        later.append(
            detect.plan(
                run, chosen.gradients, config.detect, config.network, shared=looks, window=window, maps=later[-1]
            )
        )
    found = series.places(chosen.timeseries, later[-1] if looks is not None else None, static or {})
    later += series.units(chosen.timeseries, found, after=after, ground=ground)
    return units + [dataclasses.replace(unit, inputs=inputs) for unit in later], found


def offered_units(config: RunConfig, source: Source | SlcSource, *, assumed: float | None = None) -> list[Unit]:
    """Units of a source that is not ingested yet, for estimates; ``assumed`` as `make` takes it."""
    largest, run = config.network.max_baseline, locate(config.run, config.storage_options)
    looks = detect.looking(config.detect, config.resources.device) if "detect" in config.stages else None
    series = plan_series.Series(config, run, assumed)
    if isinstance(source, SlcSource):
        forming = config.interferograms
        formed = Chosen(
            *(select_offered_images(source, forming, max_days=days, max_baseline=largest) for days in _limits(config))
        )
        return units_of(config, run, formed, series, looks=looks)[0]
    pairs = [item.pair for item in source.pairs]
    chosen = Chosen(
        *(
            select_offered(source.header, pairs, STACK_CHUNKS, max_days=days, max_baseline=largest)
            for days in _limits(config)
        )
    )
    return units_of(config, run, chosen, series, looks=looks)[0]
