"""The clock of a store: what time it is where the objects are kept, whatever the clocks of those who write them say."""

from __future__ import annotations

import math
import time
import uuid
from typing import NamedTuple

from slidecloud.store.location import Location

PROBES = ".slidecloud/probe"
"""Folder of the short-lived objects that ask a store something."""
_VALID = 600.0


class _Offset(NamedTuple):
    measured: float
    seconds: float


_offsets: dict[str, _Offset] = {}


def now(location: Location) -> float:
    """Seconds since 1970 by the clock that stamps the objects of a store, good to about a second.

    It is asked every ten minutes by writing an object; in between the steady clock of this machine goes on from there.
    Where the store stamps nothing this is the clock of this machine; see `stamps`.
    """
    steady = ticks()
    offset = _offsets.get(repr(location))
    if offset is None or not 0 <= steady - offset.measured < _VALID:
        stamp = _stamp(location)
        offset = _Offset(steady, (time.time() if math.isnan(stamp) else stamp) - ticks())
        _offsets[repr(location)] = offset
    return steady + offset.seconds


def stamps(location: Location) -> bool:
    """True where the store says when an object was written."""
    return not math.isnan(_stamp(location))


def ticks() -> float:
    """Seconds of a clock that nobody sets and that goes on while this process or its machine sleeps."""
    boottime = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boottime is None else time.clock_gettime(boottime)


def _stamp(location: Location) -> float:
    key = f"{PROBES}/{uuid.uuid4().hex}"
    location.write(key, b"clock")
    found = location.fetch(key)
    location.delete(key)
    return float("nan") if found is None else found.modified
