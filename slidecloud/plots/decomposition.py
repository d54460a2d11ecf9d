"""Motion of an area that two passes see: east, up and down the slope, each with its standard error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from slidecloud.kernels.colours import positive, symmetric
from slidecloud.plots import maps
from slidecloud.plots.figures import INK, new_figure
from slidecloud.store.georeference import grid_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from slidecloud.store import Run

_WIDTH: Final = 12.5
_PANELS: Final = (("east", "East", "mm/yr eastward"), ("up", "Up", "mm/yr upward"), ("downslope", "Downslope", "mm/yr"))


def decomposition_figure(run: Run, area: str) -> Figure:
    """Draw an area over its hillshade; downslope motion is blank where no look is sensitive to it, or ground is level.

    Parameters
    ----------
    run
        An open run store.
    area
        One of `Run.decompositions`.

    Raises
    ------
    KeyError
        If there is no such area.
    """
    found = run.decomposition(area).load()
    grid = grid_of(found)
    canvas = maps.Canvas.on(grid, (abs(grid.dy), grid.dx), np.asarray(found["elevation"].values, np.float32))
    high = _WIDTH / 3 * 0.72 * min(max(canvas.shape_on_page, 0.3), 1.3) + 0.9
    figure = new_figure(_WIDTH, 2 * high)
    panels: Any = figure.subplots(2, 3)
    for (name, title, label), (above, below) in zip(_PANELS, panels.T, strict=True):
        value, sigma = (1000 * found[each].values for each in (name, f"{name}_sigma"))
        limits = symmetric(value, share=99)
        maps.draw(above, value, canvas, title=title, label=label, limits=limits, colours=maps.DIVERGING)
        spread = positive(sigma)
        maps.draw(
            below, sigma, canvas, title="Its standard error", label="mm/yr", limits=spread, colours=maps.SEQUENTIAL
        )
    seen = ", ".join(sorted(set(found.attrs["look_tracks"])))
    figure.suptitle(f"{area}: {seen}; relative to ground at rest that both passes see", fontsize=11, color=INK)
    return figure
