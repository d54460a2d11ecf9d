"""Tables leave as GeoPackage, GeoParquet and GeoJSON with the same rows, units in the columns, whole or not at all."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import geopandas
import handmade
import numpy as np
import pyogrio
import pytest
from pyarrow import parquet

from slidecloud.products import vectors
from slidecloud.store import Run, tables
from slidecloud.store.inventory_specs import LANDSLIDES

NAMES = ["landslides", "stability", "points"]


def _same(found: geopandas.GeoDataFrame, table: geopandas.GeoDataFrame) -> None:
    """Rows and places as stored; what is not known is null."""
    assert found.crs == "EPSG:4326"
    assert [*found.columns] == [*table.columns]
    assert found.geometry.geom_equals(table.geometry).all()
    for name in table.columns.drop("geometry"):
        own, other = table[name], found[name]
        if own.dtype.kind == "f":
            np.testing.assert_array_equal(other.to_numpy(np.float64).astype(own.dtype), own.to_numpy())
        else:
            assert [str(one) for one in own] == ["" if one is None else str(one) for one in other], name


def test_a_geopackage_has_a_described_layer_for_each_table(run: Run, tmp_path: Path) -> None:
    (path,) = vectors.write(vectors.read(run), tmp_path / "new", "gpkg", title="sinking")
    assert path.name == "sinking.gpkg"
    assert [*pyogrio.list_layers(path)[:, 0]] == NAMES
    assert [*pyogrio.list_layers(path)[:, 1]] == ["MultiPolygon", "MultiPolygon", "Point"]
    for name, table in vectors.read(run).items():
        _same(pyogrio.read_dataframe(path, layer=name), table)
    with closing(sqlite3.connect(path)) as database:
        told = dict(
            database.execute(
                "SELECT column_name, description FROM gpkg_data_columns WHERE table_name = 'stability'"
            ).fetchall()
        )
        assert told["velocity"].endswith("towards the satellite (m year-1)")
        (problems,) = database.execute("PRAGMA integrity_check").fetchone()
        assert problems == "ok"
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []


def test_geoparquet_tells_units_in_its_fields(run: Run, tmp_path: Path) -> None:
    written = vectors.write(vectors.read(run), tmp_path, "geoparquet")
    assert [path.name for path in written] == [f"{name}.parquet" for name in NAMES]
    for path, table in zip(written, vectors.read(run).values(), strict=True):
        _same(geopandas.read_parquet(path), table)
    field = parquet.read_schema(written[1]).field("velocity")
    assert field.metadata[b"units"] == b"m year-1"
    assert "geo" in {key.decode() for key in parquet.read_schema(written[1]).metadata}


def test_geojson_has_the_chosen_layers_and_their_units(run: Run, tmp_path: Path) -> None:
    (path,) = vectors.write(vectors.read(run, ["points"]), tmp_path, "geojson")
    found = json.loads(path.read_text())
    assert found["type"] == "FeatureCollection"
    assert found["fields"]["velocity"]["units"] == "m year-1"
    assert found["features"][0]["properties"]["velocity"] == pytest.approx(-0.05)
    assert found["features"][0]["properties"]["slope"] is None
    _same(pyogrio.read_dataframe(path), run.points)


def test_velocities_of_sinking_ground_are_negative_everywhere(run: Run, tmp_path: Path) -> None:
    for form in ("gpkg", "geoparquet", "geojson"):
        for path in vectors.write(vectors.read(run, ["stability"]), tmp_path / form, form):  # type: ignore[arg-type]
            read = geopandas.read_parquet if form == "geoparquet" else pyogrio.read_dataframe
            assert (read(path)["velocity"] < 0).all()


def test_tables_without_rows_keep_their_columns(tmp_path: Path) -> None:
    empty = tables.table(LANDSLIDES, {spec.name: [] for spec in LANDSLIDES}, [])
    path = vectors.geopackage({"landslides": empty}, tmp_path / "none.gpkg")
    found = pyogrio.read_dataframe(path)
    assert len(found) == 0
    assert [*found.columns] == [*empty.columns]
    assert len(geopandas.read_parquet(vectors.geoparquet("landslides", empty, tmp_path / "none.parquet"))) == 0


def test_unknown_and_absent_layers_are_named(run: Run, tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="no layer 'slides'; layers are landslides"):
        vectors.write(vectors.read(run, ["slides"]), tmp_path / "out", "gpkg")
    with pytest.raises(KeyError, match=r"has no products/rain\.parquet"):
        vectors.write(vectors.read(run, ["rain"]), tmp_path / "out", "geojson")
    assert not (tmp_path / "out").exists()


def test_a_write_that_breaks_off_leaves_the_older_file(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path,) = vectors.write(vectors.read(run), tmp_path, "gpkg")
    before = path.read_bytes()

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(vectors, "_describe", stop)
    with pytest.raises(KeyboardInterrupt):
        vectors.write(vectors.read(run), tmp_path, "gpkg")
    assert path.read_bytes() == before
    assert [*tmp_path.iterdir()] == [path]
    assert handmade.BURST in str(vectors.read(run)["landslides"]["bursts"][0])
