"""Outlines by the velocities of a run inside them: the one way in which anything gets a stability class."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.config_classify import ClassifyConfig
from slidecloud.pipeline.potential_points import visibility_of
from slidecloud.products.stability import Sample, stability_table
from slidecloud.store import Run, seams
from slidecloud.store.arrays import MissingChunkError
from slidecloud.store.location import Location
from slidecloud.store.seams import Level
from slidecloud.store.velocity_maps import Pixels, VelocityMap, velocity_maps
from slidecloud.types import DataError, Float32, track_of

if TYPE_CHECKING:
    from geopandas import GeoDataFrame


class Velocities(NamedTuple):
    """Of a whole map: velocity and its standard error, (y, x) m/yr, and visibility where it is known."""

    velocity: Float32
    sigma: Float32
    visible: dict[str, NDArray[Any]] | None


Beside = Callable[[VelocityMap, Velocities, NDArray[np.int64]], None]
"""Told of every map that is read, with the row (y, x) of the outline that each pixel lies in, -1 outside."""


@dataclass
class Seen:
    """What was read of one burst after the other.

    Attributes
    ----------
    samples
        Pixels inside outlines.
    unfinished, blind
        Maps that are not finished and were left out, and those without visibility.
    spacing
        Metres of the largest pixel; 0 where nothing was read.
    """

    samples: list[Sample] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    blind: list[str] = field(default_factory=list)
    spacing: float = 0.0
    levels: dict[str, dict[tuple[str, str], Level]] = field(default_factory=dict)


def classified(
    run: Run,
    outlines: GeoDataFrame,
    config: ClassifyConfig,
    *,
    bursts: Sequence[str] | None = None,
    beside: Beside | None = None,
) -> tuple[GeoDataFrame, Seen]:
    """Outlines by their motion, as `slidecloud.products.stability.stability_table` tells it, and what was read.

    Parameters
    ----------
    run
        The run store.
    outlines
        Polygons in longitude and latitude with a column id.
    config
        The settings.
    bursts
        Whose velocities to read; None: all that the run has.
    beside
        Told of every map that is read.

    Raises
    ------
    DataError
        If no burst has a finished velocity, or none outside the outlines whose median is to be removed.
    """
    seen = Seen()
    shapes = outlines.geometry.to_numpy()
    for burst in run.bursts if bursts is None else bursts:
        _look(run.location, velocity_maps(run.location, run.header(burst)), shapes, seen, config, beside)
    if not seen.spacing:
        raise DataError(
            f"{run.location} has no velocity to classify landslides by: no burst has a finished time series. Add the "
            "stage 'timeseries' and run again, or look at its quarantine with 'slidecloud status'."
        )
    found = stability_table(
        outlines, seen.samples, spacing=seen.spacing, least_points=config.least_points,
        absolute=config.absolute, uplift=config.uplift,
    )  # fmt: skip
    return found, seen


def _look(
    run: Location,
    maps: Sequence[VelocityMap],
    outlines: Any,
    seen: Seen,
    config: ClassifyConfig,
    beside: Beside | None,
) -> None:
    """Read the velocity maps of a burst, one after the other."""
    burst: list[Sample] = []
    still: list[NDArray[np.float32]] = []
    for one in maps:
        try:
            velocity, sigma = velocity_of(run, one, seen)
        except MissingChunkError:
            seen.unfinished.append(one.path)
            continue
        seen.spacing = max(seen.spacing, *one.header.spacing)
        found = Velocities(velocity, sigma, visibility_of(one))
        if found.visible is None:
            seen.blind.append(one.path)
        label = np.full(one.shape, -1, np.int64)
        near = one.near(outlines)
        for number, pixels in zip(near.tolist(), one.inside(outlines[near]), strict=True):
            burst += _sample(one, number, pixels, found)
            label[pixels] = number
        if config.remove_median:
            still.append(velocity[(label < 0) & np.isfinite(velocity)])
        if beside is not None:
            beside(one, found, label)
    removed = _median(still, maps) if config.remove_median and maps else 0.0
    seen.samples += [dataclasses.replace(sample, removed=removed) for sample in burst]


def velocity_of(run: Location, one: VelocityMap, seen: Seen) -> tuple[Float32, Float32]:
    """The velocity to classify by, levelled with those of other bursts of its track, and its standard error."""
    track = track_of(one.header)
    if track not in seen.levels:
        seen.levels[track] = seams.read_levels(run, track)
    velocity, sigma = one.best()
    level = seen.levels[track].get((one.header.id, one.patch))
    offset = np.nan if level is None else level.velocity.get(one.name, np.nan)
    return velocity - np.float32(np.nan_to_num(offset)), sigma


def _median(still: Sequence[NDArray[np.float32]], maps: Sequence[VelocityMap]) -> float:
    """Median velocity of a burst outside all outlines, m/yr."""
    values = np.concatenate(still) if still else np.zeros(0, np.float32)
    if not values.size:
        raise DataError(
            f"Burst {maps[0].header.id} has no velocity outside all landslides, so its median cannot be removed. "
            "Leave out remove_median."
        )
    return float(np.median(values))


def _sample(one: VelocityMap, number: int, pixels: Pixels, found: Velocities) -> list[Sample]:
    """The pixels of a map inside an outline that have a velocity; empty where none has."""
    known = np.isfinite(found.velocity[pixels]) & np.isfinite(found.sigma[pixels])
    if not known.any():
        return []
    kept = Pixels(pixels.rows[known], pixels.columns[known])
    place = one.place(kept)
    sample = Sample(
        number, track_of(one.header), one.header.id, found.velocity[kept], found.sigma[kept], *place, source=one.source
    )  # fmt: skip
    visible = found.visible
    if visible is None:
        return [sample]
    return [dataclasses.replace(sample, sensitivity=visible["sensitivity"][kept], kind=visible["class"][kept])]
