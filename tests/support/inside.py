"""What runs inside a process of the fault campaign: it notes what units do, and suffers what the folder of orders says.

A process is started as ``python inside.py MODULE ARGUMENT...``; Dask loads this file as a preload of its workers too.
The environment variable ``CAMPAIGN`` names the folder of orders, ``ROLE`` this process in it:

    units           a line for every unit that begins, and for every record that is written
    pace            seconds that a unit waits before it begins, and again between its objects and its record
    clock-ROLE      seconds by which the clock of the process is wrong
    balloon-N       whichever process of the role ``balloon`` takes it grows at its next unit until it is killed
    full            no file opens for writing: the disk is full
    gate            nobody takes a lease until it is gone; each who waits leaves ``waits-PROCESS``
"""

from __future__ import annotations

import errno
import functools
import os
import runpy
import sys
import time
from pathlib import Path
from typing import Any

ORDERS = Path(os.environ.get("CAMPAIGN", "/nowhere"))
ROLE = os.environ.get("ROLE", "")
LIFETIME = "LEASE_LIFETIME"
"""Environment variable with the seconds that a lease of this process is good for."""
_STEP = 32 * 2**20


def dask_setup(worker: Any) -> None:
    """Called by Dask on a worker that starts."""
    watch()


def watch() -> None:
    """Stand before each unit and each record."""
    from slidecloud.pipeline import units
    from slidecloud.store import lease, records

    lease.LIFETIME = float(os.environ.get(LIFETIME, lease.LIFETIME))
    perform, write = units.perform, records.write
    if hasattr(perform, "__wrapped__"):
        return

    @functools.wraps(perform)
    def noted(location: Any, unit: Any, token: str) -> Any:
        _note("began", unit.key)
        time.sleep(_number("pace"))
        if ROLE == "balloon" and _take_balloon():
            _grow()
        return perform(location, unit, token)

    @functools.wraps(write)
    def recorded(location: Any, record: Any) -> bool:
        time.sleep(_number("pace"))
        done = write(location, record)
        _note("recorded" if done else "was recorded", record.key)
        return done

    units.perform, records.write = noted, recorded
    lease.take = _gated(lease.take)


def _gated(take: Any) -> Any:
    def gated(*arguments: Any, **options: Any) -> None:
        while (ORDERS / "gate").exists():
            (ORDERS / f"waits-{os.getpid()}").touch()
            time.sleep(0.001)
        take(*arguments, **options)

    return gated


def shift_clock() -> None:
    """Make the clock of this process wrong by what its order says, from when it says so."""
    original = time.time
    time.time = lambda: original() + _number(f"clock-{ROLE}")


def fill_disk() -> None:
    """Let no file be opened for writing while the order says that the disk is full."""
    original = Path.open

    def opened(self: Path, mode: str = "r", *rest: Any, **options: Any) -> Any:
        if set(mode) & set("wxa+") and (ORDERS / "full").exists() and ".zarr" in str(self):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self))
        return original(self, mode, *rest, **options)

    Path.open = opened


def _note(what: str, key: Any) -> None:
    line = f"{what}|{os.getpid()}|{key.stage}|{key.unit}\n"
    file = os.open(ORDERS / "units", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, line.encode())
    os.close(file)


def _number(order: str) -> float:
    try:
        with (ORDERS / order).open() as file:
            return float(file.read())
    except (OSError, ValueError):
        return 0.0


def _take_balloon() -> bool:
    for order in sorted(ORDERS.glob("balloon-*")):
        try:
            order.unlink()
            return True
        except FileNotFoundError:
            continue
    return False


def _grow() -> None:
    kept = []
    while True:
        kept.append(bytearray(os.urandom(1)) * _STEP)
        time.sleep(0.02)


if __name__ == "__main__":
    del sys.argv[0], sys.path[0]
    shift_clock()
    fill_disk()
    if sys.argv[0] == "slidecloud":
        watch()
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
