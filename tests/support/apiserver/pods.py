"""The pods of a server: each is started when it appears and ended when it is to go."""

from __future__ import annotations

import asyncio
from pathlib import Path

from apiserver.kinds import POD, Object
from apiserver.life import Life
from apiserver.network import Network
from apiserver.objects import Key, Objects


class Pods:
    """Runs the pods among the objects of a server.

    Parameters
    ----------
    objects
        Where pods appear and go.
    network
        From which they get addresses.
    folder
        For their logs and configurations.
    """

    def __init__(self, objects: Objects, network: Network, folder: Path) -> None:
        self._objects = objects
        self._network = network
        self._folder = folder
        self._lives: dict[str, Life] = {}

    def log(self, key: Key) -> Path:
        """File with what a pod has printed."""
        file = self._folder / f"{key.namespace}.{key.name}.log"
        file.touch()
        return file

    def alive(self, key: Key) -> bool:
        """Whether a pod may print more."""
        return key in self._objects and self._objects.get(key)["status"]["phase"] in ("Pending", "Running")

    async def run(self, tasks: asyncio.TaskGroup) -> None:
        """Start and end pods as they come and go, without end."""
        async for event in self._objects.events(0):
            if event.key.kind != POD:
                continue
            pod: Object = event.new or event.old or {}
            uid = pod["metadata"]["uid"]
            if event.old is None:
                folder = self._folder / f"{event.key.namespace}.{event.key.name}"
                life = Life(event.key, pod, self._objects, self._network, log=self.log(event.key), folder=folder)
                self._lives[uid] = life
                tasks.create_task(life.run())
            elif event.new is None:
                self._lives.pop(uid).kill()
            elif "deletionTimestamp" in event.new["metadata"]:
                tasks.create_task(self._lives[uid].end(event.new["metadata"]["deletionGracePeriodSeconds"]))

    def close(self) -> None:
        """Kill what runs."""
        for life in self._lives.values():
            life.kill()
