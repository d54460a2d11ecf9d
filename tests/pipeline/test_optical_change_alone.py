"""Two dates of outlines in a store without a run: clouds, empty files, and counts over factors of the ground."""

from __future__ import annotations

from pathlib import Path

import geopandas
import numpy as np
import pytest
import rasterio
import shapely
import shapely.affinity
from two_dates import RESOURCES, computed, made, put, ring

from slidecloud.config_classify import ClassifyConfig
from slidecloud.config_yaml import ConfigError
from slidecloud.kernels.places import EARTH_RADIUS
from slidecloud.pipeline import optical_outlines
from slidecloud.store import locate, templates
from slidecloud.store.arrays import Writer
from slidecloud.store.optical_specs import COVERS, SCENE, scene_group
from slidecloud.types import Grid


def test_a_file_may_be_empty(tmp_path):
    store = tmp_path / "own.zarr"
    store.mkdir()
    put(store, "young", [ring(30, 40, 6)])
    empty = geopandas.GeoDataFrame({"id": np.empty(0, object)}, geometry=[], crs="EPSG:4326")
    empty.to_parquet(tmp_path / "none.parquet")
    result = made(store, before=str(tmp_path / "none.parquet"))
    assert result.dates == ("none", "young")
    assert result.facts["changes"]["new"] == 1


def test_a_mapped_table_that_is_given_as_a_file_keeps_what_it_says(tmp_path):
    store = tmp_path / "own.zarr"
    store.mkdir()
    put(store, "young", [ring(30, 40, 6), ring(5, 5, 3)])
    table = geopandas.read_parquet(store / "optical" / "young.parquet").assign(open=[True, False])
    table.to_parquet(tmp_path / "copied.parquet")
    found = made(store, after=str(tmp_path / "copied.parquet"), before="young").changes
    assert found["open"].tolist() == [True, False]
    assert found["score"].tolist() == pytest.approx([0.8, 0.8])
    # What others call open is not ours.
    table.assign(open=["no", "yes"]).to_parquet(tmp_path / "other.parquet")
    assert not made(store, after=str(tmp_path / "other.parquet"), before="young").changes["open"].any()


def test_outlines_are_read_for_the_plan_and_for_the_work_alone(tmp_path, monkeypatch):
    store = tmp_path / "own.zarr"
    store.mkdir()
    put(store, "old", [ring(30, 40, 6)])
    put(store, "young", [ring(30, 40, 6), ring(5, 5, 3)])
    read, plain = [], optical_outlines.check_polygons
    monkeypatch.setattr(optical_outlines, "check_polygons", lambda frame, name: read.append(name) or plain(frame, name))
    made(store)
    assert len(read) == 4


def mapped(store: Path, scene: str, *, west: float, covered) -> None:
    """What kept a scene of 40 x 60 pixels of 0.001 degrees from being mapped, 1 at those columns."""
    place, grid = locate(str(store)), Grid("EPSG:4326", west, 30.04, 0.001, -0.001, 40, 60)
    objects = templates.group(
        SCENE, {"y": 40, "x": 60}, path=scene_group(scene), attributes={}, coordinates={}, grid=grid
    )  # fmt: skip
    place.write_many(objects)
    mask = np.zeros((40, 60), np.uint8)
    mask[:, covered] = COVERS["cloud"]
    Writer(place).write(f"{scene_group(scene)}/mask", mask)


