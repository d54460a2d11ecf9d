"""Checks of Kubernetes manifests without Kubernetes: core kinds strictly, Dask's against the definitions it ships."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import jsonschema
import kubernetes_validate
from kube import dask_definitions

Manifest = dict[str, Any]

VERSIONS = ("1.35", "1.36", "1.37")
"""The three minor versions of Kubernetes that are current."""

_SCHEMAS = {
    definition["spec"]["names"]["kind"]: definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    for definition in dask_definitions()
}


def validate(manifests: Iterable[Manifest], *, version: str) -> None:
    """Raise the validator's error at the first manifest that a server of this version would not take as it is."""
    for manifest in manifests:
        if manifest["apiVersion"] == "kubernetes.dask.org/v1":
            jsonschema.Draft7Validator(_SCHEMAS[manifest["kind"]]).validate(manifest)
            for pod in pods(manifest):
                # Their definitions say less of a pod than Kubernetes does.
                whole = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": pod}
                kubernetes_validate.validate(whole, version, strict=True)
        elif not manifest["apiVersion"].startswith("monitoring.coreos.com"):
            kubernetes_validate.validate(manifest, version, strict=True)


def pods(manifest: Manifest) -> list[Manifest]:
    """Specifications of all pods of a Dask object: driver, scheduler, workers."""
    spec = manifest["spec"]
    cluster = spec["cluster"]["spec"] if manifest["kind"] == "DaskJob" else spec
    found = [cluster[part]["spec"] for part in ("scheduler", "worker") if part in cluster]
    return [spec["job"]["spec"], *found] if manifest["kind"] == "DaskJob" else found


def nulls(value: Any) -> bool:
    """Whether a null is anywhere in a manifest: strict servers refuse them."""
    if isinstance(value, dict):
        return any(nulls(item) for item in value.values())
    if isinstance(value, list):
        return any(nulls(item) for item in value)
    return value is None
