"""Dask clusters as Kubernetes objects: pure functions of the settings, which know no cluster.

The objects are those of the Dask operator. Its own builder starts ``dask-scheduler`` and ``dask-worker``, which
current releases of distributed no longer install, and leaves nulls that a strict server refuses; this one starts
``dask scheduler`` and ``dask worker``.
"""

from __future__ import annotations

from typing import Any, Final

from slidecloud.cluster.local import ALLOWED_FAILURES
from slidecloud.cluster.pods import Manifest, labels, pod
from slidecloud.cluster.versions import EXPECTED, Versions
from slidecloud.config_kubernetes import KubernetesConfig
from slidecloud.config_resources import parse_bytes
from slidecloud.pipeline.executors import GPU

API: Final = "kubernetes.dask.org/v1"
_COMM, _DASHBOARD, _WORKER_DASHBOARD = 8786, 8787, 8788


def cluster(
    name: str,
    settings: KubernetesConfig,
    *,
    memory: int,
    request: int | None = None,
    versions: Versions | None = None,
    service_account: str | None = None,
) -> Manifest:
    """A ``DaskCluster`` with its scheduler and its group of CPU workers.

    Parameters
    ----------
    name
        Of the cluster, in letters, digits and hyphens.
    settings
        Image, number of workers and the rest.
    memory, request
        Bytes of one worker, and bytes a node must have free for it: the peak of the largest unit, if it is known.
    versions
        What workers must run; those that run something else say so and end.
    service_account
        Of all pods; by default that of the settings.
    """
    return {
        "apiVersion": API,
        "kind": "DaskCluster",
        "metadata": {"name": name, "labels": labels(name)},
        "spec": {
            "idleTimeout": settings.idle_timeout,
            "scheduler": scheduler(name, settings, service_account=service_account),
            "worker": workers(
                settings, memory=memory, request=request, versions=versions, service_account=service_account
            ),
        },
    }


def scheduler(name: str, settings: KubernetesConfig, *, service_account: str | None = None) -> Manifest:
    """Scheduler pod and service of a cluster."""
    spec = pod(
        "scheduler",
        ["dask", "scheduler", "--host", "0.0.0.0", "--port", str(_COMM)],
        settings,
        memory=parse_bytes(settings.scheduler_memory),
        env={"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": str(ALLOWED_FAILURES)},
        service_account=service_account,
    )
    ports = {"tcp-comm": _COMM, "http-dashboard": _DASHBOARD}
    health = {"httpGet": {"port": "http-dashboard", "path": "/health"}}
    spec["containers"][0] |= {
        "ports": [{"name": key, "containerPort": port, "protocol": "TCP"} for key, port in ports.items()],
        "readinessProbe": health | {"periodSeconds": 2, "timeoutSeconds": 10},
        "livenessProbe": health | {"initialDelaySeconds": 60, "periodSeconds": 20, "timeoutSeconds": 30},
    }
    service = {
        "type": "ClusterIP",
        "selector": {"dask.org/cluster-name": name, "dask.org/component": "scheduler"},
        "ports": [{"name": key, "protocol": "TCP", "port": port, "targetPort": key} for key, port in ports.items()],
    }
    return {"spec": spec, "service": service}


def workers(
    settings: KubernetesConfig,
    *,
    memory: int,
    request: int | None = None,
    versions: Versions | None = None,
    gpu: bool = False,
    service_account: str | None = None,
) -> Manifest:
    """Worker pods of a group, CPU or GPU.

    A pod is one process and holds no nanny: the kubelet starts it again, and the pod's limit is the memory limit.
    """
    args = [
        *("dask", "worker", "--no-nanny", "--name", "$(DASK_WORKER_NAME)", "--nthreads", str(settings.cores)),
        *("--memory-limit", str(memory * settings.cores), "--death-timeout", "120"),
        *("--dashboard", "--dashboard-address", str(_WORKER_DASHBOARD), "--preload", "slidecloud.cluster.preload"),
    ]
    # A unit's memory is known before it starts; spilling or pausing would only hide a wrong figure.
    env = {f"DASK_DISTRIBUTED__WORKER__MEMORY__{name}": "False" for name in ("TARGET", "SPILL", "PAUSE")}
    env |= {"SLIDECLOUD_GRACE": str(settings.grace)}
    if versions is not None:
        env[EXPECTED] = str(versions)
    spec = pod(
        "worker",
        [*args, "--resources", f"{GPU}=1"] if gpu else args,
        settings,
        memory=memory * settings.cores,
        request=None if request is None else request * settings.cores,
        cores=settings.cores,
        image=settings.gpu_image if gpu else None,
        limits={settings.gpu_resource: "1"} if gpu else None,
        env=env,
        service_account=service_account,
    )
    spec["terminationGracePeriodSeconds"] = settings.grace + 20
    spec["containers"][0]["ports"] = [{"name": "http-dashboard", "containerPort": _WORKER_DASHBOARD, "protocol": "TCP"}]
    return {"replicas": settings.gpu_workers if gpu else settings.minimum, "spec": spec}


def gpu_group(name: str, settings: KubernetesConfig, **options: Any) -> Manifest:
    """The ``DaskWorkerGroup`` of a cluster's GPU workers; options are those of `workers`."""
    return {
        "apiVersion": API,
        "kind": "DaskWorkerGroup",
        "metadata": {
            "name": f"{name}-gpu",
            "labels": labels(name) | {"dask.org/cluster-name": name, "dask.org/component": "workergroup"},
        },
        "spec": {"cluster": name, "worker": workers(settings, gpu=True, **options)},
    }


def autoscaler(name: str, settings: KubernetesConfig) -> Manifest:
    """The ``DaskAutoscaler`` of a cluster's CPU workers."""
    return {
        "apiVersion": API,
        "kind": "DaskAutoscaler",
        "metadata": {"name": name, "labels": labels(name)},
        "spec": {"cluster": name, "minimum": settings.minimum, "maximum": settings.maximum},
    }
