"""The series of one point as a table of text."""

from __future__ import annotations

import os
from pathlib import Path

import xarray as xr

from slidecloud.products.whole import whole


def write(series: xr.Dataset, path: str | os.PathLike[str]) -> Path:
    """Write the series of a point as CSV, whole or not at all: one row a burst and date, in metres and metres a year.

    Parameters
    ----------
    series
        From `slidecloud.store.Run.at`. Dates that a burst lacks have no row.
    path
        File to write.
    """
    rows = series.to_dataframe().reset_index().dropna(subset=["displacement"])
    first = ["burst", "track", "patch", "time"]
    with whole(path) as made:
        rows[[*first, *sorted(set(rows.columns) - set(first))]].to_csv(made, index=False)
    return Path(path)
