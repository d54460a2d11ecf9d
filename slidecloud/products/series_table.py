"""The series of one point as a table of text."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

import xarray as xr


def write(series: xr.Dataset, path: str | os.PathLike[str]) -> Path:
    """Write the series of a point as CSV, whole or not at all: one row a burst and date, in metres and metres a year.

    Parameters
    ----------
    series
        From `slidecloud.store.Run.at`. Dates that a burst lacks have no row.
    path
        File to write.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    rows = series.to_dataframe().reset_index().dropna(subset=["displacement"])
    first = ["burst", "track", "patch", "time"]
    partial = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    try:
        rows[[*first, *sorted(set(rows.columns) - set(first))]].to_csv(partial, index=False)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return target
