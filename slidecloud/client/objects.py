"""All Kubernetes objects of a submitted run, as pure functions of its configuration."""

from __future__ import annotations

from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from slidecloud import config as configuration
from slidecloud.client.names import name_of
from slidecloud.cluster import spec
from slidecloud.cluster.pods import RUN_LABEL, Manifest, labels, pod
from slidecloud.cluster.versions import Versions
from slidecloud.config import RunConfig
from slidecloud.config_resources import parse_bytes

FOLDER: Final = "/etc/slidecloud"
"""Where the driver finds its configuration."""

YAML: Final = "region.yaml"

METRICS: Final = "metrics"
"""Name of the driver's port, by which the chart's monitor and network policy find it."""

_METADATA: Final = ("169.254.169.254/32", "169.254.169.252/32", "169.254.170.23/32")
"""Where clouds hand out the short-lived credentials of a pod's role."""


class Submission(NamedTuple):
    """Objects of a run.

    Attributes
    ----------
    name
        Of the job, and of everything that belongs to it.
    job
        The ``DaskJob``: driver pod, scheduler, CPU workers.
    beside
        What the driver needs beside it: its configuration, an account without rights, a closed network.
    after
        What the operator takes up once it has made the cluster: autoscaler and GPU workers.
    """

    name: str
    job: Manifest
    beside: tuple[Manifest, ...]
    after: tuple[Manifest, ...]

    def all(self) -> tuple[Manifest, ...]:
        """All objects, in the order in which they are made."""
        return (*self.beside, self.job, *self.after)


def submission(config: RunConfig, *, request: int | None = None, versions: Versions | None = None) -> Submission:
    """Objects of a run.

    Parameters
    ----------
    config
        The run; ``kubernetes`` names its image.
    request
        Bytes a node must have free for one unit, as `estimate` finds them; by default ``resources.memory``.
    versions
        What workers must run.

    Raises
    ------
    ValueError
        If no image is named, a store lies in a folder that pods cannot see, or no worker has the GPU that is asked for.
    """
    _check_reachable(config)
    _check_gpu_workers(config)
    name, settings = name_of(config.run), config.kubernetes
    account = settings.service_account or name
    options: dict[str, Any] = {
        "memory": config.resources.memory_bytes,
        "request": request,
        "versions": versions,
        "service_account": account,
    }
    cluster = spec.cluster(name, settings, **options)
    job = {
        "apiVersion": spec.API,
        "kind": "DaskJob",
        "metadata": {"name": name, "labels": labels(name), "annotations": {RUN_LABEL: config.run}},
        "spec": {
            "job": {"spec": _driver(name, config, account=account)},
            "cluster": {"spec": {key: cluster["spec"][key] for key in ("scheduler", "worker")}},
        },
    }
    beside = [_config_map(name, config), network_policy(name, config)]
    if settings.service_account is None:
        beside.append(_account(name))
    after = []
    if settings.maximum > settings.minimum:
        after.append(spec.autoscaler(name, settings))
    if settings.gpu_workers:
        after.append(spec.gpu_group(name, settings, **options))
    return Submission(name, job, tuple(beside), tuple(after))


def _driver(name: str, config: RunConfig, *, account: str) -> Manifest:
    settings = config.kubernetes
    threads = settings.maximum * settings.cores + settings.gpu_workers
    arguments = ["run", f"{FOLDER}/{YAML}", "--scheduler", "$(DASK_SCHEDULER_ADDRESS)", "--workers", str(threads)]
    if settings.metrics_port is not None:
        arguments += ["--metrics-port", str(settings.metrics_port)]
    made = pod(
        "driver",
        ["python", "-m", "slidecloud.client.driver", *arguments],
        settings,
        memory=parse_bytes(settings.driver_memory),
        service_account=account,
    )
    if settings.metrics_port is not None:
        port = {"name": METRICS, "containerPort": settings.metrics_port, "protocol": "TCP"}
        made["containers"][0]["ports"] = [port]
    made["restartPolicy"] = "Never"
    made["terminationGracePeriodSeconds"] = 60
    made["volumes"].append({"name": "region", "configMap": {"name": name}})
    made["containers"][0]["volumeMounts"].append({"name": "region", "mountPath": FOLDER, "readOnly": True})
    return made


def _config_map(name: str, config: RunConfig) -> Manifest:
    # Executor and scheduler are the cluster's, given on the driver's command line.
    resources = config.resources.model_copy(update={"executor": "dask", "scheduler": None, "workers": None})
    text = configuration.dump(config.model_copy(update={"resources": resources}))
    return _object("v1", "ConfigMap", name) | {"data": {YAML: text}}


def _account(name: str) -> Manifest:
    """An account that no role is bound to: driver and workers never speak to the Kubernetes API."""
    return _object("v1", "ServiceAccount", name) | {"automountServiceAccountToken": False}


def network_policy(name: str, config: RunConfig) -> Manifest:
    """Who pods of a run speak to: each other, the operator, names, the cloud's credentials and the object store."""
    own = {"podSelector": {"matchLabels": {RUN_LABEL: name}}}
    operator = {
        "namespaceSelector": {},
        "podSelector": {"matchLabels": {"app.kubernetes.io/name": "dask-kubernetes-operator"}},
    }
    return _object("networking.k8s.io/v1", "NetworkPolicy", name) | {
        "spec": {
            "podSelector": own["podSelector"],
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"from": [own]}, {"from": [operator], "ports": _ports(8786, 8787)}],
            "egress": [
                {"to": [own]},
                {"ports": [*_ports(53), {"protocol": "UDP", "port": 53}]},
                {"to": [{"ipBlock": {"cidr": cidr}} for cidr in _METADATA]},
                {"ports": _ports(*_store_ports(config))},
            ],
        }
    }


def _store_ports(config: RunConfig) -> list[int]:
    """Ports of the settings, and that of the store's endpoint."""
    found = set(config.kubernetes.egress_ports)
    options = config.storage_options
    endpoint = options.get("endpoint_url", options.get("client_kwargs", {}).get("endpoint_url"))
    if isinstance(endpoint, str) and not endpoint.startswith("env:"):
        address = urlsplit(endpoint)
        found.add(address.port or (80 if address.scheme == "http" else 443))
    return sorted(found)


def _ports(*numbers: int) -> list[Manifest]:
    return [{"protocol": "TCP", "port": number} for number in numbers]


def _object(version: str, kind: str, name: str) -> Manifest:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "labels": labels(name)}}


def _check_reachable(config: RunConfig) -> None:
    """Refuse folders of this machine: a pod does not see them."""
    places = {"run": config.run, "stacks": config.stacks}
    places |= {f"sources.{number}.path": source.path for number, source in enumerate(config.sources)}
    settings = config.kubernetes
    for key, place in places.items():
        below = place.startswith(settings.volume_path.rstrip("/") + "/")
        if "://" not in place and not (settings.volume_claim and below):
            raise ValueError(
                f"{key} is the folder {place}, which pods cannot see; expected a URL such as s3://bucket/{key}.zarr, "
                f"or a folder below kubernetes.volume_path ({settings.volume_path}) on the volume of "
                "kubernetes.volume_claim."
            )


def _check_gpu_workers(config: RunConfig) -> None:
    if config.resources.device == "gpu" and not config.kubernetes.gpu_workers:
        raise ValueError(
            "resources.device is gpu and kubernetes.gpu_workers is 0; expected at least 1 worker with a GPU, or "
            "resources.device: cpu."
        )
