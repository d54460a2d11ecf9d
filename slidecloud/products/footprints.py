"""Where a burst lies on the Earth, and between which dates it was seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.types import Float64

if TYPE_CHECKING:
    import xarray as xr

    from slidecloud.store import Run

_POINTS: Final = 9
"""Points of each edge: a straight edge of a map is bent in longitude and latitude."""


def footprint(run: Run, burst: str) -> Float64:
    """Closed outline (point, 2) of a burst as longitude and latitude, anticlockwise.

    Of a map the outer edge of its pixels; in radar geometry the centres of its outermost ones, where they are known.

    Raises
    ------
    KeyError
        If the burst has neither gradients nor series.
    """
    header = run.header(burst)
    height, width = header.shape
    down, across = np.linspace(0, 1, _POINTS), np.zeros(_POINTS)
    row = np.concatenate([down, across + 1, down[::-1], across])
    column = np.concatenate([across, down, across + 1, down[::-1]])
    if header.grid is None:
        found = _any_group(run, burst)
        place = np.rint(row * (height - 1)).astype(np.intp), np.rint(column * (width - 1)).astype(np.intp)
        longitude, latitude = (np.asarray(found[name].values, np.float64)[place] for name in ("longitude", "latitude"))
    else:
        from pyproj import CRS, Transformer

        grid = header.grid
        turn = Transformer.from_crs(CRS.from_user_input(grid.crs), "EPSG:4326", always_xy=True)
        longitude, latitude = turn.transform(
            grid.left + grid.dx * width * column, grid.top + grid.dy * height * row
        )  # fmt: skip
    points = np.column_stack([longitude, latitude])
    points = points[np.isfinite(points).all(axis=1)]
    apart = np.any(np.diff(points, axis=0) != 0, axis=1)
    points = points[np.concatenate([[True], apart])]
    closed = np.concatenate([points, points[:1]]) if (points[0] != points[-1]).any() else points
    # A radar looks along its own axes, which may run the other way round than those of a map.
    x, y = closed.T
    return closed if np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]) > 0 else closed[::-1]


def span(run: Run, burst: str) -> tuple[np.datetime64, np.datetime64]:
    """First and last instant that a burst's results are about, UTC: of its images, else of its season bins.

    Raises
    ------
    KeyError
        If the burst has neither gradients nor series.
    """
    found = _any_group(run, burst)
    times: list[NDArray[Any]] = [found[name].values for name in ("time", "bin_start", "bin_end") if name in found]
    joined = np.concatenate(times).astype("datetime64[s]")
    return joined.min(), joined.max()


def _any_group(run: Run, burst: str) -> xr.Dataset:
    """The series of a burst, or of its first patch, else its gradients."""
    try:
        patches = run.patches(burst)
        return run.timeseries(burst, next(iter(patches)) if patches and run.header(burst).grid is not None else None)
    except KeyError:
        return run.gradients(burst)
