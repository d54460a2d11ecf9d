"""Pictures of hazard: an index with its classes, and curves of how well it finds landslides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from numpy.typing import ArrayLike

from slidecloud.hazard.risk import LEVELS
from slidecloud.hazard.scores import Curve
from slidecloud.plots import maps
from slidecloud.plots.figures import FAINT, INK, new_figure, share_axes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LEVEL_COLOURS: Final = {1: "#fef0d9", 2: "#fdcc8a", 3: "#fc8d59", 4: "#b30000"}
CLASS_NAMES: Final = {1: "very low", 2: "low", 3: "moderate", 4: "high", 5: "very high"}
CLASS_COLOURS: Final = {1: "#fef0d9", 2: "#fdd49e", 3: "#fdbb84", 4: "#ef6548", 5: "#990000"}
LINES: Final = ("#1b6ca8", "#d95f02", "#1b9e77", "#7b4ea3", "#8c6d1f", "#c2367a")
_AXES: Final = {
    "roc": ("share of random places taken for landslides", "share of landslides found"),
    "rate": ("share of the ground, the most susceptible first", "share of landslides on it"),
}


def level_figure(
    index: ArrayLike,
    level: ArrayLike,
    canvas: maps.Canvas,
    *,
    points: tuple[ArrayLike, ArrayLike] | None = None,
    names: Mapping[int, str] = LEVELS,
    colours: Mapping[int, str] = LEVEL_COLOURS,
    title: str = "Risk",
    label: str = "index",
) -> Figure:
    """A map of an index beside one of the classes it was cut into.

    Parameters
    ----------
    index
        (y, x), NaN = not known.
    level
        Integers (y, x), 0 = not known.
    canvas
        Where they lie.
    points
        x and y of landslides in units of the canvas, drawn on the classes.
    names, colours
        Of the classes by their code; for five classes of susceptibility `CLASS_NAMES` and `CLASS_COLOURS`.
    title, label
        What the index is; its name on the colour bar.
    """
    figure = new_figure(11.5, 4.6 * min(max(canvas.shape_on_page, 0.5), 1.4) + 0.6)
    left, right = figure.subplots(1, 2)
    values = np.asarray(index, np.float64)
    known = values[np.isfinite(values)]
    ends = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    limits = ends if ends[1] > ends[0] else (ends[0], ends[0] + 1.0)
    maps.draw(left, values, canvas, title=title, label=label, limits=limits, colours="magma_r")
    maps.draw_classes(right, level, canvas, title=f"{title}: classes", names=names, colours=colours)
    if points is not None:
        x, y = np.asarray(points[0]), np.asarray(points[1])
        right.plot(x, y, "o", ms=2.6, mfc="white", mec="black", mew=0.5)
        right.set_title(f"{x.size} landslides", fontsize=8, loc="right", color=FAINT)
    return figure


def curve_figure(curves: Mapping[str, Curve], *, kind: Literal["roc", "rate"] = "roc", note: str = "") -> Figure:
    """Named curves with the area below each; chance is the diagonal.

    Parameters
    ----------
    curves
        Of `slidecloud.hazard.scores.roc` or `slidecloud.hazard.scores.rate_curve`, as `kind` says.
    note
        A caveat, written below the curves.
    """
    figure = new_figure(5.4, 5.0 + (0.5 if note else 0.0))
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color=FAINT, lw=1, ls="--")
    for number, (name, curve) in enumerate(curves.items()):
        colour = LINES[number % len(LINES)]
        axes.plot(curve.across, curve.up, color=colour, lw=1.6, label=f"{name}: {curve.area:.3f}")
    share_axes(axes, *_AXES[kind])
    axes.legend(title="area below", fontsize=8, title_fontsize=8, loc="lower right", frameon=False)
    if note:
        figure.supxlabel(note, fontsize=8, color=INK, wrap=True)
    return figure
