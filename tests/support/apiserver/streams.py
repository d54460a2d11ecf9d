"""Requests that stay open: the log of a pod, and a way to one of its ports."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

import aiohttp
from aiohttp import web

from apiserver.kinds import Object
from apiserver.network import real
from apiserver.objects import Key
from apiserver.pods import Pods
from apiserver.refusal import Refusal

PROTOCOLS: Final = ("v4.channel.k8s.io", "portforward.k8s.io")
BLOCK: Final = 2**16
_DATA, _ERROR = b"\0", b"\1"
_LOOK: Final = 0.2


async def log(request: web.Request, pods: Pods, key: Key) -> web.StreamResponse:
    """What a pod has printed; with ``follow``, also what it prints until it ends."""
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    follow = request.query.get("follow") == "true"
    with pods.log(key).open("rb") as printed:
        await response.prepare(request)
        while True:
            going = follow and pods.alive(key)
            while block := printed.read(BLOCK):
                await response.write(block)
            if not going:
                return response
            await asyncio.sleep(_LOOK)


async def forward(request: web.Request, pod: Object) -> web.WebSocketResponse:
    """Carry bytes between a websocket and a port of a pod.

    Each message begins with the number of its channel: 0 for data, 1 for errors. The first of either names the port.
    """
    port = int(request.query["ports"])
    address = pod["status"].get("podIP")
    if address is None:
        raise Refusal(400, f"pod {pod['metadata']['name']} is not running")
    socket = web.WebSocketResponse(protocols=PROTOCOLS, max_msg_size=0)
    await socket.prepare(request)
    for channel in (_DATA, _ERROR):
        await socket.send_bytes(channel + port.to_bytes(2, "little"))
    try:
        reader, writer = await asyncio.open_connection(address, real(port))
    except OSError as error:
        await socket.send_bytes(_ERROR + str(error).encode())
        await socket.close()
        return socket
    back = asyncio.create_task(_back(reader, socket))
    try:
        async for message in socket:
            if message.type == aiohttp.WSMsgType.BINARY and message.data[:1] == _DATA:
                writer.write(message.data[1:])
                await writer.drain()
    except ConnectionError:
        pass
    finally:
        back.cancel()
        writer.close()
        with suppress(OSError, asyncio.CancelledError):
            await back
    return socket


async def _back(reader: asyncio.StreamReader, socket: web.WebSocketResponse) -> None:
    with suppress(ConnectionError):
        while block := await reader.read(BLOCK):
            await socket.send_bytes(_DATA + block)
    await socket.close()
