"""What a server says of itself: its version, and the kinds it knows."""

from __future__ import annotations

from typing import Any, Final

from apiserver.kinds import POD, Kind, Kinds
from apiserver.refusal import Refusal

_VERSION: Final = {"major": "1", "minor": "35", "gitVersion": "v1.35.0", "platform": "linux/amd64"}
_VERBS: Final = ("create", "delete", "get", "list", "patch", "update", "watch")


def describe(kinds: Kinds, words: list[str]) -> dict[str, Any] | None:
    """Answer to a path without a plural, given as its words; None where the path is of objects."""
    match words:
        case ["version"]:
            return _VERSION
        case ["api"]:
            return {"kind": "APIVersions", "versions": ["v1"]}
        case ["apis"]:
            groups = sorted({kind.group for kind in kinds} - {""})
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(kinds, group) for group in groups]}
        case ["apis", group]:
            return {"kind": "APIGroup", "apiVersion": "v1", **_group(kinds, group)}
        case ["api", version]:
            return _resources(kinds, "", version)
        case ["apis", group, version]:
            return _resources(kinds, group, version)
    return None


def _group(kinds: Kinds, group: str) -> dict[str, Any]:
    found = sorted({kind.version for kind in kinds if kind.group == group})
    if not found:
        raise Refusal(404, f"there is no API group {group}")
    versions = [{"groupVersion": f"{group}/{version}", "version": version} for version in found]
    return {"name": group, "versions": versions, "preferredVersion": versions[-1]}


def _resources(kinds: Kinds, group: str, version: str) -> dict[str, Any]:
    found = [kind for kind in kinds if (kind.group, kind.version) == (group, version)]
    if not found:
        raise Refusal(404, f"there is no API {group}/{version}")
    resources = [entry for kind in found for entry in _entries(kind)]
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": found[0].api_version,
        "resources": resources,
    }


def _entries(kind: Kind) -> list[dict[str, Any]]:
    common = {"namespaced": kind.namespaced, "kind": kind.name, "singularName": kind.name.lower()}
    entries = [{"name": kind.plural, "verbs": list(_VERBS), "shortNames": list(kind.short), **common}]
    if kind.status:
        entries.append({"name": f"{kind.plural}/status", "verbs": ["get", "patch", "update"], **common})
    if kind == POD:
        entries += [{"name": f"{kind.plural}/{name}", "verbs": ["get"], **common} for name in ("log", "portforward")]
    return entries
