"""Templates of the patches of a burst: which arrays each of their groups holds."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slidecloud.config_timeseries import TimeseriesConfig
from slidecloud.kernels.components import COMPONENTS
from slidecloud.pipeline import timeseries, trajectories, unwrap
from slidecloud.pipeline.inputs import Selection
from slidecloud.pipeline.patch_series import group
from slidecloud.pipeline.patches import Patch
from slidecloud.pipeline.timeseries import STAGE
from slidecloud.store import runs, templates
from slidecloud.store.atmosphere_specs import CORRECTION, FILTERED
from slidecloud.store.patch_specs import EDITED, INTEGRATED, OF_PATCHES, patch_group, patches_group, window_header


def patch_templates(
    selection: Selection,
    found: Sequence[Patch],
    config: TimeseriesConfig,
    position: Mapping[str, NDArray[np.float32]],
) -> dict[str, Mapping[str, bytes]]:
    """Objects of the patches of a burst, by group.

    Parameters
    ----------
    selection, found, config
        The pairs, the patches and the settings.
    position
        Latitude and longitude of the burst in radar geometry, else nothing.
    """
    burst = selection.header.id
    collected: dict[str, Mapping[str, bytes]] = {}
    if found:
        collected[patches_group(burst)] = _bare(patches_group(burst), {})
    for patch in found:
        collected |= _templates(selection, patch, config, position)
    return collected


def _templates(
    selection: Selection, patch: Patch, config: TimeseriesConfig, position: Mapping[str, NDArray[np.float32]]
) -> dict[str, Mapping[str, bytes]]:
    window = patch.window
    header, path = window_header(selection.header, window), patch_group(selection.header.id, patch.name)
    place = {name: values[window.rows, window.columns] for name, values in position.items()}
    attributes = {"window": list(dataclasses.astuple(window)), "detections": len(patch.moving)}
    sizes, values = timeseries.template_values(selection)
    left_out = set() if config.integrate else set(INTEGRATED)
    if not config.recovered or unwrap.method_of(selection, config) == "stored":
        left_out.add("recovered_fraction")
    if left_out:
        left_out.add("preferred")
    left_out |= set() if config.edit else set(EDITED)
    optional = [spec.name for spec in OF_PATCHES if spec.name not in left_out]
    optional += [spec.name for spec in CORRECTION if config.atmosphere.corrects]
    optional += [spec.name for spec in FILTERED if config.atmosphere.filter]
    optional += trajectories.arrays(config.trajectory)
    more, days = trajectories.coordinates(config.trajectory)
    collected: dict[str, Mapping[str, bytes]] = {path: _bare(path, attributes)}
    times = {"reference_time": values["pair_reference_time"], "secondary_time": values["pair_secondary_time"]}
    name = unwrap.group(selection.header.id, patch)
    collected[name] = runs.stage_template(
        header, unwrap.GROUP, {"pair": sizes["pair"]}, {**times, **place}, attributes, path=name,
        chunks=selection.chunks[1:], pairs=unwrap.batch_of(patch),
    )  # fmt: skip
    name = group(selection.header.id, patch)
    collected[name] = runs.stage_template(
        header, STAGE, {**sizes, **more, "component": COMPONENTS}, {**values, **days, **place}, attributes, path=name,
        chunks=selection.chunks[1:], optional=optional,
    )  # fmt: skip
    return collected


def _bare(path: str, attributes: Mapping[str, Any]) -> dict[str, bytes]:
    return templates.group((), {}, path=path, attributes=attributes, coordinates={}, grid=None)
