"""``slidecloud reference``."""

from __future__ import annotations

from pathlib import Path

from slidecloud.cli.console import say, show
from slidecloud.cli.errors import UsageError
from slidecloud.cli.options import Storage, degrees, storage_options


def reference(
    run: str,
    /,
    *,
    point: str | None = None,
    area: str | None = None,
    stable: bool = False,
    series: Path | None = None,
    write: bool = False,
    storage: Storage = (),
) -> int:
    """Show what another reference changes in the displacement of a run, or write it.

    Another reference is a shift per date, and of velocity. It is exact as far as the reference's own pairs close: what
    they leave is told, and doubted above 0.3 rad. A reference inside a detection is refused. Patches that do not cover
    the point or area stay as they are. With --series the point is not at rest but moves as the table says, such as GNSS
    projected to the line of sight. Without --write nothing is changed; run.referenced(...) in Python reads the
    same.

    For example:

        slidecloud reference run.zarr --point 102.35,31.02
        slidecloud reference run.zarr --area 102.30,31.00,102.32,31.02 --write
        slidecloud reference run.zarr --point 102.35,31.02 --series gnss.csv
        slidecloud reference run.zarr --stable --write

    Exit codes: 0 done; 1 error; 2 wrong usage.

    Parameters
    ----------
    run
        Folder or URL of the run store.
    point
        Longitude,latitude in degrees.
    area
        West,south,east,north in degrees.
    stable
        The stable area that each burst or patch was levelled over.
    series
        How the point really moves: CSV or Parquet with date (or time), displacement (m along the line of sight,
        positive towards the satellite) and, if known, sigma (m). It is linear between its times, and must reach to all
        acquisitions within half a day.
    write
        Write it into the store.
    """
    if [point is not None, area is not None, stable].count(True) != 1:
        raise UsageError("give one of --point lon,lat, --area west,south,east,north or --stable")
    if series is not None and point is None:
        raise UsageError("--series says how a point moves: give its --point lon,lat with it.")
    from slidecloud.pipeline import reference as moving
    from slidecloud.store import open_run
    from slidecloud.store.given_series import read_series
    from slidecloud.store.referencing import Reference

    where = degrees(point, 2, "--point", "lon,lat")
    bounds = degrees(area, 4, "--area", "west,south,east,north")
    wanted = Reference(
        None if where is None else (where[0], where[1]),
        None if bounds is None else (bounds[0], bounds[1], bounds[2], bounds[3]),
        None if series is None else read_series(str(series)),
    )
    options = storage_options(storage)
    found = moving.write(run, wanted, options) if write else moving.look(open_run(run, options), wanted)
    show(one.line() for one in found)
    say("Written." if write else "Nothing was changed; --write does it.")
    return 0
