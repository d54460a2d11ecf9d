"""Outlines by kind over a map of their density, and how many there are of each kind."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from slidecloud.plots.figures import INK

if TYPE_CHECKING:
    import xarray as xr
    from geopandas import GeoDataFrame
    from matplotlib.axes import Axes

_LEAST_MARK: Final = 0.008
"""Share of the map's width below which an outline gets a mark as well: it would not be seen."""


def draw_map(
    axes: Axes, outlines: GeoDataFrame, kinds: Sequence[str], colours: Mapping[str, str], density: xr.DataArray
) -> None:
    """Outlines in the colour of their kind over landslides per square kilometre, in longitude and latitude."""
    import shapely
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    values = np.ma.masked_less_equal(density.values, 0.0)
    west, south, east, north = _extent(outlines, density)
    edges = _edges(density["x"].values), _edges(density["y"].values)
    shown = axes.pcolormesh(*edges, values, cmap="Greys", alpha=0.6, vmin=0.0)
    smallest = _LEAST_MARK * (east - west)
    # A ring that turned like its shell would be filled.
    for shape, name in zip(shapely.orient_polygons(outlines.geometry.to_numpy()), kinds, strict=True):
        rings = [
            Path(np.array(ring.coords), closed=True)
            for part in getattr(shape, "geoms", [shape])
            for ring in (part.exterior, *part.interiors)
        ]
        drawn = Path.make_compound_path(*rings)
        axes.add_patch(PathPatch(drawn, facecolor=colours[name], edgecolor="black", lw=0.5, zorder=3))
        left, bottom, right, top = shape.bounds
        if max(right - left, top - bottom) < smallest:
            axes.plot(*shape.centroid.coords[0], "o", ms=4.5, color=colours[name], mec="black", mew=0.4, zorder=3)
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


def draw_counts(axes: Axes, counts: Mapping[str, int], colours: Mapping[str, str]) -> None:
    """A bar for each kind, with its number and share."""
    names, numbers = list(counts), list(counts.values())
    place = np.arange(len(names))
    bars = axes.barh(place, numbers, color=[colours[name] for name in names], edgecolor="black", lw=0.5)
    total = max(sum(numbers), 1)
    axes.bar_label(bars, [f"{n}  ({n / total:.0%})" for n in numbers], fontsize=8, padding=3, color=INK)
    axes.set_yticks(place, names, fontsize=9, color=INK)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.35 * max(*numbers, 1))
    axes.set_xlabel("landslides", fontsize=8, color=INK)
    axes.locator_params(axis="x", integer=True)
    axes.tick_params(labelsize=8, color=INK)
    axes.spines[["top", "right"]].set_visible(False)


def _extent(outlines: GeoDataFrame, density: Any) -> tuple[float, float, float, float]:
    """West, south, east and north of the outlines with a margin; of the whole map without any."""
    x, y = _edges(density["x"].values), _edges(density["y"].values)
    if not len(outlines):
        return x.min(), y.min(), x.max(), y.max()
    west, south, east, north = outlines.total_bounds
    margin = 0.1 * max(east - west, north - south, 0.02)
    return west - margin, south - margin, east + margin, north + margin


def _edges(centres: Any) -> Any:
    """Borders of cells from their centres."""
    step = centres[1] - centres[0] if len(centres) > 1 else 0.01
    return np.append(centres - step / 2, centres[-1] + step / 2)
