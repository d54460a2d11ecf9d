"""Any raster on the pixels of a burst: same values at the same places, and clear words where that cannot be."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
from pyproj import Transformer
from rasterio.transform import Affine

from slidecloud.stack.warped import at_points, fingerprint, on_grid
from slidecloud.types import DataError, Grid

GRID = Grid("EPSG:32648", 500_000.0, 3_440_000.0, 40.0, -40.0, 60, 80)


def write(path, values, *, crs, transform, nodata=None):
    profile = {"driver": "GTiff", "height": values.shape[0], "width": values.shape[1], "count": 1, "nodata": nodata}
    with rasterio.open(path, "w", dtype=values.dtype, crs=crs, transform=transform, **profile) as dataset:
        dataset.write(values, 1)
    return str(path)


def degrees(path, values, *, step=0.001, left=104.98, top=31.12, **options):
    return write(path, values, crs="EPSG:4326", transform=Affine(step, 0, left, 0, -step, top), **options)


def positions():
    turn = Transformer.from_crs(GRID.crs, "EPSG:4326", always_xy=True)
    return turn.transform(*np.meshgrid(GRID.x, GRID.y))


def plane(rows=80, columns=90, step=0.001, left=104.98, top=31.12):
    """A value that grows by 1 a degree eastward and by 2 northward."""
    x, y = left + step * (np.arange(columns) + 0.5), top - step * (np.arange(rows) + 0.5)
    return (x[None] + 2 * y[:, None]).astype(np.float32)


def test_a_plane_in_degrees_is_the_same_plane_in_metres(tmp_path):
    path = degrees(tmp_path / "plane.tif", plane())
    longitude, latitude = positions()
    expected = longitude + 2 * latitude
    # Single precision of numbers near 167 is 1.5e-5; a raster pixel is 3e-3 high.
    np.testing.assert_allclose(on_grid(path, GRID, how="bilinear"), expected, atol=1e-4)
    np.testing.assert_allclose(at_points(path, longitude, latitude, how="bilinear"), expected, atol=1e-4)
    for found in (on_grid(path, GRID, how="nearest"), at_points(path, longitude, latitude, how="nearest")):
        np.testing.assert_allclose(found, expected, atol=0.5 * 3e-3 + 1e-4)


def test_masks_come_by_the_nearest_pixel_whatever_the_way(tmp_path):
    mask = (np.indices((80, 90)).sum(axis=0) // 7 % 2).astype(np.uint8)
    path = degrees(tmp_path / "mask.tif", mask)
    longitude, latitude = positions()
    on, at = on_grid(path, GRID, how="nearest"), at_points(path, longitude, latitude, how="nearest")
    assert set(np.unique(on)) == set(np.unique(at)) == {0.0, 1.0}
    assert (on != at).mean() < 0.01  # GDAL approximates the projection to an eighth of a pixel


def test_the_grid_itself_comes_unchanged(tmp_path):
    values = np.random.default_rng(0).normal(size=(60, 80)).astype(np.float32)
    corner = Affine(GRID.dx, 0, GRID.left, 0, GRID.dy, GRID.top)
    path = write(tmp_path / "same.tif", values, crs=GRID.crs, transform=corner)
    np.testing.assert_array_equal(on_grid(path, GRID, how="nearest"), values)


@pytest.mark.parametrize("nodata", [None, 255])
def test_beyond_the_raster_and_without_data_is_nan(tmp_path, nodata):
    mask = np.zeros((80, 25), np.uint8)
    mask[:, :5] = 255
    path = degrees(tmp_path / "part.tif", mask, nodata=nodata)
    longitude, latitude = positions()
    reaches = longitude < 104.98 + 0.025
    gap = (longitude < 104.98 + 0.005) & (nodata is not None)
    for found in (on_grid(path, GRID, how="nearest"), at_points(path, longitude, latitude, how="nearest")):
        known = np.isfinite(found)
        assert (known == (reaches & ~gap)).mean() > 0.98
        assert np.isfinite(found).any()


@pytest.mark.parametrize("how", ["grid", "points"])
def test_refusals_name_file_and_remedy(tmp_path, how):
    longitude, latitude = positions()

    def read(path):
        if how == "grid":
            return on_grid(str(path), GRID, how="nearest")
        return at_points(str(path), longitude, latitude, how="nearest")

    nowhere = write(tmp_path / "no-crs.tif", plane(), crs=None, transform=Affine(1, 0, 5, 0, -1, 5))
    with pytest.raises(DataError, match=r"no-crs\.tif has no coordinate reference system.*gdal_edit"):
        read(nowhere)
    far = degrees(tmp_path / "far.tif", plane(), left=10.0)
    with pytest.raises(DataError, match=r"far\.tif has no data on the burst, expected it to cover it"):
        read(far)
    with pytest.raises(DataError, match=r"There is no raster .*absent\.tif"):
        read(tmp_path / "absent.tif")
    (tmp_path / "text.tif").write_text("not a raster")
    with pytest.raises(DataError, match=r"text\.tif cannot be read as a raster"):
        read(tmp_path / "text.tif")


def test_fingerprints_follow_the_file(tmp_path):
    path = degrees(tmp_path / "mask.tif", plane())
    first = fingerprint(path)
    assert fingerprint(path) == first
    degrees(tmp_path / "mask.tif", plane(rows=81))
    assert fingerprint(path) != first
    assert fingerprint("s3://bucket/mask.tif") == "s3://bucket/mask.tif"
    with pytest.raises(FileNotFoundError, match="There is no raster"):
        fingerprint(str(tmp_path / "absent.tif"))
