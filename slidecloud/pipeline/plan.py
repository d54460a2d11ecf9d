"""The plan of a run: templates and units of every burst, with digests and sizes, before anything is computed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from slidecloud.config import RunConfig
from slidecloud.config_yaml import ConfigError
from slidecloud.pipeline import (
    areas,
    classify,
    decompose,
    detect,
    gradients,
    plan_inventory,
    plan_series,
    plan_templates,
    seams,
)
from slidecloud.pipeline.plan_burst import choose, noise_note, static_maps, units_of
from slidecloud.pipeline.snapshots import generation, snapshot
from slidecloud.pipeline.summary import Quarantined
from slidecloud.pipeline.units import Unit
from slidecloud.store import records
from slidecloud.store.location import Location, locate
from slidecloud.store.records import DamagedRecordError
from slidecloud.store.slc import SlcStack
from slidecloud.store.stacks import SLC_KIND, Stack, kind_of
from slidecloud.types import DataError, StackHeader

TEMPLATE_ROOT = "root"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is going to do.

    Attributes
    ----------
    location
        The run store.
    templates
        Objects of each template by its unit name; the root, which repeats all metadata, comes last. Empty where they
        were not asked for.
    units
        All units, each after those it requires.
    refused
        Bursts that cannot take part, and why.
    notes
        What a person should know about the results.
    pending
        Bursts whose patches follow from detections that are not known yet: when these are, the plan has more units.
    patched
        Bursts whose patches are known.
    pixels
        Of which displacement is wanted, and of all bursts.
    """

    location: Location
    templates: Mapping[str, Mapping[str, bytes]]
    units: tuple[Unit, ...]
    refused: tuple[Quarantined, ...]
    notes: tuple[str, ...]
    pending: tuple[str, ...] = ()
    patched: tuple[str, ...] = ()
    pixels: tuple[int, int] = (0, 0)


def make(config: RunConfig, *, with_templates: bool = True, assumed: float | None = None) -> Plan:
    """Plan a run from its configuration and the stacks as they are now.

    Parameters
    ----------
    config
        The run.
    with_templates
        False for those who only want to know the units: templates take most of the time.
    assumed
        For estimates: share of a burst taken to be in patches while its detections are not known.

    Raises
    ------
    FileNotFoundError, ConfigError
        If there are no stacks, or a burst is named that is not there.
    """
    location = locate(config.run, config.storage_options)
    shared = detect.looking(config.detect, config.resources.device) if "detect" in config.stages else None
    covered: list[plan_inventory.Corners] = []
    collected: dict[str, Mapping[str, bytes]] = {}
    units: list[Unit] = []
    refused: list[Quarantined] = []
    notes: list[str] = []
    pending: list[str] = []
    patched: list[str] = []
    series = plan_series.Series(config, location, assumed)
    looks_seen: list[areas.Look] = []
    pixels, largest, dates = np.zeros(2, np.int64), 0, 0
    displaced: list[StackHeader] = []
    for stack_location in stack_locations(config):
        try:
            before = generation(stack_location)
            stack = SlcStack(stack_location) if kind_of(stack_location) == SLC_KIND else Stack(stack_location)
            chosen, static = choose(config, stack), static_maps(config, stack)
            view = gradients.view_of(chosen.gradients, config.gradients, static.get("incidence"))
            corners = None if shared is None else plan_inventory.corners(chosen.gradients.header, static)
            looks = None if isinstance(corners, Quarantined) else shared
            inputs = snapshot(stack, before, *chosen)
            burst_units, found = units_of(config, location, chosen, series, view, inputs, looks, static)
            burst_templates = plan_templates.of_burst(config, *chosen, static, view, found) if with_templates else {}
        except (DataError, DamagedRecordError, FileNotFoundError) as error:
            refused.append(Quarantined("stack", stack_location.name.removesuffix(".zarr"), str(error), "data"))
            continue
        if isinstance(corners, Quarantined):
            refused.append(corners)
        elif corners is not None:
            covered.append(corners)
        collected |= burst_templates
        units += burst_units
        looks_seen += areas.looks_of(chosen.timeseries, found, static) if "decompose" in config.stages else []
        largest = max(largest, math.prod(chosen.timeseries.header.shape))
        if found.whole or found.patches:
            displaced.append(chosen.timeseries.header)
            dates = max(dates, len(chosen.timeseries.dates))
        if "timeseries" in config.stages:
            height, width = chosen.timeseries.header.shape
            wanted = sum(patch.window.pixels for patch in found.patches)
            pixels += [height * width if found.whole else wanted, height * width]
            (patched if found.known else pending).append(stack.header.id)
        notes += noise_note(config, stack)
    units += seams.plan(location, units, displaced, dates=dates, pending=pending)
    if covered:
        merging, products = plan_inventory.plan(config, location, units, refused, covered)
        units.append(merging)
        collected |= products if with_templates else {}
        # What is pending when the inventory is there will not be known any more: its bursts were set aside.
        settled = not (pending and records.read(location, merging.key) is None)
    else:
        settled = not pending
    if "decompose" in config.stages and settled:
        made, groups = decompose.plan(
            location, config.decompose, looks_seen, units, memory=config.resources.memory_bytes
        )
        units += made
        collected = {**groups, **collected} if with_templates else {}
    if covered and "classify" in config.stages and settled:
        units.append(classify.planned(location, config.classify, units, pixels=largest))
    return Plan(
        location,
        {**collected, TEMPLATE_ROOT: plan_templates.root(config, location, collected)} if with_templates else {},
        tuple(units),
        tuple(refused),
        (*notes, *series.notes),
        tuple(pending),
        tuple(patched),
        (int(pixels[0]), int(pixels[1])),
    )


def stack_locations(config: RunConfig) -> list[Location]:
    """The burst stacks of a run, sorted by id."""
    folder = locate(config.stacks, config.storage_options)
    found = [name.removesuffix(".zarr") for name in folder.folders() if name.endswith(".zarr")]
    if not found:
        raise FileNotFoundError(
            f"There are no burst stacks in {folder}: expected folders named <id>.zarr. "
            "Make them with 'slidecloud ingest SOURCE STACKS', or name sources in the configuration."
        )
    missing = sorted(set(config.bursts or ()) - set(found))
    if missing:
        raise ConfigError(f"bursts names {', '.join(missing)}, which {folder} lacks; it has {', '.join(found)}.")
    return [folder / f"{name}.zarr" for name in found if config.bursts is None or name in config.bursts]
