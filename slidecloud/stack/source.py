"""What every reader of interferograms offers: a header, its pairs, the pairs it refused, and rows of pixels."""

from __future__ import annotations

import re
from typing import Protocol

from slidecloud.types import Float32, PairBlock, Rejected, SourcePair, StackHeader

STATIC_LAYERS = ("elevation", "incidence", "los_east", "los_north", "los_up", "latitude", "longitude")
"""Names that `Source.static` may return."""


class SourceWarning(UserWarning):
    """Something about a source that a person should look at, though it can be read."""


class WavelengthWarning(SourceWarning):
    """Two places of one source name different radar wavelengths."""


class Source(Protocol):
    """A stack of interferograms somewhere, ready to be read pair by pair. Sources can be pickled.

    Attributes
    ----------
    header
        Everything about the stack except its pairs and pixels.
    pairs
        The pairs that passed the header check, sorted by (reference, secondary).
    rejected
        What was refused at the header check, with reason and remedy, sorted by key.
    """

    @property
    def header(self) -> StackHeader: ...

    @property
    def pairs(self) -> tuple[SourcePair, ...]: ...

    @property
    def rejected(self) -> tuple[Rejected, ...]: ...

    def static(self) -> dict[str, Float32]:
        """Maps that do not change with time, float32 (y, x), on the grid of the stack; some of `STATIC_LAYERS`.

        ``elevation`` m; ``incidence`` rad from the vertical; ``los_east``, ``los_north``, ``los_up`` unit vector from
        ground to satellite; ``latitude``, ``longitude`` degrees. NaN = no data.
        """
        ...

    def read(self, pair: SourcePair, rows: slice) -> PairBlock:
        """Rows of one pair, full width.

        Raises
        ------
        DataError
            If the pixels cannot be read or make no sense; names file and remedy.
        """
        ...


def check_id(stack_id: str, *, origin: str = "stack id") -> str:
    """Return `stack_id` if it can name a store: 1 to 64 of lower-case letters, digits and underscores.

    Raises
    ------
    ValueError
        If it cannot.
    """
    if not re.fullmatch(r"[a-z0-9_]{1,64}", stack_id):
        raise ValueError(
            f"{origin} {stack_id!r} cannot name a stack: expected 1 to 64 lower-case letters, digits or underscores. "
            "Pass another one with id=..."
        )
    return stack_id


def row_range(rows: slice, height: int) -> tuple[int, int]:
    """First row and end row of a slice of a stack with `height` rows.

    Raises
    ------
    ValueError
        If the slice has a step, is empty or leaves the stack.
    """
    start = 0 if rows.start is None else int(rows.start)
    stop = height if rows.stop is None else int(rows.stop)
    if rows.step not in (None, 1) or not 0 <= start < stop <= height:
        raise ValueError(
            f"rows {rows} asked of a stack with {height} rows: expected a slice 0 <= start < stop <= {height}"
        )
    return start, stop
