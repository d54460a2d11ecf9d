"""Time series of a run as the HDF5 files of MintPy, streamed from the store."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.products.layers import BLOCK, Layer
from slidecloud.products.mintpy_attributes import attributes, slant_range
from slidecloud.products.whole import whole
from slidecloud.types import DataError, Grid, StackHeader

if TYPE_CHECKING:
    import h5py
    import xarray as xr

    from slidecloud.store import Run

COHERENT: Final = 0.7
"""Temporal coherence from which on a pixel is kept by the mask, as MintPy does by default."""


def export(run: Run, folder: str | os.PathLike[str], *, bursts: Sequence[str] | None = None) -> list[Path]:
    """Write the series of each burst into a working folder of MintPy, ``<folder>/<burst>``.

    ``timeseries.h5`` (m), ``velocity.h5`` (m/year, with ``velocityStd``), ``temporalCoherence.h5``,
    ``maskTempCoh.h5``, and ``inputs/geometryGeo.h5`` (``geometryRadar.h5`` of a burst in radar geometry) with height,
    angles in degrees, slant range and shadow, where the burst's stack can be read. Signs are MintPy's own: positive
    towards the satellite. Of bursts with patches, all patches on the burst's grid, NaN between them. The reference
    point is the pixel of the stable area that moves least, as displacement is relative to the whole of that area.

    Parameters
    ----------
    run
        An open run store.
    folder
        Where to write; made if needed.
    bursts
        Ids of bursts; by default all that have series.

    Returns
    -------
    list of Path
        The files; each appears when it is whole.

    Raises
    ------
    KeyError
        If a burst is not in the run, or has no series.
    DataError
        If what is stored cannot be read.
    """
    chosen = [burst for burst in run.bursts if _has_series(run, burst)] if bursts is None else list(bursts)
    if not chosen:
        raise KeyError(f"{run.location} has no time series; add the stage 'timeseries' and run again.")
    found = {burst: run.timeseries(burst) for burst in chosen}
    return [path for burst, series in found.items() for path in _burst(run, burst, series, Path(folder) / burst)]


def _has_series(run: Run, burst: str) -> bool:
    try:
        run.timeseries(burst)
    except KeyError:
        return False
    return True


def _burst(run: Run, burst: str, series: xr.Dataset, folder: Path) -> list[Path]:
    header, stack, time = run.header(burst), _stack(run, burst), series["time"].values

    def layer(name: str) -> Layer:
        return _layer(run, header, series[name])

    days = np.array([day.replace("-", "") for day in np.datetime_as_string(time, unit="D")], "S8")
    shared: dict[str, str] = {}
    with _file(folder / "timeseries.h5") as file:
        reference = _series(file, layer("displacement"), series["stable"])
        file["date"] = days
        if stack is not None and (baseline := _baselines(stack, time)) is not None:
            file["bperp"] = baseline
        shared |= attributes(header, time, reference=reference)
        shared["DATE12"] = f"{shared['START_DATE']}_{shared['END_DATE']}"
        _tell(file, shared, "timeseries", "m")
    with _file(folder / "velocity.h5") as file:
        _copy(file, "velocity", layer("velocity"))
        _copy(file, "velocityStd", layer("velocity_sigma"))
        _tell(file, shared, "velocity", "m/year")
    with _file(folder / "temporalCoherence.h5") as file:
        _copy(file, "temporalCoherence", layer("temporal_coherence"))
        _tell(file, shared, "temporalCoherence", "1")
    with _file(folder / "maskTempCoh.h5") as file:
        mask = series["temporal_coherence"] >= COHERENT
        _copy(file, "mask", _layer(run, header, mask))
        _tell(file, shared, "mask", "1")
    written = [folder / f"{name}.h5" for name in ("timeseries", "velocity", "temporalCoherence", "maskTempCoh")]
    if stack is None:
        return written
    path = folder / "inputs" / f"geometry{'Radar' if header.grid is None else 'Geo'}.h5"
    with _file(path) as file:
        _geometry(file, run, header, stack)
        _tell(file, shared, "geometry", "1")
    return [*written, path]


@contextmanager
def _file(path: Path) -> Iterator[h5py.File]:
    """An HDF5 file that appears when it is whole."""
    import h5py

    with whole(path) as made, h5py.File(made, "w", libver=("earliest", "v110")) as file:
        yield file


def _tell(file: h5py.File, shared: Mapping[str, str], kind: str, unit: str) -> None:
    for name, value in {**shared, "FILE_TYPE": kind, "UNIT": unit}.items():
        file.attrs[name] = value


def _layer(run: Run, header: StackHeader, array: xr.DataArray) -> Layer:
    grid = header.grid or Grid("none", 0.0, 0.0, 1.0, -1.0, *header.shape)
    return Layer(header.id, str(array.name), array, grid, f"bursts/{header.id}", str(run.location))


def _dataset(file: h5py.File, name: str, shape: tuple[int, ...], dtype: Any) -> h5py.Dataset:
    """An empty dataset of which a part that is never written holds no data and takes no room."""
    chunks = (*(1 for _ in shape[:-2]), *(min(BLOCK, size) for size in shape[-2:]))
    empty = np.nan if np.issubdtype(dtype, np.floating) else 0
    return file.create_dataset(
        name, shape, dtype, chunks=chunks, compression="gzip", compression_opts=1, shuffle=True, fillvalue=empty
    )


def _copy(file: h5py.File, name: str, layer: Layer) -> None:
    dataset = _dataset(file, name, layer.array.shape, layer.array.dtype)
    for block in layer.blocks():
        dataset[block.rows, block.columns] = block.values[0]


def _series(file: h5py.File, layer: Layer, stable: xr.DataArray) -> tuple[int, int]:
    """Copy displacement; returns the pixel of the stable area that moves least, or of all where there is no area."""
    dataset = _dataset(file, "timeseries", layer.array.shape, np.float32)
    best, place = (np.inf, np.inf), (0, 0)
    depth = layer.array.shape[0]
    moved: NDArray[np.float64] = np.zeros((0, 0))
    for block in layer.blocks():
        dataset[block.bands, block.rows, block.columns] = block.values
        squares = np.einsum("tyx,tyx->yx", block.values, block.values, dtype=np.float64)
        moved = squares if block.bands.start == 0 else moved + squares
        if block.bands.stop < depth or not np.isfinite(moved).any():
            continue
        away = np.where(stable[block.rows, block.columns].values == 1, 0.0, 1.0)
        flat = int(np.lexsort((np.where(np.isfinite(moved), moved, np.inf).ravel(), away.ravel()))[0])
        row, column = np.unravel_index(flat, moved.shape)
        rank = (float(away[row, column]), float(moved[row, column]))
        if np.isfinite(rank[1]) and rank < best:
            best, place = rank, (block.rows.start + int(row), block.columns.start + int(column))
    return place


def _geometry(file: h5py.File, run: Run, header: StackHeader, stack: xr.Dataset) -> None:
    """Height, angles, distance and position, as far as the stack has them; a block at a time."""
    plain = {"height": "elevation", "latitude": "latitude", "longitude": "longitude"}
    for name, source in plain.items():
        if source in stack:
            _copy(file, name, _layer(run, header, stack[source]))
    if "incidence" in stack:
        for name in ("incidenceAngle", "slantRangeDistance"):
            _dataset(file, name, header.shape, np.float32)
        for block in _layer(run, header, stack["incidence"]).blocks():
            place = block.rows, block.columns
            file["incidenceAngle"][place] = np.degrees(block.values[0])
            file["slantRangeDistance"][place] = slant_range(block.values[0].astype(np.float64))
    if "los_east" in stack and "los_north" in stack:
        azimuth = _dataset(file, "azimuthAngle", header.shape, np.float32)
        for block in _layer(run, header, stack["los_east"]).blocks():
            north = stack["los_north"][block.rows, block.columns].values
            # MintPy turns anticlockwise from north: east = -sin(incidence) sin(azimuth), north = sin(incidence) cos().
            azimuth[block.rows, block.columns] = np.degrees(np.arctan2(-block.values[0], north))
    try:
        seen = run.visibility(header.id)
    except KeyError:
        return
    _copy(file, "shadowMask", _layer(run, header, seen["shadow"] == 1))


def _stack(run: Run, burst: str) -> xr.Dataset | None:
    """The burst's stack, for what does not change with time; a warning where it cannot be read."""
    from slidecloud.store import locate, open_stack

    try:
        return open_stack(locate(run.config.stacks, run.config.storage_options) / f"{burst}.zarr")
    except (FileNotFoundError, DataError) as error:
        warnings.warn(f"No geometry is written for {burst}: {error}", stacklevel=2)
        return None


def _baselines(stack: xr.Dataset, time: NDArray[np.datetime64]) -> NDArray[np.float32] | None:
    """Perpendicular baseline (date,) in m from the first date, by least squares; None where pairs do not tell it."""
    length = stack["perpendicular_baseline"].values.astype(np.float64)
    ends = [np.searchsorted(time, stack[f"{end}_time"].values) for end in ("reference", "secondary")]
    known = np.isfinite(length) & (ends[0] < time.size) & (ends[1] < time.size)
    rows = np.arange(known.sum())
    matrix = np.zeros((rows.size, time.size))
    matrix[rows, ends[0][known]], matrix[rows, ends[1][known]] = -1, 1
    if np.linalg.matrix_rank(matrix) < time.size - 1:
        return None
    found = np.linalg.lstsq(matrix, length[known], rcond=None)[0]
    return np.asarray(found - found[0], np.float32)