def test_what_the_other_date_did_not_map_is_no_change(tmp_path):
    """Columns from 20 are under clouds in the earlier date, and the later one begins at column 10."""
    store = tmp_path / "own.zarr"
    store.mkdir()
    mapped(store, "old", west=100.0, covered=slice(20, None))
    mapped(store, "young", west=100.010, covered=slice(0, 0))

    def shape(column: float, width: float = 4.0):
        return shapely.box(100 + 0.001 * column, 30.01, 100 + 0.001 * (column + width), 30.02)

    put(store, "old", [shape(12), shape(2), shape(16, 0.2)])
    put(store, "young", [shape(30), shape(17), shapely.affinity.translate(shape(18), 0, 0.012), shape(28, 0.1)])
    found = made(store).changes.set_index("id")
    assert found["change"].to_dict() == {
        "young/young0": "unseen",  # all under clouds before
        "young/young1": "new",
        "young/young2": "new",
        "young/young3": "unseen",  # smaller than a pixel
        "old/old0": "vanished",
        "old/old1": "unseen",  # west of the later scene
        "old/old2": "vanished",
    }
    expected = {"young/young0": 1.0, "young/young3": 1.0, "old/old0": 0.0, "old/old1": 1.0, "old/old2": 0.0}
    for name, share in expected.items():
        assert found.loc[name, "unmapped"] == pytest.approx(share)
    # Three quarters of the columns from 17 on are known before, and half of those from 18 on.
    assert found.loc["young/young1", "unmapped"] == pytest.approx(0.25)
    assert found.loc["young/young2", "unmapped"] == pytest.approx(0.5)
    strict = made(store, most_unmapped=0.4).changes.set_index("id")
    assert [strict.loc[f"young/young{n}", "change"] for n in (1, 2)] == ["new", "unseen"]
    # Another mask is another result.
    mapped(store, "old", west=100.0, covered=slice(0, 0))
    again = made(store).changes.set_index("id")
    assert again.loc["young/young0", "change"] == "new"


def test_the_edge_of_a_cloud_neither_grows_nor_shrinks_a_landslide(tmp_path):
    """Columns from 20 are under clouds in the earlier date, and columns 0 to 9 in the later one."""
    store = tmp_path / "own.zarr"
    store.mkdir()
    mapped(store, "old", west=100.0, covered=slice(20, None))
    mapped(store, "young", west=100.0, covered=slice(0, 10))

    def shape(row: float, west: float, east: float):
        return shapely.box(100 + 0.001 * west, 30.0 + 0.001 * row, 100 + 0.001 * east, 30.0 + 0.001 * (row + 4))

    put(store, "old", [shape(0, 16, 20), shape(6, 6, 14), shape(12, 12, 14), shape(18, 12, 16), shape(24, 6, 14)])
    split = [shape(24, 10, 11), shape(24, 12, 13)]
    put(store, "young", [shape(0, 16, 26), shape(6, 10, 14), shape(12, 12, 18), shape(18, 12, 13), *split])
    result = made(store)
    found = result.changes.set_index("id")
    assert found["change"].to_dict() == {
        "young/young0": "unseen",  # what it gained was under clouds before
        "young/young1": "unseen",  # what it lost is under clouds now
        "young/young2": "grown",
        "young/young3": "shrunk",
        "young/young4": "unseen",  # four columns of the six that it lost
    }
    shares = found["unmapped"].to_numpy()
    assert shares == pytest.approx([1.0, 1.0, 0.0, 0.0, 2 / 3], rel=1e-3)
    # A file does not tell what was mapped: what is gained since then is believed.
    table = geopandas.read_parquet(store / "optical" / "old.parquet")
    table.to_file(tmp_path / "old.gpkg")
    again = made(store, before=str(tmp_path / "old.gpkg")).changes.set_index("id")
    assert again["change"].tolist() == ["grown", "unseen", "grown", "shrunk", "unseen"]


def test_all_of_each_landslide_is_in_the_map_of_density(tmp_path):
    """At 60 degrees north a circle is twice as wide in degrees as it is high."""
    store = tmp_path / "own.zarr"
    store.mkdir()
    for scene, latitude in (("old", 40.0), ("young", 60.0)):
        put(store, scene, [shapely.Point(100.0, latitude).buffer(0.001)])
    maps = made(store, radius=20_000.0).density
    reach = np.degrees(20_000.0 / EARTH_RADIUS)
    for name, latitude in (("density_before", 40.0), ("density_after", 60.0)):
        seen = maps["x"].values[(maps[name].values > 0).any(0)]
        assert [seen[0], seen[-1]] == pytest.approx(
            [100.0 - reach / np.cos(np.radians(latitude)), 100.0 + reach / np.cos(np.radians(latitude))], abs=0.015
        )


