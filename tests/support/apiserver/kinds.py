"""The kinds of objects a server knows: those of Kubernetes that tests use, and those defined while it runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

Object = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """One kind of objects.

    Attributes
    ----------
    group, version
        Of its API; the group of the core is empty.
    plural, name
        As in paths, and as in ``kind``.
    namespaced
        Whether its objects lie in a namespace.
    status
        Whether the status is a resource of its own, which writing the object does not change.
    schema
        OpenAPI schema of a custom kind.
    short
        Further names.
    """

    group: str
    version: str
    plural: str
    name: str
    namespaced: bool = True
    status: bool = False
    schema: Object | None = field(default=None, compare=False, repr=False)
    short: tuple[str, ...] = ()

    @property
    def api_version(self) -> str:
        """What its objects have as ``apiVersion``."""
        return f"{self.group}/{self.version}" if self.group else self.version


POD: Final = Kind("", "v1", "pods", "Pod", status=True)
SERVICE: Final = Kind("", "v1", "services", "Service", status=True)
CONFIG_MAP: Final = Kind("", "v1", "configmaps", "ConfigMap")
NAMESPACE: Final = Kind("", "v1", "namespaces", "Namespace", namespaced=False)
DEPLOYMENT: Final = Kind("apps", "v1", "deployments", "Deployment", status=True)
DEFINITION: Final = Kind(
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", namespaced=False
)
_FURTHER: Final = (
    Kind("", "v1", "events", "Event"),
    Kind("", "v1", "serviceaccounts", "ServiceAccount"),
    Kind("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy"),
)


class Kinds:
    """Kinds by their place in the API."""

    def __init__(self) -> None:
        known = (POD, SERVICE, CONFIG_MAP, NAMESPACE, DEPLOYMENT, DEFINITION, *_FURTHER)
        self._known = {(kind.group, kind.version, kind.plural): kind for kind in known}

    def __iter__(self) -> Iterator[Kind]:
        return iter(self._known.values())

    def find(self, group: str, version: str, plural: str) -> Kind | None:
        """The kind at a place, if there is one."""
        return self._known.get((group, version, plural))

    def define(self, definition: Object) -> None:
        """Add what a CustomResourceDefinition defines."""
        spec = definition["spec"]
        names = spec["names"]
        for version in spec["versions"]:
            kind = Kind(
                spec["group"],
                version["name"],
                names["plural"],
                names["kind"],
                namespaced=spec["scope"] == "Namespaced",
                status="status" in version.get("subresources", {}),
                schema=version["schema"]["openAPIV3Schema"],
                short=tuple(names.get("shortNames", ())),
            )
            self._known[kind.group, kind.version, kind.plural] = kind
