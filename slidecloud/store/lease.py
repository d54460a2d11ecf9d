"""The lease of a store: one driver at a time, and no write from a driver whose time is over.

The holder renews its lease while it works, each time over the version it read, so that it never writes over its
successor. Another driver is refused until the lease expires by the store's clock, or takes it over at once if the
holder was a process of this machine that is no longer there, or if it was told to. Units look at the lease before they
write and before they record: a writer that was held up comes back to find the lease gone, and leaves nothing.
"""

from __future__ import annotations

import json
import math
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from slidecloud.store import clock
from slidecloud.store.guarantees import guarantees
from slidecloud.store.location import Location
from slidecloud.store.objects import Stored

LEASE = ".slidecloud/lease"
LIFETIME = 60.0
"""Seconds a lease is good for after it was renewed."""
SETTLE = 3.0
"""Seconds in which two drivers that took a lease at once see each other, where the store cannot tell them."""
_TEXTS = ("token", "host", "machine")
_NUMBERS = ("process", "started", "written", "lifetime")
_LARGEST = 1e12


class LeaseError(RuntimeError):
    """The store is in the hands of another driver."""


class Guard:
    """Lets a writer pass while its driver's lease is known to be good, and looks again when that may have changed.

    Parameters
    ----------
    location, token
        Store that is written to, and token of the driver.
    """

    def __init__(self, location: Location, token: str) -> None:
        self._location, self._token = location, token
        self._good_until = -math.inf

    @property
    def is_due(self) -> bool:
        """True where the lease has to be looked at before the next write."""
        return clock.ticks() >= self._good_until

    def __call__(self) -> None:
        """Look at the lease; raises LeaseError where it is lost."""
        asked = clock.ticks()
        self._good_until = asked + min(check(self._location, self._token), LIFETIME / 4)


@contextmanager
def hold(location: Location, *, takeover: bool = False) -> Iterator[str]:
    """Hold the lease of a store while the context lasts.

    Parameters
    ----------
    location
        The store.
    takeover
        Take it from a holder that may still be at work; what that one has not finished it then cannot record.

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
    stop = threading.Event()
    keeper = threading.Thread(target=_keep, args=(location, token, stop), name="slidecloud-lease", daemon=True)
    try:
        take(location, token, takeover=takeover)
        keeper.start()
        yield token
    finally:
        stop.set()
        if keeper.ident is not None:
            keeper.join()
        with suppress(OSError):  # it expires by itself
            _rewrite(location, token, released=True)


def take(location: Location, token: str, *, takeover: bool = False) -> None:
    """Make this process the holder; raises LeaseError where another one is."""
    found = location.fetch(LEASE)
    if found is None:
        taken = location.create(LEASE, _encode(token))
    else:
        if not takeover:
            _refuse_if_held(location, found)
        taken = location.replace(LEASE, _encode(token), found.version)
    promised = guarantees(location)
    if taken and not (promised.create and promised.replace):
        time.sleep(SETTLE)
    if not is_held(location, token):
        raise LeaseError(f"{location} was taken by another driver this very moment. Try again when it has finished.")


def is_held(location: Location, token: str) -> bool:
    """True where the lease of a store is good and in the hands of the driver with this token."""
    found = location.fetch(LEASE)
    return found is not None and _token(found) == token and _left(location, found) > 0


def holder(location: Location) -> str | None:
    """Who holds the lease of a store now, in words; None where nobody does."""
    found = location.fetch(LEASE)
    lease = None if found is None else _parse(found)
    if found is None or lease is None or not _is_alive(location, found, lease):
        return None
    return f"process {lease['process']} on {lease['host']}"


def check(location: Location, token: str) -> float:
    """Seconds for which the lease of the driver with this token is good; raises LeaseError where it no longer is."""
    found = location.fetch(LEASE)
    left = _left(location, found) if found is not None and _token(found) == token else 0.0
    if left <= 0:
        raise LeaseError(f"The driver of this unit no longer holds the lease of {location}; nothing is recorded.")
    return left


def _keep(location: Location, token: str, stop: threading.Event) -> None:
    """Renew the lease until told to stop or until it is lost; a store that does not answer is asked again."""
    wait = LIFETIME / 4
    while not stop.wait(wait):
        try:
            if not _rewrite(location, token):
                return
            wait = LIFETIME / 4
        except OSError:
            wait = LIFETIME / 20


def _rewrite(location: Location, token: str, *, released: bool = False) -> bool:
    """Write the lease again over the version that holds this token; False where none does any more."""
    found = location.fetch(LEASE)
    if found is None or _token(found) != token:
        return False
    if not guarantees(location).replace and _left(location, found) <= 0:
        return False  # someone may be taking it, and the store would not tell
    return location.replace(LEASE, _encode(None if released else token), found.version)


def _refuse_if_held(location: Location, found: Stored) -> None:
    lease = _parse(found)
    if lease is not None and _is_alive(location, found, lease):
        raise LeaseError(
            f"{location} is being written by process {lease['process']} on {lease['host']} (lease good for "
            f"{_left(location, found):.0f} s). Wait until it has finished, or stop it; a dead writer's lease expires "
            "by itself, and --takeover does not wait for that."
        )


def _encode(token: str | None) -> bytes:
    process = psutil.Process()
    lease = {
        "token": token,
        "host": socket.gethostname(),
        "machine": _machine(),
        "process": process.pid,
        "started": process.create_time(),
        "written": time.time(),
        "lifetime": LIFETIME,
    }
    return json.dumps(lease).encode()


def _parse(found: Stored) -> dict[str, Any] | None:
    """What a lease says; None where nobody holds it, or it is damaged or no lease at all."""
    try:
        lease = json.loads(found.data)
        texts = all(isinstance(lease[name], str) for name in _TEXTS)
        numbers = all(type(lease[name]) in (int, float) and 0 <= lease[name] < _LARGEST for name in _NUMBERS)
        return lease if texts and numbers else None
    except (ValueError, TypeError, LookupError, RecursionError):
        return None


def _token(found: Stored) -> str | None:
    lease = _parse(found)
    return None if lease is None else str(lease["token"])


def _left(location: Location, found: Stored) -> float:
    """Seconds until a lease expires, by the store's clock where it has one."""
    lease = _parse(found)
    if lease is None:
        return 0.0
    if math.isnan(found.modified):
        return float(lease["written"] + lease["lifetime"] - time.time())
    return float(found.modified + lease["lifetime"] - clock.now(location))


def _is_alive(location: Location, found: Stored, lease: dict[str, Any]) -> bool:
    """Whether a holder may still write: its lease has not expired, and it is not a process known to be gone."""
    if lease["machine"] == _machine():
        try:
            holder = psutil.Process(int(lease["process"]))
            if abs(holder.create_time() - lease["started"]) > 1.0 or holder.status() == psutil.STATUS_ZOMBIE:
                return False
        except psutil.NoSuchProcess:
            return False
    return _left(location, found) > 0


def _machine() -> str:
    """What the process numbers of this machine, or of this container, are counted in."""
    parts = [socket.gethostname()]
    with suppress(OSError):
        parts += [
            Path("/proc/sys/kernel/random/boot_id").read_text().strip(),
            str(Path("/proc/self/ns/pid").readlink()),
        ]
    return " ".join(parts)
