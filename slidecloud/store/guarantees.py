"""What a store promises about writes under a condition, asked of the store itself once in a process."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from slidecloud.store import clock
from slidecloud.store.location import Location


@dataclass(frozen=True, slots=True)
class Guarantees:
    """What holds at a location.

    Attributes
    ----------
    create
        Put-if-absent is atomic: of two writers one is told that the other was first.
    replace
        Put-if-match is atomic: nobody's change is written over unseen.
    clock
        Objects are stamped by the store's clock, by which leases expire.
    """

    create: bool
    replace: bool
    clock: bool

    def lines(self) -> list[str]:
        """The promises as lines for people."""
        create = "by the store (put-if-absent)" if self.create else "by looking first: this store has no put-if-absent"
        replace = "by the store (put-if-match)" if self.replace else "by looking again: this store has no put-if-match"
        clock = "the store's clock" if self.clock else "the clocks of the writers, which must agree within seconds"
        return [
            f"Records are kept from a second writer {create}.",
            f"Leases are kept {replace}, and expire by {clock}.",
        ]


_known: dict[str, Guarantees] = {}


def guarantees(location: Location) -> Guarantees:
    """What holds at a location; object stores are tried out with an object that is removed again.

    Raises
    ------
    PermissionError
        If nothing may be written there.
    """
    name = repr(location)
    if name not in _known:
        _known[name] = Guarantees(True, True, True) if location.is_local else _try_out(location)
    return _known[name]


def _try_out(location: Location) -> Guarantees:
    key = f"{clock.PROBES}/{uuid.uuid4().hex}"
    try:
        created = location.create(key, b"first") and not location.create(key, b"second")
        first = location.fetch(key)
        location.write(key, b"third")
        stale = first is None or location.replace(key, b"fourth", first.version)
        third = location.fetch(key)
        current = third is not None and location.replace(key, b"fifth", third.version)
        objects = location.objects
        return Guarantees(
            created and objects.atomic_create,
            current and not stale and objects.atomic_replace,
            clock.stamps(location),
        )
    finally:
        location.delete(key)
