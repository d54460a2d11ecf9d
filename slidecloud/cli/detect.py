"""``slidecloud detect``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from slidecloud.cli.console import say, show
from slidecloud.cli.options import Executor, Workers

if TYPE_CHECKING:
    from slidecloud.config import RunConfig


def detect(
    config: Path,
    /,
    *,
    method: Literal["net", "classical"] | None = None,
    weights: Path | None = None,
    threshold: float | None = None,
    executor: Executor | None = None,
    workers: Workers = None,
    memory: str | None = None,
    retry_quarantined: bool = False,
    takeover: bool = False,
) -> int:
    """Find landslides: the stages gradients and detect of a run, into its inventory.

    Looks at the gradient maps of every burst, of all pairs and of each season, and merges what it finds into one table,
    products/inventory.parquet in the run store: outline, score, probability, tracks, area, gradients, seasons. What is
    done is never done again. Options here take the place of the file's `detect` and `resources`; one run store holds
    one configuration of the detector.

    For example:

        slidecloud detect region.yaml
        slidecloud detect region.yaml --method classical --threshold 6
        slidecloud export run.zarr --format kmz

    Exit codes: 0 all done; 1 error; 2 wrong usage; 3 finished, but some units are in quarantine; 130 interrupted.

    Parameters
    ----------
    config
        The YAML that describes the run.
    method
        net (needs the extra 'detect') or classical.
    weights
        Weights of the net; by default those that come with slidecloud.
    threshold
        Least score of the net (0 to 1), or least sigma of the classical method.
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

    resources = {"executor": executor, "workers": workers, "memory": memory}
    chosen = {"method": method, "weights": None if weights is None else str(weights.absolute()), "threshold": threshold}
    asked = with_resources(load(config), resources)
    detector = replaced(asked.detect, chosen)
    settings = asked.model_copy(update={"detect": detector, "stages": ("gradients", "detect")})
    summary = perform(settings, retry_quarantined=retry_quarantined, takeover=takeover)
    tell(summary)
    show(_found(settings))
    return summary.exit_code


def _found(config: RunConfig) -> list[str]:
    """How many landslides the inventory holds, and where it is."""
    from slidecloud.store import open_run

    run = open_run(config.run, config.storage_options)
    try:
        inventory = run.inventory
    except KeyError:
        say("There is no inventory: no burst could be searched.", style="yellow")
        return []
    area = inventory["area"].sum() / 1e6
    return [f"{len(inventory)} landslides, {area:.2f} km2, in {config.run}/products/inventory.parquet"]
