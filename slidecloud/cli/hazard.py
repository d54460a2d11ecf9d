"""``slidecloud hazard``: factors, and what follows from them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import App

from slidecloud.cli.console import say, show
from slidecloud.cli.errors import UsageError
from slidecloud.cli.hazard_risk import risk
from slidecloud.cli.hazard_susceptibility import susceptibility
from slidecloud.cli.hazard_units import units
from slidecloud.cli.options import Executor, Workers

if TYPE_CHECKING:
    from slidecloud.config_hazard import HazardConfig

hazard = App(
    name="hazard",
    help="""Factors, mapping units, susceptibility and risk on one grid, from a run or from files alone.

    One YAML describes it all, with a section for each part; relative paths are taken from its own folder:

        store: ./hazard.zarr          # or run: ./run.zarr, whose inventory and series are used
        grid: {crs: EPSG:32648, spacing: 30, bounds: [400000, 3300000, 430000, 3330000]}
        factors:
          elevation: {kind: raster, path: dem.tif, units: m, resampling: linear}
          slope: {}
          relief: {window: 500}
          rivers: {kind: distance, path: rivers.gpkg, reproject: true}

    For example:

        slidecloud hazard factors --print-config > hazard.yaml   # every key, to be edited
        slidecloud hazard factors hazard.yaml
        slidecloud hazard units hazard.yaml
        slidecloud hazard susceptibility hazard.yaml --report pictures
        slidecloud hazard risk hazard.yaml --report pictures

    Exit codes: 0 all done; 1 error; 2 wrong usage; 3 finished, but some tiles are in quarantine; 130 interrupted.
    """,
    help_format="markdown",
)
hazard.command(units)
hazard.command(susceptibility)
hazard.command(risk)


@hazard.command
def factors(
    config: Path | None = None,
    /,
    *,
    print_config: bool = False,
    executor: Executor | None = None,
    workers: Workers = None,
    memory: str | None = None,
    retry_quarantined: bool = False,
    takeover: bool = False,
) -> int:
    """Make every factor of a configuration on its one grid, in the group hazard/factors of the store.

    Slope, aspect, curvatures and relief of an elevation; distances to lines, points and polygons; densities of points;
    maps of numbers and of categories; rate and displacement along the line of sight of a run. Nothing is resampled or
    reprojected unless the configuration says so. What is made is not made again. Prints what was made, and the share of
    the grid that each factor knows.

    Kinds with their keys: raster (path, variable, resampling, units), category (path; of a map classes, of polygons
    column), slope, aspect, profile_curvature, plan_curvature, tangential_curvature (of), relief (window), distance
    (path, layer, reproject), density (radius; path, or the inventory of the run), los_rate (track), los_displacement
    (track, until). A factor that has the name of a kind need not say it.

    For example:

        slidecloud hazard factors --print-config > hazard.yaml
        slidecloud hazard factors hazard.yaml
        slidecloud hazard factors hazard.yaml --executor threads --workers 4

    Exit codes: 0 all done; 1 error; 2 wrong usage; 3 finished, but some tiles are in quarantine; 130 interrupted.

    Parameters
    ----------
    config
        The YAML that describes hazard.
    print_config
        Print a commented configuration with every key of every section, and stop.
    executor
        dask (processes of this machine, or a scheduler), threads or serial.
    memory
        Memory of one worker, such as "4 GiB".
    retry_quarantined
        Try the tiles in quarantine again.
    takeover
        Take the store from another driver that may still be at work; what it has not finished it then cannot record.
    """
    if print_config:
        from slidecloud.config_hazard_template import template

        show(template().splitlines())
        return 0
    if config is None:
        raise UsageError("'slidecloud hazard factors' needs the YAML of hazard; write one with --print-config.")
    from slidecloud.cli.hazard_work import performed, settings_of
    from slidecloud.cli.run import tell
    from slidecloud.pipeline.hazard_factors import compute

    settings = settings_of(config, executor=executor, workers=workers, memory=memory)
    summary = performed(compute, settings, retry_quarantined=retry_quarantined, takeover=takeover)
    tell(summary)
    show(_known(settings))
    say(f"Factors: {settings.place}/hazard/factors")
    return summary.exit_code


def _known(config: HazardConfig) -> list[str]:
    from slidecloud.pipeline.hazard_made import known
    from slidecloud.store import locate

    shares = known(locate(config.place, config.storage_options))
    wide = max(map(len, shares), default=0)
    return [f"{name:<{wide}} {share:>7.1%} known" for name, share in sorted(shares.items())]
