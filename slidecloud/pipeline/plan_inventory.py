"""The part of a run's plan that comes after all bursts: the inventory and its density maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from slidecloud.config import RunConfig
from slidecloud.pipeline import detect, merge
from slidecloud.pipeline.geocoding import Geocoder
from slidecloud.pipeline.summary import Quarantined
from slidecloud.pipeline.units import Unit
from slidecloud.products.density import density_grid
from slidecloud.store import records, runs
from slidecloud.store.location import Location
from slidecloud.types import DataError, StackHeader

Corners = tuple[float, float, float, float]
"""West, south, east, north, degrees."""


def corners(header: StackHeader, static: Mapping[str, NDArray[np.float32]]) -> Corners | Quarantined:
    """Where a burst lies; a burst that does not say so cannot be searched for landslides, its other stages go on."""
    try:
        return Geocoder(header, static.get("latitude"), static.get("longitude")).corners()
    except DataError as error:
        return Quarantined(detect.STAGE, header.id, str(error), "data")


def plan(
    config: RunConfig,
    run: Location,
    units: Sequence[Unit],
    refused: Sequence[Quarantined],
    covered: Sequence[Corners],
) -> tuple[Unit, Mapping[str, Mapping[str, bytes]]]:
    """The unit that merges, and the templates of what it writes.

    Parameters
    ----------
    config, run
        The run and its store.
    units
        Units of all bursts.
    refused
        Bursts that cannot take part.
    covered
        Where the others lie.
    """
    grid = density_grid(covered)
    unit = merge.plan(
        run,
        [unit for unit in units if unit.key.stage == detect.STAGE],
        refused=[item.unit for item in refused],
        distance=config.detect.merge_distance,
        radius=config.detect.density_radius,
        grid=grid,
        configuration=records.digest(config.science()),
    )
    return unit, runs.products_templates(grid, config.detect.density_radius)
