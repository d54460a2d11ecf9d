"""A submitted run on Kubernetes: its logs, its end. How far it is, its store says (`slidecloud.pipeline.status`)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final, Literal

from slidecloud.client import api as server
from slidecloud.client.names import name_of
from slidecloud.client.submit import CLUSTERS, JOBS
from slidecloud.cluster.pods import RUN_LABEL

Part = Literal["driver", "scheduler", "worker"]

_COMPONENT: Final = {"driver": "job-runner", "scheduler": "scheduler", "worker": "worker"}
_KINDS: Final = {
    JOBS: "DaskJob",
    CLUSTERS: "DaskCluster",
    "daskworkergroups.kubernetes.dask.org": "DaskWorkerGroup",
    "daskautoscalers.kubernetes.dask.org": "DaskAutoscaler",
    "networkpolicies.networking.k8s.io": "NetworkPolicy",
    "configmaps": "ConfigMap",
    "serviceaccounts": "ServiceAccount",
}
_PODS_PATIENCE: Final = 180.0


def logs(run: str, *, part: Part = "driver", namespace: str | None = None, follow: bool = False) -> Iterator[str]:
    """Lines that the pods of a submitted run have printed.

    Parameters
    ----------
    run
        URL of the run store, or the job's name.
    part
        Whose lines; where there are several pods, each line begins with the name of its own.
    namespace
        By default that of the kubeconfig.
    follow
        Go on until the pod ends; for one pod at a time, the first.

    Raises
    ------
    LookupError
        If the run is not submitted, or has no such pod.
    """
    api, name = server.connect(namespace), name_of(run)
    selector = {RUN_LABEL: name, "dask.org/component": _COMPONENT[part]}
    pods = server.find(api, "pods", label_selector=selector)
    if not pods:
        raise LookupError(
            f"Run {run} has no {part} in namespace {api.namespace}: it is not submitted there, or not begun, or its "
            f"pods are gone. 'slidecloud status {run}' says from the store how far it came."
        )
    for pod in pods[:1] if follow else pods:
        prefix = f"{pod.name}: " if len(pods) > 1 and not follow else ""
        with server.explained(f"read the log of {pod.name}"):
            for line in pod.logs(follow=follow):
                yield f"{prefix}{line}"


def cancel(run: str, *, namespace: str | None = None, patience: float = _PODS_PATIENCE) -> tuple[str, ...]:
    """End a submitted run and remove all its objects; what it has stored stays, and it can be submitted again.

    Parameters
    ----------
    run
        URL of the run store, or the job's name.
    namespace
        By default that of the kubeconfig.
    patience
        Seconds to wait until its pods are gone; workers may take the time to finish their unit.

    Returns
    -------
    tuple of str
        What was removed, as ``Kind name``.

    Raises
    ------
    LookupError
        If the run is not submitted in this namespace.
    TimeoutError
        If pods are still there after the patience.
    """
    import kr8s

    api, name = server.connect(namespace), name_of(run)
    removed = []
    for plural, kind in _KINDS.items():
        for found in server.find(api, plural, label_selector={RUN_LABEL: name}):
            with server.explained(f"remove {kind} {found.name}"):
                try:
                    found.delete(propagation_policy="Background")
                except kr8s.NotFoundError:
                    continue  # it went with its owner
            removed.append(f"{kind} {found.name}")
    if not removed:
        raise LookupError(f"Run {run} is not submitted in namespace {api.namespace} (no job named {name}).")
    end = time.monotonic() + patience
    while pods := server.find(api, "pods", label_selector={RUN_LABEL: name}):
        if time.monotonic() > end:
            names = ", ".join(pod.name for pod in pods)
            raise TimeoutError(f"The run's objects are removed, but after {patience:.0f} s these pods remain: {names}.")
        time.sleep(0.5)
    return tuple(removed)
