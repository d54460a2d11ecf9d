"""Whether a source may be added to a stack that exists."""

from __future__ import annotations

import numpy as np

from slidecloud.stack.source import Source
from slidecloud.store.location import Location
from slidecloud.store.stacks import Stack
from slidecloud.types import DataError, StackHeader


def check_same_view(location: Location, ours: StackHeader, theirs: StackHeader) -> None:
    """A source may add to a stack only if it images the same pixels with the same radar.

    Raises
    ------
    DataError
        Names what differs.
    """
    for name in ("geometry", "shape", "grid", "wavelength", "look_direction", "pass_", "range_looks", "azimuth_looks"):
        here, there = getattr(ours, name), getattr(theirs, name)
        same = np.isclose(here, there, rtol=1e-4) if name == "wavelength" else here == there
        if not same:
            raise DataError(
                f"Source {theirs.source} cannot be added to {location}: its {name.rstrip('_')} is {there}, the "
                f"stack's is {here}. Ingest it under another id."
            )


def check_same(stored: Stack, source: Source) -> None:
    """Pairs are added to a burst stack of the same view, with unwrapped phase where the stack has it."""
    ours, theirs = stored.header, source.header
    check_same_view(stored.location, ours, theirs)
    if ours.has_unwrapped and not theirs.has_unwrapped:
        raise DataError(
            f"Source {theirs.source} cannot be added to {stored.location}, which has unwrapped phase: it brings none. "
            "Add products with unwrapped phase, or ingest it under another id."
        )


def filter_note(header: StackHeader, source: Source) -> tuple[str, ...]:
    """A note where a source would mix filtered and unfiltered phase."""
    if header.filtered == source.header.filtered:
        return ()
    kinds = ("filtered", "unfiltered") if source.header.filtered else ("unfiltered", "filtered")
    return (f"Stack {header.id} holds {kinds[1]} phase and this source {kinds[0]} phase: gradients mix the two.",)
