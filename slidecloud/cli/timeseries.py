"""``slidecloud timeseries``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from slidecloud.cli.console import show
from slidecloud.cli.options import Executor, Workers

if TYPE_CHECKING:
    from slidecloud.config import RunConfig


def timeseries(
    config: Path,
    /,
    *,
    where: str | None = None,
    halo: float | None = None,
    executor: Executor | None = None,
    workers: Workers = None,
    memory: str | None = None,
    retry_quarantined: bool = False,
    takeover: bool = False,
) -> int:
    """Make displacement series: where landslides were found, in polygons, or of whole bursts.

    Around detections, the stages gradients and detect come first where they are not done. Each patch is unwrapped where
    the stack brings no unwrapped phase, its loops of pairs are mended, and it is levelled over still ground of its own
    and inverted. What is done is never done again. Options here take the place of the file's `timeseries` and
    `resources`; one run store holds one configuration.

    For example:

        slidecloud timeseries region.yaml
        slidecloud timeseries region.yaml --where everywhere
        slidecloud timeseries region.yaml --where villages.geojson --halo 500

    Exit codes: 0 all done; 1 error; 2 wrong usage; 3 finished, but some units are in quarantine; 130 interrupted.

    Parameters
    ----------
    config
        The YAML that describes the run.
    where
        detections, everywhere, or a file of polygons.
    halo
        Metres of ground around detections or polygons.
    executor
        dask (processes of this machine, or a scheduler), threads or serial.
    memory
        Memory of one worker, such as "4 GiB".
    retry_quarantined
        Try the units in quarantine again.
    takeover
        Take the store from another driver that may still be at work; what it has not finished it then cannot record.
    """
    from slidecloud.cli.run import perform, replaced, tell, with_resources
    from slidecloud.config import load

    place = where if where is None or Path(where).suffix == "" else str(Path(where).absolute())
    resources = {"executor": executor, "workers": workers, "memory": memory}
    asked = with_resources(load(config), resources)
    series = replaced(asked.timeseries, {"where": place, "halo": halo})
    # Whole bursts need no detections; a run that leaves detect out has none, unless they are asked for.
    alone = series.where == "everywhere" or (series.where != "detections" and "detect" not in asked.stages)
    stages = ("timeseries",) if alone else ("gradients", "detect", "timeseries")
    settings = asked.model_copy(update={"timeseries": series, "stages": stages})
    summary = perform(settings, retry_quarantined=retry_quarantined, takeover=takeover)
    tell(summary)
    show(_made(settings))
    return summary.exit_code


def _made(config: RunConfig) -> list[str]:
    """Where series are, and of how much ground."""
    from slidecloud.store import open_run

    run = open_run(config.run, config.storage_options)
    lines = []
    for burst in run.bursts:
        windows = run.patches(burst).values()
        if windows:
            height, width = run.header(burst).shape
            share = sum(window.pixels for window in windows) / (height * width)
            lines.append(f"{burst}: {len(windows)} patches, {100 * share:.1f} % of the burst")
    return lines
