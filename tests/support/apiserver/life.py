"""The life of one pod: its container starts, is started again where it shall, and is ended."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import aiohttp
import psutil

from apiserver.containers import command
from apiserver.kinds import Object
from apiserver.network import Network, real
from apiserver.objects import Key, Objects, now
from apiserver.refusal import Refusal

_LOOK: Final = 0.2
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0


class Life:
    """Life of one pod.

    Parameters
    ----------
    key, pod
        The pod.
    objects
        To which its status is told.
    network
        Which gives it an address.
    log
        File for what it prints.
    folder
        For its configurations.
    """

    def __init__(self, key: Key, pod: Object, objects: Objects, network: Network, *, log: Path, folder: Path) -> None:
        self._key, self._pod = key, pod
        self._objects, self._network = objects, network
        self._log, self._folder = log, folder
        self._address = network.address()
        self._policy = pod["spec"].get("restartPolicy", "Always")
        self._process: asyncio.subprocess.Process | None = None
        self._restarts = 0
        self._ending, self._over = asyncio.Event(), asyncio.Event()

    async def run(self) -> None:
        """Run the container until it has ended for good."""
        pause = _FIRST_PAUSE
        while not self._ending.is_set():
            try:
                code = await self._container()
            except (Refusal, OSError) as error:
                self._tell("Pending", {"waiting": {"reason": "CreateContainerError", "message": str(error)}})
                break
            if self._ending.is_set() or self._policy == "Never" or (self._policy == "OnFailure" and code == 0):
                self._tell("Failed" if code else "Succeeded", {"terminated": {"exitCode": code, "finishedAt": now()}})
                break
            self._restarts += 1
            self._tell("Running", {"waiting": {"reason": "CrashLoopBackOff", "message": f"it ended with {code}"}})
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        self._over.set()

    async def end(self, grace: float) -> None:
        """End the container, at first politely, and let the pod go."""
        if self._ending.is_set():
            return
        self._ending.set()
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
        try:
            await asyncio.wait_for(self._over.wait(), grace)
        except TimeoutError:
            self.kill()
            await self._over.wait()
        if self._there():
            self._objects.delete(self._key, grace=0)

    def kill(self) -> None:
        """End the container and all it has started, at once."""
        self._ending.set()
        if self._process is not None:
            _kill_session(self._process.pid)

    async def _container(self) -> int:
        """Run the container once; its exit code."""
        words, environment = command(
            self._pod, objects=self._objects, network=self._network, address=self._address, folder=self._folder
        )
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *words, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        if self._ending.is_set():
            self.kill()
        prober = asyncio.create_task(self._probe())
        code = await self._process.wait()
        prober.cancel()
        _kill_session(self._process.pid)  # what it has started goes with it
        return code if code >= 0 else 128 - code

    async def _probe(self) -> None:
        """Say that the container runs, and when it is ready; asked more often than the probe says, to lose no time."""
        running = {"running": {"startedAt": now()}}
        container = self._pod["spec"]["containers"][0]
        probe = container.get("readinessProbe", {}).get("httpGet")
        if probe is not None:
            self._tell("Running", running)
            ports = {port.get("name"): port["containerPort"] for port in container.get("ports", [])}
            url = f"http://{self._address}:{real(ports.get(probe['port'], probe['port']))}{probe['path']}"
            async with aiohttp.ClientSession() as session:
                while not await _answers(session, url):
                    await asyncio.sleep(_LOOK)
        self._tell("Running", running, ready=True)

    def _there(self) -> bool:
        """Whether the pod is among the objects, and is the same."""
        uid = self._pod["metadata"]["uid"]
        return self._key in self._objects and self._objects.get(self._key)["metadata"]["uid"] == uid

    def _tell(self, phase: str, state: Object, *, ready: bool = False) -> None:
        if not self._there():
            return
        name = self._pod["spec"]["containers"][0]["name"]
        container = {"name": name, "ready": ready, "restartCount": self._restarts, "state": state}
        conditions = {"PodScheduled": True, "Initialized": True, "ContainersReady": ready, "Ready": ready}
        status: dict[str, Any] = {
            "phase": phase,
            "podIP": self._address,
            "hostIP": "127.0.0.1",
            "conditions": [{"type": name, "status": str(value)} for name, value in conditions.items()],
            "containerStatuses": [container],
        }
        self._objects.set_status(self._key, status)


async def _answers(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url) as response:
            return response.status < 400
    except aiohttp.ClientError:
        return False


def _kill_session(leader: int) -> None:
    """Kill all processes of a session, which is what a pod's processes have in common."""
    for process in psutil.pids():
        with suppress(ProcessLookupError):
            if os.getsid(process) == leader:
                os.kill(process, signal.SIGKILL)
