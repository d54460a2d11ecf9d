"""The plan of a run: templates and units of every burst, with digests and sizes, before anything is computed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from slidecloud.config import ConfigError, RunConfig
from slidecloud.pipeline import gradients, noise, timeseries
from slidecloud.pipeline.ingest import STACK_CHUNKS
from slidecloud.pipeline.inputs import Selection, select, select_offered, snapshot
from slidecloud.pipeline.summary import Quarantined
from slidecloud.pipeline.units import Unit
from slidecloud.stack.source import Source
from slidecloud.store import runs, templates
from slidecloud.store.location import Location, locate
from slidecloud.store.records import DamagedRecordError
from slidecloud.store.stacks import Stack
from slidecloud.types import DataError

TEMPLATE_ROOT = "root"
_STAGES = (gradients.STAGE, timeseries.STAGE)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is going to do.

    Attributes
    ----------
    location
        The run store.
    templates
        Objects of each template by its unit name; the root, which repeats all metadata, comes last.
    units
        All units, each after those it requires.
    refused
        Bursts that cannot take part, and why.
    notes
        What a person should know about the results.
    """

    location: Location
    templates: Mapping[str, Mapping[str, bytes]]
    units: tuple[Unit, ...]
    refused: tuple[Quarantined, ...]
    notes: tuple[str, ...]


def make(config: RunConfig) -> Plan:
    """Plan a run from its configuration and the stacks as they are now.

    Raises
    ------
    FileNotFoundError, ConfigError
        If there are no stacks, or a burst is named that is not there.
    """
    location = locate(config.run, config.storage_options)
    collected: dict[str, Mapping[str, bytes]] = {}
    units: list[Unit] = []
    refused: list[Quarantined] = []
    notes: list[str] = []
    for stack_location in stack_locations(config):
        try:
            stack = Stack(stack_location)
            burst_templates, burst_units = _burst(config, location, stack)
        except (DataError, DamagedRecordError, FileNotFoundError) as error:
            refused.append(Quarantined("stack", stack_location.name.removesuffix(".zarr"), str(error), "data"))
            continue
        collected |= burst_templates
        units += burst_units
        notes += _noise_note(config, stack)
    return Plan(
        location,
        {**collected, TEMPLATE_ROOT: _root(config, location, collected)},
        tuple(units),
        tuple(refused),
        tuple(notes),
    )


def _root(config: RunConfig, location: Location, collected: Mapping[str, Mapping[str, bytes]]) -> dict[str, bytes]:
    """The root template: it repeats the metadata of all groups, those of bursts and stages left out today included."""
    own = runs.root_template(config)
    planned = {key: data for objects in collected.values() for key, data in objects.items() if _is_metadata(key)}
    bursts = [f"bursts/{name}" for name in (location / "bursts").folders()]
    groups = [path for burst in bursts for path in (burst, *(f"{burst}/{stage}" for stage in _STAGES))]
    others = [key for path in groups if path not in collected for key in _metadata_below(location, path)]
    metadata = {**location.read_many(others), **planned, **{key: own[key] for key in own if _is_metadata(key)}}
    whole = templates.consolidated(metadata)
    return {key: whole.get(key, data) for key, data in own.items()}


def _metadata_below(location: Location, path: str) -> list[str]:
    """Metadata of a stored group and of its arrays; of a burst, its own alone."""
    if path.count("/") == 1:
        return [f"{path}/zarr.json"]
    return [f"{path}/zarr.json", *(f"{path}/{name}/zarr.json" for name in (location / path).folders())]


def _is_metadata(key: str) -> bool:
    return key.endswith("zarr.json")


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


def _burst(config: RunConfig, run: Location, stack: Stack) -> tuple[dict[str, Mapping[str, bytes]], list[Unit]]:
    header = stack.header
    chosen = _Chosen(
        *(select(stack, max_days=days, max_baseline=config.network.max_baseline) for days in _limits(config))
    )
    position = {name: values for name, values in stack.static().items() if name in ("latitude", "longitude")}
    collected: dict[str, Mapping[str, bytes]] = {f"bursts/{header.id}": runs.burst_template(header)}
    if "gradients" in config.stages:
        bins = gradients.bins_of(chosen.gradients, config.network)
        sizes, values = gradients.template_values(bins, config.network)
        attributes = {
            "season_names": list(bins.season_name),
            "bin_labels": list(bins.label),
            "estimator": config.gradients.estimator,
            "window": list(gradients.window_of(header, config.gradients)),
        }
        collected[gradients.group(header.id)] = runs.stage_template(
            header, gradients.STAGE, sizes, {**values, **position}, attributes, chunks=stack.chunks[1:]
        )
    if "timeseries" in config.stages:
        sizes, values = timeseries.template_values(chosen.timeseries)
        collected[timeseries.group(header.id)] = runs.stage_template(
            header, timeseries.STAGE, sizes, {**values, **position}, {}, chunks=stack.chunks[1:]
        )
    known = snapshot(*chosen)
    return collected, [dataclasses.replace(unit, inputs=known) for unit in _units(config, run, chosen)]


def _noise_note(config: RunConfig, stack: Stack) -> list[str]:
    if "gradients" not in config.stages or config.gradients.estimator != "coherent":
        return []
    gap = gradients.gap_of(stack.header, config.gradients)
    note = noise.warning(stack.header.id, noise.known_reach(stack.location), gap)
    return [] if note is None else [note]


class _Chosen(NamedTuple):
    """The pairs of each stage."""

    gradients: Selection
    timeseries: Selection


def _limits(config: RunConfig) -> tuple[float | None, float | None]:
    """Longest pair of each stage, in days."""
    both = [days for days in (config.gradients.max_days, config.network.max_days) if days is not None]
    return min(both, default=None), config.network.max_days


def _units(config: RunConfig, run: Location, chosen: _Chosen) -> list[Unit]:
    memory, tile = config.resources.memory_bytes, config.resources.tile
    units: list[Unit] = []
    if "gradients" in config.stages:
        units += gradients.plan(run, chosen.gradients, config.gradients, config.network, memory=memory, tile=tile)
    if "timeseries" in config.stages:
        units += timeseries.plan(run, chosen.timeseries, config.timeseries, memory=memory, tile=tile)
    return units


def offered_units(config: RunConfig, source: Source) -> list[Unit]:
    """Units of a source that is not ingested yet, for estimates."""
    pairs = [item.pair for item in source.pairs]
    chosen = _Chosen(
        *(
            select_offered(source.header, pairs, STACK_CHUNKS, max_days=days, max_baseline=config.network.max_baseline)
            for days in _limits(config)
        )
    )
    return _units(config, locate(config.run, config.storage_options), chosen)
