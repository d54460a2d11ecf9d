"""Pictures of mapped scenes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from slidecloud.plots.figures import FAINT, INK, new_figure
from slidecloud.plots.optical import visible
from slidecloud.types import Float32

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LINE: Final = "#e6007e"
_WIDE: Final = 6.0


def map_figure(
    image: Float32,
    scores: Float32,
    outlines: GeoDataFrame,
    extent: tuple[float, float, float, float],
    *,
    title: str,
) -> Figure:
    """A scene with its outlines, beside the scores that they were drawn from.

    Parameters
    ----------
    image
        (band, y, x), NaN without data.
    scores
        (y, x) from 0 to 1; NaN where nothing was mapped, which is grey.
    outlines
        In the CRS of the scene.
    extent
        Left, right, bottom, top of the scene.
    title
        Its name.
    """
    height = _WIDE * scores.shape[0] / scores.shape[1]
    figure = new_figure(2 * _WIDE + 1.0, min(max(height, 2.0), 14.0) + 0.8)
    left, right = figure.subplots(1, 2)
    left.imshow(visible(image), extent=extent, interpolation="nearest")
    right.set_facecolor("#d9d9d9")
    drawn = right.imshow(
        np.ma.masked_invalid(scores), extent=extent, interpolation="nearest", cmap="viridis", vmin=0, vmax=1
    )
    for axes in (left, right):
        _lines(axes, outlines)
        axes.set_xlim(extent[:2])
        axes.set_ylim(extent[2:])
        axes.ticklabel_format(useOffset=False, style="plain")
        axes.tick_params(labelsize=7, colors=FAINT)
    left.set_title(f"{title}: {len(outlines)} outlines", fontsize=10, color=INK)
    right.set_title("score; grey is not mapped", fontsize=10, color=INK)
    figure.colorbar(drawn, ax=right, shrink=0.7)
    return figure


def _lines(axes: Axes, outlines: GeoDataFrame) -> None:
    """Shells and holes of polygons as lines."""
    import shapely
    from matplotlib.collections import LineCollection

    rings = shapely.get_rings(outlines.geometry.to_numpy())
    axes.add_collection(LineCollection([shapely.get_coordinates(ring) for ring in rings], colors=_LINE, linewidths=0.9))
