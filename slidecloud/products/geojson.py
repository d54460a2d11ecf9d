"""Tables as GeoJSON (RFC 7946), for web maps and for whoever has no GeoParquet."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from slidecloud.products.whole import whole

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from slidecloud.store.tables import ColumnSpec


def write(table: GeoDataFrame, path: str | os.PathLike[str], *, specs: Sequence[ColumnSpec] = ()) -> Path:
    """Write a table as GeoJSON; numbers that are not known are null.

    The file appears under its name only when it is whole.

    Parameters
    ----------
    table
        Of a run, in longitude and latitude.
    path
        The file.
    specs
        Its columns: units and meaning go into the member ``fields`` of the collection, which readers may ignore.
    """
    import json

    text = table.to_json(drop_id=True, na="null", to_wgs84=True)
    if specs:
        told = {spec.name: {"units": spec.units, "meaning": spec.meaning} for spec in specs}
        text = f'{{"fields": {json.dumps(told, ensure_ascii=False)}, {text.removeprefix("{")}'
    with whole(path) as made:
        made.write_text(text + "\n", encoding="utf-8")
    return Path(path)
