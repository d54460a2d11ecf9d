"""The real Dask operator on an API server whose pods are processes of this machine, for the tests that need them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from apiserver.network import environment

SUPPORT = Path(__file__).parent
CRDS = "operator/deployment/helm/dask-kubernetes-operator/crds"
PODS = "/api/v1/namespaces/default/pods"
DASK = "/apis/kubernetes.dask.org/v1/namespaces/default"
OBJECTS = (
    PODS,
    "/api/v1/namespaces/default/services",
    "/api/v1/namespaces/default/configmaps",
    "/api/v1/namespaces/default/serviceaccounts",
    "/apis/apps/v1/namespaces/default/deployments",
    "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies",
    *(f"{DASK}/{kind}" for kind in ("daskclusters", "daskworkergroups", "daskautoscalers", "daskjobs")),
)


def dask_definitions() -> list[dict[str, Any]]:
    """The custom resource definitions that dask-kubernetes ships."""
    import dask_kubernetes

    folder = Path(dask_kubernetes.__file__).parent / CRDS
    return [yaml.load(file.read_text(), yaml.CSafeLoader) for file in sorted(folder.glob("*.yaml"))]


class Kube:
    """A running server: its kubeconfig, and what it holds."""

    def __init__(self, folder: Path) -> None:
        self.kubeconfig = folder / "kubeconfig"
        (cluster,) = yaml.safe_load(self.kubeconfig.read_text())["clusters"]
        self.http = httpx.Client(base_url=cluster["cluster"]["server"], timeout=60)

    def items(self, path: str) -> list[dict[str, Any]]:
        """Objects below a path of the API."""
        return list(self.http.get(path).raise_for_status().json()["items"])

    def leftovers(self) -> list[str]:
        """Names of all objects that a run may make."""
        return [f"{path.rsplit('/', 1)[1]}/{item['metadata']['name']}" for path in OBJECTS for item in self.items(path)]

    def pods(self, component: str) -> list[str]:
        """Names of the running pods of one component."""
        return [
            pod["metadata"]["name"]
            for pod in self.items(PODS)
            if pod["metadata"].get("labels", {}).get("dask.org/component") == component
            and pod["status"]["phase"] == "Running"
            and "deletionTimestamp" not in pod["metadata"]
        ]

    def lose_pod(self, name: str) -> None:
        """Lose a pod at once, as with its node."""
        self.http.request("DELETE", f"{PODS}/{name}", json={"gracePeriodSeconds": 0}).raise_for_status()

    def job(self, name: str) -> str | None:
        """What the operator says of a job."""
        status = self.http.get(f"{DASK}/daskjobs/{name}").raise_for_status().json().get("status", {})
        return status.get("jobStatus")


def until(true: Callable[[], Any], *, patience: float = 120.0, what: str = "") -> Any:
    """Wait for something to become true, and return it."""
    end = time.monotonic() + patience
    while not (found := true()):
        assert time.monotonic() < end, f"not within {patience:.0f} s: {what or true}"
        time.sleep(0.2)
    return found


@contextmanager
def server(folder: Path) -> Iterator[Kube]:
    """A server while the context lasts, with the kinds of the Dask operator defined."""
    if sys.platform != "linux":
        pytest.skip("the pods of the API server have loopback addresses of their own, which only Linux gives")
    with _running("apiserver", str(folder), log=folder / "server.log", PYTHONPATH=str(SUPPORT)):
        until(lambda: (folder / "kubeconfig").exists(), what="the API server")
        found = Kube(folder)
        with found.http:
            for definition in dask_definitions():
                path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
                found.http.post(path, json=definition).raise_for_status()
            yield found


@contextmanager
def kube(folder: Path) -> Iterator[Kube]:
    """Server and operator while the context lasts."""
    words = ["kopf", "run", "-m", "dask_kubernetes.operator.controller", "--all-namespaces"]
    with server(folder) as found:
        names = environment(folder / "hosts.json")
        with _running(*words, log=folder / "operator.log", KUBECONFIG=str(found.kubeconfig), **names):
            yield found


@contextmanager
def _running(*words: str, log: Path, **variables: str) -> Iterator[None]:
    """A Python module as a process while the context lasts."""
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", *words], env=os.environ | variables, stdout=stream, stderr=stream
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)
