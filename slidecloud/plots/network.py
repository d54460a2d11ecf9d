"""The network of a stack: acquisitions in time and perpendicular baseline, pairs as lines between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from slidecloud.plots.figures import FAINT, INK, new_figure
from slidecloud.types import Float64

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from slidecloud.network import Network

_ALONE = "#d7301f"
_APART = ("#d7301f", "#737373", "#e7298a", "#a6761d", "#1f78b4")


def network_figure(
    network: Network,
    *,
    coherence: Float64 | None = None,
    apart: Mapping[str, NDArray[np.bool_]] | None = None,
    title: str = "",
) -> Figure:
    """Draw a network.

    Parameters
    ----------
    network
        Dates and pairs; heights come from the pairs' perpendicular baselines, where they are known.
    coherence
        Mean coherence of each pair 0..1, (pair,), NaN = unknown; gives the colour of the lines.
    apart
        Pairs (pair,) to draw apart, such as those left out, by what the legend is to call them.
    title
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure
        Subsets, which share no pair, have their own colours; dates without a pair are crosses.
    """
    known = bool(np.isfinite(network.perpendicular_baseline).any())
    # Without baselines a straight line would hide every pair behind the next: the golden ratio spreads the dates.
    height = date_baselines(network) if known else np.mod(np.arange(network.dates.size, dtype=np.float64) * 0.618034, 1)
    figure = new_figure(11, 5.4 if known else 3.6)
    axes = figure.subplots()
    segments, others = _segments(network, height), dict(apart or {})
    plain = ~np.logical_or.reduce([*others.values(), np.zeros(len(segments), np.bool_)])
    _lines(axes, network, segments, coherence, plain)
    _apart(axes, segments, others)
    _dates(axes, network, height)
    axes.set_title(title, loc="left", fontsize=11, color=INK)
    axes.set_xlabel("acquisition", fontsize=9, color=INK)
    axes.set_ylabel("perpendicular baseline (m)" if known else "baselines unknown", fontsize=9, color=INK)
    if not known:
        axes.set_yticks([])
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=8, frameon=False, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=4, borderaxespad=0.2)
    return figure


def date_baselines(network: Network) -> Float64:
    """Baseline of each date from those of the pairs by least squares, (date,) m; the mean of each subset is zero.

    A pair's baseline is the secondary's minus the reference's. Isolated dates are at zero.
    """
    known = np.isfinite(network.perpendicular_baseline)
    rows = np.arange(int(known.sum()))
    design = np.zeros((rows.size, network.dates.size))
    design[rows, network.secondary[known]], design[rows, network.reference[known]] = 1.0, -1.0
    solved = np.linalg.lstsq(design, network.perpendicular_baseline[known], rcond=None)[0]
    height: Float64 = solved.astype(np.float64)
    for number in range(network.subset_count):
        height[network.subset == number] -= height[network.subset == number].mean()
    return height


def _segments(network: Network, height: Float64) -> list[Any]:
    """Both ends of every pair."""
    from matplotlib.dates import date2num

    day = date2num(network.dates)  # type: ignore[no-untyped-call]
    ends = zip(network.reference, network.secondary, strict=True)
    return [[(day[i], height[i]), (day[j], height[j])] for i, j in ends]


def _lines(
    axes: Axes, network: Network, segments: list[Any], coherence: Float64 | None, plain: NDArray[np.bool_]
) -> None:
    from matplotlib import colormaps
    from matplotlib.collections import LineCollection

    if coherence is None:
        own = [segments[k] for k in np.flatnonzero(plain)]
        colours = [colormaps["tab10"](int(network.subset[i]) % 10) for i in network.reference[plain]]
        axes.add_collection(LineCollection(own, colors=colours, linewidths=0.8, alpha=0.45, zorder=1))
        return
    # The weakest pairs lie below the others.
    order = np.argsort(np.nan_to_num(coherence, nan=-1))
    order = order[plain[order]]
    lines = LineCollection([segments[k] for k in order], cmap="viridis", linewidths=0.9, zorder=1)
    lines.set_array(coherence[order])
    lines.set_clim(0, max(0.5, float(np.nan_to_num(coherence).max(initial=0))))
    axes.add_collection(lines)
    bar = axes.figure.colorbar(lines, ax=axes, pad=0.01, shrink=0.6, anchor=(0.0, 0.0))
    bar.set_label("mean coherence of the pair", fontsize=8)
    bar.ax.tick_params(labelsize=7)


def _apart(axes: Axes, segments: list[Any], groups: Mapping[str, NDArray[np.bool_]]) -> None:
    """Pairs that are drawn apart, each group dashed in a colour of its own."""
    from matplotlib.collections import LineCollection

    for number, (name, chosen) in enumerate(groups.items()):
        own = [segments[k] for k in np.flatnonzero(chosen)]
        colour = _APART[number % len(_APART)]
        lines = LineCollection(
            own, colors=colour, linestyles="--", linewidths=1.1, zorder=2, label=f"{name}: {len(own)}"
        )
        axes.add_collection(lines)


def _dates(axes: Axes, network: Network, height: Float64) -> None:
    from matplotlib import colormaps

    for number in range(network.subset_count):
        use = network.subset == number
        name = f"subset {number + 1}, {use.sum()} dates" if network.subset_count > 1 else f"{use.sum()} dates"
        colour = colormaps["tab10"](number % 10)
        axes.plot(network.dates[use], height[use], "o", ms=5, color=colour, mec="white", mew=0.6, label=name, zorder=3)
    alone = network.isolated
    if alone.size:
        name = f"{alone.size} isolated, in no pair"
        axes.plot(
            network.dates[alone], height[alone], "X", ms=8, color=_ALONE, mec="white", mew=0.6, label=name, zorder=4
        )
    axes.margins(x=0.02, y=0.08)
    axes.grid(color=FAINT, alpha=0.2, lw=0.5)
