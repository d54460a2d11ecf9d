"""``slidecloud submit``, ``logs`` and ``cancel``: runs on Kubernetes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from slidecloud.cli.console import say, show
from slidecloud.cli.options import Namespace

if TYPE_CHECKING:
    from slidecloud.config import RunConfig


def submit(
    config: Path,
    /,
    *,
    image: str | None = None,
    namespace: Namespace = None,
    fit: bool = False,
    dry_run: bool = False,
) -> int:
    """Hand a run to Kubernetes and return at once: the driver runs there, and this machine may leave.

    Creates a DaskJob of the Dask operator: a driver pod that runs `slidecloud run`, a scheduler, workers that come and
    go with the work, an account without rights, and a network closed to all but the object store. The section
    `kubernetes` of the YAML says how many, how large and where. One run is submitted once; after its end, or after
    `slidecloud cancel`, the same command goes on from what is stored.

    For example:

        slidecloud submit region.yaml --image registry.example.org/slidecloud:0.1.0
        slidecloud submit region.yaml --dry-run > manifests.yaml
        slidecloud status s3://bucket/runs/region.zarr --follow

    Exit codes: 0 submitted; 1 error; 2 wrong usage.

    Parameters
    ----------
    config
        The YAML that describes the run.
    image
        Image of all pods; takes the place of `kubernetes.image`.
    fit
        Ask nodes for the memory that the largest unit needs, as `slidecloud estimate` finds it from the stacks, instead
        of all of `resources.memory`.
    dry_run
        Print the manifests and create nothing.
    """
    from slidecloud import client
    from slidecloud.config import load

    given = {"image": image, "namespace": namespace}
    settings = load(config)
    changes = {name: value for name, value in given.items() if value is not None}
    settings = settings.model_copy(update={"kubernetes": settings.kubernetes.model_copy(update=changes)})
    request = _largest_unit(settings) if fit else None
    if dry_run:
        import yaml

        show([yaml.safe_dump_all(client.manifests(settings, request=request), sort_keys=False).rstrip()])
        return 0
    name = client.submit(settings, request=request)
    say(f"Submitted as {name}. Follow it with:")
    show([f"slidecloud status {settings.run} --follow", f"slidecloud logs {settings.run}"])
    return 0


def logs(
    run: str,
    /,
    *,
    of: Annotated[Literal["driver", "scheduler", "worker"], Parameter(help="Whose lines.")] = "driver",
    namespace: Namespace = None,
    follow: bool = False,
) -> int:
    """Print what the pods of a submitted run have printed.

    For example:

        slidecloud logs s3://bucket/runs/region.zarr --follow
        slidecloud logs s3://bucket/runs/region.zarr --of worker

    Exit codes: 0 done; 1 error; 2 wrong usage.

    Parameters
    ----------
    run
        Folder or URL of the run store, or the name of its job.
    follow
        Go on until the pod ends.
    """
    from slidecloud import client

    for line in client.logs(run, part=of, namespace=namespace, follow=follow):
        show([line])
    return 0


def cancel(run: str, /, *, namespace: Namespace = None) -> int:
    """End a submitted run and remove its pods and objects; what it has stored stays.

    For example:

        slidecloud cancel s3://bucket/runs/region.zarr

    Exit codes: 0 done; 1 error; 2 wrong usage.

    Parameters
    ----------
    run
        Folder or URL of the run store, or the name of its job.
    """
    from slidecloud import client

    show(f"Removed {what}" for what in client.cancel(run, namespace=namespace))
    return 0


def _largest_unit(config: RunConfig) -> int | None:
    """Bytes of the largest unit that is not done yet; None where all are."""
    from slidecloud.pipeline.estimate import estimate
    from slidecloud.pipeline.rates import Rates

    stages = estimate(config, Rates.load(None), elsewhere=True).stages
    return max((stage.peak_memory for stage in stages), default=None)
