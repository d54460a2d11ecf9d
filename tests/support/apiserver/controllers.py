"""What keeps the objects of a server in order: deployments have their pods, and nothing outlives its owners."""

from __future__ import annotations

import copy
import uuid
from typing import Any

from apiserver.kinds import DEPLOYMENT, POD, Object
from apiserver.objects import Key, Objects


async def keep_deployments(objects: Objects) -> None:
    """Give each deployment as many pods as it wants, without end; a pod on its way out counts no more."""
    async for event in objects.events(0):
        if event.key.kind == DEPLOYMENT:
            _reconcile(objects, event.key)
        elif event.key.kind == POD:
            for owner in _owners(event.new or event.old or {}):
                if owner["kind"] == DEPLOYMENT.name:
                    _reconcile(objects, Key(DEPLOYMENT, event.key.namespace, owner["name"]))


async def collect_garbage(objects: Objects) -> None:
    """Remove what has lost all its owners, or was made when they were gone, without end."""
    async for event in objects.events(0):
        if event.new is None:
            for key, item in objects.find(selector=lambda item: bool(_owners(item))).items():
                _collect(objects, key, item)
        elif event.key in objects:
            _collect(objects, event.key, objects.get(event.key))


def _collect(objects: Objects, key: Key, item: Object) -> None:
    owners = {owner["uid"] for owner in _owners(item)}
    if owners and "deletionTimestamp" not in item["metadata"] and not owners & objects.uids():
        objects.delete(key)


def _reconcile(objects: Objects, key: Key) -> None:
    if key not in objects:
        return
    deployment = objects.get(key)
    metadata, spec = deployment["metadata"], deployment["spec"]
    pods = {
        pod: item
        for pod, item in objects.find(POD, namespace=key.namespace).items()
        if any(owner["uid"] == metadata["uid"] for owner in _owners(item))
        and "deletionTimestamp" not in item["metadata"]
        and item["status"]["phase"] in ("Pending", "Running")
    }
    wanted = 0 if "deletionTimestamp" in metadata else spec.get("replicas", 1)
    for _ in range(wanted - len(pods)):
        objects.create(POD, _pod_of(deployment), namespace=key.namespace)
    for pod in list(pods)[wanted:]:
        objects.delete(pod)
    ready = sum(_is_ready(item) for item in pods.values())
    objects.set_status(key, {"replicas": wanted, "readyReplicas": ready, "availableReplicas": ready})


def _pod_of(deployment: Object) -> Object:
    pod = copy.deepcopy(deployment["spec"]["template"])
    metadata = deployment["metadata"]
    owner = {key: deployment[key] for key in ("apiVersion", "kind")} | {key: metadata[key] for key in ("name", "uid")}
    pod["metadata"] |= {
        "name": f"{metadata['name']}-{uuid.uuid4().hex[:8]}",
        "ownerReferences": [{**owner, "controller": True}],
    }
    return pod | {"apiVersion": "v1", "kind": "Pod"}


def _owners(item: Object) -> list[dict[str, Any]]:
    return item["metadata"].get("ownerReferences") or []


def _is_ready(pod: Object) -> bool:
    return {"type": "Ready", "status": "True"} in pod["status"].get("conditions", [])
