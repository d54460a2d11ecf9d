"""How good forecasts were: errors by size and horizon, a map of points, answers to events, and lags."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from slidecloud.plots.figures import FAINT, INK, new_figure
from slidecloud.plots.forecast import forecast_figure
from slidecloud.types import Float64

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from geopandas import GeoDataFrame
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from slidecloud.forecast.assessment import Answer, Assessment
    from slidecloud.forecast.connections import Connection

_BAR: Final = "#2166ac"
_EVENT: Final = "#d99000"
_CAUSES: Final = {"rain": "rain", "drawdown": "fall of the level"}
_AROUND: Final = np.timedelta64(45, "D")
"""Days before and after an event that are drawn."""


def errors_figure(found: Assessment) -> Figure:
    """Root mean square errors by the size of the motion and by days since the last pass, with intervals of 95 %."""
    figure = new_figure(11.0, 3.4)
    left, right = figure.subplots(1, 2)
    sizes = found.sizes.drop("all")
    _draw_rows(left, sizes, np.arange(len(sizes), dtype=np.float64), fmt="s")
    left.set_xticks(range(len(sizes)), [f"{name}\n({count})" for name, count in sizes["count"].items()])
    left.set_xlabel("motion in 12 days (mm), and passes", fontsize=8, color=INK)
    _draw_rows(right, found.horizons, found.horizons.index.to_numpy(np.float64), fmt="o")
    right.set_xlabel("days since the last pass", fontsize=8, color=INK)
    return figure


def map_figure(points: GeoDataFrame) -> Figure | None:
    """Points by their error and by how far they depend on rain and level; None where no point has a place.

    Parameters
    ----------
    points
        Columns as `slidecloud.pipeline.forecast_report.ERRORS`. Points that significantly depend on a driver have a
        black edge.
    """
    x, y = points.geometry.x.to_numpy(), points.geometry.y.to_numpy()
    placed = np.isfinite(x) & np.isfinite(y)
    drawn = [("rmse", "root mean square error (mm)"), *((f"{cause}_v", name) for cause, name in _CAUSES.items())]
    drawn = [(column, label) for column, label in drawn if (points[column].notna() & placed).any()]
    if not drawn:
        return None
    figure = new_figure(3.9 * len(drawn) + 0.6, 3.8)
    for axes, (column, label) in zip(np.ravel(figure.subplots(1, len(drawn))), drawn, strict=True):
        values = points[column].to_numpy()
        sure = points[f"{column}_p"].to_numpy() <= 0.05 if column != "rmse" else np.zeros(len(points), bool)
        shown = np.flatnonzero(placed & np.isfinite(values))
        dots = axes.scatter(
            x[shown], y[shown], c=values[shown], s=16, cmap="viridis", vmin=0,
            edgecolors=np.where(sure[shown], "black", "none").tolist(), linewidths=1.2,
        )  # fmt: skip
        title = label if column == "rmse" else f"dependence on {label} (Cramer's V)"
        figure.colorbar(dots, ax=axes, shrink=0.8).ax.tick_params(labelsize=7)
        axes.set_title(title, fontsize=9, loc="left", color=INK)
        axes.set_aspect(1.0 / np.cos(np.deg2rad(y[shown].mean())), adjustable="datalim")
        axes.ticklabel_format(useOffset=False)
        axes.tick_params(labelsize=7, labelrotation=30, color=INK)
    return figure


def event_figure(found: xr.Dataset, answer: Answer, *, title: str) -> Figure:
    """Forecasts of a point before, in and after an event, as `forecast_figure` draws them."""
    first, last = answer.event.first - _AROUND, max(answer.event.last + _AROUND, answer.until)
    near = {name: np.asarray(found[name].values).astype("datetime64[D]") for name in ("time", "pass_time")}
    days = np.flatnonzero((near["time"] >= first) & (near["time"] <= last))
    passes = np.flatnonzero(near["pass_time"] <= last)
    figure = forecast_figure(found.isel({"time": days, "pass": passes}), answer.point, title=title)
    for axes in figure.axes:
        axes.set_title("", loc="left")
        axes.axvspan(answer.event.first, answer.event.last, color=_EVENT, alpha=0.25, lw=0, zorder=0)  # type: ignore[arg-type]
    return figure


def lags_figure(found: Sequence[Connection]) -> Figure:
    """Correlation of motion with each driver by lag: the middle point, and the range of four fifths of the points."""
    figure = new_figure(11.0, 3.2)
    for axes, one in zip(np.ravel(figure.subplots(1, len(found))), found, strict=True):
        known = one.lags.correlation[np.isfinite(one.lags.correlation).any(axis=1)]
        reached = np.isfinite(known).any(axis=0)
        days = one.lags.lag[reached]
        low, middle, high = np.nanquantile(known[:, reached], (0.1, 0.5, 0.9), axis=0)
        axes.fill_between(days, low, high, color=_BAR, alpha=0.2, lw=0, label="four fifths of the points")
        axes.plot(days, middle, "o-", ms=3, lw=1.2, color=_BAR, label="middle of the points")
        axes.axhline(0.0, color=FAINT, lw=0.6)
        axes.set_xlabel(f"days after {_CAUSES[one.cause]}", fontsize=8, color=INK)
        axes.set_ylabel("correlation", fontsize=8, color=INK)
        axes.legend(fontsize=8, frameon=False)
        _style(axes)
    return figure


def exchanged_figure(losses: pd.DataFrame) -> Figure:
    """What the method loses without rain and level of some days, by how long before the target they are."""
    figure = new_figure(11.0, 3.2)
    names = losses["input"].unique()
    for axes, name in zip(np.ravel(figure.subplots(1, len(names), sharey=True)), names, strict=True):
        for points, part in losses[losses["input"] == name].groupby("points", sort=False):
            middle, loss = (part["newest"] + part["oldest"]) / 2, part["loss"]
            reach = (loss - part["low"], part["high"] - loss)
            axes.errorbar(middle, loss, yerr=reach, fmt="o-", ms=3, lw=0.9, capsize=2, label=f"points {points}")
        axes.axhline(0.0, color=FAINT, lw=0.6)
        axes.set_xlabel(f"days of {name} before the target", fontsize=8, color=INK)
        axes.set_ylabel("growth of the error (mm)", fontsize=8, color=INK)
        axes.legend(fontsize=8, frameon=False)
        _style(axes)
    return figure


def _draw_rows(axes: Axes, rows: pd.DataFrame, at: Float64, *, fmt: str) -> None:
    middle = rows["rmse"].to_numpy()
    reach: Any = np.nan_to_num(np.abs(rows[["rmse_low", "rmse_high"]].to_numpy().T - middle))
    axes.errorbar(at, middle, yerr=reach, fmt=fmt, ms=5, lw=1.2, capsize=3, color=_BAR)
    axes.set_ylim(bottom=0.0)
    axes.set_ylabel("root mean square error (mm)", fontsize=8, color=INK)
    _style(axes)


def _style(axes: Axes) -> None:
    axes.tick_params(labelsize=8, color=INK)
    axes.spines[["top", "right"]].set_visible(False)
