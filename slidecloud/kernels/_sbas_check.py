"""What the inversion asks of its input, and the order in which it takes pairs."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slidecloud.types import Float32, Float64


class Network(NamedTuple):
    """Pairs in the order (reference, secondary) over the dates that occur in them."""

    order: NDArray[np.int64]
    reference: NDArray[np.int64]
    secondary: NDArray[np.int64]
    used: NDArray[np.int64]
    time: Float64


def check_arrays(phase: Any, weight: Any) -> None:
    """Types and shapes of the arrays of pairs."""
    if getattr(phase, "dtype", None) != np.float32:
        raise TypeError(
            f"phase: found dtype {getattr(phase, 'dtype', type(phase).__name__)}, expected float32 rad; "
            "convert with .astype(np.float32)"
        )
    if getattr(weight, "dtype", None) not in (np.dtype(np.float32), np.dtype(np.uint8)):
        raise TypeError(
            f"weight: found dtype {getattr(weight, 'dtype', type(weight).__name__)}, expected float32 or uint8; "
            "convert with .astype(np.float32)"
        )
    if phase.ndim != 2 or weight.shape != phase.shape:
        raise ValueError(
            f"phase and weight: found shapes {phase.shape} and {weight.shape}, expected one shape (pair, pixel); "
            "reshape rows and columns to one axis of pixels"
        )


def check_values(phase: Float32, weight: Float32 | NDArray[np.uint8]) -> None:
    """Infinite phases and weights, negative weights."""
    wrong = weight.dtype == np.float32 and bool(((weight < 0) | (weight == np.inf)).any())
    refuse_values(phase=bool(np.isinf(phase).any()), weight=wrong)


def refuse_values(*, phase: bool, weight: bool) -> None:
    """Say what is wrong with the values of either, where something is."""
    if phase:
        raise ValueError("phase: found infinite values, expected finite rad or NaN; set missing pixels to NaN")
    if weight:
        raise ValueError(
            "weight: found negative or infinite values, expected finite values >= 0; set missing pixels to 0"
        )


def sort_network(reference: ArrayLike, secondary: ArrayLike, time: ArrayLike, pairs: int) -> Network:
    """The network of ``pairs`` pairs, checked: indices, their order, and the dates."""
    first, last = np.asarray(reference), np.asarray(secondary)
    years = np.asarray(time, dtype=np.float64)
    for name, index in (("reference", first), ("secondary", last)):
        if not np.issubdtype(index.dtype, np.integer):
            raise TypeError(f"{name}: found dtype {index.dtype}, expected integers that index time")
        if index.shape != (pairs,):
            raise ValueError(f"{name}: found shape {index.shape}, expected ({pairs},), one date index per row of phase")
    if years.ndim != 1 or not np.isfinite(years).all() or not (np.diff(years) > 0).all():
        raise ValueError(
            "time: expected finite years, strictly increasing, shape (date,); sort the dates and drop doubles"
        )
    if pairs == 0:
        raise ValueError("phase: found no pairs, expected at least one; check the network's limits")
    if first.min() < 0 or last.max() >= years.size or not (first < last).all():
        raise ValueError(
            f"reference, secondary: expected 0 <= reference < secondary < {years.size} (the number of dates) in every "
            "pair; swap reversed pairs and change the sign of their phase"
        )
    order = np.lexsort((last, first)).astype(np.int64)
    code = first[order].astype(np.int64) * years.size + last[order]
    if (np.diff(code) == 0).any():
        twice = int(order[np.flatnonzero(np.diff(code) == 0)[0]])
        raise ValueError(
            f"pair ({first[twice]}, {last[twice]}): found more than once, expected once; drop one of the two"
        )
    used = np.unique(np.concatenate([first, last])).astype(np.int64)
    rank = np.searchsorted(used, [first[order], last[order]]).astype(np.int64)
    return Network(order, rank[0], rank[1], used, years[used])
