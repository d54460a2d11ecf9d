"""Changes that are none, as one of both dates did not see the ground: under clouds, or beyond its border."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.optical.change import UNCHANGED, UNSEEN, Groups, united
from slidecloud.types import Float64

if TYPE_CHECKING:
    from geopandas import GeoDataFrame


class Parts(NamedTuple):
    """Ground of each landslide that is inside in one date alone, (groups,) polygons; empty where there is none."""

    before: NDArray[np.object_]
    after: NDArray[np.object_]


def parts_of(groups: Groups, before: GeoDataFrame, after: GeoDataFrame) -> Parts:
    """What is in the earlier date alone, and what in the later; ``groups`` as `slidecloud.optical.change.compare` finds
    them."""
    import shapely

    count = len(groups.kind)
    frames: tuple[tuple[Any, NDArray[np.int64]], ...] = ((before, groups.before), (after, groups.after))
    old, young = (united(frame.geometry.to_numpy(), member, count) for frame, member in frames)
    return Parts(shapely.difference(old, young), shapely.difference(young, old))


def share_unmapped(groups: Groups, before: Float64, after: Float64) -> Float64:
    """float64 (groups,), share of the ground in one date alone that the other did not map; NaN where not known.

    Parameters
    ----------
    groups
        With the areas of both dates.
    before, after
        (groups,), the same share of each of `Parts`; NaN where it is not known, which counts as mapped beside what is.
    """
    shares = np.stack([before, after])
    areas = np.maximum(np.stack([groups.before_area, groups.after_area]) - groups.kept_area, 0.0)
    total, missing = areas.sum(0), np.nansum(shares * areas, axis=0)
    known = (total > 0) & ~np.isnan(shares).all(0)
    share: Float64 = np.divide(missing, total, out=np.full(len(total), np.nan), where=known)
    return share


def doubted(groups: Groups, unmapped: Float64, *, most: float) -> Groups:
    """The same where a change is `UNSEEN`, as too much of it lies on ground that the other date lacks.

    Parameters
    ----------
    groups
        As `slidecloud.optical.change.compare` finds them.
    unmapped
        (groups,), share of the ground in one date alone that the other did not map; NaN where that is not known.
    most
        Share up to which a change is believed.
    """
    changed = groups.kind.astype(str) != UNCHANGED
    return groups._replace(kind=np.where(changed & (unmapped > most), UNSEEN, groups.kind))
