"""How a training went, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from slidecloud.plots.figures import FAINT, INK, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def training_figure(record: Sequence[dict[str, Any]], *, title: str) -> Figure:
    """Loss, and average precision of the validation tiles, against tile steps.

    Parameters
    ----------
    record
        Rows with ``tile_steps``, ``box`` and ``objectness``, some with ``ap50`` and ``ap30``.
    title
        Above the picture.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    figure = new_figure(9, 3.6)
    figure.suptitle(title)
    losses, precision = figure.subplots(1, 2, sharex=True)
    for name, colour in (("box", "#c1502e"), ("objectness", INK)):
        losses.plot([row["tile_steps"] for row in record], [row[name] for row in record], color=colour, label=name)
    losses.set(yscale="log", ylabel="loss", xlabel="tile steps")
    judged = [row for row in record if "ap50" in row]
    for name, colour in (("ap50", INK), ("ap30", FAINT)):
        precision.plot(
            [row["tile_steps"] for row in judged], [row[name] for row in judged], "o-", color=colour, label=name
        )
    precision.set(ylim=(0, 1), ylabel="average precision", xlabel="tile steps")
    for axes in (losses, precision):
        axes.legend(frameon=False)
    return figure
