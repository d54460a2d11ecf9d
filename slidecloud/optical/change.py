"""Outlines of two dates held against each other: which landslides are new, grown, unchanged, shrunk or vanished."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from slidecloud.types import DataError, Float64

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

NEW: Final = "new"
GROWN: Final = "grown"
UNCHANGED: Final = "unchanged"
SHRUNK: Final = "shrunk"
SPLIT: Final = "split"
MERGED: Final = "merged"
REGROUPED: Final = "regrouped"
VANISHED: Final = "vanished"
UNSEEN: Final = "unseen"
KINDS: Final = {
    NEW: "in the later date alone",
    GROWN: "one outline in both dates, larger than before",
    UNCHANGED: "one outline in both dates, about as large as before",
    SHRUNK: "one outline in both dates, smaller than before",
    SPLIT: "one outline before, several after",
    MERGED: "several outlines before, one after",
    REGROUPED: "several outlines before and after",
    VANISHED: "in the earlier date alone",
    UNSEEN: "differs, mostly on ground that the other date did not map",
}
"""What a landslide can have done between two dates."""
EQUAL_AREA: Final = "EPSG:6933"
"""Cylindrical projection of the whole globe that keeps areas."""


class Groups(NamedTuple):
    """Which outlines of two dates are one landslide.

    Attributes
    ----------
    before, after
        int64 (n,) and (m,), group of each outline; numbered from 0, first by the outlines of the later date.
    kind
        (groups,), names of `KINDS`.
    before_area, after_area
        float64 (groups,), m2 of each date; ground that several outlines of one date cover counts once.
    kept_area
        float64 (groups,), m2 that lie inside in both dates.
    """

    before: NDArray[np.int64]
    after: NDArray[np.int64]
    kind: NDArray[np.object_]
    before_area: Float64
    after_area: Float64
    kept_area: Float64

    @property
    def growth(self) -> Float64:
        """float64 (groups,), area after over area before, less one; NaN where there was nothing before."""
        there = self.before_area > 0
        ratio: Float64 = np.divide(self.after_area, self.before_area, out=np.full(len(there), np.nan), where=there)
        return ratio - 1.0


def compare(before: GeoDataFrame, after: GeoDataFrame, *, least_overlap: float, least_growth: float) -> Groups:
    """Group the outlines of two dates into landslides, and say what each has done.

    Two outlines of different dates are one landslide where they share at least ``least_overlap`` of the area of the
    smaller one; what is linked through a third is one as well. Areas are those of an equal-area projection.

    Parameters
    ----------
    before, after
        Polygons of the earlier and of the later date, in longitude and latitude.
    least_overlap
        Share in (0, 1]. An overlap of no area, such as a common border, is none.
    least_growth
        A landslide of one outline in each date has grown where its area is more than ``1 + least_growth`` times that
        before, and shrunk where that before is more than so many times its own.

    Raises
    ------
    DataError
        If a geometry is no valid polygon; names date and row.
    ValueError
        If a threshold makes no sense.
    """
    if not (0.0 < least_overlap <= 1.0 and least_growth > 0.0):
        raise ValueError(
            f"least_overlap, least_growth: found {least_overlap} and {least_growth}, expected (0, 1] and above 0"
        )
    earlier, later = _flat(before, "the earlier date"), _flat(after, "the later date")
    one, other = _linked(earlier, later, least_overlap)
    of_before, of_after = _grouped(one, other, len(earlier), len(later))
    count = 1 + max(of_before.max(initial=-1), of_after.max(initial=-1))
    united_before, united_after = united(earlier, of_before, count), united(later, of_after, count)
    areas = _area(united_before), _area(united_after)
    kept = _area(_common(united_before, united_after))
    numbers = np.bincount(of_before, minlength=count), np.bincount(of_after, minlength=count)
    return Groups(of_before, of_after, _kinds(*numbers, *areas, least_growth), *areas, kept)


def shapes_of(groups: Groups, before: GeoDataFrame, after: GeoDataFrame) -> NDArray[np.object_]:
    """(groups,) outlines of each landslide as it is in the later date, or was where it has vanished."""
    import shapely

    count = len(groups.kind)
    found = np.empty(count, dtype=object)
    for frame, member in ((before, groups.before), (after, groups.after)):
        whole = united(frame.geometry.to_numpy(), member, count)
        there = ~shapely.is_empty(whole)
        found[there] = whole[there]
    return np.asarray(shapely.orient_polygons(found), dtype=object)


def counts(kind: Any) -> dict[str, int]:
    """Number of landslides of each kind, in the order of `KINDS`."""
    found = np.asarray(kind, dtype=object)
    return {name: int((found == name).sum()) for name in KINDS}


def rows_of(member: NDArray[np.int64], count: int) -> list[NDArray[np.intp]]:
    """Rows of the outlines of each group, rising."""
    order = np.argsort(member, kind="stable")
    ends = np.searchsorted(member[order], np.arange(count + 1))
    return [order[start:stop] for start, stop in pairwise(ends)]


def check_polygons(frame: GeoDataFrame, name: str) -> None:
    """Refuse what has no inside.

    Raises
    ------
    DataError
        If a row is no polygon, or one that crosses itself.
    """
    import shapely

    shapes = frame.geometry.to_numpy()
    strange = ~np.isin(shapely.get_type_id(shapes), (3, 6)) | shapely.is_empty(shapes)
    if strange.any():
        row = int(np.flatnonzero(strange)[0])
        raise DataError(f"{name}: row {row} is {_said(shapes[row])}; expected polygons alone")
    broken = ~shapely.is_valid(shapes)
    if broken.any():
        row = int(np.flatnonzero(broken)[0])
        raise DataError(
            f"{name}: the polygon of row {row} is not valid ({shapely.is_valid_reason(shapes[row])}), as are "
            f"{int(broken.sum()) - 1} others; mend them, such as with shapely.make_valid"
        )


def _said(shape: Any) -> str:
    return "nothing" if shape is None else f"{'an empty' if shape.is_empty else 'a'} {shape.geom_type}"


def _flat(frame: GeoDataFrame, name: str) -> NDArray[np.object_]:
    """Geometries where areas are those of the ground."""
    check_polygons(frame, name)
    return np.asarray(frame.geometry.to_crs(EQUAL_AREA).to_numpy(), dtype=object)


def _linked(
    before: NDArray[np.object_], after: NDArray[np.object_], least: float
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pairs of outlines that share enough of the smaller one."""
    import shapely

    other, one = shapely.STRtree(before).query(after, predicate="intersects")
    common = shapely.area(shapely.intersection(before[one], after[other]))
    smaller = np.minimum(shapely.area(before[one]), shapely.area(after[other]))
    # An outline inside another shares all of it, whatever the last bit of the intersection says.
    enough = (common > 0.0) & (common >= (1.0 - 1e-9) * least * smaller)
    return one[enough], other[enough]


