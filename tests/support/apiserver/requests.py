"""Requests for objects: read, write, watch."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final, NamedTuple

from aiohttp import web

from apiserver.discovery import describe
from apiserver.kinds import DEFINITION, POD, Kind, Kinds, Object
from apiserver.objects import Event, Key, Objects
from apiserver.patches import patched
from apiserver.pods import Pods
from apiserver.refusal import Refusal
from apiserver.selectors import Selector, select
from apiserver.streams import forward, log

_WATCH_SECONDS: Final = 600.0


class Target(NamedTuple):
    """What a path names; parts that it leaves out are empty."""

    kind: Kind
    namespace: str
    name: str
    part: str

    @property
    def key(self) -> Key:
        """Of one object."""
        return Key(self.kind, self.namespace, self.name)


class Requests:
    """Answers requests with the objects of a server."""

    def __init__(self, kinds: Kinds, objects: Objects, pods: Pods) -> None:
        self._kinds = kinds
        self._objects = objects
        self._pods = pods

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one request; what is refused comes as a Status."""
        await request.read()  # all of it, also of what is refused: a connection closed on unread bytes is reset
        try:
            words = [word for word in request.path.split("/") if word]
            said = describe(self._kinds, words)
            if said is not None:
                return web.json_response(said)
            target = self._target(words)
            return await (self._one(request, target) if target.name else self._many(request, target))
        except Refusal as refusal:
            return web.json_response(refusal.status, status=refusal.code)

    def _target(self, words: list[str]) -> Target:
        match words:
            case ["api", version, *rest]:
                group = ""
            case ["apis", group, version, *rest]:
                pass
            case _:
                raise Refusal(404, f"there is no path /{'/'.join(words)}")
        namespace = ""
        if rest[0] == "namespaces" and len(rest) > 2:
            namespace, rest = rest[1], rest[2:]
        plural, name, part = (*rest, "", "")[:3]
        kind = self._kinds.find(group, version, plural)
        if kind is None:
            raise Refusal(404, f"there is no kind {plural} in {group or 'the core'}/{version}")
        return Target(kind, namespace, name, part)

    async def _many(self, request: web.Request, target: Target) -> web.StreamResponse:
        if request.method == "POST":
            made = self._objects.create(target.kind, await request.json(), namespace=target.namespace)
            if target.kind == DEFINITION:
                self._kinds.define(made)
            return web.json_response(made, status=201)
        if request.method != "GET":
            raise Refusal(405, f"{request.method} of all {target.kind.plural} at once is not supported")
        selector = select(labels=request.query.get("labelSelector", ""), fields=request.query.get("fieldSelector", ""))
        if request.query.get("watch") in ("true", "1"):
            return await self._watch(request, target, selector)
        found = self._objects.find(target.kind, namespace=target.namespace or None, selector=selector)
        return web.json_response(
            {
                "kind": f"{target.kind.name}List",
                "apiVersion": target.kind.api_version,
                "metadata": {"resourceVersion": str(self._objects.version)},
                "items": list(found.values()),
            }
        )

    async def _one(self, request: web.Request, target: Target) -> web.StreamResponse:
        objects, key = self._objects, target.key
        item = objects.get(key)
        match request.method, target.part:
            case "GET", "log" if target.kind == POD:
                return await log(request, self._pods, key)
            case "GET", "portforward" if target.kind == POD:
                return await forward(request, item)
            case "GET", "" | "status":
                pass
            case "DELETE", "":
                item = objects.delete(key, grace=_grace(await request.text()))
            case "PUT", "" | "status":
                item = objects.replace(key, await request.json(), status=target.part == "status")
            case "PATCH", "" | "status":
                changed = patched(item, await request.read(), form=request.content_type)
                item = objects.replace(key, changed, status=target.part == "status")
            case method, part:
                raise Refusal(405, f"{method} of {target.kind.plural}/{part} is not supported")
        return web.json_response(item)

    async def _watch(self, request: web.Request, target: Target, selector: Selector) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)

        async def send(kind: str, item: Object) -> None:
            await response.write(json.dumps({"type": kind, "object": item}).encode() + b"\n")

        since = int(request.query.get("resourceVersion") or 0)
        if since == 0:
            since = self._objects.version
            for item in self._objects.find(target.kind, namespace=target.namespace or None, selector=selector).values():
                await send("ADDED", item)
        try:
            async with asyncio.timeout(float(request.query.get("timeoutSeconds", _WATCH_SECONDS))):
                async for event in self._objects.events(since):
                    if event.key.kind == target.kind and target.namespace in ("", event.key.namespace):
                        for change in _seen(event, selector):
                            await send(*change)
        except TimeoutError:
            pass
        except Refusal as refusal:
            await send("ERROR", refusal.status)
        return response


def _seen(event: Event, selector: Selector) -> list[tuple[str, Object]]:
    """What one who watches a selection sees of an event: objects come into it and leave it."""
    before = event.old is not None and selector(event.old)
    after = event.new is not None and selector(event.new)
    if after and event.new is not None:
        return [("MODIFIED" if before else "ADDED", event.new)]
    if before and event.old is not None:
        last = event.old if event.new is None else event.new
        return [("DELETED", last)]
    return []


def _grace(body: str) -> int | None:
    """Seconds that a deletion gives a pod, as far as it says so."""
    options: dict[str, Any] = json.loads(body) if body else {}
    if options.get("propagationPolicy", "Background") != "Background":
        raise Refusal(400, f"deletion in the {options['propagationPolicy']} is not supported; expected Background")
    seconds = options.get("gracePeriodSeconds")
    return None if seconds is None else int(seconds)
