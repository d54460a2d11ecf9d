"""``python -m apiserver FOLDER``: a server until SIGTERM."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import yaml
from aiohttp import web

from apiserver.controllers import collect_garbage, keep_deployments
from apiserver.kinds import NAMESPACE, Kinds
from apiserver.network import Network
from apiserver.objects import Objects
from apiserver.pods import Pods
from apiserver.requests import Requests
from apiserver.services import Services


async def serve(folder: Path) -> None:
    """Serve until SIGTERM; an error in any part ends it all."""
    (folder / "pods").mkdir(parents=True)
    kinds, objects, network = Kinds(), Objects(), Network(folder)
    pods = Pods(objects, network, folder / "pods")
    objects.create(NAMESPACE, {"metadata": {"name": "default"}})
    application = web.Application(client_max_size=2**26)
    application.on_response_prepare.append(_close_after)
    application.router.add_route("*", "/{path:.*}", Requests(kinds, objects, pods).answer)
    runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    try:
        async with asyncio.TaskGroup() as tasks:
            parts = [
                tasks.create_task(part)
                for part in (
                    pods.run(tasks),
                    Services(objects, network).run(),
                    keep_deployments(objects),
                    collect_garbage(objects),
                )
            ]
            await site.start()
            _write_kubeconfig(folder / "kubeconfig", f"http://127.0.0.1:{runner.addresses[0][1]}")
            await stop.wait()
            pods.close()
            for part in parts:
                part.cancel()
    finally:
        pods.close()
        await runner.cleanup()
        network.close()


async def _close_after(_request: web.Request, response: web.StreamResponse) -> None:
    """One request a connection: kr8s never closes those it keeps, and the warnings of that hit whoever is next."""
    response.force_close()
    response.headers.setdefault("Connection", "close")


def _write_kubeconfig(file: Path, url: str) -> None:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "clusters": [{"name": "test", "cluster": {"server": url}}],
        "users": [{"name": "test", "user": {"token": "none"}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test", "namespace": "default"}}],
    }
    fresh = file.with_suffix(".new")
    fresh.write_text(yaml.safe_dump(config))
    fresh.replace(file)


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
