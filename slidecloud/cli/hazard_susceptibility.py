"""``slidecloud hazard susceptibility``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from slidecloud.cli.options import Executor, Workers

if TYPE_CHECKING:
    from slidecloud.config_hazard import HazardConfig
    from slidecloud.pipeline.hazard_susceptibility_report import SusceptibilityResult


def susceptibility(
    config: Path,
    /,
    *,
    report: Path | None = None,
    executor: Executor | None = None,
    workers: Workers = None,
    memory: str | None = None,
    retry_quarantined: bool = False,
    takeover: bool = False,
) -> int:
    """Learn from slides where ground is likely to slide, and map it in the group hazard/susceptibility of the store.

    Models learn from the cells (or slope units) with a slide and from as many drawn without one; each is judged on
    places apart in space that it had not seen, its scores are made probabilities on the ground, and every cell gets
    the probability, its spread over models without a part of the land, how unlike the ground is to any learnt from,
    and one of five classes. Where factors are deformation, each model is made without and with them, and the gain is
    given with intervals; slides older than the end of the series are refused, because the series already saw them.
    Prints scores, gains and what speaks against the maps. The factors must have been made, and for 'on: units' the
    units. In the configuration:

        susceptibility:
          slides: slides.gpkg         # by default the inventory of the run
          date: day                   # column with the day of each slide
          polygons: centroid          # or cells: all that a polygon holds
          on: cells                   # or units
          models: [logistic, forest, lightgbm]    # xgboost is an extra
          deformation: [gps_rate]     # beside the run's own, with series_end
          absences: {method: buffered, distance: 500, ratio: 2}
          splits: {number: 5, repeats: 10, buffer: variogram}
          true_share: 0.002           # where the inventory is not whole

    A CSV of slides names its columns: 'coordinates: [lon, lat]' and 'crs: EPSG:4326'. Absences of your own are rows of
    the same file: 'absences: {method: given, column: slid}'.

    For example:

        slidecloud hazard susceptibility hazard.yaml
        slidecloud hazard susceptibility hazard.yaml --report pictures

    Exit codes: 0 all done; 1 error; 2 wrong usage; 3 finished, but some units are in quarantine; 130 interrupted.

    Parameters
    ----------
    config
        The YAML that describes hazard, with a section susceptibility.
    report
        Folder to write susceptibility.html and its pictures into.
    executor
        dask (processes of this machine, or a scheduler), threads or serial.
    memory
        Memory of one worker, such as "4 GiB".
    retry_quarantined
        Try the units in quarantine again.
    takeover
        Take the store from another driver that may still be at work; what it has not finished it then cannot record.
    """
    from slidecloud.cli.hazard_work import mapped, settings_of
    from slidecloud.pipeline.hazard_susceptibility import compute

    settings = settings_of(config, executor=executor, workers=workers, memory=memory)
    return mapped(
        compute, settings, "susceptibility", lines=_lines, written=_written, report=report,
        retry_quarantined=retry_quarantined, takeover=takeover,
    )  # fmt: skip


def _lines(result: SusceptibilityResult) -> list[str]:
    wide = max(map(len, result.models))
    lines = []
    for name in result.models:
        each = result.told["models"][name]
        beside = f", optimistic {each['optimistic_auc']:.3f}" if each["optimistic_auc"] is not None else ""
        lines.append(f"{name:<{wide}}  AUC {each['auc']:.3f} in space, apparent {each['apparent_auc']:.3f}{beside}")
    for name, gain in result.told["gains"].items():
        folds = gain["folds"]
        lines.append(
            f"{name:<{wide}}  gain with deformation {folds['value']:+.3f} ({folds['low']:+.3f} to {folds['high']:+.3f})"
        )
    return lines


def _written(config: HazardConfig, result: SusceptibilityResult, folder: Path) -> Path:
    from slidecloud.pipeline.hazard_susceptibility_report import thinned_factor, thinned_maps
    from slidecloud.plots.maps import MOST_PIXELS, Canvas
    from slidecloud.plots.susceptibility_page import susceptibility_page
    from slidecloud.store import locate

    location = locate(config.place, config.storage_options)
    found = {name: thinned_maps(location, config.grid, name, most=MOST_PIXELS) for name in result.models}
    grid = found[result.models[0]][1]
    ground = thinned_factor(location, config.units.elevation, shape=(grid.height, grid.width))
    return susceptibility_page(
        result.told, folder, maps={name: maps for name, (maps, _) in found.items()},
        canvas=Canvas.on(grid, (grid.dx, grid.dx), ground), points=(result.x / 1000, result.y / 1000),
    )  # fmt: skip
