"""Detections of a burst: boxes of its views with their outlines and properties, and one of those that show the same."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels.boxes import area, iou, rank
from slidecloud.kernels.outlines import outline
from slidecloud.kernels.regrid import DetectorGrid
from slidecloud.kernels.views import SPACING, GradientView
from slidecloud.pipeline.finders import Found
from slidecloud.pipeline.geocoding import Geocoder
from slidecloud.types import Float32, Float64

SAME: Final = 0.3
"""Intersection over union above which boxes of a burst are one detection."""
INSIDE: Final = 0.5
"""Or share of the smaller box that lies in the other: a part of a slide that moves more, or in one season."""
LEAST_PHASE: Final = 1.2
LEAST_SHARE: Final = 0.1
"""Fu et al. (2022) keep a box where this share of its pixels has at least this summed phase gradient, rad."""
_DECIMALS: Final = 7
_SMOOTH: Final = 0.75
"""Pixels by which an outline may leave the edges of its pixels: takes the stairs away."""


@dataclass(frozen=True)
class Seen:
    """One view of a burst with what else is known of its pixels.

    Attributes
    ----------
    name
        ``all``, or the month in which the season starts.
    view
        Gradient maps on the detectors' grid.
    pairs, effective
        Number of pairs and effective number, (y, x) on the same grid.
    slope
        Degrees, on the same grid; None where it is not asked for.
    """

    name: str
    view: GradientView
    pairs: NDArray[np.int32]
    effective: Float32
    slope: Float32 | None = None


@dataclass(frozen=True)
class Candidate:
    """A box of one view: where it was seen, its outline in longitude and latitude, and its properties by column."""

    name: str
    box: Float32
    score: float
    geometry: Any
    columns: dict[str, Any]


@dataclass(frozen=True)
class Frame:
    """How boxes and outlines of a burst become geometries.

    Attributes
    ----------
    grid
        The detectors' grid.
    geocoder
        Of the burst.
    shift
        Source pixels (y, x) by which gradients lie behind the centre of their pixel: half a pixel in even windows.
    pixel_area
        Of a detector pixel, m2.
    """

    grid: DetectorGrid
    geocoder: Geocoder
    shift: tuple[float, float]
    pixel_area: float

    def place(self, corners: Float64) -> Float64:
        """Longitude and latitude (n, 2) of points (column, row) on the detectors' grid, to a centimetre.

        The digits beyond are rounding, which need not be the same on other machines, and ids are made from these.
        """
        row, column = corners[:, 1], corners[:, 0]
        (a, b), (c, d) = self.grid.matrix
        source_row = a * row + b * column + self.grid.origin[0] + self.shift[0]
        source_column = c * row + d * column + self.grid.origin[1] + self.shift[1]
        placed: Float64 = np.stack(self.geocoder(source_row, source_column), axis=1).round(_DECIMALS)
        return placed


def candidates(
    seen: Seen, found: Found, frame: Frame, *, wavelength: float, outlines: bool, post_filter: bool, min_slope: float
) -> list[Candidate]:
    """Boxes of a view that pass the filters asked for, with outline and properties."""
    kept = []
    for box, score, probability in zip(*found, strict=True):
        window = _window(box, seen.view.x.shape)
        if post_filter and not _strong(seen.view, window, wavelength):
            continue
        mask, speed = _mask(seen.view, box, window, outlines=outlines)
        if seen.slope is not None and not _steep(seen.slope[window][mask], min_slope):
            continue
        geometry = _geometry(mask, box, window, frame, outlines=outlines)
        columns = {
            **_box_columns(box, frame),
            **_properties(seen, window, mask),
            "probability": probability,
            "peak_velocity": speed,
            "area": float(mask.sum()) * frame.pixel_area if outlines else _area(box) * frame.pixel_area,
        }
        kept.append(Candidate(seen.name, box, float(score), geometry, columns))
    return kept


def unite(found: Sequence[Candidate], order: Sequence[str]) -> list[tuple[Candidate, str, str]]:
    """One detection of those that show the same: the best, who saw it, and who saw the largest gradient.

    Boxes show the same where they overlap by `SAME` or share `INSIDE` of the smaller one. Each goes to the better box
    that it overlaps most.

    Parameters
    ----------
    found
        Of all views.
    order
        Names of the views.
    """
    if not found:
        return []
    boxes = np.stack([one.box for one in found]).astype(np.float64)
    overlap, size = iou(boxes, boxes), area(boxes)
    shared = overlap / (1 + overlap) * (size[:, None] + size)
    same = (overlap > SAME) | (shared >= INSIDE * np.minimum(size[:, None], size))
    members_of: dict[int, list[Candidate]] = {}
    for i in rank(boxes, [one.score for one in found]).tolist():
        kept = [k for k in members_of if same[i, k]]
        members_of.setdefault(max(kept, key=lambda k: float(overlap[i, k])) if kept else i, []).append(found[i])
    united = []
    for index, members in members_of.items():
        seen = sorted({one.name for one in members}, key=order.index)
        strongest = max(members, key=lambda one: (one.columns["peak_gradient"], -order.index(one.name)))
        united.append((found[index], ",".join(seen), strongest.name))
    return united


def _window(box: Float32, shape: tuple[int, ...]) -> tuple[slice, slice]:
    top, left = max(math.floor(box[0]), 0), max(math.floor(box[1]), 0)
    bottom, right = min(math.ceil(box[2]), shape[0]), min(math.ceil(box[3]), shape[1])
    return slice(top, bottom), slice(left, right)


def _strong(view: GradientView, window: tuple[slice, slice], wavelength: float) -> bool:
    """Whether enough of the box has a large phase gradient, summed over pairs and per step of the detectors' grid."""
    phase = 4.0 * math.pi / wavelength * SPACING * view.span
    with np.errstate(invalid="ignore"):
        large = np.maximum(np.abs(view.x[window]), np.abs(view.y[window])) * phase >= LEAST_PHASE
    return bool(large.mean() >= LEAST_SHARE)


