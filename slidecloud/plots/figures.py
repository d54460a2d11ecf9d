"""Figures without pyplot: nothing global is touched, so they can be made in any thread."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#222222"
FAINT = "#8a8a8a"


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of so many inches, drawn by Agg.

    Raises
    ------
    ImportError
        If matplotlib is not installed; names the extra that brings it.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        raise ImportError(
            "Pictures need matplotlib, which is not installed; install it with: pip install 'slidecloud[viz]'"
        ) from None
    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def share_axes(axes: Axes, across: str, up: str) -> None:
    """Dress axes of two shares, each from 0 to 1."""
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
    axes.set_xlabel(across, fontsize=9, color=INK)
    axes.set_ylabel(up, fontsize=9, color=INK)
    axes.tick_params(labelsize=8)
    axes.grid(color=FAINT, alpha=0.25, lw=0.6)
    axes.spines[["top", "right"]].set_visible(False)


def save(figure: Figure, path: str | os.PathLike[str], *, dpi: int = 130) -> Path:
    """Write a figure whole or not at all; the ending of the name chooses the format."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.stem}.{uuid.uuid4().hex}{target.suffix or '.png'}")
    try:
        figure.savefig(partial, dpi=dpi)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return target
