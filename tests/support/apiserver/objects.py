"""The objects of a server, with their versions, and everything that happened to them lately."""

from __future__ import annotations

import asyncio
import copy
import datetime
import uuid
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from apiserver.kinds import POD, Kind, Object
from apiserver.refusal import Refusal
from apiserver.schema import admitted
from apiserver.selectors import Selector, select

_KEPT_EVENTS: Final = 5000
_GRACE: Final = 30
EVERYTHING: Final = select()


class Key(NamedTuple):
    """Where an object is; the namespace is empty where its kind has none."""

    kind: Kind
    namespace: str
    name: str


class Event(NamedTuple):
    """What happened to an object: as it was, as it is."""

    version: int
    key: Key
    old: Object | None
    new: Object | None


class Objects:
    """All objects of a server.

    What goes in and out is copied: nobody shares an object with the store.
    """

    def __init__(self) -> None:
        self._items: dict[Key, Object] = {}
        self._version = 0
        self._events: deque[Event] = deque(maxlen=_KEPT_EVENTS)
        self._queues: list[asyncio.Queue[Event]] = []

    @property
    def version(self) -> int:
        """Of the latest change."""
        return self._version

    def get(self, key: Key) -> Object:
        """An object; a refusal where there is none."""
        if key not in self._items:
            raise Refusal(404, f'{key.kind.plural} "{key.name}" not found')
        return copy.deepcopy(self._items[key])

    def __contains__(self, key: Key) -> bool:
        return key in self._items

    def find(
        self, kind: Kind | None = None, *, namespace: str | None = None, selector: Selector = EVERYTHING
    ) -> dict[Key, Object]:
        """Objects by kind, namespace and selector."""
        return {
            key: copy.deepcopy(item)
            for key, item in self._items.items()
            if kind in (None, key.kind) and namespace in (None, key.namespace) and selector(item)
        }

    def uids(self) -> set[str]:
        """Of all objects."""
        return {item["metadata"]["uid"] for item in self._items.values()}

    def create(self, kind: Kind, item: Object, *, namespace: str = "") -> Object:
        """Store a new object, and return it as it is stored."""
        metadata = dict(item.get("metadata") or {})
        if "name" not in metadata:
            metadata["name"] = f"{metadata.get('generateName', '')}{uuid.uuid4().hex[:5]}"
        key = Key(kind, namespace if kind.namespaced else "", metadata["name"])
        if key in self._items:
            raise Refusal(409, f'{kind.plural} "{key.name}" already exists', reason="AlreadyExists")
        metadata |= {"uid": str(uuid.uuid4()), "creationTimestamp": now(), "generation": 1}
        if kind.namespaced:
            metadata["namespace"] = namespace
        made = {**item, "apiVersion": kind.api_version, "kind": kind.name, "metadata": metadata}
        if kind.status:
            made.pop("status", None)
        if kind == POD:
            made["status"] = {"phase": "Pending"}
        return self._store(key, admitted(kind, made))

    def replace(self, key: Key, item: Object, *, status: bool = False) -> Object:
        """Store another state of an object, and return it.

        Parameters
        ----------
        key
            Of the object.
        item
            As it shall be; if it says its version, that must be the stored one.
        status
            Whether the status is written, and nothing else. Where the kind's status is no resource of its own, all is
            written at once.
        """
        old = self.get(key)
        version = item["metadata"].get("resourceVersion")
        if version not in (None, old["metadata"]["resourceVersion"]):
            raise Refusal(409, f'{key.kind.plural} "{key.name}" has been modified; apply your changes to the latest')
        if key.kind.status:
            kept, taken = (old, item) if status else (item, old)
            item = {name: kept[name] for name in kept if name != "status"}
            item |= {"status": taken["status"]} if "status" in taken else {}
        fixed = {name: old["metadata"][name] for name in _FIXED if name in old["metadata"]}
        item = {**item, "metadata": item["metadata"] | fixed}
        if item == old:
            return old
        if item.get("spec") != old.get("spec"):
            item["metadata"]["generation"] += 1
        if item.get("spec") != old.get("spec") or key.kind.schema is not None:
            item = admitted(key.kind, item)
        if _may_go(item):
            return self._remove(key)
        return self._store(key, item)

    def set_status(self, key: Key, status: Object) -> None:
        """Change fields of an object's status, if it is still there."""
        if key in self._items:
            item = self.get(key)
            self.replace(key, item | {"status": item.get("status", {}) | status}, status=True)

    def delete(self, key: Key, *, grace: int | None = None) -> Object:
        """Remove an object, or mark it to be removed when its finalizers and its process let it go.

        Parameters
        ----------
        key
            Of the object.
        grace
            Seconds a pod has to end by itself; by default those it asks for. With 0 it is gone at once.
        """
        item = self.get(key)
        metadata = item["metadata"]
        if key.kind == POD:
            asked = item["spec"].get("terminationGracePeriodSeconds", _GRACE) if grace is None else grace
            metadata["deletionGracePeriodSeconds"] = min(asked, metadata.get("deletionGracePeriodSeconds", asked))
        metadata.setdefault("deletionTimestamp", now())
        return self._remove(key) if _may_go(item) else self._store(key, item)

    @contextmanager
    def _queue(self) -> Iterator[asyncio.Queue[Event]]:
        queue: asyncio.Queue[Event] = asyncio.Queue()
        self._queues.append(queue)
        try:
            yield queue
        finally:
            self._queues.remove(queue)

    async def events(self, since: int | None = None) -> AsyncIterator[Event]:
        """What happens, from now on or since a version, without end.

        Raises
        ------
        Refusal
            If what happened since that version is no longer known.
        """
        if since is not None and self._events and since < self._events[0].version - 1:
            raise Refusal(410, f"too old resource version: {since} ({self._events[0].version})")
        past = [event for event in self._events if since is not None and event.version > since]
        with self._queue() as queue:
            for event in past:
                yield event
            while True:
                yield await queue.get()

    def _store(self, key: Key, item: Object) -> Object:
        return self._tell(key, self._items.get(key), item)

    def _remove(self, key: Key) -> Object:
        item = self._items.pop(key)
        self._tell(key, item, None)
        return copy.deepcopy(item)

    def _tell(self, key: Key, old: Object | None, new: Object | None) -> Object:
        self._version += 1
        latest = copy.deepcopy(new or old or {})
        latest["metadata"]["resourceVersion"] = str(self._version)
        if new is not None:
            self._items[key] = latest
            event = Event(self._version, key, old, latest)
        else:
            event = Event(self._version, key, latest, None)
        self._events.append(event)
        for queue in self._queues:
            queue.put_nowait(event)
        return copy.deepcopy(latest)


_FIXED: Final = (
    "name",
    "namespace",
    "uid",
    "creationTimestamp",
    "generation",
    "resourceVersion",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
)
"""Metadata that only the server writes."""


def now() -> str:
    """The time, as the API writes it."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _may_go(item: Object) -> bool:
    """Whether an object is to be removed and nothing holds it."""
    metadata = item["metadata"]
    held = metadata.get("finalizers") or metadata.get("deletionGracePeriodSeconds", 0) > 0
    return "deletionTimestamp" in metadata and not held
