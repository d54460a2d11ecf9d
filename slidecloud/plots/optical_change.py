"""What changed between two dates of outlines: a map, and outlines over classes of the ground."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from slidecloud.optical.change import GROWN, MERGED, NEW, REGROUPED, SHRUNK, SPLIT, UNCHANGED, UNSEEN, VANISHED, counts
from slidecloud.plots.figures import FAINT, INK, new_figure
from slidecloud.plots.outline_maps import draw_counts, draw_map

if TYPE_CHECKING:
    import xarray as xr
    from geopandas import GeoDataFrame
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame

COLOURS: Final = {
    NEW: "#a50026",
    GROWN: "#f46d43",
    UNCHANGED: "#8c6d1f",
    SHRUNK: "#a6d96a",
    SPLIT: "#7b4ea3",
    MERGED: "#c2367a",
    REGROUPED: "#e0a8d8",
    VANISHED: "#4575b4",
    UNSEEN: "#9a9a9a",
}
_GROUND: Final = "#b8b8b8"
_OUTLINES: Final = "#b2432f"
_COLUMNS: Final = 3


def change_figure(changes: GeoDataFrame, density: xr.DataArray, *, dates: tuple[str, str]) -> Figure:
    """Landslides by what they have done over the density of the later date, beside the number of each kind."""
    figure = new_figure(11.0, 6.0)
    left, right = figure.subplots(1, 2, width_ratios=[2.2, 1.0])
    draw_map(left, changes, list(changes["change"]), COLOURS, density)
    draw_counts(right, counts(changes["change"]), COLOURS)
    hectares = 1e-4 * changes[["before_area", "after_area"]].sum().to_numpy()
    right.set_title(f"{hectares[0]:,.1f} ha before, {hectares[1]:,.1f} ha after", fontsize=9, loc="left", color=FAINT)
    figure.suptitle(f"{len(changes)} landslides from {dates[0]} to {dates[1]}", fontsize=12, color=INK)
    return figure


def histogram_figure(table: DataFrame) -> Figure:
    """Share of the outlines in each class of each factor, with its 95 % interval, beside that of all ground.

    Parameters
    ----------
    table
        As `slidecloud.optical.histograms.histogram_table` makes it.
    """
    names = list(dict.fromkeys(table["factor"]))
    columns = min(_COLUMNS, len(names))
    rows = math.ceil(len(names) / columns)
    most = int(table.groupby("factor").size().max())
    figure = new_figure(4.2 * columns, rows * (0.34 * most + 1.2))
    panels = np.ravel(figure.subplots(rows, columns, squeeze=False))
    for axes, name in zip(panels, names, strict=False):
        _draw_factor(axes, table[table["factor"] == name], name)
    for axes in panels[len(names) :]:
        axes.set_visible(False)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=len(labels), fontsize=9, frameon=False)
    figure.supxlabel("share; numbers are outlines, those that are new in brackets", fontsize=9, color=INK)
    return figure


def _draw_factor(axes: Axes, one: DataFrame, name: str) -> None:
    place = np.arange(len(one))
    share = np.nan_to_num(one["share"].to_numpy())
    low, high = (np.nan_to_num(one[end].to_numpy()) for end in ("low", "high"))
    axes.barh(place - 0.2, np.nan_to_num(one["ground"]), 0.38, color=_GROUND, label="all ground")
    axes.barh(place + 0.2, share, 0.38, color=_OUTLINES, label="outlines, with 95 % interval")
    reach = np.maximum([share - low, high - share], 0.0)
    axes.errorbar(share, place + 0.2, xerr=reach, fmt="none", ecolor=INK, elinewidth=0.8)
    for row, (outlines, new, end) in enumerate(zip(one["outlines"], one["new"], high, strict=True)):
        axes.text(end + 0.02, row + 0.2, f"{outlines} ({new})", fontsize=7, va="center", color=FAINT)
    axes.set_yticks(place, list(one["class"]), fontsize=7, color=INK)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.2 * max(float(np.nan_to_num(one["ground"]).max()), float(high.max()), 0.1))
    axes.tick_params(labelsize=7, length=2)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(name.replace("_", " "), fontsize=9, loc="left", color=INK)
