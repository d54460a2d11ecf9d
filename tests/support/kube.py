"""A Kubernetes API server whose pods are local processes, with the real Dask operator, for the tests that need one.

The server is a tool of its own and no part of this repository: ``SLIDECLOUD_FAKEKUBE`` names the folder with its
``fakekube.py``, called as ``fakekube.py FOLDER PORT``.
"""

from __future__ import annotations

import os
import shutil
import socket
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

VARIABLE = "SLIDECLOUD_FAKEKUBE"
CRDS = "operator/deployment/helm/dask-kubernetes-operator/crds"
LEFTOVERS = (
    "/api/v1/namespaces/default/pods",
    "/api/v1/namespaces/default/services",
    "/api/v1/namespaces/default/configmaps",
    "/api/v1/namespaces/default/serviceaccounts",
    "/apis/apps/v1/namespaces/default/deployments",
    "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies",
    *(
        f"/apis/kubernetes.dask.org/v1/namespaces/default/{kind}"
        for kind in ("daskclusters", "daskworkergroups", "daskautoscalers", "daskjobs")
    ),
)
NETWORK_POLICIES: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "networkpolicies.networking.k8s.io"},
    "spec": {
        "group": "networking.k8s.io",
        "scope": "Namespaced",
        "names": {"kind": "NetworkPolicy", "plural": "networkpolicies", "singular": "networkpolicy"},
        "versions": [
            {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
        ],
    },
}


def dask_definitions() -> list[dict[str, Any]]:
    """The custom resource definitions that dask-kubernetes ships."""
    import dask_kubernetes

    folder = Path(dask_kubernetes.__file__).parent / CRDS
    return [yaml.safe_load(file.read_text()) for file in sorted(folder.glob("*.yaml"))]


class Kube:
    """A running server: its kubeconfig, and what it holds."""

    def __init__(self, folder: Path, url: str) -> None:
        self.kubeconfig = folder / "kubeconfig"
        self._logs = folder / "logs"
        self._url = url

    def items(self, path: str) -> list[dict[str, Any]]:
        """Objects below a path of the API."""
        return list(httpx.get(self._url + path).json().get("items", []))

    def leftovers(self) -> list[str]:
        """Names of all objects that a run may make."""
        return [
            f"{path.rsplit('/', 1)[1]}/{item['metadata']['name']}" for path in LEFTOVERS for item in self.items(path)
        ]

    def pods(self, component: str) -> list[str]:
        """Names of the running pods of one component."""
        return [
            pod["metadata"]["name"]
            for pod in self.items(LEFTOVERS[0])
            if pod["metadata"].get("labels", {}).get("dask.org/component") == component
            and pod["status"].get("phase") == "Running"
        ]

    def delete_pod(self, name: str) -> None:
        """Delete a pod, as a node that goes away would."""
        httpx.delete(f"{self._url}{LEFTOVERS[0]}/{name}").raise_for_status()

    def job(self, name: str) -> str | None:
        """What the operator says of a job."""
        for item in self.items(LEFTOVERS[-1]):
            if item["metadata"]["name"] == name:
                return item.get("status", {}).get("jobStatus")
        return None


def until(true: Callable[[], Any], *, patience: float = 120.0, what: str = "") -> Any:
    """Wait for something to become true, and return it."""
    end = time.monotonic() + patience
    while not (found := true()):
        assert time.monotonic() < end, f"not within {patience:.0f} s: {what or true}"
        time.sleep(0.2)
    return found


@contextmanager
def kube(folder: Path) -> Iterator[Kube]:
    """Server and operator while the context lasts."""
    tool = Path(os.environ.get(VARIABLE, "absent"))
    if not (tool / "fakekube.py").is_file():
        pytest.skip(f"the API server whose pods are processes is absent: set {VARIABLE} to the folder of fakekube.py")
    # A copy: the server writes beside what it runs, and the place may be read-only.
    tool = Path(shutil.copytree(tool, folder / "tool"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = _start([sys.executable, str(tool / "fakekube.py"), str(folder), str(port)], folder / "server.log", {})
    operator = None
    try:
        found = Kube(folder, f"http://127.0.0.1:{port}")
        until(lambda: found.kubeconfig.exists(), what="the API server")
        for definition in (*dask_definitions(), NETWORK_POLICIES):
            path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
            httpx.post(found._url + path, json=definition).raise_for_status()
        further = {
            "KUBECONFIG": str(found.kubeconfig),
            "KUBE_HOSTS": str(folder / "hosts.json"),
            "PYTHONPATH": str(tool / "site"),
        }
        command = [sys.executable, "-m", "kopf", "run", "-m", "dask_kubernetes.operator.controller", "--all-namespaces"]
        operator = _start(command, folder / "operator.log", further)
        yield found
    finally:
        for process in (operator, server):
            if process is not None:
                process.terminate()
                process.wait(30)


def _start(command: list[str], log: Path, further: dict[str, str]) -> subprocess.Popen[bytes]:
    with log.open("wb") as stream:
        return subprocess.Popen(command, env=os.environ | further, stdout=stream, stderr=stream)
