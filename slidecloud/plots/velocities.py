"""Velocities of several estimators held against a known truth: a table and a figure."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from slidecloud.plots.figures import FAINT, INK, new_figure, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAMES: Final = {
    "sbas": "SBAS, all pairs",
    "sbas_smooth": "SBAS, mean of 5 x 5 pixels",
    "sbas_chosen": "SBAS, chosen pairs",
    "stacking": "stacked unwrapped pairs",
    "integrated": "integrated gradients",
}
"""Estimators in the order of tables, and what they are called."""

FAST: Final = 60.0
"""mm/yr from which what comes back shows through the noise."""

COLOURS: Final = {
    "sbas": "#c2452d",
    "sbas_smooth": "#333333",
    "sbas_chosen": "#e29a3b",
    "stacking": "#8a6fb3",
    "integrated": "#1f6f8b",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One estimator on one stack.

    Attributes
    ----------
    estimator
        One of `NAMES`.
    coherence, rate, pairs
        Mean coherence, rate of the slide's fastest part in mm/yr, and number of pairs.
    bias, rmse
        Of the speed over the slide, m/yr; bias is below 0 where motion is lost.
    fraction
        Slope of the velocity on the truth over the slide.
    recovered
        The same of a slide injected elsewhere into the stack; NaN where none was.
    """

    estimator: str
    coherence: float
    rate: float
    pairs: int
    bias: float
    rmse: float
    fraction: float
    recovered: float


def velocity_table(cells: Sequence[Cell]) -> str:
    """Bias / RMSE of each estimator in mm/yr, as a Markdown table with a row for each kind of stack.

    The smallest RMSE of a row is bold.
    """
    lines = [
        "| pairs | mm/yr | coherence | " + " | ".join(NAMES.values()) + " |",
        "|---|---|---|" + "---|" * len(NAMES),
    ]
    for key in sorted({(cell.pairs, cell.rate, cell.coherence) for cell in cells}):
        row = {c.estimator: c for c in cells if (c.pairs, c.rate, c.coherence) == key}
        least = min(cell.rmse for cell in row.values())
        shown = []
        for name in NAMES:
            text = f"{_signed(1000 * row[name].bias)} / {1000 * row[name].rmse:.1f}" if name in row else ""
            shown.append(f"**{text}**" if name in row and row[name].rmse == least else text)
        lines.append(f"| {key[0]} | {key[1]:g} | {key[2]:g} | " + " | ".join(shown) + " |")
    return "\n".join(lines)


def plot_velocities(cells: Sequence[Cell], path: str | os.PathLike[str], *, dpi: int = 85) -> Path:
    """Draw RMSE against coherence, a row for each number of pairs and a column for each rate, and how well a slide
    injected elsewhere foretells what comes back of one of `FAST` mm/yr or more."""
    rates, counts = sorted({c.rate for c in cells}), sorted({c.pairs for c in cells})
    figure = new_figure(2.7 * len(rates) + 3.2, 2.3 * len(counts) + 0.6)
    grid = figure.subplots(len(counts), len(rates) + 1, squeeze=False)
    for row, count in zip(grid, counts, strict=True):
        for axes, rate in zip(row, rates, strict=False):
            _draw_rmse(axes, [c for c in cells if (c.pairs, c.rate) == (count, rate)])
            axes.set_xlim(0, max(c.coherence for c in cells) + 0.05)
            axes.set_ylim(500 * min(c.rmse for c in cells), 1500 * max(c.rmse for c in cells))
            axes.set_title(f"{rate:g} mm/yr, {count} pairs", fontsize=9, color=INK)
        row[0].set_ylabel("RMSE, mm/yr", fontsize=8)
        row[-1].set_axis_off()
    for axes in grid[-1, :-1]:
        axes.set_xlabel("mean coherence", fontsize=8)
    grid[0, -1].set_axis_on()
    _draw_foretold(grid[0, -1], [c for c in cells if c.rate >= FAST and np.isfinite(c.recovered)])
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(NAMES), frameon=False, fontsize=9)
    return save(figure, path, dpi=dpi)


def _draw_rmse(axes: Axes, cells: Sequence[Cell]) -> None:
    for name, label in NAMES.items():
        own = sorted((c.coherence, 1000 * c.rmse) for c in cells if c.estimator == name)
        if own:
            coherence, error = zip(*own, strict=True)
            axes.plot(coherence, error, color=COLOURS[name], marker="o", markersize=3, lw=1.3, label=label)
    axes.set_yscale("log")
    axes.set_yticks([1, 3, 10, 30, 100], ["1", "3", "10", "30", "100"])
    axes.minorticks_off()
    _finish(axes)


def _draw_foretold(axes: Axes, cells: Sequence[Cell]) -> None:
    """Share of the true motion against share of the injected one."""
    for cell in cells:
        axes.plot(100 * cell.recovered, 100 * cell.fraction, "o", color=COLOURS[cell.estimator], markersize=3)
    axes.plot([40, 120], [40, 120], color=FAINT, lw=0.8)
    axes.set(xlim=(40, 120), ylim=(40, 120))
    axes.set_title(f"returned of {FAST:g} mm/yr and more, %", fontsize=9, color=INK)
    axes.set_xlabel("of an injected slide", fontsize=8)
    axes.set_ylabel("of the true one", fontsize=8)
    _finish(axes)


def _finish(axes: Axes) -> None:
    axes.tick_params(labelsize=8, colors=INK)
    axes.grid(color=FAINT, alpha=0.25)


def _signed(value: float) -> str:
    return f"{value:+.1f}"
