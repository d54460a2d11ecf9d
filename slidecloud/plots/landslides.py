"""Landslides of a burst on a map of how its velocity changes from place to place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from slidecloud.kernels import colours
from slidecloud.kernels.regrid import grid_of, to_source
from slidecloud.plots import maps
from slidecloud.plots.accuracy import Truth
from slidecloud.plots.figures import INK, new_figure
from slidecloud.types import Float32, Float64, StackHeader

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from slidecloud.store import Run

_WIDTH: Final = 8.5
_COLOURS: Final = "autumn_r"
_GROUND: Final = "Greys"
_TRUE: Final = "#0b6fb8"


def landslide_figure(run: Run, burst: str, *, elevation: Float32 | None = None, truth: Truth | None = None) -> Figure:
    """Detections of a burst over the size of its velocity gradient, coloured by probability.

    Outlines on maps, boxes in radar geometry. With a truth, the slides that are there as blue lines.

    Parameters
    ----------
    run
        An open run store with gradients and detections.
    burst
        The burst.
    elevation
        (y, x) m, for the hillshade.
    truth
        What really moved.
    """
    header, found, gradients = run.header(burst), run.detections(burst), run.gradients(burst)
    size = 1e6 * np.hypot(gradients["velocity_gradient_x"].values, gradients["velocity_gradient_y"].values)
    canvas = maps.Canvas.of(header, elevation)
    figure = new_figure(_WIDTH, _WIDTH * 0.78 * min(max(canvas.shape_on_page, 0.35), 1.2) + 0.9)
    axes = figure.add_subplot()
    limits = colours.positive(size)
    name = "Size of the velocity gradient"
    maps.draw(axes, size, canvas, title=name, label="mm/yr per km", limits=limits, colours=_GROUND)
    if truth is not None:
        _draw_truth(axes, truth, canvas)
    scale = _draw_found(axes, found, header, canvas)
    beside = axes.inset_axes((0.62, -0.16, 0.38, 0.025))
    bar = figure.colorbar(scale, cax=beside, orientation="horizontal")
    bar.set_label(_quantity(found), fontsize=8, color=INK)
    bar.ax.tick_params(labelsize=7)
    there = "" if truth is None else f", {len(np.unique(truth.slides[truth.slides > 0]))} are there (blue)"
    figure.suptitle(f"{burst}: {len(found)} landslides found{there}", fontsize=12, color=INK)
    return figure


def _quantity(found: GeoDataFrame) -> str:
    return "probability" if found["probability"].notna().any() else "score (not calibrated)"


def _draw_found(axes: Axes, found: GeoDataFrame, header: StackHeader, canvas: maps.Canvas) -> Any:
    """Draw outlines or boxes; returns what the colour bar needs."""
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    scale = ScalarMappable(Normalize(0.0, 1.0), colormaps[_COLOURS])
    ranks = found["probability"].fillna(found["score"]).to_numpy()
    for rings, rank in zip(_rings(found, header), ranks, strict=True):
        for row, column in rings:
            x, y = _on_canvas(row, column, header, canvas)
            axes.plot(x, y, color="black", lw=2.6)
            axes.plot(x, y, color=scale.to_rgba(rank), lw=1.5)
    return scale


def _rings(found: GeoDataFrame, header: StackHeader) -> list[list[tuple[Float64, Float64]]]:
    """Closed lines of each detection, as rows and columns of the burst."""
    if header.grid is None:
        corners = to_source(grid_of(header), found[["top", "left", "bottom", "right"]].to_numpy())
        closed = np.concatenate([corners, corners[:, :1]], axis=1)
        return [[(ring[:, 0], ring[:, 1])] for ring in closed]
    grid = header.grid
    rings = []
    for shape in found.geometry.to_crs(grid.crs):
        parts = [np.array(part.exterior.coords) for part in getattr(shape, "geoms", [shape])]
        rings.append([((part[:, 1] - grid.top) / grid.dy, (part[:, 0] - grid.left) / grid.dx) for part in parts])
    return rings


def _on_canvas(row: Float64, column: Float64, header: StackHeader, canvas: maps.Canvas) -> tuple[Float64, Float64]:
    left, right, bottom, top = canvas.extent
    height, width = header.shape
    return left + (right - left) * column / width, top + (bottom - top) * row / height


def _draw_truth(axes: Axes, truth: Truth, canvas: maps.Canvas) -> None:
    left, right, bottom, top = canvas.extent
    height, width = truth.slides.shape
    x = left + (right - left) * (np.arange(width) + 0.5) / width
    y = top + (bottom - top) * (np.arange(height) + 0.5) / height
    for number in np.unique(truth.slides[truth.slides > 0]):
        axes.contour(x, y, truth.slides == number, levels=[0.5], colors=_TRUE, linewidths=1.2)
