"""The inventory for Google Earth: one KMZ with outlines coloured by probability, maps, and what is known of each."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from xml.sax.saxutils import escape

import numpy as np

from slidecloud.products.whole import whole

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from slidecloud.products.overlays import Overlay

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


Picture = Callable[[Any], bytes | None]
"""Makes a PNG of a row of the inventory, or None where there is nothing to draw."""


def write(
    inventory: GeoDataFrame,
    path: str | os.PathLike[str],
    *,
    name: str = "landslides",
    overlays: Sequence[tuple[Overlay, bytes | None]] = (),
    picture: Picture | None = None,
    most_pictures: int = 200,
) -> Path:
    """Write an inventory as KMZ; the file appears under its name only when it is whole.

    Parameters
    ----------
    inventory
        As `slidecloud.store.Run.inventory` gives it.
    path
        The file.
    name
        Name of the document in Google Earth.
    overlays
        Maps to lay on the ground, each with the PNG of its legend or None; the first one is shown.
    picture
        Draws what the balloon of a landslide shows under its table.
    most_pictures
        Landslides, best first, that get one.
    """
    with whole(path) as made, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        drawn: dict[int, str] = {}
        for number, row in enumerate(inventory.itertuples(index=False)):
            found = picture(row) if picture is not None and number < most_pictures else None
            if found is not None:
                drawn[number] = f"files/series_{number:05d}.png"
                _add(archive, drawn[number], found)
        for overlay, legend in overlays:
            _add(archive, f"files/{overlay.slug}.png", overlay.picture)
            if legend is not None:
                _add(archive, f"files/{overlay.slug}_legend.png", legend)
        shown = [(overlay, legend is not None) for overlay, legend in overlays]
        _add(archive, "doc.kml", document(inventory, name=name, overlays=shown, drawn=drawn).encode())
    return Path(path)


def document(
    inventory: GeoDataFrame, *, name: str, overlays: Sequence[tuple[Overlay, bool]], drawn: Mapping[int, str]
) -> str:
    """An inventory as KML 2.2 (OGC 07-147r2).

    Parameters
    ----------
    inventory, name
        As in `write`.
    overlays
        Maps, and whether each has a legend, in the archive beside the document.
    drawn
        Picture in the archive of some rows, by number.
    """
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
        chosen = np.flatnonzero((rank >= least) & (rank < above))
        above = least
        lines.append(f"<Folder><name>{style}: {len(chosen)}</name>")
        rows = zip(chosen, inventory.iloc[chosen].itertuples(index=False), strict=True)
        lines += [_placemark(row, style, drawn.get(int(number))) for number, row in rows]
        lines.append("</Folder>")
    lines += [_overlay(overlay, legend, number == 0) for number, (overlay, legend) in enumerate(overlays)]
    return "\n".join([*lines, "</Document></kml>", ""])


def _rank(inventory: GeoDataFrame) -> Any:
    probability, score = (inventory[name].to_numpy(np.float64) for name in ("probability", "score"))
    return np.where(np.isnan(probability), score, probability)


def _overlay(overlay: Overlay, legend: bool, visible: bool) -> str:
    """A map on the ground with its legend on the screen, switched together."""
    shown = f"<visibility>{int(visible)}</visibility>"
    screen = (
        f"<ScreenOverlay><name>legend</name>{shown}<Icon><href>files/{overlay.slug}_legend.png</href></Icon>"
        '<overlayXY x="0" y="0" xunits="fraction" yunits="fraction"/>'
        '<screenXY x="0.01" y="0.06" xunits="fraction" yunits="fraction"/></ScreenOverlay>'
    )
    return (
        f"<Folder><name>{escape(overlay.title)}</name>{shown}<GroundOverlay><name>map</name>{shown}"
        f"<color>ccffffff</color><Icon><href>files/{overlay.slug}.png</href></Icon><LatLonBox>"
        f"<north>{overlay.north:.8f}</north><south>{overlay.south:.8f}</south><east>{overlay.east:.8f}</east>"
        f"<west>{overlay.west:.8f}</west></LatLonBox></GroundOverlay>{screen if legend else ''}</Folder>"
    )


def _placemark(row: Any, style: str, drawn: str | None) -> str:
    told = "".join(_line(name, form.format(value) + unit) for name, form, unit, value in _known(row))
    picture = "" if drawn is None else f'<img src="{drawn}" width="560"/>'
    parts = "".join(_polygon(part) for part in getattr(row.geometry, "geoms", [row.geometry]))
    return (
        f"<Placemark><name>{escape(row.id)}</name><description><![CDATA[<table>{told}</table>{picture}]]></description>"
        f"<styleUrl>#{style}</styleUrl><MultiGeometry>{parts}</MultiGeometry></Placemark>"
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


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    entry = zipfile.ZipInfo(name, date_time=_LONG_AGO)
    entry.compress_type = zipfile.ZIP_STORED if name.endswith(".png") else zipfile.ZIP_DEFLATED
    archive.writestr(entry, data)