def _mask(
    view: GradientView, box: Float32, window: tuple[slice, slice], *, outlines: bool
) -> tuple[NDArray[np.bool_], float]:
    """The moving area over the pixels of the box, and its velocity; all of the box where there is no outline."""
    whole = np.ones(tuple(part.stop - part.start for part in window), np.bool_)
    if not outlines:
        return whole, math.nan
    traced = outline(view, box)
    return (traced.mask if traced.mask.any() else whole), traced.peak


def _steep(slope: Float32, least: float) -> bool:
    known = slope[np.isfinite(slope)]
    return not known.size or float(np.median(known)) >= least


def _properties(seen: Seen, window: tuple[slice, slice], mask: NDArray[np.bool_]) -> dict[str, Any]:
    view = seen.view
    x, y, x_sigma, y_sigma = (m[window][mask] for m in (view.x, view.y, view.x_sigma, view.y_sigma))
    size, sigma = np.hypot(x, y), np.sqrt((x_sigma**2 + y_sigma**2) / 2)
    pairs, effective = seen.pairs[window][mask], seen.effective[window][mask]
    return {
        "peak_gradient": _over(np.max, size),
        "mean_gradient": _over(np.mean, size),
        "gradient_sigma": _over(np.mean, sigma),
        "pair_count": int(np.median(pairs[pairs > 0])) if (pairs > 0).any() else 0,
        "effective_pairs": _over(np.median, effective),
    }


def _over(figure: Any, values: Float32) -> float:
    known = values[np.isfinite(values)]
    return float(figure(known, dtype=np.float64) if figure is np.mean else figure(known)) if known.size else math.nan


def _area(box: Float32) -> float:
    return float(box[2] - box[0]) * float(box[3] - box[1])


def _box_columns(box: Float32, frame: Frame) -> dict[str, Any]:
    top, left, bottom, right = (float(edge) for edge in box)
    corners = frame.place(np.array([(left, top), (right, top), (right, bottom), (left, bottom)]))
    (west, south), (east, north) = corners.min(axis=0), corners.max(axis=0)
    edges = {"top": top, "left": left, "bottom": bottom, "right": right}
    return edges | {"west": west, "south": south, "east": east, "north": north}


def _geometry(
    mask: NDArray[np.bool_], box: Float32, window: tuple[slice, slice], frame: Frame, *, outlines: bool
) -> Any:
    """The outline in longitude and latitude, or the box."""
    import shapely
    from rasterio.features import shapes
    from rasterio.transform import Affine

    top, left, bottom, right = (float(edge) for edge in box)
    flat = shapely.box(left, top, right, bottom)
    if outlines and not mask.all():
        corner = Affine.translation(window[1].start, window[0].start)
        parts = [shapely.geometry.shape(part) for part, _ in shapes(mask.astype(np.uint8), mask=mask, transform=corner)]
        flat = shapely.make_valid(shapely.simplify(shapely.union_all(parts), _SMOOTH))
    return shapely.orient_polygons(shapely.transform(flat, frame.place))
