"""Checks at the public edge of the gradient kernels, and the order in which pairs and dates are taken."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slidecloud.kernels._gradients_layout import COHERENT, DIFFERENCES, OVERLAP

Estimator = Literal["coherent", "overlap", "rate", "sum", "rewrapped"]
Axes = tuple[int, int]
Interior = tuple[slice, slice]
LARGEST_WINDOW = 256
"""Pixels along an axis for which window sums of fixed-point samples stay within 32 bits."""

_KINDS = {"coherent": COHERENT, "overlap": OVERLAP, "rate": COHERENT, "sum": DIFFERENCES, "rewrapped": DIFFERENCES}


def check_estimator(estimator: str) -> int:
    """Code of an estimator for the loops."""
    if estimator not in _KINDS:
        raise ValueError(f"estimator: found {estimator!r}, expected one of {', '.join(get_args(Estimator))}")
    return _KINDS[estimator]


def _axes(name: str, value: int | Axes) -> Axes:
    pair = tuple(value) if isinstance(value, tuple | list) else (value, value)
    if len(pair) != 2 or not all(isinstance(v, int | np.integer) for v in pair):
        raise TypeError(f"{name}: found {value!r}, expected a whole number of pixels or two, (y, x)")
    return int(pair[0]), int(pair[1])


def check_window(window: int | Axes, gap: int | Axes | None) -> tuple[Axes, Axes]:
    """Window and block (y, x) in pixels; without a gap 2 pixels, 1 in windows below 6."""
    size = _axes("window", window)
    if min(size) < 3 or max(size) > LARGEST_WINDOW:
        raise ValueError(
            f"window: found {size[0]} x {size[1]} pixels (y x x), expected 3 to {LARGEST_WINDOW} along each axis; "
            "choose the window in metres so that it spans at least 3 pixels"
        )
    wide = _axes("gap", gap) if gap is not None else (2 if size[0] >= 6 else 1, 2 if size[1] >= 6 else 1)
    if any(g < 0 or g > w - 2 for g, w in zip(wide, size, strict=True)):
        raise ValueError(
            f"gap: found {wide[0]} x {wide[1]} pixels for a window of {size[0]} x {size[1]}, expected 0 to window - 2 "
            "so that two blocks of at least one pixel fit; pass gap=None for the default"
        )
    return size, ((size[0] - wide[0]) // 2, (size[1] - wide[1]) // 2)


def check_samples(
    phase: NDArray[np.int16], coherence: NDArray[np.uint8]
) -> tuple[NDArray[np.int16], NDArray[np.uint8]]:
    """Both arrays, contiguous, after a look at type and shape."""
    angles, shares = np.asarray(phase), np.asarray(coherence)
    if angles.dtype != np.int16:
        raise TypeError(
            f"phase: found dtype {angles.dtype}, expected int16 binary angles; "
            "slidecloud.kernels.phase.encode makes them from radians"
        )
    if shares.dtype != np.uint8:
        raise TypeError(
            f"coherence: found dtype {shares.dtype}, expected uint8 (value/255, 0 = no data); multiply by 255 and round"
        )
    if angles.ndim != 3 or angles.shape != shares.shape:
        raise ValueError(
            f"phase and coherence: found shapes {angles.shape} and {shares.shape}, expected the same (pair, y, x); "
            "give a single pair a leading axis of 1"
        )
    return np.ascontiguousarray(angles), np.ascontiguousarray(shares)


def _vector(name: str, values: ArrayLike, count: int) -> NDArray[np.int64]:
    dates = np.asarray(values)
    if dates.size == 0:
        dates = dates.astype(np.int64)
    if dates.shape != (count,):
        raise ValueError(
            f"{name}: found shape {dates.shape}, expected ({count},), one date index for each pair of phase"
        )
    if not np.issubdtype(dates.dtype, np.integer):
        raise TypeError(f"{name}: found dtype {dates.dtype}, expected integer date indices, not times")
    return dates.astype(np.int64)


def check_pairs(
    reference: ArrayLike, secondary: ArrayLike, span: ArrayLike | None, count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """(order, reference, secondary, span): the order sorts by (reference, secondary), the rest is in that order."""
    first, last = _vector("reference", reference, count), _vector("secondary", secondary, count)
    if np.any(first >= last):
        worst = int(np.argmax(first >= last))
        raise ValueError(
            f"pair {worst}: found reference date {first[worst]} and secondary date {last[worst]}, expected the "
            "reference to be the earlier one; swap the dates and change the sign of the phase"
        )
    years = np.zeros(count) if span is None else np.asarray(span, dtype=np.float64)
    if years.shape != (count,) or not np.all(np.isfinite(years)):
        raise ValueError(
            f"span: found shape {years.shape}, expected ({count},) finite numbers of years, one for each pair"
        )
    order = np.lexsort((last, first)).astype(np.int64)
    first, last = first[order], last[order]
    twice = np.flatnonzero((np.diff(first) == 0) & (np.diff(last) == 0))
    if twice.size:
        raise ValueError(
            f"pairs: found dates ({first[twice[0]]}, {last[twice[0]]}) more than once, expected each pair "
            "once; drop the copy"
        )
    return order, first, last, years[order]


def check_baseline(baseline: ArrayLike | None, span: ArrayLike | None, count: int) -> NDArray[np.float64]:
    """Baselines in metres; they and spans are there."""
    if baseline is None or span is None:
        missing = " and ".join(name for name, values in (("span", span), ("baseline", baseline)) if values is None)
        raise ValueError(
            f"{missing}: found None, expected a number for each pair with estimator 'rate', which regresses on time "
            "span (years) and perpendicular baseline (m); choose 'coherent' where they are not known"
        )
    metres = np.asarray(baseline, dtype=np.float64)
    if metres.shape != (count,) or not np.all(np.isfinite(metres)):
        raise ValueError(
            f"baseline: found shape {metres.shape}, expected ({count},) finite metres, one for each pair; leave out "
            "the pairs whose perpendicular baseline is not known"
        )
    if np.any(np.asarray(span, dtype=np.float64) <= 0):
        raise ValueError("span: found 0 or less, expected years between the dates, above 0, with estimator 'rate'")
    return metres


def check_interior(interior: Interior | None, shape: tuple[int, int]) -> tuple[Axes, Axes]:
    """(first pixel, size) of the output, both (y, x)."""
    parts = (slice(None), slice(None)) if interior is None else tuple(interior)
    if len(parts) != 2 or not all(isinstance(part, slice) for part in parts):
        raise TypeError(f"interior: found {interior!r}, expected two slices, (y, x)")
    ranges = [range(*part.indices(size)) for part, size in zip(parts, shape, strict=True)]
    if any(r.step != 1 for r in ranges):
        raise ValueError(f"interior: found {interior!r}, expected slices with step 1")
    return (ranges[0].start, ranges[1].start), (len(ranges[0]), len(ranges[1]))


def check_origin(origin: Axes) -> Axes:
    """Row and column of the input's first pixel, whole numbers."""
    return _axes("origin", origin)


