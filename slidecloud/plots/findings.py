"""Landslides found, held against those that are known to be there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels.matching import match
from slidecloud.kernels.regrid import DetectorGrid, grid_of, nearest, to_detector
from slidecloud.kernels.views import GradientView
from slidecloud.models.scenery.truth import VISIBLE_SIGMAS, boxes_of, visible
from slidecloud.plots.accuracy import Truth, true_gradients
from slidecloud.types import Float32, StackHeader

if TYPE_CHECKING:
    import xarray as xr
    from geopandas import GeoDataFrame

FOUND_AT: Final = 0.3
"""A find overlaps the box of its slide at least so much (intersection over union)."""


@dataclass(frozen=True)
class Findings:
    """Detections of a burst against its truth.

    Attributes
    ----------
    found, visible, slides
        Visible slides that were found; slides whose motion stands out of the noise (3 sigma on a tenth of their pixels
        with data); all slides.
    false_alarms
        Detections that are none of them, nor slides that are not visible.
    area
        Ground with data, km2.
    """

    found: int
    visible: int
    slides: int
    false_alarms: int
    area: float

    def lines(self) -> list[str]:
        """The figures as lines for people."""
        return [
            f"landslides found             {self.found} of {self.visible} visible ones ({self.slides} are there)",
            f"false alarms                 {self.false_alarms} in {self.area:.0f} km2 with data",
        ]


def findings(
    detections: GeoDataFrame, gradients: xr.Dataset, truth: Truth, *, header: StackHeader, window: tuple[int, int]
) -> Findings:
    """Hold the detections of a burst against its truth.

    The noise is what the gradients of still ground scatter by beyond the truth, in units of their sigmas: atmosphere
    and all.

    Parameters
    ----------
    detections
        Of the burst, with boxes on the detectors' grid.
    gradients
        The burst's group of a run store.
    truth
        On the same grid.
    header, window
        Of the burst, and rows and columns of its gradient window.
    """
    grid = grid_of(header)
    seen = _seen(grid, gradients)
    labels = nearest(grid, truth.slides, outside=0)
    clear = _visible(seen, _moved(grid, truth, header, window, seen), labels)
    boxes = boxes_of(grid, truth.velocity, truth.slides, window=window)
    hidden = np.array([not clear[number - 1] for number in boxes], np.bool_)
    ours = detections[["top", "left", "bottom", "right"]].to_numpy(np.float64)
    scores = detections["score"].to_numpy(np.float64)
    known = np.array([*boxes.values()], np.float64).reshape(-1, 4)
    result = match(ours, scores, known, ignored=hidden, iou=FOUND_AT)
    pixels = np.isfinite(gradients["velocity_gradient_x"].values).sum()
    return Findings(
        found=int(result.right.sum()),
        visible=int(clear.sum()),
        slides=len(np.unique(truth.slides[truth.slides > 0])),
        false_alarms=int(result.wrong.sum()),
        area=float(pixels) * header.spacing[0] * header.spacing[1] * 1e-6,
    )


def _seen(grid: DetectorGrid, gradients: xr.Dataset) -> GradientView:
    maps = {f"{axis}{end}": gradients[f"velocity_gradient_{axis}{end}"] for axis in "xy" for end in ("", "_sigma")}
    return to_detector(grid, **maps, coherence=gradients["mean_coherence"].values, span=1.0)


def _moved(
    grid: DetectorGrid, truth: Truth, header: StackHeader, window: tuple[int, int], seen: GradientView
) -> tuple[Float32, Float32]:
    """True gradients along range and azimuth, where there is data."""
    true = true_gradients(truth, header, window)
    nothing = np.zeros(header.shape, np.float32)
    view = to_detector(grid, true["x"], true["y"], nothing, nothing, nothing, span=1.0)
    gone = np.isnan(seen.x) | np.isnan(seen.y)
    return np.where(gone, np.nan, view.x), np.where(gone, np.nan, view.y)


def _visible(seen: GradientView, moved: tuple[Float32, Float32], labels: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether the motion of each slide stands out of the noise."""
    strong = np.zeros(labels.shape, np.bool_)
    for measured, sigma, true in ((seen.x, seen.x_sigma, moved[0]), (seen.y, seen.y_sigma, moved[1])):
        excess = ((measured - true) / sigma)[(labels == 0) & np.isfinite(true) & (sigma > 0)]
        noise = sigma * 1.4826 * np.median(np.abs(excess)) if excess.size else sigma
        with np.errstate(invalid="ignore"):
            strong |= np.abs(true) > VISIBLE_SIGMAS * noise
    return visible(labels, strong, np.isfinite(moved[0]), count=int(labels.max(initial=0)))
