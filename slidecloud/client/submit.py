"""Hand a run to Kubernetes and leave."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from slidecloud.client import api as server
from slidecloud.client.objects import submission
from slidecloud.cluster import versions
from slidecloud.cluster.pods import Manifest
from slidecloud.config import RunConfig

JOBS: Final = "daskjobs.kubernetes.dask.org"
CLUSTERS: Final = "daskclusters.kubernetes.dask.org"
ENDED: Final = ("Successful", "Failed")
"""What the operator writes as ``jobStatus`` of a job that is over."""

_OPERATOR_PATIENCE: Final = 15.0
_GONE_PATIENCE: Final = 60.0


def manifests(config: RunConfig, *, request: int | None = None) -> tuple[Manifest, ...]:
    """What `submit` would make, in that order; nothing is asked of any cluster."""
    return submission(config, request=request, versions=versions.here()).all()


def submit(config: RunConfig, *, request: int | None = None) -> str:
    """Create the ``DaskJob`` of a run, and what belongs to it.

    Returns as soon as the operator has begun, or does not within seconds: then it will when it can. Everything belongs
    to the job and goes with it.

    Parameters
    ----------
    config
        The run; ``kubernetes`` says where and how large.
    request
        Bytes a node must have free for one unit.

    Returns
    -------
    str
        Name of the job.

    Raises
    ------
    FileExistsError
        If the run was submitted before, and its driver has not ended and is not lost.
    LookupError
        If the operator's kinds are not installed.
    PermissionError
        If this user may not create them.
    ConnectionError
        If there is no Kubernetes.
    ValueError
        If no image is named, or a store lies where pods cannot see it.
    """
    wanted = submission(config, request=request, versions=versions.here())
    api = server.connect(config.kubernetes.namespace)
    _clear_ended(api, wanted.name)
    try:
        job = server.make(api, wanted.job)
    except FileExistsError:
        raise FileExistsError(
            f"{config.run} is submitted already, as job {wanted.name} in namespace {api.namespace}. Follow it with "
            f"'slidecloud status {config.run} --follow', or end it with 'slidecloud cancel {config.run}' first."
        ) from None
    owner = _owned_by(job)
    try:
        for manifest in wanted.beside:
            server.make(api, _with_owner(manifest, owner))
        _await_cluster(api, wanted.name)
        for manifest in wanted.after:
            server.make(api, manifest)
    except BaseException:
        job.delete()
        raise
    return wanted.name


def _clear_ended(api: server.Api, name: str) -> None:
    """Remove an earlier job of the same run that has ended, with all that belongs to it."""
    jobs = [job for job in server.find(api, JOBS) if job.name == name]
    for job in jobs:
        if not _has_ended(api, job):
            return  # creating the new one says so
        with server.explained(f"remove the ended job {name}"):
            job.delete(propagation_policy="Background")
        _await(lambda: not [found for found in server.find(api, JOBS) if found.name == name], _GONE_PATIENCE)


def _has_ended(api: server.Api, job: server.Object) -> bool:
    """Whether a job is over; one whose driver's pod is gone is, although the operator goes on calling it running."""
    status = job.raw.get("status", {})
    driver = status.get("jobRunnerPodName")
    return status.get("jobStatus") in ENDED or (
        driver is not None and not server.find(api, "pods", field_selector=f"metadata.name={driver}")
    )


def _await_cluster(api: server.Api, name: str) -> None:
    """Wait a little: what the operator adopts into a cluster it looks for once, and then only every minute."""
    _await(lambda: any(cluster.name == name for cluster in server.find(api, CLUSTERS)), _OPERATOR_PATIENCE)


def _await(true: Callable[[], bool], patience: float) -> None:
    end = time.monotonic() + patience
    while not true() and time.monotonic() < end:
        time.sleep(0.5)


def _owned_by(job: server.Object) -> Manifest:
    raw = job.raw
    return {key: raw[key] for key in ("apiVersion", "kind")} | {key: raw["metadata"][key] for key in ("name", "uid")}


def _with_owner(manifest: Manifest, owner: Manifest) -> Manifest:
    return manifest | {"metadata": manifest["metadata"] | {"ownerReferences": [owner]}}
