"""The part of the loopback network that is a server's own: addresses of pods and services, and names of services."""

from __future__ import annotations

import itertools
import json
import os
import socket
from pathlib import Path
from typing import Final

SITE: Final = Path(__file__).parent / "site"
_NETWORKS: Final = range(64, 192)
_SHIFT: Final = 20_000
_GUARD: Final = 26_443


class Network:
    """One of the networks 127.64.0.0/16 to 127.191.0.0/16, held until it is closed.

    Parameters
    ----------
    folder
        Where the file of names is kept.
    """

    def __init__(self, folder: Path) -> None:
        self.hosts = folder / "hosts.json"
        self._number, self._guard = _claim()
        self._addresses = itertools.count(1)
        self._names: dict[str, str] = {}
        self._write()

    def address(self) -> str:
        """A fresh address."""
        number = next(self._addresses)
        return f"127.{self._number}.{1 + number // 250}.{1 + number % 250}"

    def name(self, service: str, namespace: str, address: str | None) -> None:
        """Give a service's names an address, or none."""
        for name in (f"{service}.{namespace}", f"{service}.{namespace}.svc.cluster.local"):
            self._names.pop(name, None)
            if address is not None:
                self._names[name] = address
        self._write()

    def close(self) -> None:
        """Leave the network to others."""
        self._guard.close()

    def _write(self) -> None:
        fresh = self.hosts.with_suffix(".new")
        fresh.write_text(json.dumps(self._names))
        fresh.replace(self.hosts)


def real(port: int) -> int:
    """The port that stands for one of a pod or a service.

    Whoever listens to a port at all addresses of the machine, as any Dask scheduler does with 8787, has it in these
    networks too. So well-known ports are moved to where nobody is.
    """
    return port + _SHIFT if port < _SHIFT else port


def environment(hosts: Path, *, address: str | None = None) -> dict[str, str]:
    """Variables of a Python process that finds services by name.

    Parameters
    ----------
    hosts
        File of names.
    address
        That of the pod it belongs to, if it does.
    """
    own = {"APISERVER_HOSTS": str(hosts), "APISERVER_SHIFT": str(_SHIFT)}
    if address is not None:
        own["APISERVER_POD_ADDRESS"] = address
    return own | {"PYTHONPATH": os.pathsep.join(filter(None, [str(SITE), os.environ.get("PYTHONPATH")]))}


def _claim() -> tuple[int, socket.socket]:
    """The first network that no other server holds, and the socket that holds it."""
    for number in _NETWORKS:
        guard = socket.socket()
        try:
            guard.bind((f"127.{number}.0.1", _GUARD))
        except OSError:
            guard.close()
        else:
            return number, guard
    raise OSError(f"All {len(_NETWORKS)} loopback networks are taken by servers; is one left from before?")
