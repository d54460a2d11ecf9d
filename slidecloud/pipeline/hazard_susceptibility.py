"""The stage ``hazard_susceptibility``: from factors and slides to probabilities on the ground.

Slides and absences are drawn tile by tile, by a rule under which the draw is that of the whole land. Models learn once
from what was drawn, one unit a model, and are stored; tiles are then mapped by what is stored. Counts of cells by their
probability are whole numbers. So any tiling and any number of workers give the same bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from slidecloud.config_hazard import HazardConfig
from slidecloud.config_susceptibility import SusceptibilityConfig
from slidecloud.config_yaml import ConfigError
from slidecloud.hazard.assessment import splits_of
from slidecloud.hazard.evaluation import Recipe
from slidecloud.hazard.factors import grid_of
from slidecloud.hazard.probability_bins import BINS, borders_by_area
from slidecloud.hazard.sampling import wanted
from slidecloud.hazard.slides import SlideCells
from slidecloud.hazard.susceptibility import to_learn_from
from slidecloud.libraries import library
from slidecloud.pipeline import hazard_units
from slidecloud.pipeline.drive import check_memory, drive
from slidecloud.pipeline.executors import Executor
from slidecloud.pipeline.hazard_draw import Marks
from slidecloud.pipeline.hazard_land import Land, land_of
from slidecloud.pipeline.hazard_learn import stored_places
from slidecloud.pipeline.hazard_slides import slides_of
from slidecloud.pipeline.hazard_susceptibility_plan import STAGE, Plan, tiles_of
from slidecloud.pipeline.hazard_susceptibility_report import Mapped, SusceptibilityResult, about, left_out
from slidecloud.pipeline.progress import Progress
from slidecloud.pipeline.side_store import check_store, ensure_store, withdraw_report, withdraw_stale
from slidecloud.pipeline.summary import Summary
from slidecloud.pipeline.units import Unit
from slidecloud.store import lease, records, templates
from slidecloud.store.hazard_specs import HAZARD
from slidecloud.store.location import Location, locate
from slidecloud.store.susceptibility_specs import REPORT, SUSCEPTIBILITY, susceptibility_specs

_LIBRARIES = {"lightgbm": "lightgbm", "xgboost": "xgboost"}


def compute(
    config: HazardConfig,
    *,
    executor: Executor,
    progress: Progress | None = None,
    retry_quarantined: bool = False,
    takeover: bool = False,
) -> tuple[Summary, SusceptibilityResult | None]:
    """Make the maps of all models in the group ``hazard/susceptibility``, and tell of them in ``…_report`` beside it.

    Parameters
    ----------
    config
        With a section ``susceptibility``; its factors, and for ``on: units`` the mapping units, must be made.
    executor, progress, retry_quarantined, takeover
        As for `slidecloud.pipeline.hazard_factors.compute`.

    Returns
    -------
    The summary of all passes, and what they made; None where units in quarantine kept it from being made.

    Raises
    ------
    ConfigError
        If there is no section ``susceptibility``, or it does not go with what is made.
    DataError
        If no slide lies on the grid, slides are too old for the deformation, or places cannot be split as asked for.
    ModuleNotFoundError
        Naming the extra where the library of a model is not installed.
    LeaseError, MemoryError
        As for the factors.
    """
    settings = config.susceptibility
    if settings is None:
        raise ConfigError(
            "susceptibility is missing; add the section, at least 'susceptibility: {slides: slides.gpkg}'."
        )
    for model in settings.models:
        library(_LIBRARIES.get(model, "sklearn"))
    location = locate(config.place, config.storage_options)
    check_store(location, HAZARD, in_run=config.run is not None)
    grid = grid_of(config.grid)
    slides = slides_of(config, settings, location, grid)
    plan = _plan(config, land_of(config, settings, location, grid), slides)
    first = [*plan.draws(), *plan.lessons(), *plan.maps()]
    done = records.done(location)
    check_memory([unit for unit in first if unit.key not in done], config.resources.memory_bytes)
    with lease.hold(location, takeover=takeover) as token:

        def driven(units: Sequence[Unit], label: str) -> Summary:
            return drive(
                units, location=location, token=token, executor=executor, memory=config.resources.memory_bytes,
                retries=config.resources.retries, retry_quarantined=retry_quarantined, progress=progress, label=label,
            )  # fmt: skip

        withdraw_stale(location, STAGE, first, keep="classes/")
        withdraw_report(location, STAGE, first, path=REPORT)
        ensure_store(location, HAZARD, in_run=config.run is not None)
        size = {"y": grid.height, "x": grid.width}
        template = templates.group(
            susceptibility_specs(plan.models), size, path=SUSCEPTIBILITY, attributes={"models": list(plan.models)},
            coordinates={}, grid=grid,
        )  # fmt: skip
        templates.ensure(location, SUSCEPTIBILITY, template)
        summary = driven(plan.draws(), "places")
        if summary.exit_code:
            return summary, None
        _check_places(plan.land)
        summary += driven([*plan.lessons(), *plan.maps()], "susceptibility")
        if summary.exit_code:
            return summary, None
        cells = _cells(location, plan)
        limits = {name: _limits(settings, cells.filled[name]) for name in plan.models}
        last = plan.classes(limits)
        withdraw_stale(location, STAGE, [*first, *last])
        withdraw_report(location, STAGE, last, path=REPORT)
        summary += driven(last, "classes")
        if summary.exit_code:
            return summary, None
        facts = _facts(location, last)
        kinds = {name: np.sum([one["cells"][name] for one in facts], axis=0) for name in plan.models}
        result = about(plan.land, plan.models, cells, limits, kinds, left_out(slides, settings, location))
        told = templates.group((), {}, path=REPORT, attributes=result.told, coordinates={}, grid=None)
        templates.ensure(location, REPORT, told)
        return summary, result


def _plan(config: HazardConfig, land: Land, slides: SlideCells) -> Plan:
    made = {layer.name: layer.digest for layer in hazard_units.layers_of(land.location)}
    inputs = [made[layer.name] for layer in land.layers]
    units = 0
    if land.settings.on == "units":
        table = [key.digest for key in records.done(land.location, stage=hazard_units.STAGE) if key.unit == "table"]
        if not table:
            raise ConfigError(
                f"susceptibility.on is units, and {land.location} holds none; make them with 'slidecloud hazard units'."
            )
        facts = hazard_units.sizes(land.location)
        stale = [layer.name for layer in land.layers if facts.get("factors", {}).get(layer.name) != made[layer.name]]
        if stale:
            raise ConfigError(
                f"susceptibility.on is units, and {stale[0]} has been made since the units were described by it; "
                "describe them anew with 'slidecloud hazard units'."
            )
        inputs += table
        units = int(facts["units"])
    grid = land.grid
    row, column = np.divmod(np.union1d(slides.slide, slides.barred), grid.width)
    near = np.stack([grid.x[column], grid.y[row]], axis=1)
    most = wanted(slides.slide.size, land.settings.absences.ratio)
    marks = Marks(slides.slide, slides.date, slides.other, slides.barred, near, most)
    models = len(land.settings.models) * (2 if land.settings.deformation else 1)
    return Plan(land, marks, tuple(inputs), tiles_of(config, land, models), units)


def _check_places(land: Land) -> None:
    """Refuse old slides, and splits that cannot be made: as soon as places are known, and before anything is learnt."""
    _, places = stored_places(land)
    settings = land.settings
    recipe = Recipe("logistic", settings.factors)
    kept = to_learn_from(places, recipe, deformation=settings.deformation, older_slides=settings.older_slides)
    if settings.splits.buffer != "variogram":
        splits_of(kept, settings, settings.splits.buffer)


def _cells(location: Location, plan: Plan) -> Mapped:
    """Cells of the maps by their probability, and those unlike the ground that was learnt from."""
    filled = {name: np.zeros(BINS, np.int64) for name in plan.models}
    unlike = dict.fromkeys(plan.models, 0)
    for one in _facts(location, [unit for unit in plan.maps() if unit.key.unit.startswith("maps/")]):
        for name in plan.models:
            filled[name][one["bins"][name]] += one["cells"][name]
            unlike[name] += one["unlike"][name]
    return Mapped(filled, unlike)


def _limits(settings: SusceptibilityConfig, filled: np.ndarray[Any, Any]) -> tuple[float, ...]:
    """Probabilities between the classes of a map."""
    if settings.classes == "probability":
        return settings.borders
    return tuple(borders_by_area(filled, settings.borders).tolist())


def _facts(location: Location, units: Sequence[Unit]) -> list[dict[str, Any]]:
    return [dict(one.facts) for unit in units if (one := records.read(location, unit.key)) is not None]
