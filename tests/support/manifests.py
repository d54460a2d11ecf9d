"""Checks of Kubernetes manifests without Kubernetes: core kinds strictly, Dask's against the definitions it ships."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import kubernetes_validate
from apiserver.kinds import Kinds
from apiserver.schema import admitted
from kube import dask_definitions

Manifest = dict[str, Any]

VERSIONS = ("1.35", "1.36", "1.37")
"""The three minor versions of Kubernetes that are current."""

_KINDS = Kinds()
for _definition in dask_definitions():
    _KINDS.define(_definition)
_DASK = {kind.name: kind for kind in _KINDS if kind.group == "kubernetes.dask.org"}


def validate(manifests: Iterable[Manifest], *, version: str) -> None:
    """Raise an error at the first manifest that a server of this version would not take, or not keep, as it is."""
    for manifest in manifests:
        if manifest["apiVersion"] == "kubernetes.dask.org/v1":
            dropped = _lacking(manifest, admitted(_DASK[manifest["kind"]], manifest), manifest["kind"])
            if dropped:
                raise ValueError(
                    f"The definition does not name {', '.join(dropped)}; a server drops it without a word."
                )
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


def _lacking(sent: Any, stored: Any, place: str) -> list[str]:
    """Places of what was sent and is not stored."""
    if isinstance(sent, dict):
        missing = [f"{place}.{key}" for key in sent if key not in stored]
        kept = [(sent[key], stored[key], f"{place}.{key}") for key in sent if key in stored]
    elif isinstance(sent, list):
        missing, kept = [], [(a, b, f"{place}.{n}") for n, (a, b) in enumerate(zip(sent, stored, strict=True))]
    else:
        return [] if sent == stored else [place]
    return missing + [found for pair in kept for found in _lacking(*pair)]
