"""One point of a run: its series with sigma and velocity, the pairs behind it, and what they disagree by."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels.pair_editing import CONTRADICTED, OPEN_LOOPS
from slidecloud.kernels.residuals import residual_of_dates
from slidecloud.plots import series as series_plot
from slidecloud.plots.figures import FAINT, INK, new_figure
from slidecloud.store.point_pairs import pairs_at
from slidecloud.types import Float64

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from slidecloud.store import Run

_KINDS: Final = (
    (1, "took part", "#2166ac", "-"),
    (2, "weak, needed by the network", "#f4a582", "-"),
    (0, "left out", "#bdbdbd", ":"),
    (3, "contradicted, left out", "#d7301f", "--"),
)
_CONTRADICTED: Final = 3
_FITTED: Final = "#1b7837"
_YEAR: Final = np.timedelta64(31_557_600, "s")


def point_figure(run: Run, lon: float, lat: float) -> Figure:
    """Draw what a run knows about the motion of one point, from the burst or patch that `Run.best` chooses.

    Parameters
    ----------
    run
        An open run store.
    lon, lat
        Degrees, WGS 84.

    Returns
    -------
    matplotlib.figure.Figure
        The series with its band of one sigma and the line of its velocity; the pairs, as lines from date to date at the
        height of their coherence at the pixel; and the root mean square of the residuals of the pairs of each date. The
        pairs of a whole burst stay in its stack: they are drawn at the height of their length, without residuals.

    Raises
    ------
    KeyError
        If no burst with a time series covers the point.
    ValueError
        If the pixel has no date with data.
    """
    found, pairs = run.best(lon, lat).load(), pairs_at(run, lon, lat).load()
    if not np.isfinite(found["displacement"].values).any():
        raise ValueError(f"The pixel at longitude {lon}, latitude {lat} has no displacement; choose one that has.")
    known = "phase" in pairs
    figure = new_figure(10, 8 if known else 6)
    axes = figure.subplots(3 if known else 2, 1, sharex=True, height_ratios=[2.2, 1.4, 0.9][: 3 if known else 2])
    place = f"{found['track'].item()}, burst {found['burst'].item()} {found['patch'].item()}".rstrip()
    _draw_series(axes[0], found, title=f"{lon:.5f}°, {lat:.5f}°")
    _draw_pairs(axes[1], pairs)
    if known:
        header = run.header(str(found["burst"].item()))
        residual = date_residuals(pairs, found["time"].values, looks=header.effective_looks)
        _draw_residuals(axes[2], found["time"].values, residual * header.wavelength / (4 * math.pi))
    for one in axes:
        one.tick_params(labelsize=8, color=INK)
        one.spines[["top", "right"]].set_visible(False)
    figure.suptitle(place, fontsize=11, x=0.01, ha="left", color=INK)
    return figure


def date_residuals(pairs: xr.Dataset, time: NDArray[np.datetime64], *, looks: float) -> Float64:
    """Residual (date,) rad of the pairs of each date at a pixel, from `slidecloud.store.point_pairs.pairs_at`."""
    reference, secondary = (np.searchsorted(time, pairs[f"{end}_time"].values) for end in ("reference", "secondary"))
    coherence = np.rint(255 * np.nan_to_num(pairs["coherence"].values)).astype(np.uint8)
    phase, years = pairs["phase"].values.astype(np.float32), (time - time[0]) / _YEAR
    return residual_of_dates(phase, coherence, reference, secondary, time=years, looks=looks)


def fitted_motion(found: xr.Dataset) -> Float64 | None:
    """The model of motion at a pixel (date,) m, up to a constant; None where none was fitted.

    Parameters
    ----------
    found
        One pixel of the group ``timeseries``, dim time, with the maps of ``timeseries.trajectory``.
    """
    if "trend" not in found or not math.isfinite(float(found["trend"])):
        return None
    time = found["time"].values
    middle = (time - time[0]) / _YEAR - (time[-1] - time[0]) / _YEAR / 2
    moved: Float64 = float(found["trend"]) * middle
    if "seasonal_amplitude" in found:
        year = (time - np.datetime64(0, "s")) / _YEAR - float(found["seasonal_day"]) / 365.25
        moved += float(found["seasonal_amplitude"]) * np.cos(2 * np.pi * year)
    if "acceleration" in found:
        moved += float(found["acceleration"]) * middle**2 / 2
    if "step_size" in found:
        after = time[:, None] >= found["step"].values[None, :]
        moved += after @ np.nan_to_num(found["step_size"].values)
    return moved


def _draw_series(axes: Axes, found: xr.Dataset, *, title: str) -> None:
    time = found["time"].values
    years = (time - time[0]) / _YEAR
    measured = 1000 * found["displacement"].values.astype(np.float64)
    sigma = 1000 * found["displacement_sigma"].values.astype(np.float64)
    axes.fill_between(time, measured - sigma, measured + sigma, color=series_plot.MEASURED, alpha=0.15, lw=0)
    velocity = 1000 * float(found["velocity"])
    if math.isfinite(velocity):
        line = velocity * years
        axes.plot(time, line + np.nanmean(measured - line), color=INK, lw=1, label="velocity", zorder=2)
    moved = fitted_motion(found)
    if moved is not None:
        level = np.nanmean(measured - 1000 * moved)
        axes.plot(time, 1000 * moved + level, color=_FITTED, lw=1.6, label="fitted motion", zorder=2)
    series_plot.draw(axes, found, title=title)


def _draw_pairs(axes: Axes, pairs: xr.Dataset) -> None:
    from matplotlib.collections import LineCollection
    from matplotlib.dates import date2num

    first, second = (
        date2num(pairs[f"{end}_time"].values)  # type: ignore[no-untyped-call]
        for end in ("reference", "secondary")
    )
    known = "coherence" in pairs
    height = pairs["coherence"].values if known else second - first
    for kind, name, colour, style in _KINDS:
        own = (_kinds(pairs) == kind) & np.isfinite(height)
        segments: list[Any] = [[(first[k], height[k]), (second[k], height[k])] for k in np.flatnonzero(own)]
        if segments:
            axes.add_collection(
                LineCollection(segments, colors=colour, linestyles=style, lw=0.9, label=f"{name}: {len(segments)}")
            )
            for ends in (first, second):
                axes.plot(ends[own], height[own], ".", ms=2.5, color=colour)
    axes.set_ylabel("coherence of the\npair here" if known else "length of the\npair (days)", fontsize=8, color=INK)
    axes.set_ylim(bottom=0)
    axes.legend(fontsize=8, frameon=False, loc="lower right", bbox_to_anchor=(1.0, 0.98), ncols=3, borderaxespad=0.1)


def _kinds(pairs: xr.Dataset) -> NDArray[np.uint8]:
    """Kind of each pair, as `_KINDS` has it."""
    used: NDArray[np.uint8] = pairs["used"].values.astype(np.uint8)
    if "reason" in pairs:
        used = np.where((used == 0) & np.isin(pairs["reason"].values, (CONTRADICTED, OPEN_LOOPS)), _CONTRADICTED, used)
    return used


def _draw_residuals(axes: Axes, time: NDArray[np.datetime64], residual: Float64) -> None:
    axes.vlines(time, 0, 1000 * residual, color=FAINT, lw=1.5)
    axes.plot(time, 1000 * residual, "o", ms=3.2, color=INK)
    axes.set_ylabel("residual of the\ndate's pairs (mm)", fontsize=8, color=INK)
    axes.set_ylim(bottom=0)
