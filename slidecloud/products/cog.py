"""Maps of a run as cloud-optimised GeoTIFFs."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.types import DataError, Grid

if TYPE_CHECKING:
    import xarray as xr

    from slidecloud.store import Run

USUAL: Final = (
    "velocity",
    "velocity_sigma",
    "temporal_coherence",
    "residual_rms",
    "trend",
    "trend_sigma",
    "seasonal_amplitude",
    "seasonal_amplitude_sigma",
    "seasonal_day",
    "acceleration",
    "acceleration_sigma",
    "velocity_gradient_x",
    "velocity_gradient_x_sigma",
    "velocity_gradient_y",
    "velocity_gradient_y_sigma",
    "mean_coherence",
    "effective_pairs",
)
"""Maps that are exported where no names are given and the run has them; steps come on top."""


def export(
    run: Run,
    folder: str | os.PathLike[str],
    *,
    bursts: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
) -> list[Path]:
    """Write maps of a run as cloud-optimised GeoTIFFs, ``<folder>/<burst>_<name>.tif``.

    Values, type and no-data are the store's exactly; deflate with the float predictor, 512-pixel blocks, overviews.
    Units and meaning are in the band, units and sign as in the store (m/year, positive towards the satellite). A file
    appears under its name only when it is whole.

    Parameters
    ----------
    run
        An open run store.
    folder
        Where to write; made if needed.
    bursts
        Ids of bursts; by default all of the run.
    names
        Any maps (y, x) of the groups ``gradients`` and ``timeseries``, steps as ``step_size_1`` and on; by default
        those of `USUAL` that the run has, and steps.

    Returns
    -------
    list of Path
        The files, in order of burst and name.

    Raises
    ------
    KeyError
        If a burst or a map is not in the run.
    ValueError
        If a burst is in radar geometry, or the run has nothing to export.
    DataError
        If what is stored cannot be read.
    OSError
        If a file cannot be written.
    """
    chosen = tuple(run.bursts if bursts is None else bursts)
    if not chosen:
        raise ValueError(f"{run.location} holds no burst yet; finish the run with 'slidecloud run' before exporting.")
    grids = {burst: _grid(run, burst) for burst in chosen}
    plan = [(burst, name, array) for burst in chosen for name, array in _maps(run, burst, names)]
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    written = []
    for burst, name, array in plan:
        values = read_map(array, f"{name} of burst {burst} in {run.location}", run)
        tags = {"burst": burst, "map": name}
        written.append(write_map(values, array.attrs, grids[burst], target / f"{burst}_{name}.tif", tags=tags))
    return written


def _grid(run: Run, burst: str) -> Grid:
    if burst not in run.bursts:
        raise KeyError(f"{run.location} has no burst {burst!r}; bursts are {', '.join(run.bursts)}.")
    grid = run.header(burst).grid
    if grid is None:
        raise ValueError(
            f"Burst {burst} of {run.location} is in radar geometry and has no map grid; a GeoTIFF needs one. Export "
            "other bursts with --bursts, ingest geocoded interferograms of this burst, or read it with xarray and plot "
            "it over its latitude and longitude."
        )
    return grid


def _maps(run: Run, burst: str, names: Sequence[str] | None) -> Iterator[tuple[str, xr.DataArray]]:
    found: dict[str, xr.DataArray] = {}
    for group in (run.gradients, run.timeseries):
        try:
            dataset = group(burst)
        except KeyError:
            continue  # a run may have one stage only
        found |= {str(name): array for name, array in dataset.data_vars.items() if array.dims == ("y", "x")}
        found |= _steps(dataset)
    usual = [*USUAL, *(name for name in found if name.startswith("step_size"))]
    wanted = [name for name in usual if name in found] if names is None else list(names)
    for name in wanted:
        if name not in found:
            known = ", ".join(sorted(found)) or "none"
            raise KeyError(f"Burst {burst} of {run.location} has no map {name!r}; maps are {known}.")
    if not wanted:
        raise ValueError(f"Burst {burst} of {run.location} has no maps yet; finish the run with 'slidecloud run'.")
    return ((name, found[name]) for name in wanted)


def _steps(dataset: xr.Dataset) -> dict[str, xr.DataArray]:
    """Maps of each step by itself, its day in their meaning."""
    found = {}
    for name in ("step_size", "step_size_sigma"):
        for number, day in enumerate(dataset["step"].values if name in dataset else (), start=1):
            meaning = f"{dataset[name].attrs['long_name']}, {np.datetime_as_string(day, unit='D')}"
            found[f"{name}_{number}"] = dataset[name].isel(step=number - 1).assign_attrs(long_name=meaning)
    return found


def read_map(array: xr.DataArray, what: str, run: Run) -> NDArray[Any]:
    """Values of a stored map; ``what`` names it in messages.

    Raises
    ------
    DataError
        If it cannot be read.
    """
    try:
        return np.asarray(array.values)
    except (ValueError, RuntimeError, OSError) as error:
        raise DataError(
            f"{what} cannot be read: {error}. Find what is damaged with 'slidecloud verify {run.location}', and mend "
            "it with --repair and another 'slidecloud run'."
        ) from None


def write_map(
    values: NDArray[Any], attributes: Mapping[str, Any], grid: Grid, path: Path, *, tags: Mapping[str, str]
) -> Path:
    """Write one map beside its final name, then rename it.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    import rasterio
    from rasterio.transform import Affine

    floating = np.issubdtype(values.dtype, np.floating)
    profile: dict[str, Any] = {
        "driver": "COG",
        "height": grid.height,
        "width": grid.width,
        "count": 1,
        "dtype": values.dtype.name,
        "crs": grid.crs,
        "transform": Affine(grid.dx, 0, grid.left, 0, grid.dy, grid.top),
        "compress": "DEFLATE",
        "predictor": "YES",
        "blocksize": 512,
        "overview_resampling": "AVERAGE" if floating else "NEAREST",
    }
    if floating:
        profile["nodata"] = float("nan")
    partial = path.with_name(f".{path.stem}.{uuid.uuid4().hex}.partial.tif")
    try:
        with rasterio.open(partial, "w", **profile) as output:
            output.write(values, 1)
            output.set_band_description(1, str(attributes.get("long_name", path.stem)))
            output.units = (str(attributes.get("units", "1")),)
            output.update_tags(**tags, software="slidecloud")
        partial.replace(path)
    except rasterio.errors.RasterioIOError as error:
        raise OSError(f"{path} could not be written: {error}. Check space and permissions of the folder.") from None
    finally:
        partial.unlink(missing_ok=True)
    return path
