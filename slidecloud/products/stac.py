"""A static STAC catalogue of a run: a collection, an item for each burst, and one for the products of the whole run.

The documents are plain JSON, written here: they are few and simple, and the library for them brings two dozen packages.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from slidecloud.products.footprints import footprint, span
from slidecloud.products.stac_fields import common, place, radar
from slidecloud.products.vectors import LAYERS
from slidecloud.products.whole import whole
from slidecloud.store.inventory_specs import DENSITY_GROUP, INVENTORY
from slidecloud.store.stability_specs import POINTS, RAIN, STABILITY

if TYPE_CHECKING:
    from slidecloud.store import Run

VERSION: Final = "1.1.0"
_EXTENSION: Final = "https://stac-extensions.github.io/{}/schema.json"
_EXTENSIONS: Final = {
    "proj": "projection/v2.0.0",
    "sar": "sar/v1.3.2",
    "sat": "sat/v1.0.0",
    "processing": "processing/v1.2.0",
    "file": "file/v2.1.0",
}
_GROUPS: Final = {
    "gradients": "phase gradients and gradients of velocity",
    "timeseries": "displacement series and velocity",
    "patches": "displacement series and velocity of patches around what was found",
    "visibility": "what the radar sees of the slopes",
}
_TABLES: Final = dict(zip(LAYERS, (INVENTORY, STABILITY, POINTS, RAIN), strict=True))
_ZARR: Final = "application/vnd.zarr; version=3"
_PARQUET: Final = "application/vnd.apache.parquet"
_COG: Final = "image/tiff; application=geotiff; profile=cloud-optimized"


def export(run: Run, folder: str | os.PathLike[str], *, bursts: Sequence[str] | None = None) -> list[Path]:
    """Write the catalogue ``<folder>/collection.json`` with its items ``<folder>/<burst>/<burst>.json``.

    Links between documents are relative, so the folder can be put anywhere. Assets are the groups and tables of the
    run, relative where the run is a local folder, else by URL; and the GeoTIFFs that `slidecloud.products.cog.export`
    has written into the same folder. The collection is written last.

    Parameters
    ----------
    run
        An open run store.
    folder
        Where to write; made if needed.
    bursts
        Ids of bursts; by default all of the run.

    Returns
    -------
    list of Path
        The collection, then the items.

    Raises
    ------
    KeyError
        If a burst is not in the run, or has no results yet.
    ValueError
        If the run has no burst.
    """
    chosen = tuple(run.bursts if bursts is None else bursts)
    unknown = [burst for burst in chosen if burst not in run.bursts]
    if unknown:
        raise KeyError(f"{run.location} has no burst {unknown[0]!r}; bursts are {', '.join(run.bursts)}.")
    if not chosen:
        raise ValueError(f"{run.location} holds no burst yet; finish the run with 'slidecloud run' before exporting.")
    target = Path(folder)
    items = [_burst(run, burst, target) for burst in chosen]
    boxes = np.array([item["bbox"] for item in items])
    box = [*boxes[:, :2].min(axis=0).tolist(), *boxes[:, 2:].max(axis=0).tolist()]
    times = sorted(item["properties"][name] for item in items for name in ("start_datetime", "end_datetime"))
    items += _products(run, box, (times[0], times[-1]), target)
    items = [{**item, "collection": _name(run)} for item in items]
    written = []
    for item in items:
        path = target / item["id"] / f"{item['id']}.json"
        _write(item, path)
        written.append(path)
    collection = _collection(run, items, box, (times[0], times[-1]))
    _write(collection, target / "collection.json")
    return [target / "collection.json", *written]


def _collection(
    run: Run, items: Sequence[Mapping[str, Any]], box: Sequence[float], times: tuple[str, str]
) -> dict[str, Any]:
    name = _name(run)
    links = [{"rel": "root", "href": "./collection.json", "type": "application/json"}]
    links += [
        {"rel": "item", "href": f"./{item['id']}/{item['id']}.json", "type": "application/geo+json"} for item in items
    ]
    return {
        "type": "Collection",
        "stac_version": VERSION,
        "id": name,
        "title": name,
        "description": "Slow-moving landslides seen by Sentinel-1: gradients of velocity, displacement and inventory.",
        "license": "other",
        "keywords": ["InSAR", "Sentinel-1", "landslides"],
        "extent": {"spatial": {"bbox": [list(box)]}, "temporal": {"interval": [list(times)]}},
        "links": links,
    }


def _name(run: Run) -> str:
    return run.location.name.removesuffix(".zarr")


def _burst(run: Run, burst: str, folder: Path) -> dict[str, Any]:
    header, outline = run.header(burst), footprint(run, burst)
    start, end = (f"{np.datetime_as_string(one, unit='s')}Z" for one in span(run, burst))
    there = set((run.location / "bursts" / burst).folders())
    assets = {
        group: _asset(_href(run, f"bursts/{burst}/{group}", folder / burst), _ZARR, title, "data")
        for group, title in _GROUPS.items()
        if group in there
    }
    properties = {**common(start, end), "title": f"Burst {burst}", **radar(header), **place(header)}
    return _item(burst, outline.tolist(), properties, {**assets, **_rasters(folder, burst)})


def _products(run: Run, box: Sequence[float], times: tuple[str, str], folder: Path) -> list[dict[str, Any]]:
    """The item of what there is of the whole run, if there is anything."""
    present = run.location.read_many([*_TABLES.values(), f"{DENSITY_GROUP}/zarr.json"])
    assets = {
        name: _asset(_href(run, key, folder / "products"), _PARQUET, LAYERS[name][2], "data")
        for name, key in _TABLES.items()
        if key in present
    }
    if f"{DENSITY_GROUP}/zarr.json" in present:
        address = _href(run, DENSITY_GROUP, folder / "products")
        assets["density"] = _asset(address, _ZARR, "landslides per square kilometre", "data")
    assets |= _rasters(folder, "products")
    if not assets:
        return []
    west, south, east, north = box
    outline = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    properties = {**common(*times), "title": "Landslides of the whole run"}
    return [_item("products", outline, properties, assets)]


def _item(
    name: str, outline: Sequence[Sequence[float]], properties: Mapping[str, Any], assets: Mapping[str, Any]
) -> dict[str, Any]:
    points = np.array(outline)
    fields = [*properties, *(field for asset in assets.values() for field in asset)]
    used = {field.partition(":")[0] for field in fields if ":" in field}
    return {
        "type": "Feature",
        "stac_version": VERSION,
        "stac_extensions": [_EXTENSION.format(one) for prefix, one in _EXTENSIONS.items() if prefix in used],
        "id": name,
        "geometry": {"type": "Polygon", "coordinates": [[[round(x, 7), round(y, 7)] for x, y in outline]]},
        "bbox": [*points.min(axis=0).tolist(), *points.max(axis=0).tolist()],
        "properties": dict(properties),
        "links": [
            {"rel": rel, "href": "../collection.json", "type": "application/json"}
            for rel in ("root", "parent", "collection")
        ],
        "assets": dict(assets),
    }


def _rasters(folder: Path, of: str) -> dict[str, Any]:
    """The GeoTIFFs of a burst, or of the run, that lie in the folder of the catalogue."""
    found = {}
    for path in sorted(folder.glob(f"{of}_*.tif")):
        import rasterio

        name = path.stem.removeprefix(f"{of}_")
        with rasterio.open(path) as raster:
            bands = [
                {"description": meaning, "unit": unit, "data_type": kind}
                for meaning, unit, kind in zip(raster.descriptions, raster.units, raster.dtypes, strict=True)
            ]
        asset = _asset(f"../{path.name}", _COG, bands[0]["description"], "data")
        found[f"{name}_cog"] = {**asset, "bands": bands, "file:size": path.stat().st_size}
    return found


def _asset(href: str, kind: str, title: str, role: str) -> dict[str, Any]:
    return {"href": href, "type": kind, "title": title, "roles": [role]}


def _href(run: Run, key: str, start: Path) -> str:
    """Address of something in the run as seen from a folder."""
    address = f"{run.location}/{key}"
    return Path(os.path.relpath(address, start.absolute())).as_posix() if run.location.is_local else address


def _write(document: Mapping[str, Any], path: Path) -> None:
    with whole(path) as made:
        made.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
