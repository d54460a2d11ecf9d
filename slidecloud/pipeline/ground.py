"""Maps of a burst that do not change with time, as a unit reads them: those that the plan was made with."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slidecloud.pipeline.forming import multilooked_maps
from slidecloud.pipeline.inputs import Selection
from slidecloud.store import records
from slidecloud.store.arrays import read, reader
from slidecloud.store.location import Location
from slidecloud.types import DataError, Float32


@dataclass(frozen=True, slots=True)
class Ground:
    """Maps of the stack of a burst.

    ``looks`` (y, x) tells how the images of an SLC stack are multilooked; ``checksums`` are those of the multilooked
    maps, by name.
    """

    stack: Location
    burst: str
    looks: tuple[int, int] | None
    checksums: Mapping[str, str]

    def read(self, names: Collection[str], *, why: str) -> dict[str, Float32]:
        """The maps of these names, as they were when the run was planned.

        Raises
        ------
        DataError
            If the stack lacks one, which ``why`` ends the sentence about, or was replaced.
        """
        stored = reader(self.stack)
        lacking = [name for name in names if name not in stored]
        if lacking:
            raise DataError(f"Stack {self.burst} has no {' and no '.join(lacking)}, which {why}")
        maps: dict[str, Float32] = {
            name: read(stored[name], (slice(None), slice(None))).astype(np.float32)  # type: ignore[arg-type]
            for name in names
        }
        maps = maps if self.looks is None else multilooked_maps(maps, self.looks)
        for name, values in maps.items():
            if records.checksum(values.tobytes()) != self.checksums[name]:
                raise DataError(
                    f"{self.stack} was replaced while the run was going on: its {name} is not what it was when the run "
                    "began. Give the same command again; it takes the stack as it is then."
                )
        return maps


def ground_of(
    selection: Selection, static: Mapping[str, NDArray[np.float32]], names: Collection[str] | None = None
) -> Ground:
    """The maps of a burst, all or those named; ``static`` as they are now, on the grid of its pairs."""
    looks = None if selection.forming is None else selection.forming.looks
    wanted = static if names is None else [name for name in names if name in static]
    checksums = {name: records.checksum(static[name].tobytes()) for name in wanted}
    return Ground(selection.location, selection.header.id, looks, checksums)
