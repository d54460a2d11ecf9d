"""Tables of landslides by their motion, made of the velocities of the pixels inside each outline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels.stability import CLASSES, Stability, classify, counts
from slidecloud.kernels.visibility import GOOD
from slidecloud.store import tables
from slidecloud.store.stability_specs import LANDSLIDE_CLASSES
from slidecloud.types import Float64

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

BLIND: Final = 0.05
"""Sensitivity below which a track is taken as no better: it would see next to nothing of a slide."""


@dataclass(frozen=True)
class Sample:
    """Pixels of one velocity map inside one outline, those with a velocity.

    Attributes
    ----------
    landslide
        Its row in the inventory.
    track, burst
        Where they were seen.
    velocity, sigma
        (n,), m/yr, before anything was removed.
    longitude, latitude
        (n,), degrees.
    removed
        Median of the burst outside all landslides, m/yr; 0 where nothing is to be removed.
    sensitivity, kind
        (n,), of the visibility of the burst; None where it has none.
    source
        What the velocity was made from, as `slidecloud.store.velocity_maps.VelocityMap.source` says.
    """

    landslide: int
    track: str
    burst: str
    velocity: NDArray[np.float32]
    sigma: NDArray[np.float32]
    longitude: Float64
    latitude: Float64
    removed: float = 0.0
    sensitivity: NDArray[np.float32] | None = None
    kind: NDArray[np.uint8] | None = None
    source: str = "unwrapped"


def stability_table(
    inventory: GeoDataFrame,
    samples: Sequence[Sample],
    *,
    spacing: float,
    least_points: int,
    absolute: bool,
    uplift: float,
) -> GeoDataFrame:
    """One row a landslide and track that sees it, in the order of the inventory; one of them decides the class.

    The mean over the pixels is taken, and as its standard error the mean of theirs: atmosphere and reference are common
    to the pixels of one slope, so more pixels make it no better. The track that decides has the smallest standard error
    of motion down the slope, which is that along the line of sight over the sensitivity, among those with enough pixels
    where any has. A landslide that no track sees has one row of class unknown.

    Parameters
    ----------
    inventory
        The landslides.
    samples
        Pixels inside them.
    spacing
        Metres within which pixels of two bursts of one track are one place; those with the smaller sigma count.
    least_points, absolute, uplift
        As in `slidecloud.kernels.stability.classify`.
    """
    members: dict[int, list[Sample]] = {}
    for sample in samples:
        members.setdefault(sample.landslide, []).append(sample)
    rows = [row for number in range(len(inventory)) for row in _rows_of(number, members.get(number, []), spacing)]
    velocity, sigma = (np.array([row[name] for row in rows], np.float32) for name in ("velocity", "velocity_sigma"))
    points = np.array([row["points"] for row in rows], np.int64)
    found = classify(
        velocity, sigma, points=points, least_points=least_points, absolute=absolute, uplift=uplift
    )  # fmt: skip
    number = np.array([row.pop("number") for row in rows], np.intp)
    columns: dict[str, Any] = {name: [row[name] for row in rows] for name in (rows[0] if rows else ())}
    columns = columns or {spec.name: [] for spec in LANDSLIDE_CLASSES if spec.name not in _ADDED}
    columns["id"] = inventory["id"].to_numpy()[number]
    columns["deciding"] = _deciding(number, found, columns)
    columns["class"] = [CLASSES[int(code)] for code in found.kind]
    columns["confidence"] = found.confidence
    return tables.table(LANDSLIDE_CLASSES, columns, list(inventory.geometry.to_numpy()[number]))


_ADDED: Final = ("id", "deciding", "class", "confidence")


def class_counts(stability: GeoDataFrame) -> dict[str, int]:
    """Landslides of each class by the tracks that decide, the fastest first."""
    codes = {name: code for code, name in CLASSES.items()}
    return counts([codes[name] for name in stability.loc[stability["deciding"], "class"]])


def _rows_of(number: int, samples: Sequence[Sample], spacing: float) -> list[dict[str, Any]]:
    tracks = sorted({sample.track for sample in samples})
    rows = [_row([sample for sample in samples if sample.track == track], spacing) for track in tracks]
    return [{"number": number, **row} for row in rows or [_nothing()]]


def _row(samples: Sequence[Sample], spacing: float) -> dict[str, Any]:
    """Means over the pixels of one track; the burst with the smallest sigma comes first where bursts overlap."""
    ordered = sorted(samples, key=lambda one: (float(one.sigma.mean(dtype=np.float64)), one.burst))
    kept = _each_place_once(ordered, spacing)
    velocity = np.concatenate([one.velocity[keep] - one.removed for one, keep in zip(ordered, kept, strict=True)])
    sigma = np.concatenate([one.sigma[keep] for one, keep in zip(ordered, kept, strict=True)])
    count = np.array([keep.sum() for keep in kept])
    seen = all(one.sensitivity is not None and one.kind is not None for one in ordered)
    pairs = list(zip(ordered, kept, strict=True))
    sensitivity = [one.sensitivity[keep] for one, keep in pairs if one.sensitivity is not None]
    kind = [one.kind[keep] for one, keep in pairs if one.kind is not None]
    return {
        "track": ordered[0].track,
        "bursts": ",".join(sorted({one.burst for one, number in zip(ordered, count, strict=True) if number})),
        "source": ",".join(sorted({one.source for one, number in zip(ordered, count, strict=True) if number})),
        "velocity": velocity.mean(dtype=np.float64),
        "velocity_sigma": sigma.mean(dtype=np.float64),
        "spread": velocity.std(dtype=np.float64),
        "points": int(count.sum()),
        "removed": float(np.average([one.removed for one in ordered], weights=count)),
        "sensitivity": _mean(np.concatenate(sensitivity)) if seen else np.nan,
        "well_seen": float((np.concatenate(kind) == GOOD).mean()) if seen else np.nan,
    }


def _nothing() -> dict[str, Any]:
    empty = dict.fromkeys(("velocity", "velocity_sigma", "spread", "removed", "sensitivity", "well_seen"), np.nan)
    return {"track": "", "bursts": "", "source": "", "points": 0, **empty}


def _mean(values: NDArray[np.float32]) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean(dtype=np.float64)) if known.size else np.nan


def _each_place_once(samples: Sequence[Sample], spacing: float) -> list[NDArray[np.bool_]]:
    """Which pixels of each sample lie where none of an earlier one does."""
    kept = [np.ones(len(samples[0].velocity), np.bool_)]
    step = np.degrees(spacing / 6_371_008.8)
    taken = _cells(samples[0], step)
    for sample in samples[1:]:
        cells = _cells(sample, step)
        kept.append(~np.isin(cells, taken))
        taken = np.concatenate([taken, cells])
    return kept


def _cells(sample: Sample, step: float) -> NDArray[np.int64]:
    """A number for the cell of a lattice of ``step`` degrees of latitude that each pixel lies in."""
    row = np.floor(sample.latitude / step).astype(np.int64)
    # Columns as wide as rows are high, by the latitude of the row, which all bursts share.
    column = np.floor(sample.longitude * np.cos(np.radians(row * step)) / step).astype(np.int64)
    cells: NDArray[np.int64] = row * 2**32 + column
    return cells


def _deciding(number: NDArray[np.intp], found: Stability, columns: Mapping[str, Any]) -> NDArray[np.bool_]:
    """The one row of each landslide that gives its class."""
    sensitivity = np.abs(np.asarray(columns["sensitivity"], np.float64))
    known = np.isfinite(sensitivity)
    # A landslide that only some of its tracks can be told the sensitivity for is judged without.
    whole = np.array([bool(known[number == one].all()) for one in number], np.bool_)
    share = np.where(whole, np.maximum(np.nan_to_num(sensitivity), BLIND), 1.0)
    error = np.asarray(columns["velocity_sigma"], np.float64) / share
    order = np.lexsort((np.where(np.isnan(error), np.inf, error), found.kind == 0, number))
    first = np.zeros(len(number), np.bool_)
    first[order[np.flatnonzero(np.diff(number[order], prepend=-1))]] = True
    return first
