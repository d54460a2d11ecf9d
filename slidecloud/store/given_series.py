"""A displacement series from outside, such as GNSS projected to the line of sight, read from a table."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.types import DataError, Float64

BEYOND: Final = np.timedelta64(12, "h")
"""How far beyond its ends a series still holds: half a day, since daily solutions stand for noon."""
_TIMES, _VALUES, _SIGMAS = ("date", "time"), ("displacement",), ("sigma", "displacement_sigma")
_YEAR: Final = np.timedelta64(31_557_600, "s")
_LARGEST: Final = 100.0
"""m: a displacement above it is taken for a mistake of units or for positions."""


@dataclass(frozen=True, eq=False)
class GivenSeries:
    """Displacement along the line of sight that is known from elsewhere.

    Attributes
    ----------
    name
        Of the file, for messages.
    time
        datetime64[s] (n,), UTC, increasing.
    displacement, sigma
        float64 (n,) m, positive towards the satellite, from any zero; sigma is NaN where it is not given.
    """

    name: str
    time: NDArray[np.datetime64]
    displacement: Float64
    sigma: Float64

    def at(self, dates: NDArray[np.datetime64]) -> tuple[Float64, Float64]:
        """Displacement since the first of some dates, and its sigma, (date,) m.

        Between its own times the series is linear. Up to `BEYOND` its ends it keeps their value.

        Raises
        ------
        DataError
            If a date lies further out.
        """
        wanted = np.asarray(dates).astype("datetime64[s]")
        outside = wanted[(wanted < self.time[0] - BEYOND) | (wanted > self.time[-1] + BEYOND)]
        if outside.size:
            raise DataError(
                f"The series {self.name} reaches from {self.time[0]} to {self.time[-1]} and {outside.size} of "
                f"{wanted.size} acquisitions lie outside of it, the first on {outside[0]}. It is not extrapolated: "
                "give one that covers them all."
            )
        seconds, own = wanted.astype(np.float64), self.time.astype(np.float64)
        moved = np.interp(seconds, own, self.displacement)
        return moved - moved[0], np.interp(seconds, own, self.sigma)

    def velocity(self, dates: NDArray[np.datetime64]) -> float:
        """Rate (m/yr) of the line that fits it best at some dates, weighted by 1/sigma² where sigmas are given."""
        moved, sigma = self.at(dates)
        years = (np.asarray(dates) - np.asarray(dates)[0]) / _YEAR
        weight = np.ones(years.size) if np.isnan(sigma).any() else 1 / np.maximum(sigma, 1e-6)
        return float(np.polyfit(years, moved, 1, w=weight)[0]) if years.size > 1 else 0.0


def read_series(path: str) -> GivenSeries:
    """A series from a table.

    Parameters
    ----------
    path
        CSV (with commas) or Parquet with a column ``date`` or ``time`` (ISO 8601; UTC where no zone is said; a day
        without a time of day stands for its noon), a column ``displacement`` (m along the line of sight, positive
        towards the satellite, from any zero), and if known ``sigma`` (m). Other columns are ignored, and so are rows
        without a displacement.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    DataError
        If it cannot be read as such; names what was found and what to do.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"There is no series {path}; check the path of --series or of reference.series.")
    frame = _frame(path)
    columns = {str(name).strip().lower(): name for name in frame.columns}
    known = f"it has the columns {', '.join(map(str, frame.columns)) or 'none'}"
    when = _column(path, frame, columns, _TIMES, known)
    what = _column(path, frame, columns, _VALUES, known)
    sigma = next((frame[columns[name]] for name in _SIGMAS if name in columns), None)
    time, moved = _times(path, when), _numbers(path, what, "displacement")
    spread = np.full(moved.size, math.nan) if sigma is None else _numbers(path, sigma, "sigma")
    there = np.isfinite(moved)
    time, moved, spread = time[there], moved[there], spread[there]
    order = np.argsort(time, kind="stable")
    return _checked(GivenSeries(Path(path).name, time[order], moved[order], spread[order]), path)


def _frame(path: str) -> Any:
    import pandas

    try:
        if Path(path).suffix.lower() in (".parquet", ".geoparquet"):
            return pandas.read_parquet(path)
        return pandas.read_csv(path, skipinitialspace=True, dtype=str)
    except Exception as error:  # noqa: BLE001 - whatever the format's library raises, the file cannot be used
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise DataError(f"The series {path} cannot be read as CSV or Parquet ({first}). Check the file.") from None


def _column(path: str, frame: Any, columns: dict[str, Any], names: tuple[str, ...], known: str) -> Any:
    for name in names:
        if name in columns:
            return frame[columns[name]]
    raise DataError(
        f"The series {path} has no column {' or '.join(repr(name) for name in names)}; {known}. Expected a table with "
        "date, displacement (m, towards the satellite) and, if known, sigma (m)."
    )


def _times(path: str, column: Any) -> NDArray[np.datetime64]:
    import pandas

    try:
        moments = pandas.to_datetime(column, utc=True, format=None if column.dtype.kind == "M" else "ISO8601")
    except (ValueError, TypeError) as error:
        raise DataError(
            f"The series {path} has a time that cannot be read ({str(error).splitlines()[0]}). Expected ISO 8601, such "
            "as 2021-01-05 or 2021-01-05T11:02:33Z."
        ) from None
    if moments.isna().any():
        raise DataError(f"The series {path} has {int(moments.isna().sum())} rows without a time. Remove them.")
    found: NDArray[np.datetime64] = moments.dt.tz_localize(None).to_numpy().astype("datetime64[s]")
    if (found == found.astype("datetime64[D]")).all():
        found = found + np.timedelta64(12, "h")
    return found


def _numbers(path: str, column: Any, name: str) -> Float64:
    try:
        values: Float64 = column.to_numpy(np.float64, na_value=math.nan)
    except (ValueError, TypeError) as error:
        raise DataError(f"The series {path} has a {name} that is no number ({error}). Expected metres.") from None
    if np.isinf(values).any():
        raise DataError(f"The series {path} has an infinite {name}. Expected metres; leave out what is not known.")
    return values


def _checked(found: GivenSeries, path: str) -> GivenSeries:
    if found.time.size < 2:
        raise DataError(f"The series {path} has {found.time.size} displacements; expected at least two.")
    again = found.time[1:][np.diff(found.time) == np.timedelta64(0, "s")]
    if again.size:
        raise DataError(f"The series {path} has more than one displacement at {again[0]}. Keep one of each time.")
    reach = float(np.ptp(found.displacement))
    if reach > _LARGEST:
        raise DataError(
            f"The series {path} moves by {reach:,.0f} m, expected at most {_LARGEST:.0f}. Displacement is in metres "
            "along the line of sight: turn millimetres into metres, and positions into displacement."
        )
    if (found.sigma < 0).any():
        raise DataError(f"The series {path} has a negative sigma ({found.sigma.min():g}). Expected metres above 0.")
    return found
