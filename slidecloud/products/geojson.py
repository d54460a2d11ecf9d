"""The inventory as GeoJSON (RFC 7946), for web maps and for whoever has no GeoParquet."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from geopandas import GeoDataFrame


def write(inventory: GeoDataFrame, path: str | os.PathLike[str]) -> Path:
    """Write an inventory as GeoJSON; numbers that are not known are null.

    The file appears under its name only when it is whole.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    try:
        partial.write_text(inventory.to_json(drop_id=True, na="null", to_wgs84=True) + "\n", encoding="utf-8")
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return target
