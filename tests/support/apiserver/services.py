"""Services: an address and a name each, from which connections are passed on to pods."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from apiserver.kinds import POD, SERVICE, Object
from apiserver.network import Network, real
from apiserver.objects import Key, Objects
from apiserver.selectors import with_labels
from apiserver.streams import BLOCK

Connect = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Services:
    """Opens the services among the objects of a server.

    A service has a status once a pod stands behind it. Kubernetes writes an empty one at once, upon which the Dask
    operator calls a cluster running; that it then writes, a moment later, that the cluster is pending, is a race which
    it loses here more often than there.

    Parameters
    ----------
    objects
        Where services and pods are.
    network
        Which gives addresses and keeps names.
    """

    def __init__(self, objects: Objects, network: Network) -> None:
        self._objects = objects
        self._network = network
        self._open: dict[Key, list[asyncio.Server]] = {}

    async def run(self) -> None:
        """Open and close services as they and their pods come and go, without end."""
        async for event in self._objects.events(0):
            if event.key.kind == POD:
                for key in self._objects.find(SERVICE, namespace=event.key.namespace):
                    self._tell(key)
            elif event.key.kind == SERVICE and event.old is None and event.new is not None:
                await self._begin(event.key, event.new)
            elif event.key.kind == SERVICE and event.new is None:
                self._network.name(event.key.name, event.key.namespace, None)
                for server in self._open.pop(event.key):
                    server.close()

    async def _begin(self, key: Key, service: Object) -> None:
        address = self._network.address()
        self._open[key] = [
            await asyncio.start_server(self._to(key, port), address, real(port["port"]))
            for port in service["spec"]["ports"]
        ]
        self._network.name(key.name, key.namespace, address)
        if key in self._objects:
            item = self._objects.get(key)
            item["spec"] |= {"clusterIP": address, "type": item["spec"].get("type", "ClusterIP")}
            self._objects.replace(key, item)
            self._tell(key)

    def _tell(self, key: Key) -> None:
        if self._pods(key):
            self._objects.set_status(key, {"loadBalancer": {}})

    def _to(self, key: Key, port: Object) -> Connect:
        async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(OSError):
                for pod in self._pods(key)[:1]:
                    address, number = pod["status"]["podIP"], _target(pod, port)
                    further, beyond = await asyncio.open_connection(address, real(number))
                    await asyncio.gather(_pass(reader, beyond), _pass(further, writer))
            writer.close()

        return connect

    def _pods(self, key: Key) -> list[Object]:
        """Pods behind a service that are ready."""
        if key not in self._objects:
            return []
        selector = with_labels(self._objects.get(key)["spec"]["selector"])
        found = self._objects.find(POD, namespace=key.namespace, selector=selector).values()
        ready = {"type": "Ready", "status": "True"}
        return [
            pod
            for pod in found
            if ready in pod["status"].get("conditions", []) and "deletionTimestamp" not in pod["metadata"]
        ]


def _target(pod: Object, port: Object) -> int:
    """The number of the pod's port to which a port of a service leads."""
    target = port.get("targetPort", port["port"])
    named = {own.get("name"): own["containerPort"] for own in pod["spec"]["containers"][0].get("ports", [])}
    return int(named.get(target, target))


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while block := await reader.read(BLOCK):
            writer.write(block)
            await writer.drain()
    finally:
        writer.close()
