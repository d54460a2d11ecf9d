"""How a training went, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from slidecloud.plots.figures import FAINT, INK, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def training_figure(
    record: Sequence[dict[str, Any]],
    *,
    title: str,
    losses: tuple[str, str] = ("box", "objectness"),
    scores: tuple[str, str] = ("ap50", "ap30"),
    measure: str = "average precision",
    steps: str = "tile steps",
) -> Figure:
    """Loss, and how good the network was on validation data, against steps.

    Parameters
    ----------
    record
        Rows with steps and losses, some with the scores.
    title
        Above the picture.
    losses, scores
        Names in the rows.
    measure
        What the scores are.
    steps
        What the steps are called; in the rows with an underscore.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    figure = new_figure(9, 3.6)
    figure.suptitle(title)
    left, right = figure.subplots(1, 2, sharex=True)
    key = steps.replace(" ", "_")
    for name, colour in zip(losses, ("#c1502e", INK), strict=True):
        left.plot([row[key] for row in record], [row[name] for row in record], color=colour, label=name)
    left.set(yscale="log", ylabel="loss", xlabel=steps)
    judged = [row for row in record if scores[0] in row]
    for name, colour in zip(scores, (INK, FAINT), strict=True):
        right.plot([row[key] for row in judged], [row[name] for row in judged], "o-", color=colour, label=name)
    right.set(ylim=(0, 1), ylabel=f"{measure} on validation data", xlabel=steps)
    left.locator_params(axis="x", nbins=5)
    left.legend(frameon=False)
    right.legend(frameon=False, loc="lower right")
    return figure
