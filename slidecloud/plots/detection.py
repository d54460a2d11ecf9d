"""Pictures of detectors: precision against recall, how far probabilities hold, and tiles with what was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from slidecloud.kernels.boxes import Detections
from slidecloud.kernels.calibration import reliability
from slidecloud.kernels.matching import match
from slidecloud.kernels.precision import Outcomes, average_precision, curve
from slidecloud.kernels.shares import wilson
from slidecloud.kernels.views import GradientView
from slidecloud.models.tiles import Tile
from slidecloud.plots.figures import FAINT, INK, new_figure, share_axes
from slidecloud.types import Float32

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

RIGHT: Final = "#1b9e77"
WRONG: Final = "#d95f02"
_LIMIT: Final = 8.0
_COLOURS: Final = ("#1b6ca8", "#d95f02", "#1b9e77", "#7b4ea3", "#8c6d1f", "#c2367a")


class Probabilities(NamedTuple):
    """What was promised and what came: `probability` (n,) in [0, 1] and `right` bool (n,)."""

    probability: ArrayLike
    right: ArrayLike


def precision_recall(detectors: Mapping[str, Outcomes], *, found: str = "detections", true: str = "slides") -> Figure:
    """Precision against recall of each named detector, with its average precision; what is found and true is named."""
    figure = new_figure(5.2, 4.6)
    axes = figure.add_subplot()
    for (name, outcomes), colour in zip(detectors.items(), _cycle(len(detectors)), strict=True):
        line = curve(outcomes)
        label = f"{name}: {average_precision(outcomes):.3f}"
        axes.plot(line.recall, line.precision, color=colour, lw=1.6, label=label)
    share_axes(axes, f"recall: share of {true} found", f"precision: share of {found} that are {true}")
    axes.legend(title="average precision", fontsize=8, title_fontsize=8, loc="lower left", frameon=False)
    return figure


def reliability_diagram(detectors: Mapping[str, Probabilities], *, bins: int = 15) -> Figure:
    """Share of detections that are right against the probability promised, in bins of equal mass.

    Bars are 95 % intervals (Wilson, 1927); a detector that keeps its promises lies on the diagonal.
    """
    figure = new_figure(5.2, 4.6)
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color=FAINT, lw=1, ls="--")
    for (name, (probability, right)), colour in zip(detectors.items(), _cycle(len(detectors)), strict=True):
        promised, share, count = reliability(probability, right, bins=bins)
        middle, half = wilson(share, count)
        bars = np.maximum([share - (middle - half), middle + half - share], 0)
        error = float(np.sum(count * np.abs(promised - share)) / max(count.sum(), 1))
        label = f"{name}: error {error:.3f}"
        axes.errorbar(promised, share, bars, color=colour, lw=1.4, marker="o", ms=4, elinewidth=0.8, label=label)
    share_axes(axes, "promised probability", "share that are slides")
    axes.legend(fontsize=8, loc="upper left", frameon=False)
    return figure


def gallery(
    tiles: Sequence[Tile], found: Sequence[Detections], *, threshold: float, columns: int = 3, iou: float = 0.3
) -> Figure:
    """Tiles with true slides and detections from a threshold on.

    Shown is the length of the gradient in its sigmas. True slides are white, dotted where they are too weak to be asked
    for; detections are green where they overlap one by at least `iou`, orange where they do not, and carry their score.
    """
    rows = -(-len(tiles) // columns)
    figure = new_figure(3.6 * columns + 0.5, 3.6 * max(rows, 1))
    mappable = None
    for number, (tile, detections) in enumerate(zip(tiles, found, strict=True), start=1):
        axes = figure.add_subplot(rows, columns, number)
        height, width = tile.view.x.shape
        mappable = axes.imshow(
            significance(tile.view), extent=(0, width, height, 0), cmap="magma", vmin=0, vmax=_LIMIT, rasterized=True
        )
        axes.set_autoscale_on(False)
        axes.set_facecolor("#9a9a9a")
        axes.set_xticks([])
        axes.set_yticks([])
        _draw_boxes(axes, tile, detections, threshold, iou)
    if mappable is not None:
        bar = figure.colorbar(mappable, ax=figure.axes, shrink=0.6, extend="max")
        bar.set_label("length of the gradient (sigmas)", fontsize=8, color=INK)
        bar.ax.tick_params(labelsize=7)
    return figure


def significance(view: GradientView) -> Float32:
    """Length of the gradient in sigmas, float32 (y, x); NaN where unknown."""
    with np.errstate(divide="ignore", invalid="ignore"):
        length = np.hypot(view.x / view.x_sigma, view.y / view.y_sigma)
    return np.where(np.isfinite(length), length, np.nan).astype(np.float32)


def _draw_boxes(axes: Axes, tile: Tile, found: Detections, threshold: float, iou: float) -> None:
    for box, visible in zip(tile.boxes, tile.visible, strict=True):
        _frame(axes, box, "white", 1.4 if visible else 1.0, "-" if visible else ":")
    judged = match(found.boxes, found.scores, tile.boxes, ignored=~tile.visible, iou=iou)
    for box, score, wrong in zip(found.boxes, found.scores, judged.wrong, strict=True):
        if score < threshold:
            continue
        colour = WRONG if wrong else RIGHT
        _frame(axes, box, colour, 1.2, "-")
        axes.text(box[1], box[0] - 2, f"{score:.2f}", fontsize=6, color=colour, va="bottom", clip_on=True)


def _frame(axes: Axes, box: Float32, colour: str, width: float, style: str) -> None:
    top, left, bottom, right = box
    axes.plot([left, right, right, left, left], [top, top, bottom, bottom, top], color=colour, lw=width, ls=style)


def _cycle(count: int) -> list[str]:
    return [_COLOURS[k % len(_COLOURS)] for k in range(count)]
