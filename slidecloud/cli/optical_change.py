"""``slidecloud optical change``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from slidecloud.cli.console import progress, say, show
from slidecloud.cli.options import Executor, Workers

if TYPE_CHECKING:
    from slidecloud.pipeline.optical_change_result import ChangeResult


def change(
    config: Path,
    /,
    *,
    report: Path | None = None,
    series: Annotated[int, Parameter(validator=Number(gte=0))] = 6,
    executor: Executor | None = None,
    workers: Workers = None,
    memory: str | None = None,
    retry_quarantined: bool = False,
    takeover: bool = False,
) -> int:
    """Tell what changed between the outlines of two dates, on which ground, and how the ground inside moves.

    Outlines of two dates that share enough of the smaller one are one landslide: new, grown, unchanged, shrunk, split,
    merged, regrouped or vanished. A change is unseen where most of the ground that is in one date alone lies under
    clouds of the other, or beyond its border.
    In a run whose displacement is known, the pixels inside each outline of the later date, and of those in the earlier
    date alone, give its mean velocity with sigma, its class as 'slidecloud classify' has it, and its series beside
    rain. Outlines with too few pixels say so. Writes tables, maps of density and counts into the group
    optical/change-BEFORE-AFTER of the store, and prints them. In the configuration:

        run: ./run.zarr
        change:
          before: valley_2019                    # scenes that are mapped, or GeoParquet, GeoPackage, GeoJSON
          after: valley_2023
          least_overlap: 0.1                     # share of the smaller outline
          least_growth: 0.2                      # of the area before
          radar: {least_points: 5, rain: station.csv}
          histograms:
            grid: {crs: EPSG:32648, spacing: 30, bounds: [400000, 3300000, 430000, 3330000]}
            factors:
              elevation: {kind: raster, path: dem.tif, resampling: linear}
              slope: {}
              aspect: {}
              ndvi: {kind: raster, path: ndvi.tif, resampling: linear}
              lithology: {kind: category, path: rocks.gpkg, column: rock, reproject: true}
            classes: {slope: {breaks: [15, 30, 45]}, ndvi: {parts: 5}}

    For example:

        slidecloud optical change optical.yaml
        slidecloud optical change optical.yaml --report pictures

    Exit codes: 0 all done; 1 error; 2 wrong usage; 3 finished, but something is in quarantine; 130 interrupted.

    Parameters
    ----------
    config
        The YAML that describes optical images, with a section change.
    report
        Folder to write change.html and its pictures into.
    series
        Outlines whose series the report shows: those that move fastest.
    executor
        dask (processes of this machine, or a scheduler), threads or serial.
    memory
        Memory of one worker, such as "4 GiB".
    retry_quarantined
        Try again what is in quarantine.
    takeover
        Take the store from another driver that may still be at work; what it has not finished it then cannot record.
    """
    from slidecloud.cli.run import on_executor, replaced, tell
    from slidecloud.config_optical import load
    from slidecloud.pipeline.optical_change import compute

    loaded = load(config)
    resources = replaced(loaded.resources, {"executor": executor, "workers": workers, "memory": memory})
    settings = loaded.model_copy(update={"resources": resources})
    with on_executor(resources) as opened:
        summary, result = compute(
            settings, executor=opened, progress=progress(), retry_quarantined=retry_quarantined, takeover=takeover
        )
    tell(summary)
    if result is not None:
        show(_lines(result))
        if result.radar is None:
            say("No velocities: the store has no run with displacement, so outlines have no class.", style="yellow")
        say(f"Change: {settings.place}/{result.place}")
        if report is not None:
            say(f"Report: {_written(result, report, series)}")
    return summary.exit_code


def _lines(result: ChangeResult) -> list[str]:
    before, after = result.facts["outlines"]
    lines = [f"{before} outlines in {result.dates[0]}, {after} in {result.dates[1]}"]
    lines += [f"{name:<22} {number:>6}" for name, number in result.facts["changes"].items()]
    if result.radar is not None:
        lines.append("outlines by motion")
        lines += [f"{name:<22} {number:>6}" for name, number in result.facts["classes"].items()]
    return lines


def _written(result: ChangeResult, folder: Path, series: int) -> Path:
    from slidecloud.plots.optical_change_page import change_page

    stability = None if result.radar is None else result.stability
    return change_page(
        folder, dates=result.dates, changes=result.changes, density=result.density, stability=stability,
        series=result.fastest(series), histograms=result.histograms,
    )  # fmt: skip
