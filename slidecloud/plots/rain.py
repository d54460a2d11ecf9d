"""Rain and motion of one landslide: bars of rain over its displacement, and how they agree lag by lag."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.plots.figures import FAINT, INK, new_figure
from slidecloud.plots.series import MEASURED
from slidecloud.types import Float64

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_RAIN: Final = "#2b6ca3"
_EVENT: Final = "#d99000"
_BARS: Final = 400
"""Days beyond which bars are of ten days."""


def rain_figure(one: Any) -> Figure:
    """Displacement with its sigma under the rain, accelerations marked, and the correlation at each lag.

    Parameters
    ----------
    one
        A `slidecloud.pipeline.landslide_rain.Comparison`.
    """
    figure = new_figure(11.0, 5.4)
    parts: Any = figure.subfigures(1, 2, width_ratios=[2.3, 1.0])
    over, beside = parts
    rain, motion = over.subplots(2, 1, sharex=True, height_ratios=[1.0, 1.8])
    first, last = (one.motion.time[i].astype("datetime64[D]") for i in (0, -1))
    inside = (one.rain.day >= first) & (one.rain.day <= last)
    draw_rain(rain, one.rain.day[inside], one.rain.millimetres[inside])
    _draw_motion(motion, one)
    _draw_lags(beside.subplots(1, 1), one)
    figure.suptitle(
        f"Landslide {one.motion.landslide}, {one.motion.track}, rain of {one.rain.name}", fontsize=12, color=INK
    )
    return figure


def draw_rain(axes: Axes, day: NDArray[np.datetime64], fallen: Float64) -> None:
    """Bars of rain (mm) of successive days, or of ten days each where these are many."""
    step = 10 if len(day) > _BARS else 1
    whole = len(day) // step * step
    sums = fallen[:whole].reshape(-1, step).sum(axis=1)
    axes.bar(day[:whole:step], sums, width=np.timedelta64(step, "D"), align="edge", color=_RAIN, lw=0)
    axes.set_ylabel("rain\n(mm in 10 days)" if step > 1 else "rain\n(mm a day)", fontsize=8, color=INK)
    _style(axes)


def motion_figure(motion: Any) -> Figure:
    """Displacement of a landslide with its sigma, without rain.

    Parameters
    ----------
    motion
        A `slidecloud.pipeline.landslide_rain.Motion`.
    """
    figure = new_figure(8.0, 3.4)
    axes = figure.add_subplot()
    _draw_displacement(axes, motion)
    axes.legend(fontsize=8, frameon=False)
    axes.set_title(f"Landslide {motion.landslide}, {motion.track}", fontsize=11, loc="left", color=INK)
    _style(axes)
    return figure


def _draw_displacement(axes: Axes, motion: Any) -> None:
    axes.axhline(0.0, color=FAINT, lw=0.6)
    axes.errorbar(
        motion.time, 1000 * motion.displacement, yerr=1000 * motion.sigma, fmt="o-", ms=3, lw=0.7, elinewidth=0.8,
        capsize=1.5, color=MEASURED, label="mean over the outline, ± 1 sigma",
    )  # fmt: skip
    axes.set_ylabel("displacement (mm),\npositive towards the satellite", fontsize=8, color=INK)


def _draw_motion(axes: Axes, one: Any) -> None:
    motion = one.motion
    _draw_displacement(axes, motion)
    for number, index in enumerate(one.events):
        later = motion.time[min(index + 1, len(motion.time) - 1)]
        axes.axvspan(motion.time[index], later, color=_EVENT, alpha=0.35, lw=0, label="" if number else "acceleration")
    axes.legend(fontsize=8, frameon=False)
    if len(one.events) and np.isfinite(one.epoch.event):
        text = f"rain before accelerations {one.epoch.event:.0f} mm, usually {one.epoch.usual:.0f} mm"
        axes.set_title(f"{text} (p = {one.epoch.p_value:.3f})", fontsize=9, loc="left", color=INK)
    _style(axes)


def _draw_lags(axes: Axes, one: Any) -> None:
    found = one.lagged
    axes.axhline(0.0, color=FAINT, lw=0.6)
    below, above = found.correlation - found.low, found.high - found.correlation
    axes.errorbar(
        one.lags, found.correlation, yerr=(below, above), fmt="o-", ms=4, lw=0.8, capsize=2, color=_RAIN,
        label="with 95 % interval",
    )  # fmt: skip
    if found.best >= 0:
        axes.plot(one.lags[found.best], found.correlation[found.best], "o", ms=9, mfc="none", color=INK)
        axes.set_title(
            f"largest at {one.lags[found.best]:.0f} days: {found.correlation[found.best]:.2f} "
            f"(p = {found.p_value:.3f})",
            fontsize=9, loc="left", color=INK,
        )  # fmt: skip
    else:
        axes.set_title("too few intervals to compare", fontsize=9, loc="left", color=INK)
    axes.set_ylim(-1.0, 1.0)
    axes.set_xlabel("days after the rain", fontsize=8, color=INK)
    axes.set_ylabel("correlation of rate with rain", fontsize=8, color=INK)
    axes.legend(fontsize=8, frameon=False, loc="lower right")
    _style(axes)


def _style(axes: Axes) -> None:
    axes.tick_params(labelsize=8, color=INK)
    axes.spines[["top", "right"]].set_visible(False)
