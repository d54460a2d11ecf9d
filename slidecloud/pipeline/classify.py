"""The stage ``classify``: every landslide of the inventory by its motion, potential points, and rain beside motion."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.config_classify import ClassifyConfig
from slidecloud.pipeline import merge, timeseries, visibility
from slidecloud.pipeline.landslide_rain import rain_table
from slidecloud.pipeline.potential_points import joined, points_of
from slidecloud.pipeline.tiles import BASE_MEMORY
from slidecloud.pipeline.units import Unit
from slidecloud.pipeline.velocities_inside import Seen, Velocities, classified
from slidecloud.products.stability import class_counts
from slidecloud.stack import rain, warped
from slidecloud.store import open_run, records, seams, tables
from slidecloud.store.arrays import Writer
from slidecloud.store.location import Location
from slidecloud.store.stability_specs import POINTS, RAIN, STABILITY
from slidecloud.store.velocity_maps import VelocityMap

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

STAGE: Final = "classify"
UNIT: Final = "landslides"
SOURCES: Final = (merge.STAGE, timeseries.STAGE, visibility.STAGE, seams.STAGE)
"""Stages whose results it reads."""
_PIXEL_BYTES: Final = 120
_LANDSLIDE_BYTES: Final = 200_000


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
        names = np.append(inventory["id"].to_numpy().astype(object), "")
        points: list[GeoDataFrame] = []

        def potential(one: VelocityMap, found: Velocities, label: NDArray[np.int64]) -> None:
            if found.visible is not None:
                points.append(points_of(one, found.velocity, found.sigma, found.visible, names[label], self.config))

        found, seen = classified(run, inventory, self.config, bursts=self.bursts, beside=potential)
        marked, compared = joined(points), rain_table(run, found, self.config)
        for name, table in ((STABILITY, found), (POINTS, marked), (RAIN, compared)):
            writer.write_object(name, tables.encode(table))
        facts = {"landslides": len(inventory), "classes": class_counts(found), "points": len(marked)}
        facts |= {"rain": len(compared)} if self.config.rain is not None else {}
        return facts | _note(seen)


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
