"""An interactive Dask cluster on Kubernetes, through the Dask operator."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from slidecloud.cluster import spec, versions
from slidecloud.cluster.settings import SETTINGS
from slidecloud.config_kubernetes import KubernetesConfig
from slidecloud.config_resources import parse_bytes

if TYPE_CHECKING:
    from distributed import Client


@contextmanager
def kubernetes(
    settings: KubernetesConfig | None = None,
    *,
    name: str | None = None,
    memory: str = "4 GiB",
    request: int | None = None,
    inside: bool = False,
    timeout: float = 300.0,
) -> Iterator[Client]:
    """Start a scheduler and workers as pods, and take them away at the end.

    Parameters
    ----------
    settings
        Image, namespace, least and most workers and the rest (``kubernetes`` of a run's configuration,
        or ``KubernetesConfig(image="…", maximum=40)``); at least an image must be named.
    name
        Of the cluster; by default a new one.
    memory
        Of one worker, such as ``resources.memory`` of a run.
    request
        Bytes a node must have free for a worker: the peak of the largest unit, as `slidecloud.pipeline.estimate`
        finds it. By default all of ``memory``.
    inside
        True in a pod of the same Kubernetes cluster; elsewhere the scheduler's port is forwarded here.
    timeout
        Seconds to wait for the scheduler, for which a node may have to be added and an image pulled.

    Yields
    ------
    distributed.Client
        As soon as the scheduler answers; workers come when there is work.

    Raises
    ------
    ModuleNotFoundError
        If dask-kubernetes is not installed (the extra ``k8s``).
    TimeoutError
        If the operator does not answer, or the scheduler does not start.
    ValueError
        If no image is named.
    VersionError
        If the image holds another slidecloud, schema or Python than this client.
    """
    import dask
    from dask_kubernetes.operator import KubeCluster
    from distributed import Client

    settings = settings or KubernetesConfig()
    name = name or f"slidecloud-{uuid.uuid4().hex[:8]}"
    options: dict[str, Any] = {"memory": parse_bytes(memory), "request": request, "versions": versions.here()}
    described = spec.cluster(name, settings, **options)
    with (
        dask.config.set(SETTINGS),
        KubeCluster(
            custom_cluster_spec=described,
            namespace=settings.namespace,
            port_forward_cluster_ip=not inside,
            resource_timeout=round(timeout),
            shutdown_on_close=True,
            quiet=True,
        ) as cluster,
    ):
        if settings.gpu_workers:
            cluster.add_worker_group("gpu", custom_spec=spec.workers(settings, gpu=True, **options))
        if settings.maximum > settings.minimum:
            cluster.adapt(minimum=settings.minimum, maximum=settings.maximum)
        with Client(cluster, timeout=timeout) as client:
            versions.check(client)
            yield client
