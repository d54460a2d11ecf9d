"""Tables of landslides between two dates, and of the outlines that the radar is asked about."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.optical.change import Groups, rows_of, shapes_of
from slidecloud.store import tables
from slidecloud.store.optical_change_specs import ASKED, CHANGE
from slidecloud.types import Float64

if TYPE_CHECKING:
    from geopandas import GeoDataFrame


class Dates(NamedTuple):
    """Names of the earlier and the later date, which differ."""

    before: str
    after: str


def change_table(
    groups: Groups, before: GeoDataFrame, after: GeoDataFrame, dates: Dates, *, unmapped: Float64 | None = None
) -> GeoDataFrame:
    """A row for each landslide, those of the later date first, in the order of their outlines.

    Parameters
    ----------
    groups
        As `slidecloud.optical.change.compare` finds them.
    before, after
        Outlines with a column id and, where there are such, score and open.
    dates
        Their names.
    unmapped
        (groups,), share of the ground that the other date did not map; None: not known.
    """
    count = len(groups.kind)
    earlier, later = rows_of(groups.before, count), rows_of(groups.after, count)
    old, young = before["id"].to_numpy(object), after["id"].to_numpy(object)
    scores = _scores(before), _scores(after)
    ends = _open(before), _open(after)
    columns = {
        "id": [_name(dates, old, young, one, other) for one, other in zip(earlier, later, strict=True)],
        "change": groups.kind,
        "before": [",".join(old[rows]) for rows in earlier],
        "after": [",".join(young[rows]) for rows in later],
        "before_count": [len(rows) for rows in earlier],
        "after_count": [len(rows) for rows in later],
        "before_area": groups.before_area,
        "after_area": groups.after_area,
        "kept_area": groups.kept_area,
        "growth": groups.growth,
        "unmapped": np.full(count, np.nan) if unmapped is None else unmapped,
        "open": [bool(ends[0][one].any() or ends[1][other].any()) for one, other in zip(earlier, later, strict=True)],
        "score": [
            scores[1][other].max() if len(other) else scores[0][one].max()
            for one, other in zip(earlier, later, strict=True)
        ],
    }
    return tables.table(CHANGE, columns, list(shapes_of(groups, before, after)))


def asked(
    changes: GeoDataFrame, groups: Groups, before: GeoDataFrame, after: GeoDataFrame, dates: Dates
) -> GeoDataFrame:
    """The outlines that the radar is asked about: all of the later date, and those of landslides of the earlier alone.

    Ground that is green again may still move.
    """
    names, kinds = changes["id"].to_numpy(object), changes["change"].to_numpy(object)
    gone = ~np.isin(groups.before, groups.after)
    columns: dict[str, list[str]] = {spec.name: [] for spec in ASKED}
    for frame, member, date in ((after, groups.after, dates.after), (before[gone], groups.before[gone], dates.before)):
        outline = frame["id"].to_list()
        columns["id"] += [f"{date}/{one}" for one in outline]
        columns["scene"] += [date] * len(frame)
        columns["outline"] += outline
        columns["landslide"] += names[member].tolist()
        columns["change"] += kinds[member].tolist()
    return tables.table(ASKED, columns, [*after.geometry, *before.geometry[gone]])


def _name(
    dates: Dates,
    old: NDArray[np.object_],
    young: NDArray[np.object_],
    one: NDArray[np.intp],
    other: NDArray[np.intp],
) -> str:
    return f"{dates.after}/{young[other[0]]}" if len(other) else f"{dates.before}/{old[one[0]]}"


def _open(frame: GeoDataFrame) -> NDArray[np.bool_]:
    return frame["open"].to_numpy(bool) if "open" in frame.columns else np.zeros(len(frame), np.bool_)


def _scores(frame: GeoDataFrame) -> Float64:
    found = frame["score"] if "score" in frame.columns else np.full(len(frame), np.nan)
    return np.asarray(found, np.float64)
