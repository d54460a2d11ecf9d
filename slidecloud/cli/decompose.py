"""``slidecloud decompose``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from slidecloud.cli.console import show
from slidecloud.cli.options import Executor, Workers

if TYPE_CHECKING:
    from slidecloud.config import RunConfig


def decompose(
    config: Path,
    /,
    *,
    spacing: float | None = None,
    least_sensitivity: float | None = None,
    least_slope: float | None = None,
    worst_condition: float | None = None,
    plot: Path | None = None,
    executor: Executor | None = None,
    workers: Workers = None,
    memory: str | None = None,
    retry_quarantined: bool = False,
    takeover: bool = False,
) -> int:
    """Put velocities of ascending and descending passes together: motion east, up and down the slope.

    Wherever series of both passes cover the same ground, their velocities are brought to one metric grid, each is
    levelled on the ground at rest that both see, and east and up are solved for with their standard errors; northward
    motion, which radars hardly see, is taken to be zero. Beside them comes the motion straight down the slope that
    agrees best with both, where a line of sight is sensitive to it. The stages of the run that come before are done
    first where they are not. Options take the place of the file's section `decompose`. Prints the areas.

    For example:

        slidecloud decompose region.yaml
        slidecloud decompose region.yaml --plot pictures
        slidecloud export run.zarr --names east up downslope

    Exit codes: 0 all done; 1 error; 2 wrong usage; 3 finished, but some units are in quarantine; 130 interrupted.

    Parameters
    ----------
    config
        The YAML that describes the run.
    spacing
        Metres of a pixel; by default that of the coarsest burst.
    least_sensitivity
        Share of downslope motion that a line of sight must keep.
    least_slope
        Degrees; flatter ground has no downslope motion.
    worst_condition
        Lines of sight that are more alike do not tell east from up.
    plot
        Folder for pictures, one an area.
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

    asked = with_resources(load(config), {"executor": executor, "workers": workers, "memory": memory})
    given = {
        "spacing": spacing, "least_sensitivity": least_sensitivity, "least_slope": least_slope,
        "worst_condition": worst_condition,
    }  # fmt: skip
    stages = [*asked.stages, *(stage for stage in ("timeseries", "decompose") if stage not in asked.stages)]
    changes = {"decompose": replaced(asked.decompose, given), "stages": tuple(stages)}
    settings = asked.model_copy(update=changes)
    summary = perform(settings, retry_quarantined=retry_quarantined, takeover=takeover)
    tell(summary)
    show(_made(settings, plot))
    return summary.exit_code


def _made(config: RunConfig, plot: Path | None) -> list[str]:
    """Every area with its tracks and size, and the pictures."""
    from slidecloud.store import open_run

    run = open_run(config.run, config.storage_options)
    lines = []
    for name in run.decompositions:
        area = run.decomposition(name)
        tracks = ", ".join(sorted(set(area.attrs["look_tracks"])))
        lines.append(
            f"{name}: {area.sizes['y']} x {area.sizes['x']} pixels of {float(area.x[1] - area.x[0]):g} m, {tracks}"
        )
        if plot is not None:
            from slidecloud.plots.decomposition import decomposition_figure
            from slidecloud.plots.figures import save

            lines.append(str(save(decomposition_figure(run, name), plot / f"{name}.png")))
    return lines or ["No ground is covered by series of both an ascending and a descending pass."]
