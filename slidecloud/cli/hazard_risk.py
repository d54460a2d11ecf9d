"""``slidecloud hazard risk``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from slidecloud.cli.options import Executor, Workers

if TYPE_CHECKING:
    from slidecloud.config_hazard import HazardConfig
    from slidecloud.pipeline.hazard_risk_report import RiskResult


def risk(
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
    """Weigh the factors into one index of risk and cut it into four levels, in the group hazard/risk of the store.

    Each factor is cut into classes, each class has the information value of the landslides it holds, and factors are
    weighed by judgement, by entropy or by both. The index is scored on landslides that were held out. Prints the score,
    the levels and what speaks against the map. The factors must have been made. In the configuration:

        risk:
          points: slides.gpkg                      # by default the inventory of the run
          factors: {slope: {breaks: [15, 30, 45]}, aspect: {}, rivers: {parts: 5}}
          matrix: [[1, 2, 4], [1/2, 1, 2], [1/4, 1/2, 1]]
          picked_by: [visibility, slope]           # what the points were picked by

    For example:

        slidecloud hazard risk hazard.yaml
        slidecloud hazard risk hazard.yaml --report pictures

    Exit codes: 0 all done; 1 error; 2 wrong usage; 3 finished, but some tiles are in quarantine; 130 interrupted.

    Parameters
    ----------
    config
        The YAML that describes hazard, with a section risk.
    report
        Folder to write risk.html and its pictures into.
    executor
        dask (processes of this machine, or a scheduler), threads or serial.
    memory
        Memory of one worker, such as "4 GiB".
    retry_quarantined
        Try the tiles in quarantine again.
    takeover
        Take the store from another driver that may still be at work; what it has not finished it then cannot record.
    """
    from slidecloud.cli.hazard_work import mapped, settings_of
    from slidecloud.pipeline.hazard_risk import compute

    settings = settings_of(config, executor=executor, workers=workers, memory=memory)
    return mapped(
        compute, settings, "risk", lines=_lines, written=_written, report=report,
        retry_quarantined=retry_quarantined, takeover=takeover,
    )  # fmt: skip


def _lines(result: RiskResult) -> list[str]:
    from slidecloud.hazard.risk_tables import level_table

    scores = result.scores
    lines = [f"area below the curve  {scores.auc:.3f} held out, {scores.apparent:.3f} on what it was made from"]
    table = level_table(result.cells, result.points)
    lines += [
        f"{row.level:<20}  {row.ground:>6.1%} of the ground, {row.points:>6.1%} of the landslides"
        for row in table.itertuples()
    ]
    return lines


def _written(config: HazardConfig, result: RiskResult, folder: Path) -> Path:
    from slidecloud.pipeline.hazard_risk_report import made_from, thinned
    from slidecloud.plots.maps import MOST_PIXELS, Canvas
    from slidecloud.plots.risk_page import risk_page
    from slidecloud.store import locate

    index, level, grid = thinned(locate(config.place, config.storage_options), config.grid, most=MOST_PIXELS)
    return risk_page(
        result.risk, folder, index=index, level=level, canvas=Canvas.on(grid, (grid.dx, grid.dx)),
        points=(result.x / 1000, result.y / 1000), levels=(result.cells, result.points), scores=result.scores,
        caveats=result.caveats, made_from=[] if config.risk is None else made_from(config, config.risk, result),
    )  # fmt: skip
