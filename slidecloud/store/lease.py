"""The lease of a store: one driver at a time, and no record from a writer whose driver is gone.

The holder renews its lease while it works. Another driver is refused until the lease expires, or at once taken over if
the holder was a process of this machine that is no longer there. A unit looks at the lease before it writes a record: a
late writer of an earlier driver then leaves none, whatever it wrote before.
"""

from __future__ import annotations

import json
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil

from slidecloud.store.location import Location

LEASE = ".slidecloud/lease"
LIFETIME = 60.0
"""Seconds a lease is good for after it was renewed."""


class LeaseError(RuntimeError):
    """The store is in the hands of another driver."""


@contextmanager
def hold(location: Location) -> Iterator[str]:
    """Hold the lease of a store while the context lasts.

    Yields
    ------
    str
        Token of this driver, which its units carry.

    Raises
    ------
    LeaseError
        If another driver holds it.
    """
    token = uuid.uuid4().hex
    _take(location, token)
    stop = threading.Event()
    keeper = threading.Thread(target=_renew, args=(location, token, stop), name="slidecloud-lease", daemon=True)
    keeper.start()
    try:
        yield token
    finally:
        stop.set()
        keeper.join()
        if is_held(location, token):
            location.delete(LEASE)


def is_held(location: Location, token: str) -> bool:
    """True where the lease of a store is in the hands of the driver with this token."""
    found = _read(location)
    return found is not None and found["token"] == token


def check(location: Location, token: str) -> None:
    """Raise LeaseError where the driver with this token no longer holds the lease."""
    if not is_held(location, token):
        raise LeaseError(f"The driver of this unit no longer holds the lease of {location}; nothing is recorded.")


def _take(location: Location, token: str) -> None:
    found = _read(location)
    if found is not None and _is_alive(found):
        left = found["expires"] - time.time()
        raise LeaseError(
            f"{location} is being written by process {found['process']} on {found['host']} (lease good for "
            f"{left:.0f} s). Wait until it has finished, or stop it; a dead writer's lease expires by itself."
        )
    if found is not None:
        location.delete(LEASE)
    if not location.create(LEASE, _encode(token)):
        raise LeaseError(f"{location} was taken by another driver this very moment. Try again when it has finished.")


def _renew(location: Location, token: str, stop: threading.Event) -> None:
    while not stop.wait(LIFETIME / 4):
        if not is_held(location, token):
            return
        location.write(LEASE, _encode(token))


def _encode(token: str) -> bytes:
    process = psutil.Process()
    lease = {
        "token": token,
        "host": socket.gethostname(),
        "process": process.pid,
        "started": process.create_time(),
        "expires": time.time() + LIFETIME,
    }
    return json.dumps(lease).encode()


def _read(location: Location) -> dict[str, Any] | None:
    try:
        found = json.loads(location.read(LEASE) or b"")
        return found if {"token", "host", "process", "started", "expires"} <= set(found) else None
    except (ValueError, TypeError):
        return None


def _is_alive(lease: dict[str, Any]) -> bool:
    """Whether a holder may still write: its lease has not expired, and it is not a process known to be gone."""
    if lease["expires"] < time.time():
        return False
    if lease["host"] != socket.gethostname():
        return True
    try:
        holder = psutil.Process(int(lease["process"]))
        same = abs(holder.create_time() - lease["started"]) < 1.0
        return bool(same and holder.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
