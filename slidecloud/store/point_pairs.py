"""The pairs behind the series of one point: which took part, how coherent they are there, and what they measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from slidecloud.kernels.components import levelled
from slidecloud.store.patch_specs import REJECTED, window_header
from slidecloud.store.points import nearest
from slidecloud.types import Float32

if TYPE_CHECKING:
    from slidecloud.store.runs import Run


def pairs_at(run: Run, lon: float, lat: float) -> xr.Dataset:
    """Pairs of the burst or patch that `Run.best` takes the series of a point from.

    Parameters
    ----------
    run
        An open run store.
    lon, lat
        Degrees, WGS 84.

    Returns
    -------
    xarray.Dataset
        Dim (pair,): reference_time and secondary_time, and ``used``, 1 where the pair takes part, 2 where it does only
        because the network needs it, 0 where it was left out. Of a patch also ``reason``, as its ``pair_reason`` says,
        and of the pixel ``phase`` (rad, with its turns mended, less the level of the pair, NaN = missing) and
        ``coherence`` (0 to 1, NaN = no data); the pairs of a whole burst stay in its stack.

    Raises
    ------
    KeyError
        If no burst with a time series covers the point.
    """
    best = run.best(lon, lat)
    burst, patch = str(best["burst"].item()), str(best["patch"].item())
    series = run.timeseries(burst, patch or None)
    names = {"pair_reference_time": "reference_time", "pair_secondary_time": "secondary_time"}
    found = series[list(names)].rename(names).reset_coords().drop_vars(["x", "y", "spatial_ref"], errors="ignore")
    offset = series["pair_offset"].values
    used = series["pair_used"].values if "pair_used" in series else np.isfinite(offset).astype(np.uint8)
    found = found.assign(used=("pair", used))
    if "pair_reason" in series:
        found = found.assign(reason=("pair", series["pair_reason"].values))
    if not patch:
        return found
    header = window_header(run.header(burst), run.patches(burst)[patch])
    pixel = nearest(header, series, lon, lat)
    assert pixel is not None
    seen = run.unwrapped(burst, patch).isel(y=pixel[0], x=pixel[1]).load()
    phase = _mended(seen, series["component_turns"].values) - offset
    return found.assign(phase=("pair", phase), coherence=("pair", seen["coherence"].values))


def _mended(seen: xr.Dataset, turns: NDArray[np.int16]) -> Float32:
    """Phase (pair,) of a pixel with the turns of its loops added and those of its components taken off."""
    cycles = seen["cycles"].values
    phase = np.where(cycles == REJECTED, np.nan, seen["phase"].values + 2 * np.pi * cycles).astype(np.float32)
    labels = seen["component"].values
    return np.array(
        [levelled(phase[k : k + 1], labels[k : k + 1], turns[k])[0] for k in range(phase.size)], dtype=np.float32
    )
