"""Templates of a run: metadata and coordinates of its bursts and their stages, and of the root above them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from slidecloud.config import RunConfig
from slidecloud.pipeline import gradients, interferograms, patch_templates, timeseries, trajectories, visibility
from slidecloud.pipeline.gradient_maps import View
from slidecloud.pipeline.inputs import Selection
from slidecloud.pipeline.plan_series import Places
from slidecloud.store import runs, templates
from slidecloud.store.decomposition_specs import FOLDER
from slidecloud.store.inventory_specs import DENSITY_GROUP
from slidecloud.store.location import Location

_STAGES = (gradients.STAGE, timeseries.STAGE, interferograms.STAGE, visibility.STAGE)


def of_burst(
    config: RunConfig,
    stacked: Selection,
    inverted: Selection,
    static: Mapping[str, NDArray[np.float32]],
    view: View | None,
    places: Places,
) -> dict[str, Mapping[str, bytes]]:
    """Objects of a burst and of its stages, by group.

    Parameters
    ----------
    config
        The run.
    stacked, inverted
        Pairs of the stages gradients and timeseries.
    static
        Maps of the burst that do not change with time.
    view
        As `slidecloud.pipeline.gradients.view_of` finds it.
    places
        Where displacement is wanted.
    """
    header, chunks = stacked.header, stacked.chunks[1:]
    position = {name: values for name, values in static.items() if name in ("latitude", "longitude")}
    collected: dict[str, Mapping[str, bytes]] = {f"bursts/{header.id}": runs.burst_template(header)}
    if stores_interferograms(config, inverted):
        collected[interferograms.group(header.id)] = interferograms.template(inverted, static)
    if "gradients" in config.stages:
        bins = gradients.bins_of(stacked, config.network)
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
    collected |= patch_templates.patch_templates(inverted, places.patches, config.timeseries, position)
    if places.whole:
        sizes, values = timeseries.template_values(inverted)
        fitted = config.timeseries.trajectory
        more, days = trajectories.coordinates(fitted)
        collected[timeseries.group(header.id)] = runs.stage_template(
            header, timeseries.STAGE, {**sizes, **more}, {**values, **days, **position}, {}, chunks=chunks,
            optional=trajectories.arrays(fitted),
        )  # fmt: skip
    if "visibility" in config.stages:
        collected[visibility.group(header.id)] = runs.stage_template(
            header, visibility.STAGE, {}, position, {}, chunks=chunks
        )
    return collected


def stores_interferograms(config: RunConfig, inverted: Selection) -> bool:
    """Whether the run writes the pairs that it forms from images."""
    return config.interferograms.write and inverted.forming is not None


def root(config: RunConfig, location: Location, collected: Mapping[str, Mapping[str, bytes]]) -> dict[str, bytes]:
    """The root template: it repeats the metadata of all groups, those of bursts and stages left out today included.

    Patches and areas of two passes are left out of it: a nation has thousands of them, each with metadata of its own in
    one object.
    """
    own = runs.root_template(config)
    planned = {key: data for objects in collected.values() for key, data in objects.items() if _is_metadata(key)}
    planned = {key: data for key, data in planned.items() if "/patches/" not in key and f"{FOLDER}/" not in key}
    bursts = [f"bursts/{name}" for name in (location / "bursts").folders()]
    alone, whole = [*bursts, "products"], [f"{burst}/{stage}" for burst in bursts for stage in _STAGES]
    others = [f"{path}/zarr.json" for path in alone if path not in collected]
    others += [
        key for path in (*whole, DENSITY_GROUP) if path not in collected for key in _metadata_below(location, path)
    ]
    metadata = {**location.read_many(others), **planned, **{key: own[key] for key in own if _is_metadata(key)}}
    repeated = templates.consolidated(metadata)
    return {key: repeated.get(key, data) for key, data in own.items()}


def _metadata_below(location: Location, path: str) -> list[str]:
    """Metadata of a stored group and of its arrays."""
    return [f"{path}/zarr.json", *(f"{path}/{name}/zarr.json" for name in (location / path).folders())]


def _is_metadata(key: str) -> bool:
    return key.endswith("zarr.json")
