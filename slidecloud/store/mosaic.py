"""Patches of a burst laid out on its grid, read where they are asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from slidecloud.store.patch_specs import Window
from slidecloud.types import StackHeader


@dataclass(frozen=True)
class _Layer:
    """An array (..., y, x) of a burst that holds what its patches hold, and nothing elsewhere."""

    parts: Sequence[tuple[Window, xr.DataArray]]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    ndim: int

    def __getitem__(self, index: tuple[int | slice, ...]) -> NDArray[Any]:
        # Dask asks for single places too: they are read as slices of one, and taken out of the result.
        region = tuple(slice(one, one + 1) if isinstance(one, int) else one for one in index)
        found = self._read(region)
        return found[tuple(0 if isinstance(one, int) else slice(None) for one in index)]

    def _read(self, region: tuple[slice, ...]) -> NDArray[Any]:
        rows, columns = (range(*part.indices(size)) for part, size in zip(region[-2:], self.shape[-2:], strict=True))
        before = region[:-2]
        leading = tuple(len(range(*part.indices(n))) for part, n in zip(before, self.shape, strict=False))
        floating = np.issubdtype(self.dtype, np.floating)
        out = np.full((*leading, len(rows), len(columns)), np.nan if floating else 0, self.dtype)
        for window, array in self.parts:
            top, bottom = max(window.top, rows.start), min(window.bottom, rows.stop)
            left, right = max(window.left, columns.start), min(window.right, columns.stop)
            if top >= bottom or left >= right:
                continue
            inside = slice(top - window.top, bottom - window.top), slice(left - window.left, right - window.left)
            outside = slice(top - rows.start, bottom - rows.start), slice(left - columns.start, right - columns.start)
            out[..., *outside] = array[(*before, *inside)].values
        return out


def mosaic(header: StackHeader, parts: Mapping[Window, xr.Dataset], *, chunks: tuple[int, int]) -> xr.Dataset:
    """Maps and series of all patches on the burst's grid: NaN, or 0, where there is no patch.

    Parameters
    ----------
    header
        Of the burst.
    parts
        The group ``timeseries`` of each patch, by its window; at least one.
    chunks
        Rows and columns that are read at once.

    Returns
    -------
    xarray.Dataset
        Lazy; of the variables, those with y and x that all patches have, and coordinates along time.
    """
    import dask.array as da

    first = next(iter(parts.values()))
    shared = set.intersection(*({str(name) for name in one.variables} for one in parts.values()))
    chosen = [name for name in first.variables if str(name) in shared and first[name].dims[-2:] == ("y", "x")]
    found: dict[Any, Any] = {}
    for name in chosen:
        like = first[name]
        shape = (*like.shape[:-2], *header.shape)
        layer = _Layer([(window, one[name]) for window, one in parts.items()], shape, like.dtype, len(shape))
        steps = (*(min(n, 64) for n in shape[:-2]), *(min(c, n) for c, n in zip(chunks, header.shape, strict=True)))
        data = da.from_array(
            layer, chunks=steps, asarray=False, fancy=False, name=False, meta=np.empty((0,) * len(shape), like.dtype)
        )
        found[name] = (like.dims, data, like.attrs)
    places = {name: value for name, value in first.coords.items() if not {"y", "x", "pair"} & set(value.dims)}
    dataset = xr.Dataset(found, attrs={"patches": sorted(window.name for window in parts)}).assign_coords(places)
    if header.grid is not None:
        dataset = dataset.assign_coords(y=header.grid.y, x=header.grid.x)
    return dataset.set_coords([name for name in ("latitude", "longitude") if name in dataset])
