"""Results held against a known truth: how far off, how alike, what is seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.types import Float32, Float64

if TYPE_CHECKING:
    import xarray as xr

    from slidecloud.types import StackHeader

VISIBLE_AT: Final = 3.0
"""A slide is visible where its median motion exceeds so many robust standard deviations of the still ground."""


@dataclass(frozen=True)
class Truth:
    """What really moved in a burst.

    Attributes
    ----------
    time
        Dates, datetime64 (time,).
    displacement
        Line of sight, positive towards the satellite, m since the first date, float32 (time, y, x).
    velocity
        The straight line fitted to it, m/year, float32 (y, x).
    slides
        Number of the slide a pixel belongs to, 0 = still ground, int (y, x).
    """

    time: NDArray[np.datetime64]
    displacement: Float32
    velocity: Float32
    slides: NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Accuracy:
    """A burst's results against its truth.

    Attributes
    ----------
    velocity_rmse
        Root mean square of velocity minus true velocity, m/year, both relative to the same still ground.
    velocity_within_sigma
        Share of pixels whose error is below one ``velocity_sigma`` (68 % where sigma is right).
    gradient_correlation
        Pearson R of the measured velocity gradients, x and y together, with those of the truth smoothed by the same
        window, over slides and their surroundings.
    visible, slides
        Slides whose median velocity stands out from still ground, and slides there are.
    """

    velocity_rmse: float
    velocity_within_sigma: float
    gradient_correlation: float
    visible: int
    slides: int

    def lines(self) -> list[str]:
        """The figures as lines for people."""
        return [
            f"velocity RMSE against truth  {1000 * self.velocity_rmse:.1f} mm/yr",
            f"pixels within one sigma      {100 * self.velocity_within_sigma:.0f} % (68 % expected)",
            f"gradient R with truth        {self.gradient_correlation:.2f}",
            f"slides seen in velocity      {self.visible} of {self.slides}",
        ]


def accuracy(
    gradients: xr.Dataset, timeseries: xr.Dataset, truth: Truth, *, header: StackHeader, window: tuple[int, int]
) -> Accuracy:
    """Hold a burst against its truth.

    Parameters
    ----------
    gradients, timeseries
        The burst's groups of a run store.
    truth
        On the same grid.
    header
        Of the burst: metres per pixel and direction of the axes.
    window
        Rows and columns of the gradient window, to smooth the truth alike.
    """
    velocity = timeseries["velocity"].values
    level = reference_level(timeseries, truth)
    error = velocity - (truth.velocity - level)
    seen = np.isfinite(error)
    moving = truth.slides > 0
    sigma = timeseries["velocity_sigma"].values
    known = seen & np.isfinite(sigma)
    return Accuracy(
        velocity_rmse=float(np.sqrt(np.mean(error[seen] ** 2))),
        velocity_within_sigma=float(np.mean(np.abs(error[known]) <= sigma[known])),
        gradient_correlation=_gradient_correlation(gradients, truth, header, window),
        visible=_visible(velocity, truth.slides, seen & ~moving),
        slides=len(np.unique(truth.slides[moving])),
    )


def reference_level(timeseries: xr.Dataset, truth: Truth) -> float:
    """True velocity (m/year) of the stable area that the results are relative to."""
    stable = timeseries["stable"].values == 1
    return float(np.median(truth.velocity[stable])) if stable.any() else 0.0


def true_series(truth: Truth, timeseries: xr.Dataset, row: int, column: int) -> Float64:
    """True displacement (time,) m of a pixel, relative to the stable area and the first date as results are."""
    stable = timeseries["stable"].values == 1
    series = truth.displacement[:, row, column].astype(np.float64)
    if stable.any():
        series = series - np.median(truth.displacement[:, stable], axis=1)
    since_first: Float64 = series - series[0]
    return since_first


def least_steady(truth: Truth, timeseries: xr.Dataset) -> tuple[int, int]:
    """Row and column of the pixel with a series whose true motion leaves a straight line furthest."""
    years = (truth.time - truth.time[0]) / np.timedelta64(1, "D") / 365.25
    line = truth.velocity * (years - years.mean())[:, None, None]
    bend = (truth.displacement - truth.displacement.mean(0) - line).std(0)
    bend = np.where(np.isfinite(timeseries["velocity"].values), bend, -1)
    row, column = np.unravel_index(int(np.argmax(bend)), bend.shape)
    return int(row), int(column)


def true_gradients(truth: Truth, header: StackHeader, window: tuple[int, int]) -> dict[str, Float64]:
    """Gradient of the true velocity smoothed by the window, m/year per m, along x (east on maps) and y (north)."""
    from scipy.ndimage import uniform_filter

    # Even windows are centred half a pixel after the pixel, as in gradient stacking.
    origin = tuple(-1 if size % 2 == 0 else 0 for size in window)
    smooth = uniform_filter(truth.velocity.astype(np.float64), window, mode="nearest", origin=origin)
    along_y, along_x = np.gradient(smooth)
    spacing_y, spacing_x = header.spacing
    # Rows of a map run north to south, and a gradient along y counts northward.
    return {"x": along_x / spacing_x, "y": along_y / (spacing_y if header.grid is None else -spacing_y)}


def _gradient_correlation(gradients: xr.Dataset, truth: Truth, header: StackHeader, window: tuple[int, int]) -> float:
    from scipy.ndimage import binary_dilation

    near = binary_dilation(truth.slides > 0, iterations=max(window))
    expected, found = [], []
    for axis, known in true_gradients(truth, header, window).items():
        measured = gradients[f"velocity_gradient_{axis}"].values
        use = near & np.isfinite(measured)
        expected.append(known[use])
        found.append(measured[use])
    return float(np.corrcoef(np.concatenate(expected), np.concatenate(found))[0, 1])


def _visible(velocity: Any, slides: NDArray[np.integer[Any]], still: NDArray[np.bool_]) -> int:
    middle = np.median(velocity[still])
    spread = 1.4826 * np.median(np.abs(velocity[still] - middle))
    labels = np.unique(slides[slides > 0])
    medians = [np.nanmedian(velocity[slides == k]) if np.isfinite(velocity[slides == k]).any() else 0 for k in labels]
    return int(sum(abs(median - middle) > VISIBLE_AT * spread for median in medians))
