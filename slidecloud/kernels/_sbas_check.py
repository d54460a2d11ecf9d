"""What the inversion asks of its input, and the order in which it takes pairs."""

from __future__ import annotations

from typing import Any, NamedTuple, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slidecloud.kernels._sbas_stage import Observations
from slidecloud.types import Float64

BINARY_ANGLE = np.float32(np.pi / 32768)


class Network(NamedTuple):
    """Pairs in the order (reference, secondary) over the dates that occur in them."""

    order: NDArray[np.int64]
    reference: NDArray[np.int64]
    secondary: NDArray[np.int64]
    used: NDArray[np.int64]
    time: Float64


def check_arrays(phase: Any, weight: Any) -> None:
    """Types and shapes of the arrays of pairs."""
    if getattr(phase, "dtype", None) not in (np.dtype(np.float32), np.dtype(np.int16)):
        raise TypeError(
            f"phase: found dtype {getattr(phase, 'dtype', type(phase).__name__)}, expected float32 rad or int16 binary "
            "angles; convert with .astype(np.float32)"
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


def observe(phase: Any, weight: Any, offset: ArrayLike | None, weight_table: ArrayLike | None) -> Observations:
    """The arrays of pairs, checked but for their values, as the kernels take them."""
    check_arrays(phase, weight)
    level = np.zeros(phase.shape[0], np.float32) if offset is None else np.array(offset, np.float32)
    if level.shape != phase.shape[:1] or np.isinf(level).any():
        raise ValueError(
            f"offset: found shape {level.shape}, expected {phase.shape[:1]} finite rad, or NaN to leave a pair out"
        )
    if weight_table is not None and weight.dtype != np.uint8:
        raise TypeError(f"weight_table: found weight of dtype {weight.dtype}, expected uint8, which indexes the table")
    table = np.arange(256, dtype=np.float32) if weight_table is None else np.array(weight_table, np.float32)
    if table.shape != (256,) or not np.isfinite(table).all() or (table < 0).any():
        raise ValueError(
            f"weight_table: found shape {table.shape}, expected (256,) finite weights >= 0, the first 0 for no data"
        )
    scale = BINARY_ANGLE if phase.dtype == np.int16 else np.float32(1)
    return Observations(phase, weight, level, scale, table)


def refuse(phase: Any) -> NoReturn:
    """Say which values the kernels refused: infinite phases and weights, negative weights."""
    refuse_values(infinite_phase=bool(np.isinf(phase).any()))


def refuse_values(*, infinite_phase: bool) -> NoReturn:
    """Say that phases are infinite, or else that weights are infinite or negative."""
    if infinite_phase:
        raise ValueError("phase: found infinite values, expected finite rad or NaN; set missing pixels to NaN")
    raise ValueError("weight: found negative or infinite values, expected finite values >= 0; set missing pixels to 0")


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
