"""A detector held against tiles of known slides: one table for every detector, classical or neural."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels.boxes import Detections
from slidecloud.kernels.calibration import Calibration, expected_error
from slidecloud.kernels.matching import Match, match
from slidecloud.kernels.precision import (
    Outcomes,
    at_least,
    average_precision,
    false_alarms,
    ten_confidence_mean,
    working,
)
from slidecloud.kernels.views import GradientView
from slidecloud.models.tile_sets import Selection, TileSet
from slidecloud.types import Float64

THRESHOLD: Final = 0.5
"""Least score at which precision, recall and false alarms are given, if no other is chosen."""

_HEADER = (
    f"{'':<18}{'tiles':>6}{'slides':>7}{'AP50':>7}{'AP30':>7}{'ten':>7}{'prec.':>7}{'recall':>7}{'false/1000 km²':>16}"
)

_MOST_LEVELS: Final = 10

Detect = Callable[[GradientView], Detections]


@dataclass(frozen=True)
class Figures:
    """A detector on some tiles. NaN where there is nothing to tell from.

    Attributes
    ----------
    name
        ``all``, ``level 0.2`` (factor on the velocity of slides), ``kind ...`` or ``geometry ...``.
    tiles, slides
        How many, of slides those that are asked for.
    ap50, ap30
        Average precision (COCO, 101 points) at intersection over union 0.5 and 0.3.
    ten_confidence_mean
        Our reading of the source paper's mAP, at 0.5: `kernels.precision.ten_confidence_mean`.
    precision, recall
        Of detections from the threshold on, at 0.5.
    false_alarms
        Detections from the threshold on per 1,000 km² of valid pixels of tiles without any slide.
    """

    name: str
    tiles: int
    slides: int
    ap50: float
    ap30: float
    ten_confidence_mean: float
    precision: float
    recall: float
    false_alarms: float

    def line(self) -> str:
        """A row of the table."""
        shares = (self.ap50, self.ap30, self.ten_confidence_mean, self.precision, self.recall)
        cells = "".join(f"{_known(share, '.3f'):>7}" for share in shares)
        return f"{self.name:<18}{self.tiles:>6}{self.slides:>7}{cells}{_known(self.false_alarms, '.2f'):>16}"


@dataclass(frozen=True)
class Scores:
    """A detector on a tile set.

    Attributes
    ----------
    threshold
        Least score of precision, recall and false alarms.
    whole
        All tiles together.
    levels, kinds, geometries
        Tiles of each velocity level (tiles without slides count with their own level), or of five ranges of levels
        where there are more than ten; tiles of each kind; and those whose maps
        were in radar or map geometry before they were brought to the grid of the detector.
    calibration_error
        Expected calibration error (15 bins of equal mass) of the probability that a detection overlaps a slide by 0.3.
    outcomes50, outcomes30
        Every judged detection, for curves, calibration and the choice of a threshold.
    """

    threshold: float
    whole: Figures
    levels: tuple[Figures, ...]
    kinds: tuple[Figures, ...]
    geometries: tuple[Figures, ...]
    calibration_error: float
    outcomes50: Outcomes = field(repr=False)
    outcomes30: Outcomes = field(repr=False)

    def lines(self) -> list[str]:
        """A table for people."""
        rows = [figures.line() for figures in (self.whole, *self.levels, *self.kinds, *self.geometries)]
        return [
            _HEADER,
            *rows,
            f"precision, recall, false alarms at scores >= {self.threshold:g}; "
            f"calibration error {_known(self.calibration_error, '.3f')}",
        ]

    def as_json(self) -> dict[str, Any]:
        """All figures as plain JSON values, without the single outcomes; null where there is nothing to tell from."""
        groups = {"levels": self.levels, "kinds": self.kinds, "geometries": self.geometries}
        return {
            "threshold": self.threshold,
            "calibration_error": _plain(self.calibration_error),
            "all": _row(self.whole),
            **{name: [_row(figures) for figures in rows] for name, rows in groups.items()},
        }


class _Judged(NamedTuple):
    """One tile: its detections matched at 0.5 and at 0.3, whether there is any slide, and its valid pixels."""

    at50: Match
    at30: Match
    empty: bool
    pixels: int


def evaluate(
    detect: Detect, tiles: TileSet | Selection, *, threshold: float = THRESHOLD, calibration: Calibration | None = None
) -> Scores:
    """Run a detector over a tile set and judge it.

    Parameters
    ----------
    detect
        From a view to detections with all scores that matter to the curve, not only those above the threshold.
    tiles
        With known slides; those that are not visible make a detection neither right nor wrong.
    threshold
        Least score of precision, recall and false alarms. Choose it on other tiles than these
        (`kernels.precision.threshold_for`).
    calibration
        From scores to probabilities; None where scores are probabilities.

    Raises
    ------
    ValueError
        If there is no tile.
    """
    if not len(tiles):
        raise ValueError("tiles: found none, expected at least one")
    judged = list(_judge(detect, tiles))
    levels = _levels(tiles.level)
    outcomes30 = Outcomes.of(tile.at30 for tile in judged)
    probability = outcomes30.scores if calibration is None else calibration.apply(outcomes30.scores)

    def groups(named: Iterable[tuple[str, Any]]) -> tuple[Figures, ...]:
        chosen = ((name, [judged[k] for k in np.flatnonzero(mask)]) for name, mask in named)
        return tuple(_figures(name, part, threshold) for name, part in chosen)

    return Scores(
        threshold=threshold,
        whole=_figures("all", judged, threshold),
        levels=groups(levels),
        kinds=groups(_each("kind", tiles.kind)),
        geometries=groups(_each("geometry", tiles.geometry)),
        calibration_error=expected_error(probability, outcomes30.right),
        outcomes50=Outcomes.of(tile.at50 for tile in judged),
        outcomes30=outcomes30,
    )


def _each(what: str, values: NDArray[np.str_]) -> list[tuple[str, NDArray[np.bool_]]]:
    return [(f"{what} {value}", values == value) for value in sorted(set(values.tolist()))]


def _levels(level: Float64) -> list[tuple[str, NDArray[np.bool_]]]:
    """Name and tiles of each level from the highest; where every tile has its own, of five parts of equal size."""
    known = np.unique(level)[::-1]
    if len(known) <= _MOST_LEVELS:
        return [(f"level {one:g}", level == one) for one in known]
    edges = np.quantile(level, np.linspace(0, 1, 6))
    place = np.clip(np.searchsorted(edges, level, side="right") - 1, 0, 4)
    return [(f"level {edges[k]:.2g}-{edges[k + 1]:.2g}", place == k) for k in reversed(range(5))]


def _judge(detect: Detect, tiles: TileSet | Selection) -> Iterator[_Judged]:
    for view, boxes, visible in tiles:
        found = detect(view)
        at50, at30 = (match(found.boxes, found.scores, boxes, ignored=~visible, iou=iou) for iou in (0.5, 0.3))
        yield _Judged(at50, at30, not len(boxes), int((np.isfinite(view.x) & np.isfinite(view.y)).sum()))


def _figures(name: str, tiles: list[_Judged], threshold: float) -> Figures:
    outcomes50, outcomes30 = Outcomes.of(tile.at50 for tile in tiles), Outcomes.of(tile.at30 for tile in tiles)
    point = working(outcomes50, threshold)
    empty = [tile for tile in tiles if tile.empty]
    alarms = sum(int(at_least(tile.at50.scores, threshold).sum()) for tile in empty)
    return Figures(
        name=name,
        tiles=len(tiles),
        slides=outcomes50.wanted,
        ap50=average_precision(outcomes50),
        ap30=average_precision(outcomes30),
        ten_confidence_mean=ten_confidence_mean(outcomes50),
        precision=point.precision,
        recall=point.recall,
        false_alarms=false_alarms(alarms, sum(tile.pixels for tile in empty)),
    )


def _known(value: float, how: str) -> str:
    return "-" if math.isnan(value) else format(value, how)


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else value


def _row(figures: Figures) -> dict[str, Any]:
    return {name: _plain(value) if isinstance(value, float) else value for name, value in asdict(figures).items()}
