"""What a risk index is made of: information values of classes, and weights of factors."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from slidecloud.kernels.information_value import ABSENT, EMPTY, KNOWN, MASKED, RARE
from slidecloud.plots.figures import FAINT, INK, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from slidecloud.hazard.risk import FactorTable, Risk

_MORE: Final = "#b2432f"
_LESS: Final = "#4575b4"
_MARKS: Final = {EMPTY: "none", RARE: "none expected", MASKED: "masked", ABSENT: "no ground"}
_COLUMNS: Final = 3


def information_figure(risk: Risk) -> Figure:
    """Information value of each class of each factor with its standard error, and the points behind it.

    Classes without points are pale and say why; red has more landslides than its share of the ground, blue fewer.
    """
    tables = risk.tables
    columns = min(_COLUMNS, len(tables))
    rows = math.ceil(len(tables) / columns)
    most = max(len(table.classes.labels) for table in tables)
    figure = new_figure(4.0 * columns, rows * (0.26 * most + 1.1))
    reach = 1.45 * max(float(np.nanmax(np.abs(table.information.value) + table.information.sigma)) for table in tables)
    panels = np.ravel(figure.subplots(rows, columns, squeeze=False))
    for axes, table, weight in zip(panels, tables, risk.weights, strict=False):
        _draw_factor(axes, table, float(weight), reach)
    for axes in panels[len(tables) :]:
        axes.set_visible(False)
    figure.supxlabel("information value: logarithm of landslides per ground against the average", fontsize=9, color=INK)
    return figure


def _draw_factor(axes: Axes, table: FactorTable, weight: float, reach: float) -> None:
    found = table.information
    place = np.arange(len(found.value))
    shown = np.nan_to_num(found.value)
    known = found.state == KNOWN
    colour = [_MORE if value > 0 else _LESS for value in shown]
    bars = axes.barh(place, shown, color=colour, height=0.72, zorder=2)
    for bar, sure in zip(bars, known, strict=True):
        bar.set_alpha(1.0 if sure else 0.3)
    axes.errorbar(shown, place, xerr=np.nan_to_num(found.sigma), fmt="none", ecolor=INK, elinewidth=0.8, zorder=3)
    for row, (points, state, value, sigma) in enumerate(
        zip(table.points, found.state, shown, np.nan_to_num(found.sigma), strict=True)
    ):
        text = f"{points}" if state == KNOWN else _MARKS[int(state)]
        side = 1.0 if value >= 0 else -1.0
        axes.text(
            value + side * (sigma + 0.03 * reach), row, text, fontsize=7, va="center", color=FAINT,
            ha="left" if side > 0 else "right",
        )  # fmt: skip
    axes.axvline(0.0, color=INK, lw=0.8)
    axes.set_yticks(place, table.classes.labels, fontsize=7, color=INK)
    axes.invert_yaxis()
    axes.set_xlim(-reach, reach)
    axes.tick_params(labelsize=7, length=2)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.set_title(f"{table.classes.name}", fontsize=9, loc="left", color=INK)
    axes.set_title(f"weight {weight:.3f}", fontsize=8, loc="right", color=FAINT)


def weight_figure(risk: Risk) -> Figure:
    """Weights of the factors by judgement, by entropy and as used, with the consistency of the judgements."""
    sets = {"used": (risk.weights, INK)}
    if risk.priorities is not None:
        sets = {"judgement": (risk.priorities.weights, "#1b6ca8")} | sets
    if risk.entropy is not None:
        sets = {"entropy": (risk.entropy, "#d95f02")} | sets
    figure = new_figure(6.4, 0.42 * len(risk.names) + 1.4)
    axes = figure.add_subplot()
    place = np.arange(len(risk.names))
    height = 0.8 / len(sets)
    for number, (name, (weights, colour)) in enumerate(reversed(sets.items())):
        axes.barh(place + (number - (len(sets) - 1) / 2) * height, weights, height, color=colour, label=name)
    axes.set_yticks(place, risk.names, fontsize=8, color=INK)
    axes.invert_yaxis()
    axes.set_xlabel("weight", fontsize=8, color=INK)
    axes.tick_params(labelsize=8, length=2)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    axes.set_title(_made_of(risk), fontsize=8, loc="left", color=FAINT)
    return figure


def _made_of(risk: Risk) -> str:
    told = []
    if risk.priorities is not None:
        found = risk.priorities
        told.append(f"consistency ratio {found.consistency_ratio:.4f} (random index {found.random_index:g})")
    if risk.combination is not None:
        told.append(f"{risk.combination.first:.3f} judgement + {risk.combination.second:.3f} entropy")
    return ", ".join(told) or f"{risk.settings.weighting} weights"
