"""A network between a process and a store that can be cut: a TCP proxy that refuses, or falls silent."""

from __future__ import annotations

import contextlib
import selectors
import socket
import struct
import threading
from collections.abc import Iterator

_ABORT = struct.pack("ii", 1, 0)
"""Linger of zero seconds: closing sends a reset, as a router does that lost its state."""


class Wire:
    """Passes bytes on until it is cut.

    Parameters
    ----------
    address
        Host and port of the other end.

    Attributes
    ----------
    broken
        Connections that a cut has broken or kept from being made.
    """

    def __init__(self, address: tuple[str, int]) -> None:
        self.broken = 0
        self._address = address
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._silent = False
        self._refused = False
        self._peers: dict[socket.socket, socket.socket] = {}
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._lock = threading.Lock()
        self._stop = False
        self._thread = threading.Thread(target=self._pass, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where to connect to."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def cut(self, *, silent: bool) -> None:
        """Break what is connected; until `mend`, connections are reset, or nothing ever arrives where it is silent."""
        with self._lock:
            self._silent, self._refused = silent, not silent
            self.broken += len(self._peers) // 2
            if not silent:
                self._drop_all()

    def mend(self) -> None:
        """Connect again; what was under way when the network was cut never arrives."""
        with self._lock:
            self._drop_all()
            self._silent = self._refused = False

    def close(self) -> None:
        """End it."""
        self._stop = True
        self._thread.join()
        with self._lock:
            self._drop_all()
        self._listener.close()
        self._selector.close()

    def _pass(self) -> None:
        while not self._stop:
            ready = self._selector.select(0.05)
            with self._lock:
                for key, _ in ready:
                    found = key.fileobj
                    assert isinstance(found, socket.socket)
                    if found is self._listener:
                        self._accept()
                    elif found in self._peers and not self._silent:
                        self._forward(found)
            if self._silent:
                threading.Event().wait(0.05)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        if self._refused:
            self.broken += 1
            _abort(client)
            return
        server = socket.create_connection(self._address)
        for end, other in ((client, server), (server, client)):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._peers[end] = other
            self._selector.register(end, selectors.EVENT_READ)
        self.broken += self._silent

    def _forward(self, end: socket.socket) -> None:
        other = self._peers[end]
        try:
            data = end.recv(1 << 18)
            if data:
                other.sendall(data)
                return
        except OSError:
            pass
        self._drop(end)

    def _drop(self, end: socket.socket, *, abort: bool = False) -> None:
        for one in (end, self._peers.pop(end)):
            self._peers.pop(one, None)
            self._selector.unregister(one)
            if abort:
                _abort(one)
            else:
                one.close()

    def _drop_all(self) -> None:
        while self._peers:
            self._drop(next(iter(self._peers)), abort=True)


def _abort(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
    end.close()


@contextlib.contextmanager
def wire(address: tuple[str, int]) -> Iterator[Wire]:
    """A wire to an address while the context lasts."""
    made = Wire(address)
    try:
        yield made
    finally:
        made.close()
