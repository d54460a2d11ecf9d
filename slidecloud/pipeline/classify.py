"""The stage ``classify``: every landslide of the inventory by its motion, potential points, and rain beside motion."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.config_classify import ClassifyConfig
from slidecloud.pipeline import merge, timeseries, visibility
from slidecloud.pipeline.landslide_rain import rain_table
from slidecloud.pipeline.potential_points import joined, points_of, visibility_of
from slidecloud.pipeline.tiles import BASE_MEMORY
from slidecloud.pipeline.units import Unit
from slidecloud.products.stability import Sample, class_counts, stability_table
from slidecloud.stack import rain, warped
from slidecloud.store import open_run, records, seams, tables
from slidecloud.store.arrays import MissingChunkError, Writer
from slidecloud.store.location import Location
from slidecloud.store.seams import Level
from slidecloud.store.stability_specs import POINTS, RAIN, STABILITY
from slidecloud.store.velocity_maps import Pixels, VelocityMap, velocity_maps
from slidecloud.types import DataError, Float32, track_of

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

STAGE: Final = "classify"
UNIT: Final = "landslides"
SOURCES: Final = (merge.STAGE, timeseries.STAGE, visibility.STAGE, seams.STAGE)
"""Stages whose results it reads."""
_PIXEL_BYTES: Final = 120
_LANDSLIDE_BYTES: Final = 200_000


@dataclass
class Seen:
    """What was read of one burst after the other."""

    samples: list[Sample] = field(default_factory=list)
    points: list[GeoDataFrame] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    blind: list[str] = field(default_factory=list)
    spacing: float = 0.0
    levels: dict[str, dict[tuple[str, str], Level]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ClassifyWork:
    """Read the velocities inside every outline, and write the tables.

    ``bursts`` are those whose results are to be read; None: all that the store has.
    """

    run: Location
    config: ClassifyConfig
    bursts: tuple[str, ...] | None = None

    def __call__(self, writer: Writer) -> dict[str, Any]:
        run = open_run(self.run)
        inventory = run.inventory
        seen = Seen()
        for burst in run.bursts if self.bursts is None else self.bursts:
            self._look(velocity_maps(self.run, run.header(burst)), inventory, seen)
        if not seen.spacing:
            raise DataError(
                f"{self.run} has no velocity to classify landslides by: no burst has a finished time series. Add the "
                "stage 'timeseries' and run again, or look at its quarantine with 'slidecloud status'."
            )
        found = stability_table(
            inventory, seen.samples, spacing=seen.spacing, least_points=self.config.least_points,
            absolute=self.config.absolute, uplift=self.config.uplift,
        )  # fmt: skip
        points, compared = joined(seen.points), rain_table(run, found, self.config)
        for name, table in ((STABILITY, found), (POINTS, points), (RAIN, compared)):
            writer.write_object(name, tables.encode(table))
        facts = {"landslides": len(inventory), "classes": class_counts(found), "points": len(points)}
        facts |= {"rain": len(compared)} if self.config.rain is not None else {}
        return facts | _note(seen)

    def _look(self, maps: Sequence[VelocityMap], inventory: GeoDataFrame, seen: Seen) -> None:
        """Read the velocity maps of a burst, one after the other."""
        burst: list[Sample] = []
        still: list[NDArray[np.float32]] = []
        for one in maps:
            try:
                velocity, sigma = self.velocity_of(one, seen)
            except MissingChunkError:
                seen.unfinished.append(one.path)
                continue
            seen.spacing = max(seen.spacing, *one.header.spacing)
            visible = visibility_of(one)
            outlines, label = inventory.geometry.to_numpy(), np.full(one.shape, -1, np.int64)
            near = one.near(outlines)
            for number, pixels in zip(near.tolist(), one.inside(outlines[near]), strict=True):
                burst += _sample(one, number, pixels, velocity, sigma, visible)
                label[pixels] = number
            names = np.append(inventory["id"].to_numpy().astype(object), "")
            if self.config.remove_median:
                still.append(velocity[(label < 0) & np.isfinite(velocity)])
            if visible is None:
                seen.blind.append(one.path)
            else:
                seen.points.append(points_of(one, velocity, sigma, visible, names[label], self.config))
        removed = self._median(still, maps)
        seen.samples += [dataclasses.replace(sample, removed=removed) for sample in burst]

    def velocity_of(self, one: VelocityMap, seen: Seen) -> tuple[Float32, Float32]:
        """The velocity to classify by, levelled with those of other bursts of its track, and its standard error."""
        track = track_of(one.header)
        if track not in seen.levels:
            seen.levels[track] = seams.read_levels(self.run, track)
        velocity, sigma = one.best()
        level = seen.levels[track].get((one.header.id, one.patch))
        offset = np.nan if level is None else level.velocity.get(one.name, np.nan)
        return velocity - np.float32(np.nan_to_num(offset)), sigma

    def _median(self, still: Sequence[NDArray[np.float32]], maps: Sequence[VelocityMap]) -> float:
        """Median velocity of a burst outside all landslides, m/yr; 0 where it is to stay."""
        values = np.concatenate(still) if still else np.zeros(0, np.float32)
        if values.size:
            return float(np.median(values))
        if self.config.remove_median and maps:
            raise DataError(
                f"Burst {maps[0].header.id} has no velocity outside all landslides, so its median cannot be removed. "
                "Leave out classify.remove_median."
            )
        return 0.0


def planned(run: Location, config: ClassifyConfig, units: Sequence[Unit], *, pixels: int) -> Unit:
    """The unit that classifies when some units have ended, of which those in `SOURCES` count; see `plan`."""
    read = [unit for unit in units if unit.key.stage in SOURCES]
    bursts = bursts_of(unit.key for unit in read)
    keys, names = [unit.key for unit in read], [unit.name for unit in read]
    return plan(run, config, inputs=keys, after=names, pixels=pixels, bursts=sorted(bursts))


def bursts_of(keys: Iterable[records.Key]) -> set[str]:
    """Bursts that units of `SOURCES` are of."""
    return {key.unit.split("/")[0] for key in keys if key.stage not in (merge.STAGE, seams.STAGE)}


def plan(
    run: Location,
    config: ClassifyConfig,
    *,
    inputs: Collection[records.Key],
    after: Sequence[tuple[str, str]] = (),
    pixels: int = 0,
    bursts: Sequence[str] | None = None,
) -> Unit:
    """The one unit that classifies.

    Parameters
    ----------
    run, config
        The run store and the settings.
    inputs
        Keys of the units whose results are read: of the stages in `SOURCES`.
    after
        Units that must have ended before; the inventory must be done.
    pixels
        Of the largest burst.
    bursts
        Whose results to read; None: all that the store has.

    Raises
    ------
    FileNotFoundError
        If a mask or the rain is not there.
    """
    files = [warped.fingerprint(path) for path in config.masks]
    files += [rain.fingerprint(config.rain)] if config.rain is not None else []
    settings = config.model_dump(mode="json", exclude={"rain", "masks"})
    parts = ["classify/3", sorted([key.stage, key.unit, key.digest] for key in inputs), settings, files]
    return Unit(
        records.Key(STAGE, UNIT, records.digest([*parts, None if bursts is None else sorted(bursts)])),
        ClassifyWork(run, config, None if bursts is None else tuple(sorted(bursts))),
        requires=((merge.STAGE, merge.UNIT),),
        after=tuple(name for name in after if name != (merge.STAGE, merge.UNIT)),
        peak_memory=BASE_MEMORY + _PIXEL_BYTES * pixels + _LANDSLIDE_BYTES,
    )


def _sample(
    one: VelocityMap,
    number: int,
    pixels: Pixels,
    velocity: Float32,
    sigma: Float32,
    visible: dict[str, NDArray[Any]] | None,
) -> list[Sample]:
    """The pixels of a map inside an outline that have a velocity; empty where none has."""
    known = np.isfinite(velocity[pixels]) & np.isfinite(sigma[pixels])
    if not known.any():
        return []
    kept = Pixels(pixels.rows[known], pixels.columns[known])
    place = one.place(kept)
    found = Sample(
        number, track_of(one.header), one.header.id, velocity[kept], sigma[kept], *place, source=one.source
    )  # fmt: skip
    if visible is not None:
        found = dataclasses.replace(found, sensitivity=visible["sensitivity"][kept], kind=visible["class"][kept])
    return [found]


def _note(seen: Seen) -> dict[str, Any]:
    """What a person should know: maps that are not finished, and bursts whose visibility is not known."""
    notes = []
    if seen.unfinished:
        notes.append(f"{len(seen.unfinished)} velocity maps are not finished and were left out: {seen.unfinished[0]}.")
    if seen.blind:
        notes.append(
            f"{len(seen.blind)} velocity maps have no visibility, so no potential points: {seen.blind[0]}. Add the "
            "stage 'visibility'."
        )
    return {"note": " ".join(notes)} if notes else {}
