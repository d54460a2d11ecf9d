"""Forecasts of one point: passes, what was told of the days between and after them, rain, level, and thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.plots.figures import FAINT, INK, new_figure
from slidecloud.plots.rain import draw_rain
from slidecloud.plots.series import MEASURED
from slidecloud.types import Float64

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_FORECAST: Final = "#2166ac"
_LEVEL: Final = "#5e7f2e"
_THRESHOLDS: Final = ("#b35806", "#7b3294", "#1b7837", "#c51b7d", "#01665e")
_BEFORE: Final = np.timedelta64(180, "D")
"""Passes so long before the first forecast are shown with it."""


def forecast_figure(found: xr.Dataset, point: int, *, title: str) -> Figure:
    """A picture of one point.

    Parameters
    ----------
    found
        Forecasts of a part, dims (time, point), as `slidecloud.store.forecasts.dataset` reads them.
    point
        Its place.
    title
        Of the picture.
    """
    one = found.isel(point=point)
    days = _days(one["time"])
    drivers = [name for name in ("rain", "level") if name in found]
    parts = [*drivers, "motion", *(["exceedance"] if found.sizes["threshold"] else [])]
    heights = {"rain": 0.8, "level": 0.8, "motion": 2.4, "exceedance": 1.1}
    figure = new_figure(11.0, 1.0 + 1.45 * sum(heights[name] for name in parts))
    rows = np.ravel(figure.subplots(len(parts), 1, sharex=True, height_ratios=[heights[name] for name in parts]))
    for axes, name in zip(rows, parts, strict=True):
        {"rain": _draw_rain, "level": _draw_level, "motion": _draw_motion, "exceedance": _draw_exceedance}[name](
            axes, one, days
        )
        axes.tick_params(labelsize=8, color=INK)
        axes.spines[["top", "right"]].set_visible(False)
    rows[0].set_xlim(days[0] - _BEFORE, days[-1] + np.timedelta64(3, "D"))
    figure.suptitle(title, fontsize=12, color=INK)
    return figure


def _draw_motion(axes: Axes, one: xr.Dataset, days: NDArray[np.datetime64]) -> None:
    passes, observed = _days(one["pass_time"]), one["observed"].values
    shown = np.isfinite(observed) & (passes >= days[0] - _BEFORE)
    told, lower, upper = (one[name].values for name in ("displacement", "lower", "upper"))
    axes.axvline(days[0], color=FAINT, lw=0.8, ls=":")
    axes.fill_between(days, lower, upper, color=_FORECAST, alpha=0.2, lw=0, label="interval of 90 %")
    last = passes[np.isfinite(observed)][-1] if np.isfinite(observed).any() else days[0]
    for begin, end, style, label in (
        (days[0], last, "-", "forecast of the day"), (last, days[-1], "--", "after the last pass"),
    ):  # fmt: skip
        inside = (days >= begin) & (days <= end)
        if np.isfinite(told[inside]).sum() > 1:
            axes.plot(days[inside], told[inside], style, color=_FORECAST, lw=1.2, label=label)
    sigma = one["observed_sigma"].values[shown] if "observed_sigma" in one else None
    axes.errorbar(
        passes[shown], observed[shown], yerr=sigma, fmt="o", ms=3.2, lw=0.8, capsize=1.5, color=MEASURED, zorder=3,
        label="passes" if sigma is None else "passes, ± 1 sigma",
    )  # fmt: skip
    axes.set_ylabel("displacement (mm),\npositive towards\nthe satellite", fontsize=8, color=INK)
    axes.legend(fontsize=8, frameon=False, ncols=4, loc="best")
    axes.set_title(f"forecasts from {days[0]} on, learnt before", fontsize=9, loc="left", color=INK)


def _draw_rain(axes: Axes, one: xr.Dataset, days: NDArray[np.datetime64]) -> None:
    at, fallen = _driver(one, "rain")
    inside = (at >= days[0] - _BEFORE) & (at <= days[-1])
    draw_rain(axes, at[inside], fallen[inside])


def _draw_level(axes: Axes, one: xr.Dataset, days: NDArray[np.datetime64]) -> None:
    at, level = _driver(one, "level")
    inside = (at >= days[0] - _BEFORE) & (at <= days[-1])
    axes.plot(at[inside], level[inside], color=_LEVEL, lw=1.2)
    axes.set_ylabel("level (m)", fontsize=8, color=INK)


def _draw_exceedance(axes: Axes, one: xr.Dataset, days: NDArray[np.datetime64]) -> None:
    for number, name in enumerate(one.attrs["thresholds"]):
        colour = _THRESHOLDS[number % len(_THRESHOLDS)]
        axes.plot(days, one["exceedance"].values[number], color=colour, lw=1.2, label=f"more than {name}")
    axes.set_ylim(-0.03, 1.03)
    axes.set_ylabel("probability", fontsize=8, color=INK)
    axes.legend(fontsize=8, frameon=False, ncols=2, loc="best")


def _driver(one: xr.Dataset, name: str) -> tuple[NDArray[np.datetime64], Float64]:
    """Days and values of rain or level at the point."""
    values: Any = one[name].values[int(one[f"{name}_of"])]
    return _days(one["driver_time"]), values


def _days(time: xr.DataArray) -> NDArray[np.datetime64]:
    found: NDArray[np.datetime64] = np.asarray(time.values).astype("datetime64[D]")
    return found
