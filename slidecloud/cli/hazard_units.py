"""``slidecloud hazard units``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from slidecloud.cli.console import say
from slidecloud.cli.options import Executor, Workers

if TYPE_CHECKING:
    from slidecloud.config_hazard import HazardConfig


def units(
    config: Path,
    /,
    *,
    elevation: str | None = None,
    least_area: float | None = None,
    largest_area: float | None = None,
    spread: float | None = None,
    smoothing: float | None = None,
    executor: Executor | None = None,
    workers: Workers = None,
    memory: str | None = None,
    retry_quarantined: bool = False,
    takeover: bool = False,
) -> int:
    """Cut the grid into slope units, and describe each of them by every factor.

    Water is let run over the whole elevation model, its pits filled. Half-basins of its streams are cut along ever
    finer streams until each faces one way, and what is too small joins the neighbour that faces most like it. Every
    cell with an elevation is in exactly one unit. Writes the map hazard/units and the table hazard/units.parquet:
    outlines, and mean and standard deviation or the commonest category of each factor. Options take the place of the
    file's section `units`. The factors come first: 'slidecloud hazard factors'.

    For example:

        slidecloud hazard units hazard.yaml
        slidecloud hazard units hazard.yaml --spread 0.2 --least-area 100000

    Exit codes: 0 all done; 1 error; 2 wrong usage; 3 finished, but some tiles are in quarantine; 130 interrupted.

    Parameters
    ----------
    config
        The YAML that describes hazard.
    elevation
        Factor that holds the elevation.
    least_area
        m2; smaller units join a neighbour where spread allows.
    largest_area
        m2 that no unit exceeds.
    spread
        Circular variance of the aspects that no unit exceeds.
    smoothing
        m, standard deviation of the Gaussian that slopes are averaged over before their aspects are taken; 0 takes
        each cell by itself. Without it, as wide as steadies them like the mean over the least area.
    executor
        dask (processes of this machine, or a scheduler), threads or serial.
    memory
        Memory of one worker, such as "4 GiB"; the flow over the whole grid is found at once and needs 65 bytes a cell.
    retry_quarantined
        Try the tiles in quarantine again.
    takeover
        Take the store from another driver that may still be at work; what it has not finished it then cannot record.
    """
    from slidecloud.cli.hazard_work import performed, settings_of
    from slidecloud.cli.run import replaced, tell
    from slidecloud.pipeline.hazard_units import compute

    loaded = settings_of(config, executor=executor, workers=workers, memory=memory)
    given = {
        "elevation": elevation, "least_area": least_area, "largest_area": largest_area, "spread": spread,
        "smoothing": smoothing,
    }  # fmt: skip
    settings = loaded.model_copy(update={"units": replaced(loaded.units, given)})
    summary = performed(compute, settings, retry_quarantined=retry_quarantined, takeover=takeover)
    tell(summary)
    say(_found(settings))
    return summary.exit_code


def _found(config: HazardConfig) -> str:
    """Number and sizes of the units."""
    from slidecloud.pipeline.hazard_units import sizes
    from slidecloud.store import locate

    facts = sizes(locate(config.place, config.storage_options))
    if not facts.get("units"):
        return "There is no slope unit."
    return (
        f"{facts['units']} slope units, mean {facts['mean_area'] / 1e6:.3f} km2, median "
        f"{facts['median_area'] / 1e6:.3f}, largest {facts['largest_area'] / 1e6:.3f}. {facts['below_least_area']} are "
        f"smaller than asked for, as no neighbour faces their way. Aspects averaged over {facts['smoothing']:.0f} m "
        f"spread within the limit in all; those of single cells spread further in {facts['cells_above_spread']}. "
        f"Units: {config.place}/hazard/units.parquet"
    )