def test_without_a_run_there_are_no_classes(tmp_path):
    store = tmp_path / "own.zarr"
    store.mkdir()
    put(store, "old", [ring(30, 40, 6)])
    put(store, "young", [ring(30, 40, 6), ring(5, 5, 3)])
    result = made(store)
    assert result.radar is None
    assert "classes" not in result.facts
    assert result.facts["changes"]["new"] == 1
    with pytest.raises(ConfigError, match=r"change.radar says how .* holds no run"):
        made(store, radar=ClassifyConfig())


def test_histograms_are_those_of_numpy(tmp_path):
    """Steps of elevation and a map of categories on the grid of the factors; three squares of known cells."""
    store = tmp_path / "own.zarr"
    store.mkdir()
    west, north, step = 500_000.0, 3_300_000.0, 10.0
    rows, columns = np.mgrid[:300, :600]
    height, kind = (columns // 100).astype(np.float32), np.where(rows < 150, 3, 7).astype(np.uint8)
    for name, values in (("height", height), ("kind", kind)):
        with rasterio.open(
            tmp_path / f"{name}.tif", "w", driver="GTiff", height=300, width=600, count=1, dtype=values.dtype,
            crs="EPSG:32648", transform=rasterio.Affine(step, 0, west, 0, -step, north),
        ) as file:  # fmt: skip
            file.write(values, 1)
    windows = [(20, 20, 10, 30), (200, 95, 20, 10), (250, 510, 10, 10)]
    shapes = [
        shapely.box(west + step * c, north - step * (r + h), west + step * (c + w), north - step * r)
        for r, c, h, w in windows
    ]
    frame = geopandas.GeoSeries(shapes, crs="EPSG:32648").to_crs("EPSG:4326")
    put(store, "old", frame[:1])
    put(store, "young", frame)
    histograms = {
        "grid": {"crs": "EPSG:32648", "spacing": step, "bounds": (west, north - 3000, west + 6000, north)},
        "factors": {
            "elevation": {"kind": "raster", "path": str(tmp_path / "height.tif")},
            "slope": {},
            "lithology": {
                "kind": "category", "path": str(tmp_path / "kind.tif"), "classes": {3: "marl", 7: "slate"},
            },
        },
        "classes": {"elevation": {"breaks": [1, 5]}, "slope": {"breaks": [0.1]}},
    }  # fmt: skip
    found = made(store, histograms=histograms).histograms.set_index(["factor", "class"])
    inside = np.zeros((300, 600), bool)
    for r, c, h, w in windows:
        inside[r : r + h, c : c + w] = True
    for label, chosen in (
        (("elevation", "below 1"), height < 1),
        (("elevation", "1 to 5"), (height >= 1) & (height < 5)),
        (("elevation", "from 5"), height >= 5),
        (("lithology", "marl"), kind == 3),
        (("lithology", "slate"), kind == 7),
    ):
        assert found.loc[label, "cells"] == chosen.sum()
        # Borders of the squares are borders of cells, in one projection; in the other they are so to a hair.
        assert found.loc[label, "outlined_cells"] == pytest.approx((chosen & inside).sum(), abs=2)
    assert [*found.loc["lithology"]["outlines"]] == [1, 2]
    assert [*found.loc["lithology"]["new"]] == [0, 2]
    assert found.loc[("elevation", "below 1"), "outlines"] + found.loc[("elevation", "1 to 5"), "outlines"] == 2
    assert found.loc["slope"]["cells"].sum() > 0
    # Tiles of other sizes count the same.
    small_tiles = RESOURCES.model_copy(update={"tile": (256, 512)})
    _, again = computed(store, resources=small_tiles, histograms=histograms)
    assert again.histograms.equals(found.reset_index()[again.histograms.columns])
