"""Tables of a run as GeoPackage, GeoParquet or GeoJSON, with units and meaning of every column."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from slidecloud.products import geojson
from slidecloud.products.whole import whole
from slidecloud.store import tables
from slidecloud.store.inventory_specs import LANDSLIDES
from slidecloud.store.stability_specs import LANDSLIDE_CLASSES, LANDSLIDE_RAIN, POTENTIAL_POINTS
from slidecloud.store.tables import ColumnSpec

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from slidecloud.store import Run

Form = Literal["gpkg", "geoparquet", "geojson"]

LAYERS: Final = {
    "landslides": ("inventory", LANDSLIDES, "landslides that were found"),
    "stability": ("stability", LANDSLIDE_CLASSES, "class and velocity of each landslide and track"),
    "points": ("points", POTENTIAL_POINTS, "potential landslide points"),
    "rain": ("rain", LANDSLIDE_RAIN, "landslides and the rain before their motion"),
}
"""Layers by name: table of the run, its columns, and what it is."""
_ENDINGS: Final = {"geoparquet": "parquet", "geojson": "geojson"}
_SCHEMA_EXTENSION: Final = "http://www.geopackage.org/spec121/#extension_schema"


def write(
    found: Mapping[str, GeoDataFrame], folder: str | os.PathLike[str], form: Form, *, title: str = "run"
) -> list[Path]:
    """Write tables of a run: one GeoPackage with a layer for each, or a GeoParquet or GeoJSON file for each.

    Coordinates are longitude and latitude (EPSG:4326), numbers as in the store (m, m/year, positive towards the
    satellite; what is not known is null). GeoPackages have units and meaning in the descriptions of the layers' columns
    (gpkg_data_columns), GeoParquet in the metadata of the fields, GeoJSON in its member ``fields``.

    Parameters
    ----------
    found
        Tables by the name of their layer, from `read`.
    folder
        Where to write; made if needed.
    form
        gpkg, geoparquet or geojson.
    title
        Name of the GeoPackage without its ending.

    Returns
    -------
    list of Path
        The files; each appears when it is whole.
    """
    if form == "gpkg":
        return [geopackage(found, Path(folder) / f"{title}.gpkg")]
    one = geoparquet if form == "geoparquet" else _geojson
    return [one(name, table, Path(folder) / f"{name}.{_ENDINGS[form]}") for name, table in found.items()]


def read(run: Run, names: Sequence[str] | None = None) -> dict[str, GeoDataFrame]:
    """Tables of a run by the name of their layer.

    Parameters
    ----------
    run
        An open run store.
    names
        Of `LAYERS`; by default those that the run has.

    Raises
    ------
    KeyError
        If a layer is unknown, or the run does not have it, or has none.
    DataError
        If a table cannot be read.
    """
    unknown = [name for name in names or () if name not in LAYERS]
    if unknown:
        raise KeyError(f"There is no layer {unknown[0]!r}; layers are {', '.join(LAYERS)}.")
    found = {}
    for name in LAYERS if names is None else names:
        try:
            found[name] = getattr(run, LAYERS[name][0])
        except KeyError:
            if names is not None:
                raise
    if not found:
        raise KeyError(f"{run.location} has no tables; add the stage 'detect' and run again.")
    return found


def geopackage(found: Mapping[str, GeoDataFrame], path: Path) -> Path:
    """Write tables as layers of one GeoPackage."""
    import pyogrio

    with whole(path) as made:
        for name, table in found.items():
            pyogrio.write_dataframe(
                table,
                made,
                layer=name,
                driver="GPKG",
                append=made.exists(),
                geometry_type=_geometry(name),
                promote_to_multi=name != "points",
                layer_options={"IDENTIFIER": name, "DESCRIPTION": LAYERS[name][2], "GEOMETRY_NAME": "geometry"},
            )
        with closing(sqlite3.connect(made)) as database, database:
            _describe(database, found)
    return path


def geoparquet(name: str, table: GeoDataFrame, path: Path) -> Path:
    """Write one table as GeoParquet."""
    import io

    import pyarrow
    from pyarrow import parquet

    stored = parquet.read_table(io.BytesIO(tables.encode(table)))
    told = {spec.name: {"units": spec.units, "description": spec.meaning} for spec in LAYERS[name][1]}
    fields = [field.with_metadata(told.get(field.name, {})) for field in stored.schema]
    described = stored.cast(pyarrow.schema(fields, metadata=stored.schema.metadata))
    with whole(path) as made:
        parquet.write_table(described, made, compression="zstd")
    return path


def _geojson(name: str, table: GeoDataFrame, path: Path) -> Path:
    return geojson.write(table, path, specs=LAYERS[name][1])


def _geometry(name: str) -> str:
    return "Point" if name == "points" else "MultiPolygon"


def _describe(database: sqlite3.Connection, found: Mapping[str, GeoDataFrame]) -> None:
    """Units and meaning of columns, as the schema extension of GeoPackage keeps them."""
    database.execute(
        "CREATE TABLE gpkg_data_columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL, name TEXT, title TEXT, "
        "description TEXT, mime_type TEXT, constraint_name TEXT, "
        "CONSTRAINT pk_gdc PRIMARY KEY (table_name, column_name), CONSTRAINT gdc_tn UNIQUE (table_name, name))"
    )
    database.execute(
        "INSERT INTO gpkg_extensions (table_name, column_name, extension_name, definition, scope) VALUES "
        "('gpkg_data_columns', NULL, 'gpkg_schema', ?, 'read-write')",
        (_SCHEMA_EXTENSION,),
    )
    database.executemany(
        "INSERT INTO gpkg_data_columns (table_name, column_name, name, description) VALUES (?, ?, ?, ?)",
        [(name, spec.name, spec.name, _meaning(spec)) for name in found for spec in LAYERS[name][1]],
    )


def _meaning(spec: ColumnSpec) -> str:
    return spec.meaning if spec.units in ("", "1") else f"{spec.meaning} ({spec.units})"
