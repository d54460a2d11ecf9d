"""Velocities of several estimators held against a known truth: a table and a figure."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
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


def plot_velocities(cells: Sequence[Cell], path: str | os.PathLike[str], *, dpi: int = 110) -> Path:
    """Draw RMSE against coherence for each rate and each number of pairs, and what injection foretells.

    Parameters
    ----------
    cells
        Of all estimators; those of the most common number of pairs are shown by rate, those of the most common rate by
        number of pairs.
    path
        Of the picture.
    """
    pairs, rate = _most_common([c.pairs for c in cells]), _most_common([c.rate for c in cells])
    rates, counts = sorted({c.rate for c in cells}), sorted({c.pairs for c in cells})
    figure = new_figure(13.0, 6.2)
    grid = figure.subplots(2, max(len(rates), len(counts) + 1), squeeze=False)
    for axes, one in zip(grid[0], rates, strict=False):
        _draw_rmse(axes, cells, lambda c, one=one: c.pairs == pairs and c.rate == one)  # type: ignore[misc]
        axes.set_title(f"{one:g} mm/yr, {pairs} pairs", fontsize=9, color=INK)
    for axes, count in zip(grid[1], counts, strict=False):
        _draw_rmse(axes, cells, lambda c, count=count: c.pairs == count and c.rate == rate)  # type: ignore[misc]
        axes.set_title(f"{rate:g} mm/yr, {count} pairs", fontsize=9, color=INK)
    _draw_foretold(grid[1, len(counts)], cells)
    for axes in (*grid[0, len(rates) :], *grid[1, len(counts) + 1 :]):
        axes.set_axis_off()
    for axes in grid[:, 0]:
        axes.set_ylabel("RMSE over the slide, mm/yr", fontsize=8)
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(NAMES), frameon=False, fontsize=9)
    return save(figure, path, dpi=dpi)


def _draw_rmse(axes: Axes, cells: Sequence[Cell], wanted: Callable[[Cell], bool]) -> None:
    for name, label in NAMES.items():
        own = sorted((c.coherence, 1000 * c.rmse) for c in cells if c.estimator == name and wanted(c))
        if own:
            axes.plot(*zip(*own, strict=True), color=COLOURS[name], marker="o", markersize=3.5, lw=1.4, label=label)
    axes.set_yscale("log")
    axes.set_xlabel("mean coherence", fontsize=8)
    axes.tick_params(labelsize=8, colors=INK)
    axes.grid(color=FAINT, alpha=0.2, which="both")


def _draw_foretold(axes: Axes, cells: Sequence[Cell]) -> None:
    """Share of the true motion against share of the injected one."""
    for name in NAMES:
        own = [(100 * c.recovered, 100 * c.fraction) for c in cells if c.estimator == name and np.isfinite(c.recovered)]
        if own:
            returned, true = zip(*own, strict=True)
            axes.scatter(returned, true, s=14, color=COLOURS[name], alpha=0.8, linewidths=0)
    axes.plot([0, 120], [0, 120], color=FAINT, lw=0.8)
    axes.set(xlim=(0, 130), ylim=(0, 130))
    axes.set_title("what injection foretells", fontsize=9, color=INK)
    axes.set_xlabel("injected motion returned, %", fontsize=8)
    axes.set_ylabel("true motion returned, %", fontsize=8)
    axes.tick_params(labelsize=8, colors=INK)
    axes.grid(color=FAINT, alpha=0.2)


def _most_common(values: Sequence[float]) -> float:
    found, count = np.unique(values, return_counts=True)
    return float(found[int(np.argmax(count))])


def _signed(value: float) -> str:
    return f"{value:+.1f}"