def _grouped(
    one: NDArray[np.intp], other: NDArray[np.intp], before: int, after: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Group of each outline; groups are numbered by the first outline of the later date, then of the earlier one."""
    links = coo_array((np.ones(len(one), bool), (other, one + after)), shape=(after + before,) * 2)
    _, label = connected_components(links, directed=False)
    _, first, inverse = np.unique(label, return_index=True, return_inverse=True)
    number = np.empty(len(first), np.int64)
    number[np.argsort(first)] = np.arange(len(first))
    group = number[inverse]
    return group[after:], group[:after]


def united(shapes: NDArray[np.object_], member: NDArray[np.int64], count: int) -> NDArray[np.object_]:
    """(count,) all ground of each group; an empty polygon where it has no outline."""
    import shapely

    found = np.full(count, shapely.Polygon(), dtype=object)
    for number, rows in enumerate(rows_of(member, count)):
        if len(rows):
            found[number] = shapes[rows[0]] if len(rows) == 1 else shapely.union_all(shapes[rows])
    return found


def _common(one: NDArray[np.object_], other: NDArray[np.object_]) -> Any:
    import shapely

    return shapely.intersection(one, other)


def _area(shapes: Any) -> Float64:
    import shapely

    found: Float64 = shapely.area(shapes)
    return found


def _kinds(
    before: NDArray[np.intp], after: NDArray[np.intp], before_area: Float64, after_area: Float64, growth: float
) -> NDArray[np.object_]:
    cases = [
        (before == 0, NEW),
        (after == 0, VANISHED),
        ((before > 1) & (after > 1), REGROUPED),
        (before > 1, MERGED),
        (after > 1, SPLIT),
        (after_area > (1.0 + growth) * before_area, GROWN),
        (before_area > (1.0 + growth) * after_area, SHRUNK),
    ]
    found = np.select([case for case, _ in cases], [name for _, name in cases], default=UNCHANGED)
    return found.astype(object)
