"""Landslides by stability class: a map of their outlines over their density, and how many there are of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from slidecloud.kernels.stability import CLASSES
from slidecloud.plots.figures import FAINT, INK, new_figure
from slidecloud.plots.outline_maps import draw_counts, draw_map

if TYPE_CHECKING:
    import xarray as xr
    from geopandas import GeoDataFrame
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


def stability_figure(run: Run) -> Figure:
    """Outlines by class over the density of landslides, beside the number of each class.

    Parameters
    ----------
    run
        An open run store whose landslides are classified.
    """
    return class_figure(run.stability, run.density["density"])


def class_figure(stability: GeoDataFrame, density: xr.DataArray) -> Figure:
    """The same of any table of stability and map of density."""
    decided = stability.loc[stability["deciding"]]
    figure = new_figure(11.0, 6.0)
    left, right = figure.subplots(1, 2, width_ratios=[2.2, 1.0])
    draw_map(left, decided, list(decided["class"]), COLOURS, density)
    draw_counts(right, {name: int((decided["class"] == name).sum()) for name in CLASSES.values()}, COLOURS)
    sure = decided["confidence"].dropna()
    if len(sure):
        right.set_title(f"median confidence {np.median(sure):.0%}", fontsize=9, loc="left", color=FAINT)
    tracks = sorted({track for track in decided["track"] if track})
    figure.suptitle(
        f"{len(decided)} landslides by their motion along the line of sight ({', '.join(tracks) or 'no track'})",
        fontsize=12, color=INK,
    )  # fmt: skip
    return figure
