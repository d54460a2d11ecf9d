"""Maps of a run as they leave it: lazily, with their place, and read a block at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.store.decomposition_specs import area_group
from slidecloud.store.georeference import grid_of
from slidecloud.types import DataError, Grid

if TYPE_CHECKING:
    import xarray as xr

    from slidecloud.store import Run

USUAL: Final = (
    "velocity",
    "velocity_sigma",
    "velocity_integrated",
    "velocity_integrated_sigma",
    "temporal_coherence",
    "residual_rms",
    "trend",
    "trend_sigma",
    "seasonal_amplitude",
    "seasonal_amplitude_sigma",
    "seasonal_day",
    "acceleration",
    "acceleration_sigma",
    "step_size",
    "step_size_sigma",
    "velocity_gradient_x",
    "velocity_gradient_x_sigma",
    "velocity_gradient_y",
    "velocity_gradient_y_sigma",
    "mean_coherence",
    "effective_pairs",
    "class",
    "sensitivity",
)
"""Maps that are exported where no names are given, of those that the run has."""

DENSITY: Final = ("density", "area_fraction")
"""Maps of the whole run, which go along where neither bursts nor names are given."""

AREAS: Final = ("east", "east_sigma", "up", "up_sigma", "downslope", "downslope_sigma", "downslope_sensitivity")
"""Maps of areas that two passes see, which go along too."""

GROUPS: Final = ("gradients", "timeseries", "visibility")
BLOCK: Final = 512
"""Rows and columns that a block is a multiple of."""
_MOST_BYTES: Final = 8 * 2**20
_MOST_BANDS: Final = 64


class Block(NamedTuple):
    """Part of a layer: its bands, rows and columns, and its values (band, y, x)."""

    bands: slice
    rows: slice
    columns: slice
    values: NDArray[Any]


@dataclass(frozen=True)
class Layer:
    """One stored array (y, x), or (band, y, x) with dates or seasons, on a map grid.

    Attributes
    ----------
    place
        Burst, track, area or ``products``: the first part of the names of files.
    name
        Of the array.
    array
        Its values, not read yet.
    grid
        Where they lie.
    source
        Path of the group in the store, or what was put together.
    run
        Address of the run, for messages.
    """

    place: str
    name: str
    array: xr.DataArray
    grid: Grid
    source: str
    run: str

    @property
    def stem(self) -> str:
        """Name of a file without its ending."""
        return f"{self.place}_{self.name}"

    @property
    def bands(self) -> tuple[str, ...]:
        """Names of the bands: dates, steps, months in which seasons start, or numbers; one empty name for a map."""
        if self.array.ndim == 2:
            return ("",)
        along = self.array[str(self.array.dims[0])].values
        if np.issubdtype(along.dtype, np.datetime64):
            return tuple(str(one) for one in np.datetime_as_string(along, unit="D"))
        return tuple(str(one) for one in along)

    def blocks(self, *, rows: int = BLOCK) -> Iterator[Block]:
        """All values in blocks of so many rows and whole multiples of `BLOCK` columns, few enough to hold.

        Raises
        ------
        DataError
            If what is stored cannot be read.
        """
        cube = self.array if self.array.ndim == 3 else self.array.expand_dims("band")
        depth, height, width = cube.shape
        bands = min(depth, _MOST_BANDS)
        columns = max(_MOST_BYTES // (bands * rows * cube.dtype.itemsize * BLOCK), 1) * BLOCK
        for top in range(0, height, rows):
            for left in range(0, width, columns):
                for first in range(0, depth, bands):
                    place = (
                        slice(first, min(first + bands, depth)),
                        slice(top, min(top + rows, height)),
                        slice(left, min(left + columns, width)),
                    )
                    yield Block(*place, self._read(cube[place]))

    def _read(self, part: xr.DataArray) -> NDArray[Any]:
        try:
            return np.asarray(part.values)
        except (ValueError, RuntimeError, OSError) as error:
            raise DataError(
                f"{self.name} of {self.place} in {self.run} cannot be read: {error}. Find what is damaged with "
                f"'slidecloud verify {self.run}', and mend it with --repair and another 'slidecloud run'."
            ) from None


def layers(run: Run, *, bursts: Sequence[str] | None = None, names: Sequence[str] | None = None) -> list[Layer]:
    """Maps of a run, in order of burst and name; of bursts with patches those of all patches on the burst's grid.

    Parameters
    ----------
    run
        An open run store.
    bursts
        Ids of bursts; by default all of the run.
    names
        Any arrays (y, x) or (band, y, x) of the groups ``gradients``, ``timeseries`` and ``visibility``, or of
        `DENSITY` and areas; by default those of `USUAL` that a burst has, and with all bursts `DENSITY` and `AREAS`.

    Raises
    ------
    KeyError
        If a burst is not in the run, or a map in none of the bursts.
    ValueError
        If a burst is in radar geometry, or the run has nothing to export.
    """
    chosen = tuple(run.bursts if bursts is None else bursts)
    if not chosen:
        raise ValueError(f"{run.location} holds no burst yet; finish the run with 'slidecloud run' before exporting.")
    grids = {burst: map_grid(run, burst) for burst in chosen}
    have = {burst: _arrays(run, burst) for burst in chosen}
    known = sorted({name for arrays in have.values() for name in arrays})
    wanted = USUAL if names is None else tuple(names)
    found = [
        Layer(burst, name, arrays[name][1], grids[burst], f"bursts/{burst}/{arrays[name][0]}", str(run.location))
        for burst, arrays in have.items()
        for name in wanted
        if name in arrays
    ]
    found += _density(run, DENSITY if names is None else wanted) if bursts is None or names is not None else []
    found += _areas(run, AREAS if names is None else wanted) if bursts is None or names is not None else []
    missing = [name for name in names or () if name not in {layer.name for layer in found}]
    if missing:
        raise KeyError(
            f"{run.location} has no map {missing[0]!r} of {', '.join(chosen[:3])}{', ...' if len(chosen) > 3 else ''}; "
            f"maps are {', '.join(known) or 'none'}."
        )
    if not found:
        raise ValueError(f"Burst {chosen[0]} of {run.location} has no maps yet; finish the run with 'slidecloud run'.")
    return found


def map_grid(run: Run, burst: str) -> Grid:
    """The map grid of a burst; a ValueError where it is in radar geometry."""
    if burst not in run.bursts:
        raise KeyError(f"{run.location} has no burst {burst!r}; bursts are {', '.join(run.bursts)}.")
    grid = run.header(burst).grid
    if grid is None:
        raise ValueError(
            f"Burst {burst} of {run.location} is in radar geometry and has no map grid, which maps for other software "
            "need. Export other bursts with --bursts, ingest geocoded interferograms of this burst, or read it with "
            "xarray and plot it over its latitude and longitude."
        )
    return grid


def _arrays(run: Run, burst: str) -> dict[str, tuple[str, xr.DataArray]]:
    """Arrays of a burst that are maps, by name, with their group."""
    found: dict[str, tuple[str, xr.DataArray]] = {}
    for group in GROUPS:
        try:
            dataset: xr.Dataset = getattr(run, group)(burst)
        except KeyError:
            continue  # a run may have one stage only
        for name, array in dataset.data_vars.items():
            if array.dims[-2:] == ("y", "x") and array.ndim <= 3:
                found[str(name)] = (group, array)
    return found


def _density(run: Run, names: Sequence[str]) -> list[Layer]:
    """Maps of the whole run, where it has them."""
    try:
        dataset = run.density
    except KeyError:
        return []
    grid = grid_of(dataset)
    return [
        Layer("products", name, dataset[name], grid, "products/density", str(run.location))
        for name in names
        if name in DENSITY and name in dataset
    ]


def _areas(run: Run, names: Sequence[str]) -> list[Layer]:
    """Maps of the areas that two passes see, where it has them."""
    areas = {area: run.decomposition(area) for area in run.decompositions}
    return [
        Layer(area, name, dataset[name], grid_of(dataset), area_group(area), str(run.location))
        for area, dataset in areas.items()
        for name in names
        if name in dataset and dataset[name].dims == ("y", "x")
    ]
