"""The inventory for Google Earth: one KMZ with outlines coloured by probability, and what is known of each."""

from __future__ import annotations

import io
import os
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from xml.sax.saxutils import escape

import numpy as np

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

_CLASSES: Final = (
    (0.8, "likely", "ff2b23d7"),
    (0.5, "possible", "ff61aefd"),
    (0.0, "doubtful", "ffe9d9ab"),
)
"""From which probability (or score, where it is not calibrated), name, and colour as aabbggrr."""
_LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)
"""Date in the archive, so that the same inventory makes the same bytes."""
_SHOWN: Final = (
    ("probability", "{:.2f}", ""), ("score", "{:.2f}", ""), ("area", "{:,.0f}", " m²"),
    ("peak_velocity", "{:+.3f}", " m/yr along the line of sight"), ("peak_gradient", "{:.2e}", " /yr"),
    ("gradient_sigma", "{:.1e}", " /yr"), ("pair_count", "{:d}", ""), ("tracks", "{}", ""), ("seasons", "{}", ""),
    ("bursts", "{}", ""), ("method", "{}", ""),
)  # fmt: skip


def write(inventory: GeoDataFrame, path: str | os.PathLike[str], *, name: str = "landslides") -> Path:
    """Write an inventory as KMZ; the file appears under its name only when it is whole.

    Parameters
    ----------
    inventory
        As `slidecloud.store.Run.inventory` gives it.
    path
        The file.
    name
        Name of the document in Google Earth.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    try:
        partial.write_bytes(_zipped(document(inventory, name=name)))
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return target


def document(inventory: GeoDataFrame, *, name: str) -> str:
    """An inventory as KML 2.2 (OGC 07-147r2)."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<kml xmlns="http://www.opengis.net/kml/2.2"><Document>']
    lines.append(f"<name>{escape(name)}</name>")
    for _, style, colour in _CLASSES:
        lines.append(
            f'<Style id="{style}"><LineStyle><color>{colour}</color><width>2</width></LineStyle>'
            f"<PolyStyle><color>59{colour[2:]}</color></PolyStyle></Style>"
        )
    rank = _rank(inventory)
    above = np.inf
    for least, style, _ in _CLASSES:
        chosen = inventory[(rank >= least) & (rank < above)] if len(inventory) else inventory
        above = least
        lines.append(f"<Folder><name>{style}: {len(chosen)}</name>")
        lines += [_placemark(row, style) for row in chosen.itertuples(index=False)]
        lines.append("</Folder>")
    return "\n".join([*lines, "</Document></kml>", ""])


def _rank(inventory: GeoDataFrame) -> Any:
    probability, score = (inventory[name].to_numpy(np.float64) for name in ("probability", "score"))
    return np.where(np.isnan(probability), score, probability)


def _placemark(row: Any, style: str) -> str:
    told = "".join(_line(name, form.format(value) + unit) for name, form, unit, value in _known(row))
    parts = "".join(_polygon(part) for part in getattr(row.geometry, "geoms", [row.geometry]))
    return (
        f"<Placemark><name>{escape(row.id)}</name><styleUrl>#{style}</styleUrl>"
        f"<description><![CDATA[<table>{told}</table>]]></description><MultiGeometry>{parts}</MultiGeometry></Placemark>"
    )


def _known(row: Any) -> Iterator[tuple[str, str, str, Any]]:
    for name, form, unit in _SHOWN:
        value = getattr(row, name)
        if not (isinstance(value, float | np.floating) and np.isnan(value)):
            yield name, form, unit, value


def _line(name: str, value: str) -> str:
    return f"<tr><td>{escape(name.replace('_', ' '))}</td><td>{escape(value)}</td></tr>"


def _polygon(part: Any) -> str:
    inner = "".join(f"<innerBoundaryIs>{_ring(ring)}</innerBoundaryIs>" for ring in part.interiors)
    return (
        f"<Polygon><tessellate>1</tessellate><outerBoundaryIs>{_ring(part.exterior)}</outerBoundaryIs>{inner}</Polygon>"
    )


def _ring(ring: Any) -> str:
    places = " ".join(f"{longitude:.7f},{latitude:.7f}" for longitude, latitude in ring.coords)
    return f"<LinearRing><coordinates>{places}</coordinates></LinearRing>"


def _zipped(text: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        entry = zipfile.ZipInfo("doc.kml", date_time=_LONG_AGO)
        entry.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(entry, text.encode())
    return buffer.getvalue()
