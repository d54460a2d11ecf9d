"""Maps of motion east, up and down the slope as cloud-optimised GeoTIFFs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from slidecloud.products.cog import read_map, write_map
from slidecloud.store.decomposition_specs import DECOMPOSITION
from slidecloud.store.georeference import grid_of

if TYPE_CHECKING:
    from slidecloud.store import Run

USUAL: Final = ("east", "east_sigma", "up", "up_sigma", "downslope", "downslope_sigma", "downslope_sensitivity")
"""Maps that are exported where no names are given."""
MAPS: Final = tuple(spec.name for spec in DECOMPOSITION if spec.dims == ("y", "x"))
"""Maps of an area."""


def export(run: Run, folder: str | os.PathLike[str], *, names: Sequence[str] | None = None) -> list[Path]:
    """Write maps of all areas that two passes see, ``<folder>/<area>_<name>.tif``, as `slidecloud.products.cog` does.

    Parameters
    ----------
    run
        An open run store.
    folder
        Where to write; made if needed.
    names
        Of `MAPS`; by default those of `USUAL`, and nothing where there are no areas.

    Raises
    ------
    KeyError
        If maps are named that areas do not have, or there are no areas.
    DataError
        If what is stored cannot be read.
    OSError
        If a file cannot be written.
    """
    unknown = [name for name in names or () if name not in MAPS]
    if unknown:
        raise KeyError(f"Areas of two passes have no map {unknown[0]!r}; maps are {', '.join(MAPS)}.")
    if names is not None and not run.decompositions:
        raise KeyError(
            f"{run.location} has no ground that ascending and descending passes both have series of, or the stage "
            "'decompose' was not run; see 'slidecloud decompose'."
        )
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    written = []
    for area in run.decompositions:
        maps = run.decomposition(area)
        for name in names or USUAL:
            values = read_map(maps[name], f"{name} of area {area} in {run.location}", run)
            tags = {"area": area, "map": name, "reference": maps.attrs["reference"]}
            written.append(write_map(values, maps[name].attrs, grid_of(maps), target / f"{area}_{name}.tif", tags=tags))
    return written
