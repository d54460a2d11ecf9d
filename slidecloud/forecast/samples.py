"""Samples: what is known at the last pass and of rain and level up to a day, and how far a point has moved by then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from slidecloud.forecast import windows
from slidecloud.forecast.series import DAY, Displacement, Drivers
from slidecloud.types import DataError, Float64

Inputs = Literal["S1", "S2", "S3"]
INPUTS: Final[dict[str, tuple[str, ...]]] = {"S1": ("rain",), "S2": ("level",), "S3": ("rain", "level")}
"""Drivers beside displacement, by the names of the source (MUSEnet, 2023)."""
KNOWN: Final = 0.8
"""Share of a window's days that must be known."""


@dataclass(frozen=True)
class Samples:
    """One row a point and day; displacement is known up to `origin`, rain and level up to `target`.

    Attributes
    ----------
    inputs
        ``S1`` (rain), ``S2`` (level) or ``S3`` (both), each with displacement.
    point
        intp (n,), index among the points.
    origin, target
        datetime64[D] (n,), the last pass used and the day that is forecast, which comes after it.
    value
        (n,), mm, displacement at the origin.
    displacement
        (n, steps), mm, of the last passes that have a value, less that of the origin; newest first, so the first is 0.
    displacement_dates
        datetime64[D] (n, steps).
    rain
        (n, days), mm a day, newest (of the target's day) first, NaN where unknown; None without.
    level
        The same of the level, m.
    features
        (n, k), of the point.
    increment
        (n,), mm, truth at the target less `value`; NaN where unknown.
    """

    inputs: Inputs
    point: NDArray[np.intp]
    origin: NDArray[np.datetime64]
    target: NDArray[np.datetime64]
    value: Float64
    displacement: Float64
    displacement_dates: NDArray[np.datetime64]
    rain: Float64 | None
    level: Float64 | None
    features: Float64
    increment: Float64

    def __len__(self) -> int:
        return len(self.point)

    @property
    def horizon(self) -> NDArray[np.int64]:
        """(n,) days from origin to target, at least 1."""
        return ((self.target - self.origin) / DAY).astype(np.int64)

    @property
    def rain_dates(self) -> NDArray[np.datetime64]:
        """datetime64[D] (n, days), newest first."""
        return self._backwards(self.rain)

    @property
    def level_dates(self) -> NDArray[np.datetime64]:
        """datetime64[D] (n, days), newest first."""
        return self._backwards(self.level)

    def _backwards(self, window: Float64 | None) -> NDArray[np.datetime64]:
        days = 0 if window is None else window.shape[1]
        return self.target[:, None] - np.arange(days) * DAY

    def where(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> Samples:
        """Some of the rows."""
        columns = {field.name: getattr(self, field.name) for field in fields(self)}
        some: dict[str, Any] = {k: v[chosen] for k, v in columns.items() if isinstance(v, np.ndarray)}
        return replace(self, **some)

    def by_point(self) -> Iterator[tuple[int, NDArray[np.intp]]]:
        """Each point that has samples, and the rows of these."""
        order = np.argsort(self.point, kind="stable")
        start = 0
        for end in (np.flatnonzero(np.diff(self.point[order], append=-1)) + 1).tolist():
            yield int(self.point[order[start]]), order[start:end]
            start = end


def samples(
    displacement: Displacement,
    drivers: Drivers,
    *,
    inputs: Inputs = "S3",
    steps: int = 30,
    days: int = 30,
    truth: Displacement | None = None,
    longest: int = 60,
) -> Samples:
    """Samples whose truth is known, by point and then target.

    Parameters
    ----------
    displacement
        At the passes.
    drivers
        Rain and level.
    inputs
        ``S1`` (displacement and rain), ``S2`` (and level) or ``S3`` (all).
    steps
        Passes with a value that a sample looks back on; a point's first passes make no sample.
    days
        Days of rain and level up to the target's.
    truth
        Daily values of the same points in mm on the same zero, from receivers on the ground; by default the values of
        the next pass. (`slidecloud.forecast.interpolation` replays what comes after the target: for a labelled
        comparison only.)
    longest
        Days from origin to target beyond which there is no sample.

    Returns
    -------
    Samples
        Without those of which less than `KNOWN` of a window's rain or level is known.

    Raises
    ------
    DataError
        If an input is absent, points of the truth are others, or there is no sample at all.
    """
    if truth is not None and not np.array_equal(truth.ids, displacement.ids):
        raise DataError("truth: found other points than those of the displacement, expected the same in one order.")
    known = displacement if truth is None else truth
    wanted = [known.dates[np.isfinite(row)] for row in known.values]
    found = _made(displacement, drivers, wanted, inputs, steps, days, longest)
    place = np.searchsorted(known.dates, found.target)
    made = known.values[found.point, place] - found.value
    if not len(made):
        passes = int(np.isfinite(displacement.values).sum(axis=1).max(initial=0))
        raise DataError(
            f"There is no sample: the points have up to {passes} passes, and one looks back on {steps} passes and "
            f"{days} days of {' and '.join(INPUTS[inputs])}. Give longer series, or fewer steps or days."
        )
    return replace(found, increment=made)


def queries(
    displacement: Displacement,
    drivers: Drivers,
    targets: NDArray[np.datetime64],
    *,
    inputs: Inputs = "S3",
    steps: int = 30,
    days: int = 30,
    longest: int = 60,
) -> Samples:
    """Samples of every point on given days, each from the last pass before it; their increments are not known.

    Parameters
    ----------
    displacement, drivers, inputs, steps, days, longest
        As for `samples`.
    targets
        datetime64[D] (m,), ascending.

    Returns
    -------
    Samples
        By point and then target; days without enough rain, level or passes make none, so there may be none at all.

    Raises
    ------
    DataError
        If an input is absent.
    """
    return _made(displacement, drivers, [targets] * displacement.points, inputs, steps, days, longest)


def _made(
    displacement: Displacement,
    drivers: Drivers,
    wanted: list[NDArray[np.datetime64]],
    inputs: Inputs,
    steps: int,
    days: int,
    longest: int,
) -> Samples:
    chosen = _check(displacement, drivers, inputs, steps, days)
    columns: list[tuple[NDArray[np.intp], NDArray[np.datetime64], NDArray[np.intp]]] = []
    for number, (row, targets) in enumerate(zip(displacement.values, wanted, strict=True)):
        passes = np.flatnonzero(np.isfinite(row))
        last = np.searchsorted(displacement.dates[passes], targets, side="left") - 1
        enough = last >= steps - 1
        last, kept = last[enough], targets[enough]
        near = kept - displacement.dates[passes[last]] <= longest * DAY
        looked = passes[last[near, None] - np.arange(steps)]
        columns.append((np.full(len(looked), number), kept[near], looked))
    point, target, looked = (np.concatenate(parts) for parts in zip(*columns, strict=True))
    moved = displacement.values[point[:, None], looked]
    dates = displacement.dates[looked]
    seen = {name: windows.daily(drivers, given, point, target, days) for name, given in chosen.items()}
    found = Samples(
        inputs=inputs,
        point=point,
        origin=dates[:, 0],
        target=target,
        value=moved[:, 0],
        displacement=moved - moved[:, :1],
        displacement_dates=dates,
        rain=seen.get("rain"),
        level=seen.get("level"),
        features=displacement.features[point],
        increment=np.full(len(point), np.nan),
    )
    whole = np.ones(len(point), np.bool_)
    for window in seen.values():
        whole &= np.isfinite(window).mean(axis=1) >= KNOWN
    return found if whole.all() else found.where(whole)


def _check(displacement: Displacement, drivers: Drivers, inputs: Inputs, steps: int, days: int) -> dict[str, Float64]:
    if inputs not in INPUTS:
        raise DataError(f"inputs: found {inputs!r}, expected one of {', '.join(INPUTS)}.")
    if steps < 1 or days < 1 or not displacement.points:
        raise DataError(
            f"steps, days, points: found {steps}, {days}, {displacement.points}, expected at least 1 of each."
        )
    found = {}
    for name in INPUTS[inputs]:
        given: Float64 | None = getattr(drivers, name)
        if given is None:
            other = " or ".join(k for k, needed in INPUTS.items() if name not in needed)
            raise DataError(f"inputs: found {inputs}, which needs {name}, and there is none; give it, or use {other}.")
        if len(given) not in (1, displacement.points):
            raise DataError(f"{name}: found {len(given)} series, expected 1 or {displacement.points}, one a point.")
        found[name] = given
    return found
