"""The stage ``hazard_risk``: from factors and points to an index, its levels and its scores.

Three passes over the tiles, each of which needs what the one before found everywhere: counts of classes, the index, and
its levels. All sums between them are of whole numbers, so that any tiling gives the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import reduce
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.config_factors import FactorConfig
from slidecloud.config_hazard import HazardConfig
from slidecloud.config_risk import RiskConfig
from slidecloud.config_yaml import ConfigError
from slidecloud.hazard import gathering
from slidecloud.hazard.factor_classes import MISSING, Tally
from slidecloud.hazard.factors import grid_of
from slidecloud.hazard.risk import BINS, RiskSettings, fit, index, level_breaks, priorities
from slidecloud.hazard.risk_places import Places, kept, places
from slidecloud.pipeline.drive import drive
from slidecloud.pipeline.executors import Executor
from slidecloud.pipeline.hazard_made import STAGE as FACTORS_STAGE
from slidecloud.pipeline.hazard_made import check_made
from slidecloud.pipeline.hazard_motion import inventory_places
from slidecloud.pipeline.hazard_risk_classes import classes_in
from slidecloud.pipeline.hazard_risk_report import RiskResult, report
from slidecloud.pipeline.hazard_risk_scores import RiskPlaces, scored, spoken_against
from slidecloud.pipeline.hazard_risk_work import Ground, IndexWork, LevelWork, TallyWork
from slidecloud.pipeline.progress import Progress
from slidecloud.pipeline.side_store import check_store, withdraw_report, withdraw_stale
from slidecloud.pipeline.summary import Summary
from slidecloud.pipeline.tiles import BASE_MEMORY, Tile, cut
from slidecloud.pipeline.units import Unit, Work
from slidecloud.stack.map_files import open_map
from slidecloud.stack.shapes import open_shapes
from slidecloud.store import lease, records, templates
from slidecloud.store.hazard_specs import HAZARD
from slidecloud.store.location import Location, locate
from slidecloud.store.risk_specs import REPORT, RISK, RISK_ARRAYS
from slidecloud.store.specs import SPATIAL_CHUNK
from slidecloud.types import DataError, Grid

STAGE: Final = "hazard_risk"
_PIXEL_BYTES: Final = 80


def compute(
    config: HazardConfig,
    *,
    executor: Executor,
    progress: Progress | None = None,
    retry_quarantined: bool = False,
    takeover: bool = False,
) -> tuple[Summary, RiskResult | None]:
    """Make the index and its levels in the group ``hazard/risk``, and tell of them in ``hazard/risk_report``.

    Parameters
    ----------
    config
        With a section ``risk``; its factors must be made.
    executor, progress, retry_quarantined, takeover
        As for `slidecloud.pipeline.hazard_factors.compute`.

    Returns
    -------
    The summary of all three passes, and what they made; None where tiles in quarantine kept it from being made.

    Raises
    ------
    ConfigError
        If there is no section ``risk``, factors are not made, or the configuration does not go with them.
    ValueError
        If judgements contradict each other's cells, or the index takes too few values for four levels.
    DataError
        If no point lies on open ground where all factors are known.
    LeaseError, MemoryError
        As for the factors.
    """
    settings = config.risk
    if settings is None:
        raise ConfigError(
            "risk is missing; add the section, at least 'risk: {factors: {slope: {breaks: [15, 30]}, aspect: {}}, "
            "weighting: entropy}'."
        )
    priorities(tuple(settings.factors), _settings(settings))  # refused before anything is read
    location = locate(config.place, config.storage_options)
    check_store(location, HAZARD, in_run=config.run is not None)
    check_made(location, config, settings.factors)
    grid = grid_of(config.grid)
    masks = tuple(open_map(path, options=config.storage_options) for path in settings.masks)
    ground = Ground(location, grid, classes_in(location, config.factors, settings), masks)
    found = places(*_points(config, settings, location, grid), grid, seed=settings.seed)
    resources = config.resources
    tiles = cut(
        (grid.height, grid.width), SPATIAL_CHUNK, read_per_pixel=4 * len(ground.classes),
        memory_per_pixel=_PIXEL_BYTES + 8 * len(ground.classes), memory=resources.memory_bytes, tile=resources.tile,
    )  # fmt: skip
    with lease.hold(location, takeover=takeover) as token:

        def driven(name: str, parts: Any, make: Callable[[Tile], Work]) -> tuple[Summary, list[dict[str, Any]]]:
            units = _units(name, parts, make, ground, tiles)
            withdraw_stale(location, STAGE, units, within=f"{name}/")
            withdraw_report(location, STAGE, units, path=REPORT)
            summary = drive(
                units, location=location, token=token, executor=executor, memory=resources.memory_bytes,
                retries=resources.retries, retry_quarantined=retry_quarantined, progress=progress, label=f"risk {name}",
            )  # fmt: skip
            return summary, [dict(one.facts) for unit in units if (one := records.read(location, unit.key))]

        return _passes(settings, config.factors, ground, found, driven)


Driven = Callable[[str, Any, Callable[[Tile], Work]], tuple[Summary, list[dict[str, Any]]]]


def _passes(
    settings: RiskConfig, factors: Mapping[str, FactorConfig], ground: Ground, found: Places, driven: Driven
) -> tuple[Summary, RiskResult | None]:
    location, grid = ground.location, ground.grid
    size = {"y": grid.height, "x": grid.width}
    template = templates.group(RISK_ARRAYS, size, path=RISK, attributes={}, coordinates={}, grid=grid)
    templates.ensure(location, RISK, template)

    def tallied(tile: Tile) -> Work:
        inside = found.within(tile.rows, tile.columns)
        return TallyWork(ground, tile, inside, found.row[inside], found.column[inside])

    parts = [found.row.tolist(), found.column.tolist()]
    summary, facts = driven("tally", parts, tallied)
    if summary.exit_code:
        return summary, None
    tallies, codes, seen = _gathered(ground, found, facts)
    at = RiskPlaces(found, kept(found, codes, seen), codes)
    risk = fit(ground.classes, tallies, codes[:, at.points], settings=_settings(settings))
    scores = scored(settings, factors, grid, at, risk)
    made = [risk.weights.tolist(), [table.scaled.tolist() for table in risk.tables]]
    more, facts = driven("index", made, lambda tile: IndexWork(ground, tile, risk))
    summary += more
    if more.exit_code:
        return summary, None
    filled = np.zeros(BINS, np.int64)
    for one in facts:
        filled[one["bins"]] += one["cells"]
    breaks = level_breaks(risk, filled)
    more, facts = driven("levels", [made, breaks.edges.tolist()], lambda tile: LevelWork(ground, tile, breaks))
    summary += more
    if more.exit_code:
        return summary, None
    cells = np.sum([one["cells"] for one in facts], axis=0)
    told = spoken_against(settings, factors, location, at, risk, scores)
    points = np.bincount(breaks.level(index(risk, codes[:, at.points])), minlength=len(cells))
    x, y = (axis[at.points] for axis in found.metres(grid))
    result = RiskResult(risk, breaks, scores, told, x, y, cells, points)
    about = templates.group((), {}, path=REPORT, attributes=report(result), coordinates={}, grid=None)
    templates.ensure(location, REPORT, about)
    return summary, result


def _points(
    config: HazardConfig, settings: RiskConfig, location: Location, grid: Grid
) -> tuple[NDArray[Any], NDArray[Any]]:
    if settings.points is None:
        place = inventory_places(location, grid)
        if not len(place):
            raise DataError("The run's inventory holds no landslide; give risk.points.")
    else:
        shapes = open_shapes(settings.points, options=config.storage_options)
        frame = gathering.gathered("risk.points", shapes.read(), shapes.name, grid, reproject=settings.reproject)
        place = gathering.points_of(frame)
    return place[:, 0], place[:, 1]


def _settings(config: RiskConfig) -> RiskSettings:
    return RiskSettings(config.weighting, config.matrix, config.method, config.scaling, config.smoothing, config.masked)


def _units(name: str, parts: Any, make: Callable[[Tile], Work], ground: Ground, tiles: Sequence[Tile]) -> list[Unit]:
    count = len(ground.classes)
    inputs = sorted([key.unit, key.digest] for key in records.done(ground.location, stage=FACTORS_STAGE))
    digest = records.digest(
        [
            "risk/1",
            name,
            parts,
            [asdict(one) for one in ground.classes],
            [one.fingerprint for one in ground.masks],
            inputs,
        ]
    )
    return [
        Unit(
            records.Key(STAGE, f"{name}/{tile}", digest),
            make(tile),
            bytes_read=4 * count * tile.pixels,
            bytes_written=5 * tile.pixels,
            peak_memory=BASE_MEMORY + (_PIXEL_BYTES + 8 * count) * tile.pixels,
        )
        for tile in tiles
    ]


def _gathered(
    ground: Ground, found: Places, facts: Sequence[dict[str, Any]]
) -> tuple[list[Tally], NDArray[np.int16], NDArray[np.bool_]]:
    """Ground of each factor, and codes (factor, place) and openness of all places, from the facts of all tiles."""
    codes = np.full((len(ground.classes), found.row.size), MISSING, np.int16)
    seen = np.zeros(found.row.size, bool)
    for one in facts:
        codes[:, one["place"]], seen[one["place"]] = np.array(one["codes"], np.int16), one["open"]
    tallies = [
        reduce(Tally.plus, (Tally(np.array(one["cells"][k]), np.array(one["open_cells"][k])) for one in facts))
        for k in range(len(ground.classes))
    ]
    return tallies, codes, seen
