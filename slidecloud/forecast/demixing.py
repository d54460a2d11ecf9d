"""Motion apart from season and atmosphere: independent components of the displacement of many points."""

from __future__ import annotations

import warnings
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slidecloud.libraries import library
from slidecloud.types import DataError, Float64

LEAST_MEMORY: Final = 0.9
"""Of the course of a component that is motion. In simulated cubes slides had .91 to 1, and air into which they leak .5
to .97; a component of air taken for motion costs little, since all points are fitted anew by the courses."""
MOST_SEASONAL: Final = 0.5
"""Share of the year's waves in a component that is motion."""
_LEAST_DATES: Final = 12
_YEAR: Final = 365.25


class Demixed(NamedTuple):
    """Displacement as a sum of maps times courses, the components in order of the variance they carry, largest first.

    ``maps``: float64 (point, component), mm; the value of largest size is positive. ``courses``: float64 (component,
    date), of unit variance over the dates learnt from. ``share``: (component,), of the variance of all points.
    ``memory``: (component,), correlation of the course from date to date, 1 for a slow course and 0 for one drawn anew
    at each (von Neumann's ratio as ``1 - ratio / 2``). ``seasonal``: (component,), share of the variance of the course
    that waves of a year and of half a year add to a straight line. ``moves``: bool (component,), taken for motion.
    ``motion``: (point, date), mm, mean of the point and the components of motion. ``season``: (point, date), mm, waves
    of a year and half a year in the other components. ``atmosphere``: (point, date), mm, the rest of these. What they
    leave of the displacement is noise. ``converged``: whether the search for components came to rest.
    """

    maps: Float64
    courses: Float64
    share: Float64
    memory: Float64
    seasonal: Float64
    moves: NDArray[np.bool_]
    motion: Float64
    season: Float64
    atmosphere: Float64
    converged: bool


def demix(
    values: ArrayLike,
    dates: NDArray[np.datetime64],
    *,
    learn_until: np.datetime64 | None = None,
    components: int | None = None,
    least_memory: float = LEAST_MEMORY,
    most_seasonal: float = MOST_SEASONAL,
    least_known: float = 0.7,
    seed: int = 0,
) -> Demixed:
    """Separate motion from atmosphere and season by independent components of the maps (Hyvarinen and Oja 2000).

    A component is motion where its course keeps what it has from date to date, ``memory >= least_memory``, and is not a
    wave of the year, ``seasonal <= most_seasonal``. Maps overlap by chance, so components of air hold some motion and
    those of motion lack it: all points are fitted anew by the courses of motion and waves of a year and half a year,
    which are motion and season; the rest of the components is atmosphere. A slide whose motion is a yearly wave and
    nothing more is therefore season: look at ``season`` where a reservoir or snow melt drives it.

    Parameters
    ----------
    values
        (point, date), mm; NaN = missing. Points of the surroundings help: in a cube of slides alone nothing tells what
        they share from the atmosphere.
    dates
        datetime64[D] (date,), ascending.
    learn_until
        Last date learnt from. Later dates are projected on the maps, and what is missing in them keeps its last value,
        so nothing of them reaches an earlier one. None: all dates, which no forecast may be scored on.
    components
        How many; None: those above the noise, by the hard threshold of singular values of Gavish and Donoho (2014), at
        least one.
    least_memory, most_seasonal
        See above.
    least_known
        Share of the learnt dates that a point needs; others come out NaN.
    seed
        Of the start of the search.

    Raises
    ------
    DataError
        If there are too few points or dates, or nothing moves.
    ValueError
        If shapes do not fit or the number of components is impossible.

    References
    ----------
    Hyvarinen, A., Oja, E. (2000), Neural Networks 13, 411-430. Gavish, M., Donoho, D. L. (2014), IEEE Trans. Inf.
    Theory 60(8), 5040-5053. Maps rather than courses as independent: Ebmeier, S. K. (2016), J. Geophys. Res. Solid
    Earth 121(11), 8048-8067.
    """
    given, learnt = _checked(values, dates, learn_until)
    known = np.isfinite(given[:, :learnt]).mean(axis=1) >= max(least_known, 1.0 / learnt)
    if known.sum() < 2 or learnt < _LEAST_DATES:
        raise DataError(
            f"values: found {int(known.sum())} points with {least_known:.0%} of {learnt} dates to learn from, expected "
            f"2 points and {_LEAST_DATES} dates or more"
        )
    filled = _filled(given[known], learnt)
    mean = filled[:, :learnt].mean(axis=1)
    centred = filled - mean[:, None]
    maps, courses, converged = _components(centred, learnt, components, seed)
    waves = _waves(dates, learnt)
    memory, seasonal = _memory(courses[:, :learnt]), _seasonal(courses, dates, waves, learnt)
    moves = (memory >= least_memory) & (seasonal <= most_seasonal)
    share = (maps**2).sum(axis=0) / (centred[:, :learnt] ** 2).mean(axis=1).sum()
    # Air is drawn anew at every date: what follows a slow course in any component is motion that leaked into it.
    slow = courses[moves]
    whole = maps @ courses
    follows = _fitted(whole.T, np.concatenate([slow, waves]).T, learnt).T
    motion, season = follows[:, : len(slow)] @ slow, follows[:, len(slow) :] @ waves
    parts = mean[:, None] + motion, season, whole - motion - season

    def placed(part: Float64) -> Float64:
        out = np.full((len(given), *part.shape[1:]), np.nan)
        out[known] = part
        return out

    return Demixed(placed(maps), courses, share, memory, seasonal, moves, *(placed(part) for part in parts), converged)


