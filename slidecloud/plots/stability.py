"""Landslides by stability class: a map of their outlines over their density, and how many there are of each."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from slidecloud.kernels.stability import CLASSES
from slidecloud.plots.figures import FAINT, INK, new_figure

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from slidecloud.store import Run

COLOURS: Final = {
    "rapid": "#a50026",
    "active": "#f46d43",
    "potentially unstable": "#fdbf4a",
    "stable": "#1a9850",
    "uplift": "#4575b4",
    "unknown": "#9a9a9a",
}
_LEAST_MARK: Final = 0.008
"""Share of the map's width below which an outline gets a mark as well: it would not be seen."""


def stability_figure(run: Run) -> Figure:
    """Outlines by class over the density of landslides, beside the number of each class.

    Parameters
    ----------
    run
        An open run store whose landslides are classified.
    """
    found = run.stability
    decided = found.loc[found["deciding"]]
    figure = new_figure(11.0, 6.0)
    left, right = figure.subplots(1, 2, width_ratios=[2.2, 1.0])
    _draw_map(left, decided, run)
    _draw_counts(right, decided)
    tracks = sorted({track for track in decided["track"] if track})
    figure.suptitle(
        f"{len(decided)} landslides by their motion along the line of sight ({', '.join(tracks) or 'no track'})",
        fontsize=12, color=INK,
    )  # fmt: skip
    return figure


def _draw_map(axes: Axes, decided: GeoDataFrame, run: Run) -> None:
    density = run.density
    values = np.ma.masked_less_equal(density["density"].values, 0.0)
    west, south, east, north = _extent(decided, density)
    edges = _edges(density["x"].values), _edges(density["y"].values)
    shown = axes.pcolormesh(*edges, values, cmap="Greys", alpha=0.6, vmin=0.0)
    smallest = _LEAST_MARK * (east - west)
    for shape, name in zip(decided.geometry, decided["class"], strict=True):
        for part in getattr(shape, "geoms", [shape]):
            axes.fill(*np.array(part.exterior.coords).T, facecolor=COLOURS[name], edgecolor="black", lw=0.5, zorder=3)
        left, bottom, right, top = shape.bounds
        if max(right - left, top - bottom) < smallest:
            axes.plot(*shape.centroid.coords[0], "o", ms=4.5, color=COLOURS[name], mec="black", mew=0.4, zorder=3)
    axes.set_xlim(west, east)
    axes.set_ylim(south, north)
    axes.set_aspect(1.0 / math.cos(math.radians((south + north) / 2)))
    axes.set_xlabel("longitude (°)", fontsize=8, color=INK)
    axes.set_ylabel("latitude (°)", fontsize=8, color=INK)
    axes.tick_params(labelsize=7, color=INK)
    axes.ticklabel_format(useOffset=False, style="plain")
    axes.locator_params(nbins=5)
    bar = axes.figure.colorbar(shown, ax=axes, orientation="horizontal", fraction=0.04, pad=0.02, shrink=0.5)
    bar.set_label("landslides per km²", fontsize=8, color=INK)
    bar.ax.tick_params(labelsize=7)


def _extent(decided: GeoDataFrame, density: Any) -> tuple[float, float, float, float]:
    """West, south, east and north of the landslides with a margin, within the map of their density."""
    x, y = _edges(density["x"].values), _edges(density["y"].values)
    if not len(decided):
        return x.min(), y.min(), x.max(), y.max()
    west, south, east, north = decided.total_bounds
    margin = 0.1 * max(east - west, north - south, 0.02)
    return west - margin, south - margin, east + margin, north + margin


def _edges(centres: Any) -> Any:
    """Borders of cells from their centres."""
    step = centres[1] - centres[0] if len(centres) > 1 else 0.01
    return np.append(centres - step / 2, centres[-1] + step / 2)


def _draw_counts(axes: Axes, decided: GeoDataFrame) -> None:
    counts = [(name, int((decided["class"] == name).sum())) for name in CLASSES.values()]
    names, numbers = zip(*counts, strict=True)
    place = np.arange(len(names))
    bars = axes.barh(place, numbers, color=[COLOURS[name] for name in names], edgecolor="black", lw=0.5)
    total = max(sum(numbers), 1)
    axes.bar_label(bars, [f"{n}  ({n / total:.0%})" for n in numbers], fontsize=8, padding=3, color=INK)
    axes.set_yticks(place, names, fontsize=9, color=INK)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.35 * max(*numbers, 1))
    axes.set_xlabel("landslides", fontsize=8, color=INK)
    axes.tick_params(labelsize=8, color=INK)
    axes.spines[["top", "right"]].set_visible(False)
    sure = decided["confidence"].dropna()
    if len(sure):
        axes.set_title(f"median confidence {np.median(sure):.0%}", fontsize=9, loc="left", color=FAINT)
