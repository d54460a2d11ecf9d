"""What names of patches tell: which image one was made from, and where it was taken."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from slidecloud.types import DataError


@dataclass(frozen=True, slots=True)
class Naming:
    """How to read names.

    Attributes
    ----------
    source
        Pattern whose first group is the source, searched in a patch's path below the folder of its set; None: each
        patch is an image of its own.
    place
        The same for the place; None: names do not tell it.
    """

    source: str | None = None
    place: str | None = None

    def __post_init__(self) -> None:
        for what, pattern in (("source", self.source), ("place", self.place)):
            try:
                groups = 1 if pattern is None else re.compile(pattern).groups
            except re.error as error:
                raise ValueError(f"{what}: {pattern!r} is no pattern ({error})") from None
            if groups != 1:
                raise ValueError(f"{what}: {pattern!r} has {groups} groups, expected one, around the {what}")

    def source_of(self, path: Path, below: str) -> str:
        """The source of a patch; raises DataError where the pattern does not fit its name."""
        return str(path.with_suffix("")) if self.source is None else _found(self.source, below, "source")

    def place_of(self, below: str) -> str | None:
        """The place of a patch, None where names do not tell; raises DataError where the pattern does not fit."""
        return None if self.place is None else _found(self.place, below, "place")


def _found(pattern: str, name: str, what: str) -> str:
    found = re.search(pattern, name)
    if found is None or not found[1]:
        raise DataError(f"{name} does not fit the pattern of the {what}, {pattern!r}: change the pattern")
    return found[1]
