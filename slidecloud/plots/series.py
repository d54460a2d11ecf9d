"""The displacement series of one pixel, with its standard errors and, where it is known, the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from slidecloud.plots.figures import FAINT, INK
from slidecloud.types import Float64

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

MEASURED = "#b2182b"


def draw(axes: Axes, series: xr.Dataset, *, title: str, true: Float64 | None = None) -> None:
    """Draw displacement (mm) against time.

    Parameters
    ----------
    axes
        Where.
    series
        One pixel of the group ``timeseries``: displacement and displacement_sigma (time,), velocity, velocity_sigma.
    title
        Title of the panel.
    true
        True displacement (time,) in metres, relative to the same reference.
    """
    time = series["time"].values
    millimetres = 1000 * np.asarray(series["displacement"].values, np.float64)
    sigma = 1000 * np.asarray(series["displacement_sigma"].values, np.float64)
    axes.axhline(0, color=FAINT, lw=0.6)
    if true is not None:
        # The first date is as noisy as every other; levelling by the mean keeps its noise out of the comparison.
        shift = np.nanmean(millimetres - 1000 * true)
        axes.plot(time, 1000 * true + shift, color=INK, lw=1.6, label="truth", zorder=2)
    axes.errorbar(
        time,
        millimetres,
        yerr=sigma,
        fmt="o",
        ms=3.2,
        lw=0.8,
        capsize=1.5,
        color=MEASURED,
        label="measured, ± 1 sigma",
        zorder=3,
    )
    rate = f"{_mm(series['velocity'])} ± {_mm(series['velocity_sigma'])} mm/yr"
    axes.set_title(f"{title}: {rate}", fontsize=10, loc="left", color=INK)
    axes.set_ylabel("displacement (mm),\npositive towards the satellite", fontsize=8, color=INK)
    axes.tick_params(labelsize=8, color=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=8, frameon=False)


def most_telling(timeseries: xr.Dataset) -> tuple[int, int]:
    """Row and column of the pixel whose velocity stands out most, in standard errors, among coherent ones.

    Raises
    ------
    ValueError
        If no pixel has a velocity.
    """
    velocity, sigma = timeseries["velocity"].values, timeseries["velocity_sigma"].values
    coherence = timeseries["temporal_coherence"].values
    known = np.isfinite(velocity) & np.isfinite(sigma) & (sigma > 0)
    if not known.any():
        raise ValueError("No pixel has a velocity; look at the quarantine of the run with 'slidecloud status'.")
    good = known & (coherence >= np.nanmedian(coherence[known]) if np.isfinite(coherence[known]).any() else known)
    use = good if good.any() else known
    ratio = np.where(use, np.abs(velocity) / np.where(use, sigma, 1), -1)
    row, column = np.unravel_index(int(np.argmax(ratio)), ratio.shape)
    return int(row), int(column)


def _mm(value: Any) -> str:
    return f"{1000 * float(value):.1f}"