def _checked(
    values: ArrayLike, dates: NDArray[np.datetime64], learn_until: np.datetime64 | None
) -> tuple[Float64, int]:
    given, days = np.asarray(values, np.float64), np.asarray(dates)
    if given.ndim != 2 or days.shape != given.shape[1:] or (np.diff(days) <= np.timedelta64(0)).any():
        raise ValueError(
            f"values, dates: found shapes {given.shape} and {days.shape}, expected (point, date) and (date,), ascending"
        )
    return given, len(days) if learn_until is None else int(np.searchsorted(days, learn_until, side="right"))


def _filled(values: Float64, learnt: int) -> Float64:
    """Gaps in the dates learnt from by straight lines, in later ones by the last value."""
    out = values.copy()
    at = np.arange(values.shape[1])
    for row in out:
        known = np.isfinite(row)
        early = np.flatnonzero(known[:learnt])
        row[:learnt] = np.interp(at[:learnt], early, row[early])
        last = np.maximum.accumulate(np.where(known, at, learnt - 1)[learnt - 1 :])[1:]
        row[learnt:] = row[last]
    return out


def _components(centred: Float64, learnt: int, number: int | None, seed: int) -> tuple[Float64, Float64, bool]:
    """Maps (point, component) and courses (component, date), turned and in order."""
    decomposition, exceptions = (
        library(f"sklearn.{name}", extra="forecast") for name in ("decomposition", "exceptions")
    )
    early = centred[:, :learnt]
    singular = np.linalg.svd(early, compute_uv=False)
    if not singular[0] > 0:
        raise DataError("values: found points that do not move at all, expected some displacement to separate")
    most = int((singular > 1e-9 * singular[0]).sum())
    wanted = min(_above_noise(singular, early.shape), most) if number is None else number
    if not 1 <= wanted <= most:
        raise ValueError(f"components: found {wanted}, expected 1 to {most}, as many as the displacement has")
    search = decomposition.FastICA(wanted, whiten="unit-variance", random_state=seed, max_iter=1000, tol=1e-6)
    with warnings.catch_warnings():
        # It is told by the result, and what was found by then still separates.
        warnings.simplefilter("ignore", exceptions.ConvergenceWarning)
        search.fit(early)
    maps = early @ search.components_.T
    courses = np.linalg.lstsq(maps, centred, rcond=None)[0]
    spread = courses[:, :learnt].std(axis=1)
    courses, maps = courses / spread[:, None], maps * spread
    turn = np.sign(np.take_along_axis(maps, np.abs(maps).argmax(axis=0)[None], axis=0)[0])
    order = np.argsort(-(maps**2).sum(axis=0), kind="stable")
    return (maps * turn)[:, order], (courses * turn[:, None])[order], bool(search.n_iter_ < search.max_iter)


def _above_noise(singular: Float64, shape: tuple[int, ...]) -> int:
    """Singular values above those of noise of unknown size, at least 1."""
    ratio = min(shape) / max(shape)
    factor = 0.56 * ratio**3 - 0.95 * ratio**2 + 1.82 * ratio + 1.43
    return max(1, int((singular > factor * np.median(singular)).sum()))


def _memory(courses: Float64) -> Float64:
    apart = courses - courses.mean(axis=1, keepdims=True)
    steps = (np.diff(courses, axis=1) ** 2).mean(axis=1)
    memory: Float64 = 1.0 - steps / (2.0 * (apart**2).mean(axis=1))
    return memory


def _waves(dates: NDArray[np.datetime64], learnt: int) -> Float64:
    """Waves (wave, date) of a year and of half a year; none where there is less than a year to learn from, in which
    they cannot be told from a bend."""
    years = _years(dates)
    turns = 2 * np.pi * np.arange(1, 3)[:, None] * years
    waves = np.concatenate([np.sin(turns), np.cos(turns)])
    return waves - waves[:, :learnt].mean(axis=1, keepdims=True) if years[learnt - 1] >= 1.0 else waves[:0]


def _seasonal(courses: Float64, dates: NDArray[np.datetime64], waves: Float64, learnt: int) -> Float64:
    line = _years(dates)[None]
    left = [
        (courses.T - design.T @ _fitted(courses.T, design.T, learnt))[:learnt].var(axis=0)
        for design in (line, np.concatenate([line, waves]))
    ]
    share: Float64 = (left[0] - left[1]) / courses[:, :learnt].var(axis=1)
    return share


def _years(dates: NDArray[np.datetime64]) -> Float64:
    years: Float64 = (dates - dates[0]) / np.timedelta64(1, "D") / _YEAR
    return years


def _fitted(values: Float64, design: Float64, learnt: int) -> Float64:
    """Coefficients (term, series) of columns of a design in series (date, series) over the dates learnt from, each
    against its mean."""
    one, other = (table[:learnt] - table[:learnt].mean(axis=0) for table in (design, values))
    found: Float64 = np.linalg.lstsq(one, other, rcond=None)[0]
    return found
