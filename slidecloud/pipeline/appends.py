"""Whether the pairs of a source may be added to a burst stack that exists."""

from __future__ import annotations

import numpy as np

from slidecloud.stack.source import Source
from slidecloud.store.stacks import Stack
from slidecloud.types import DataError, StackHeader


def check_same(stored: Stack, source: Source) -> None:
    """A source may add pairs to a stack only if it images the same pixels with the same radar."""
    ours, theirs = stored.header, source.header
    for name in ("geometry", "shape", "grid", "wavelength", "look_direction", "pass_", "range_looks", "azimuth_looks"):
        here, there = getattr(ours, name), getattr(theirs, name)
        same = np.isclose(here, there, rtol=1e-4) if name == "wavelength" else here == there
        if not same:
            raise DataError(
                f"Source {theirs.source} cannot be added to {stored.location}: its {name.rstrip('_')} is {there}, the "
                f"stack's is {here}. Ingest it under another id."
            )

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