def date_steps(reference: NDArray[np.int64], secondary: NDArray[np.int64]) -> NDArray[np.int64]:
    """What each of the pairs, sorted by (reference, secondary), does to the running sums of its two dates.

    Returns int64 (pair, 6): the slot of the secondary date; whether that sum begins here; whether the sum of the
    reference date begins here, and whether it ends; the slot in which the reference date was summed as secondary, or
    -1; whether the secondary date ends here, never to be a reference.
    """
    steps = np.zeros((reference.size, 6), dtype=np.int64)
    references = set(reference.tolist())
    last_use = {date: place for place, date in enumerate(secondary.tolist())}
    held: dict[int, int] = {}
    free: list[int] = []
    for place, (first, last) in enumerate(zip(reference.tolist(), secondary.tolist(), strict=True)):
        opens = last not in held
        if opens:
            held[last] = free.pop() if free else len(held)
        slot = held[last]
        starts = place == 0 or reference[place - 1] != first
        ends = place == reference.size - 1 or reference[place + 1] != first
        own = held.get(first, -1)
        closes = last not in references and last_use[last] == place
        steps[place] = slot, opens, starts, ends, own, closes
        if closes:
            free.append(held.pop(last))
        if ends and own >= 0:
            free.append(held.pop(first))
    return steps
