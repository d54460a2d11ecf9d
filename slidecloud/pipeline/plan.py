"""The plan of a run: templates and units of every burst, with digests and sizes, before anything is computed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from slidecloud.config import ConfigError, RunConfig
from slidecloud.pipeline import gradients, interferograms, noise, timeseries
from slidecloud.pipeline.forming import multilooked_maps, select_formed, select_offered_images
from slidecloud.pipeline.gradient_maps import View
from slidecloud.pipeline.ingest import STACK_CHUNKS
from slidecloud.pipeline.inputs import Selection, select, select_offered
from slidecloud.pipeline.snapshots import Snapshot, snapshot
from slidecloud.pipeline.summary import Quarantined
from slidecloud.pipeline.units import Unit
from slidecloud.stack.slc import SlcSource
from slidecloud.stack.source import Source
from slidecloud.store import runs, templates
from slidecloud.store.location import Location, locate
from slidecloud.store.records import DamagedRecordError
from slidecloud.store.slc import SlcStack
from slidecloud.store.stacks import SLC_KIND, Stack, kind_of
from slidecloud.types import DataError

TEMPLATE_ROOT = "root"
BLOCKS = ("coherent", "rate")
"""Estimators that compare two blocks with a gap between them."""
_STAGES = (gradients.STAGE, timeseries.STAGE, interferograms.STAGE)


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
            stack = SlcStack(stack_location) if kind_of(stack_location) == SLC_KIND else Stack(stack_location)
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


def _burst(
    config: RunConfig, run: Location, stack: Stack | SlcStack
) -> tuple[dict[str, Mapping[str, bytes]], list[Unit]]:
    chosen = _choose(config, stack)
    header, chunks = chosen.gradients.header, chosen.gradients.chunks[1:]
    static = stack.static()
    if isinstance(stack, SlcStack):
        static = multilooked_maps(static, config.interferograms.looks)
    view = gradients.view_of(chosen.gradients, config.gradients, static.get("incidence"))
    position = {name: values for name, values in static.items() if name in ("latitude", "longitude")}
    collected: dict[str, Mapping[str, bytes]] = {f"bursts/{header.id}": runs.burst_template(header)}
    if _stores_interferograms(config, chosen):
        collected[interferograms.group(header.id)] = interferograms.template(chosen.timeseries, static)
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
            header, gradients.STAGE, sizes, {**values, **position}, attributes, chunks=chunks,
            optional=gradients.optional_arrays(config.gradients, view),
        )  # fmt: skip
    if "timeseries" in config.stages:
        sizes, values = timeseries.template_values(chosen.timeseries)
        collected[timeseries.group(header.id)] = runs.stage_template(
            header, timeseries.STAGE, sizes, {**values, **position}, {}, chunks=chunks
        )
    return collected, _units(config, run, chosen, view, snapshot(stack, *chosen))


def _noise_note(config: RunConfig, stack: Stack | SlcStack) -> list[str]:
    if isinstance(stack, SlcStack) or "gradients" not in config.stages or config.gradients.estimator not in BLOCKS:
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


def _choose(config: RunConfig, stack: Stack | SlcStack) -> _Chosen:
    largest = config.network.max_baseline
    if isinstance(stack, SlcStack):
        forming = config.interferograms
        return _Chosen(
            *(select_formed(stack, forming, max_days=days, max_baseline=largest) for days in _limits(config))
        )
    return _Chosen(*(select(stack, max_days=days, max_baseline=largest) for days in _limits(config)))


def _stores_interferograms(config: RunConfig, chosen: _Chosen) -> bool:
    return config.interferograms.write and chosen.timeseries.forming is not None


def _units(
    config: RunConfig, run: Location, chosen: _Chosen, view: View | None = None, inputs: Snapshot | None = None
) -> list[Unit]:
    """Units of a burst; those that read its stack know it by ``inputs``, the others read what the run itself wrote."""
    memory, tile = config.resources.memory_bytes, config.resources.tile
    units: list[Unit] = []
    if _stores_interferograms(config, chosen):
        formed = interferograms.plan(chosen.timeseries, memory=memory, tile=tile)
        units, inputs = [dataclasses.replace(unit, inputs=inputs) for unit in formed], None
        chosen = _Chosen(*(interferograms.stored(run, selection, chosen.timeseries) for selection in chosen))
    after, later = tuple(unit.name for unit in units), []
    if "gradients" in config.stages:
        later += gradients.plan(
            run, chosen.gradients, config.gradients, config.network, memory=memory, tile=tile, after=after,
            view=view, device=config.resources.device,
        )  # fmt: skip
    if "timeseries" in config.stages:
        later += timeseries.plan(
            run, chosen.timeseries, config.timeseries, memory=memory, tile=tile, device=config.resources.device
        )
    return units + [dataclasses.replace(unit, inputs=inputs) for unit in later]


def offered_units(config: RunConfig, source: Source | SlcSource) -> list[Unit]:
    """Units of a source that is not ingested yet, for estimates."""
    largest, run = config.network.max_baseline, locate(config.run, config.storage_options)
    if isinstance(source, SlcSource):
        forming = config.interferograms
        return _units(
            config,
            run,
            _Chosen(
                *(
                    select_offered_images(source, forming, max_days=days, max_baseline=largest)
                    for days in _limits(config)
                )
            ),
        )
    pairs = [item.pair for item in source.pairs]
    chosen = _Chosen(
        *(
            select_offered(source.header, pairs, STACK_CHUNKS, max_days=days, max_baseline=largest)
            for days in _limits(config)
        )
    )
    return _units(config, run, chosen)
