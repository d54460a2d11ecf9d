"""Parts of a pod that scheduler, worker and driver share: who they run as, where, with what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from slidecloud import logs
from slidecloud.cluster.allocator import ALLOCATOR
from slidecloud.cluster.settings import variables
from slidecloud.config_kubernetes import KubernetesConfig

Manifest = dict[str, Any]
Role = Literal["scheduler", "worker", "driver"]

RUN_LABEL: Final = "slidecloud.org/run"
"""Label of every object of a run; the operator hands it on to all it makes."""

USER: Final = 10001
"""User and group of the image."""

_PREEMPTIBLE: Final = (
    ("cloud.google.com/gke-spot", "true"),
    ("cloud.google.com/gke-preemptible", "true"),
    ("eks.amazonaws.com/capacityType", "SPOT"),
    ("karpenter.sh/capacity-type", "spot"),
    ("kubernetes.azure.com/scalesetpriority", "spot"),
    ("node.kubernetes.io/lifecycle", "spot"),
)
"""Labels by which clouds mark nodes that they may take away."""

_TAINTS: Final = (("cloud.google.com/gke-spot", "true"), ("kubernetes.azure.com/scalesetpriority", "spot"))
"""Taints that come with them."""

_OVERHEAD: Final = 256 * 2**20
"""Bytes of a pod beside what its units plan for: stacks of threads, sockets, the page cache that counts as its own."""


def labels(name: str) -> dict[str, str]:
    """Labels of all objects of a run or an interactive cluster."""
    return {"app.kubernetes.io/name": "slidecloud", "app.kubernetes.io/managed-by": "slidecloud", RUN_LABEL: name}


def pod(
    role: Role,
    args: list[str],
    settings: KubernetesConfig,
    *,
    memory: int,
    request: int | None = None,
    cores: int = 1,
    image: str | None = None,
    limits: Mapping[str, str] | None = None,
    env: Mapping[str, str] | None = None,
    service_account: str | None = None,
) -> Manifest:
    """Specification of a pod with one container.

    Parameters
    ----------
    role
        Which of the three it is; the container has its name.
    args
        Command line.
    settings
        Secrets, variables, volume and nodes.
    memory, request
        Bytes the pod may use and bytes a node must have free for it; by default all it may use.
    cores
        Processors a node must have free for it; it may use more, where there are more.
    image
        By default that of the settings.
    limits
        Further resources, such as a GPU.
    env
        Further environment variables.
    service_account
        By default that of the settings.

    Raises
    ------
    ValueError
        If no image is named.
    """
    image = image or settings.image
    if not image:
        raise ValueError(
            "No image is named; build one from deploy/Dockerfile, push it where the cluster can pull it, "
            "and give its name as kubernetes.image or --image."
        )
    extra = dict(limits or {})
    container: Manifest = {
        "name": role,
        "image": image,
        "args": args,
        "env": [{"name": name, "value": value} for name, value in _environment(settings, env).items()],
        "resources": {
            "requests": {"cpu": str(cores), "memory": _mebibytes((request or memory) + _OVERHEAD), **extra},
            "limits": {"memory": _mebibytes(memory + _OVERHEAD), **extra},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
    }
    if settings.secret:
        container["envFrom"] = [{"secretRef": {"name": settings.secret}}]
    spec: Manifest = {
        "containers": [container],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
    }
    account = service_account or settings.service_account
    if account:
        spec["serviceAccountName"] = account
    if settings.pull_secrets:
        spec["imagePullSecrets"] = [{"name": name} for name in settings.pull_secrets]
    if settings.volume_claim:
        spec["volumes"].append({"name": "data", "persistentVolumeClaim": {"claimName": settings.volume_claim}})
        container["volumeMounts"].append({"name": "data", "mountPath": settings.volume_path})
    return spec | _place(role, settings, gpu=bool(extra))


def _environment(settings: KubernetesConfig, further: Mapping[str, str] | None) -> dict[str, str]:
    own = {
        # The root file system is read-only: whatever a library writes goes to the pod's own folder.
        "HOME": "/tmp",
        "NUMBA_CACHE_DIR": "/tmp/numba",
        "DASK_TEMPORARY_DIRECTORY": "/tmp/dask",
        # One unit a core; libraries that start threads of their own would only take them from each other.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        **variables(),
        logs.FORMAT: "json",
        **ALLOCATOR,
    }
    return own | dict(further or {}) | settings.env


def _place(role: Role, settings: KubernetesConfig, *, gpu: bool) -> Manifest:
    """Which nodes a pod may run on."""
    tolerations = []
    place: Manifest = {}
    if role == "worker" and settings.preemptible:
        tolerations += [_tolerate(key, value) for key, value in _TAINTS]
        # Rather there than on the nodes that scheduler and driver need.
        place["affinity"] = {
            "nodeAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {"weight": 10, "preference": {"matchExpressions": [_label(key, "In", value)]}}
                    for key, value in _PREEMPTIBLE
                ]
            }
        }
    else:
        terms = [{"matchExpressions": [_label(key, "NotIn", value) for key, value in _PREEMPTIBLE]}]
        place["affinity"] = {
            "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
        }
    if gpu:
        tolerations.append({"key": settings.gpu_resource, "operator": "Exists", "effect": "NoSchedule"})
    if tolerations:
        place["tolerations"] = tolerations
    if role == "worker" and settings.node_selector:
        place["nodeSelector"] = dict(settings.node_selector)
    return place


def _label(key: str, operator: str, value: str) -> Manifest:
    return {"key": key, "operator": operator, "values": [value]}


def _tolerate(key: str, value: str) -> Manifest:
    return {"key": key, "operator": "Equal", "value": value, "effect": "NoSchedule"}


def _mebibytes(count: int) -> str:
    return f"{-(-count // 2**20)}Mi"
