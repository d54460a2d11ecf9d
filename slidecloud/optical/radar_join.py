"""What the radar says inside outlines: classes of motion with the reason where there is none, beside what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slidecloud.kernels.stability import CLASSES
from slidecloud.optical.change import KINDS
from slidecloud.store import tables
from slidecloud.store.optical_change_specs import OUTLINE_CLASSES

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from pandas import DataFrame

_ABOUT = ("scene", "outline", "landslide", "change")


def joined(stability: GeoDataFrame, outlines: GeoDataFrame, *, least_points: int) -> GeoDataFrame:
    """The table of stability with what each outline is, and why one has no class.

    Parameters
    ----------
    stability
        As `slidecloud.products.stability.stability_table` makes it of the outlines.
    outlines
        As `slidecloud.optical.change_tables.asked` gives them; ids are unique.
    least_points
        Pixels below which there is no class.
    """
    about = outlines.set_index("id").loc[stability["id"]]
    columns = {name: stability[name] for name in stability.columns if name != "geometry"}
    columns |= {name: about[name].to_numpy(object) for name in _ABOUT}
    columns["note"] = [
        "" if name != "unknown" else _reason(int(points), least_points)
        for name, points in zip(stability["class"], stability["points"], strict=True)
    ]
    return tables.table(OUTLINE_CLASSES, columns, list(stability.geometry))


def change_by_class(joined: GeoDataFrame) -> DataFrame:
    """Number of outlines by what their landslide has done (rows) and how the ground inside moves (columns).

    Each outline counts once, by the track that decides.
    """
    import pandas

    decided = joined.loc[joined["deciding"]]
    found = pandas.crosstab(decided["change"].to_numpy(object), decided["class"].to_numpy(object))
    whole = found.reindex(index=list(KINDS), columns=list(CLASSES.values()), fill_value=0)
    return whole.astype(np.int64)


def _reason(points: int, least: int) -> str:
    if points == 0:
        return "no pixel inside has a velocity"
    few = "pixel inside has" if points == 1 else "pixels inside have"
    return f"{points} {few} a velocity, at least {least} are needed"
