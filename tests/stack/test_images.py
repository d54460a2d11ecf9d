"""Images of several bands: every form gives the same window, and what does not fit is named."""

from __future__ import annotations

import json
from pathlib import Path

import elsewhere
import fsspec
import mapped
import numpy as np
import pictured
import pytest
import xarray as xr
from fsspec.implementations.memory import MemoryFileSystem
from pyproj import CRS

from slidecloud.stack import remote
from slidecloud.stack.images import open_image
from slidecloud.stack.map_files import open_map
from slidecloud.stack.rasters import open_header
from slidecloud.store import locate
from slidecloud.types import DataError

BANDS = ("blue", "green", "red", "nir")
VALUES = np.arange(4 * 6 * 8, dtype=np.uint16).reshape(4, 6, 8) + 1
AT = {"crs": "EPSG:32648", "origin": (400_000.0, 3_300_000.0), "pixel": 10.0}


def tiff(path, values=VALUES, names=BANDS, **about):
    pictured.write_tiff(path, values, **AT | {"names": names} | about)
    return str(path)


def item(path, *, together=False, **changes):
    """A STAC item with a file for each band, or one for all, beside a thumbnail and a quality map."""
    assets = {"preview": {"href": "./p.png", "roles": ["thumbnail"]}}
    if together:
        tiff(path.parent / "data/all.tif", names=())
        bands = [{"name": f"B{number}", "common_name": name} for number, name in enumerate(BANDS)]
        assets["visual"] = {"href": "./data/all.tif", "type": "image/tiff; application=geotiff", "eo:bands": bands}
    else:
        for number, name in enumerate(BANDS):
            tiff(path.parent / f"data/B{number}.tif", VALUES[number], names=())
            assets[f"B{number}"] = {
                "href": f"data/B{number}.tif",
                "roles": ["data"],
                "bands": [{"eo:common_name": name}],
            }
        tiff(path.parent / "data/scl.tif", VALUES[0], names=())
        assets["scl"] = {"href": "data/scl.tif", "roles": ["classification"]}
    path.write_text(json.dumps({"type": "Feature", "stac_version": "1.1.0", "assets": assets} | changes))
    return str(path)


def store(path, *, deep, values=VALUES, encoding=None):
    y, x = 3_300_000 - 10.0 * (np.arange(6) + 0.5), 400_000 + 10.0 * (np.arange(8) + 0.5)
    crs = xr.DataArray(0, attrs={"crs_wkt": CRS.from_epsg(32648).to_wkt()})
    coords = {"y": y, "x": x, "spatial_ref": crs}
    if deep:
        variables = {"reflectance": (("band", "y", "x"), values)}
        coords["band"] = np.array(BANDS, "U5")
    else:
        variables = {name: (("y", "x"), layer) for name, layer in zip(BANDS, values, strict=True)}
    dataset = xr.Dataset(variables, coords)
    for name in variables:
        dataset[name].attrs["grid_mapping"] = "spatial_ref"
    encoding = None if encoding is None else dict.fromkeys(variables, encoding)
    dataset.to_zarr(path, zarr_format=2, consolidated=False, encoding=encoding)
    return str(path)


def folder(path):
    for name, layer in zip(BANDS, VALUES, strict=True):
        tiff(path / f"T48RUV_{name}.tif", layer, names=())
    return str(path)


FORMS = {
    "tiff": lambda root: tiff(root / "image.tif"),
    "band by band": lambda root: tiff(root / "image.tif", interleave="band", tiled=True, blockxsize=16, blockysize=16),
    "without names": lambda root: tiff(root / "image.tif", names=()),
    "zarr of layers": lambda root: store(root / "image.zarr", deep=True),
    "zarr of arrays": lambda root: store(root / "image.zarr", deep=False),
    "folder": lambda root: folder(root / "bands"),
    "item of files": lambda root: item(root / "item.json"),
    "item of one file": lambda root: item(root / "item.json", together=True),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_window(form, tmp_path):
    image = open_image(FORMS[form](tmp_path), bands=BANDS)
    assert image.bands == BANDS
    assert (image.grid.crs, image.grid.left, image.grid.top) == ("EPSG:32648", 400_000, 3_300_000)
    assert (image.grid.dx, image.grid.dy, image.grid.height, image.grid.width) == (10, -10, 6, 8)
    expected = np.full((4, 5, 6), np.nan, np.float32)
    expected[:, 1:, 2:] = VALUES[:, :4, :4]
    np.testing.assert_array_equal(image.read(-1, -2, 5, 6), expected)
    np.testing.assert_array_equal(image.read(0, 0, 6, 8), VALUES)
    assert np.isnan(image.read(20, 0, 2, 2)).all()


@pytest.mark.parametrize("form", [form for form in FORMS if form != "without names"])
def test_bands_are_chosen_and_ordered(form, tmp_path):
    image = open_image(FORMS[form](tmp_path), bands=("nir", "blue"))
    np.testing.assert_array_equal(image.read(2, 3, 2, 2), VALUES[[3, 0], 2:4, 3:5])
    with pytest.raises(DataError, match="has no band swir1; it has "):
        open_image(image.name, bands=("nir", "swir1"))


def rendered(path, roles):
    """An item whose picture to look at, of other values, comes first and names the same bands."""
    item(path)
    said = json.loads(path.read_text())["assets"]
    tiff(path.parent / "data/picture.tif", VALUES[:3].astype(np.uint8) // 2, names=())
    bands = [{"name": f"B{number}", "common_name": name} for number, name in enumerate(BANDS[:3])]
    picture = {"href": "data/picture.tif", "roles": roles, "eo:bands": bands}
    path.write_text(json.dumps({"type": "Feature", "assets": {"picture": picture} | said}))
    return str(path)


def test_a_picture_to_look_at_is_no_reflectance(tmp_path):
    image = open_image(rendered(tmp_path / "item.json", ["visual"]), bands=BANDS)
    np.testing.assert_array_equal(image.read(0, 0, 6, 8), VALUES)
    assert open_image(image.name).bands == ("B0", "B1", "B2", "B3")


def test_of_two_assets_with_a_band_the_key_tells_which(tmp_path):
    path = rendered(tmp_path / "item.json", ["data"])
    with pytest.raises(DataError, match=r"item\.json: the assets picture and B0 both hold a band blue: .* by the keys"):
        open_image(path, bands=BANDS)
    image = open_image(path, bands=("B3", "B0"))
    np.testing.assert_array_equal(image.read(0, 0, 6, 8), VALUES[[3, 0]])


def test_what_no_asset_with_data_holds_is_taken_from_another(tmp_path):
    image = open_image(item(tmp_path / "item.json"), bands=("blue", "scl"))
    np.testing.assert_array_equal(image.read(0, 0, 6, 8), VALUES[[0, 0]])


def test_without_wishes_all_bands_come(tmp_path):
    assert open_image(FORMS["item of files"](tmp_path)).bands == ("B0", "B1", "B2", "B3")
    assert open_image(FORMS["item of one file"](tmp_path)).bands[0] in ("visual_1", "blue")
    assert open_image(FORMS["folder"](tmp_path)).bands == tuple(sorted(f"T48RUV_{name}" for name in BANDS))
    assert open_image(FORMS["without names"](tmp_path)).bands == ("band_1", "band_2", "band_3", "band_4")


def test_images_and_maps_may_be_larger_than_a_frame(tmp_path):
    path = str(mapped.wide(tmp_path / "wide.tif", bands=1))
    for read in (open_image(path).read, open_map(path).read):
        end = np.squeeze(read(22_400 - 65, 22_400 - 64, 65, 64))
        assert (end[0] == 0).all()
        assert (end[1:] == mapped.BRIGHT).all()
    with pytest.raises(DataError, match="expected at most 500000000 pixels"):
        open_header(Path(path), dtypes=("uint8",))


@pytest.mark.parametrize("deep", [True, False])
def test_values_are_neither_scaled_nor_offset(deep, tmp_path):
    """As those of a GeoTIFF with a scale: a network has learnt from what is stored."""
    scale = {"dtype": "uint16", "scale_factor": 0.25, "add_offset": 1.0, "_FillValue": 84}
    image = open_image(
        store(tmp_path / "i.zarr", deep=deep, values=VALUES.astype(np.float32), encoding=scale), bands=BANDS
    )
    stored = (VALUES - 1.0) * 4
    np.testing.assert_array_equal(image.read(0, 0, 6, 8), np.where(stored == 84, np.nan, stored))


def test_no_data_is_nan(tmp_path):
    image = open_image(tiff(tmp_path / "i.tif", nodata=7))
    found = image.read(0, 0, 6, 8)
    np.testing.assert_array_equal(np.isnan(found), VALUES == 7)


@pytest.mark.parametrize("form", ["tiff", "folder", "zarr of layers", "item of files"])
def test_an_image_that_changes_has_another_fingerprint(form, tmp_path):
    path = FORMS[form](tmp_path)
    before = open_image(path).fingerprint
    assert open_image(path).fingerprint == before
    victim = next(file for file in sorted(tmp_path.rglob("*")) if file.suffix == ".tif" or file.name == "0.0.0")
    victim.write_bytes(victim.read_bytes() + b" ")
    assert open_image(path).fingerprint != before


def test_images_in_a_bucket_are_read_as_here(tmp_path, endpoint):
    """A tiled file of which a window is fetched, and an item whose links are relative."""
    options = {"endpoint_url": endpoint}
    tiff(tmp_path / "image.tif")
    item(tmp_path / "item.json")
    bucket = locate("s3://slides", options)
    for file in tmp_path.rglob("*"):
        if file.is_file():
            bucket.write(f"images/{file.relative_to(tmp_path).as_posix()}", file.read_bytes())
    for name in ("image.tif", "item.json"):
        image = open_image(f"s3://slides/images/{name}", bands=BANDS, options=options)
        np.testing.assert_array_equal(image.read(1, 1, 3, 4), VALUES[:, 1:4, 1:5])


class Failing(MemoryFileSystem):
    """A store that once does not answer a request: the one of a number."""

    protocol = "failing"
    store: dict = {}  # noqa: RUF012 - the base class keeps its files in one, too
    pseudo_dirs = [""]  # noqa: RUF012
    left = 0

    def cat_file(self, path, start=None, end=None, **options):
        Failing.left -= 1
        if Failing.left == 0:
            raise ConnectionError("no answer")
        return super().cat_file(path, start=start, end=end, **options)


@pytest.fixture
def piecemeal(monkeypatch):
    """A store that may fail, and a header that comes in many small pieces, as that of a large image does."""
    fsspec.register_implementation("failing", Failing, clobber=True)
    monkeypatch.setattr(remote, "BLOCK", 256)
    yield
    Failing.store.clear()


@pytest.mark.parametrize("interleave", ["pixel", "band"])
def test_a_request_without_an_answer_is_an_error_and_never_other_pixels(tmp_path, piecemeal, monkeypatch, interleave):
    values = np.random.default_rng(0).integers(0, 255, (4, 200, 200), dtype=np.uint8)
    blocks = {"tiled": True, "blockxsize": 16, "blockysize": 16, "interleave": interleave, "compress": "deflate"}
    path = tiff(tmp_path / "image.tif", values, nodata=0, **blocks)
    address = elsewhere.remember(tmp_path, "place", scheme="failing") + "/image.tif"

    def read(number):
        """The window, where the request of this number fails."""
        monkeypatch.setattr(remote, "_kept", {True: remote._Kept(1 << 20), False: remote._Kept(1 << 20)})
        Failing.left = number
        image = open_image(address)
        return image, image.read(-5, 90, 120, 120)

    here, (there, pixels) = open_image(path), read(0)
    assert (there.bands, there.grid) == (here.bands, here.grid)
    np.testing.assert_array_equal(pixels, here.read(-5, 90, 120, 120))
    requests = -Failing.left
    assert requests > 10
    for number in range(1, requests + 1):
        with pytest.raises(ConnectionError, match="no answer"):
            read(number)


def spoil(root, how):
    if how == "grids":
        item(root / "item.json")
        tiff(root / "data/B2.tif", VALUES[2, :3, :4], names=(), pixel=20.0)
        return (
            "item.json",
            r"the band red has a pixel spacing of 20 x -20, .*All bands lie on one grid",
        )
    if how == "areas":
        item(root / "item.json")
        tiff(root / "data/B2.tif", VALUES[2, :, :4], names=())
        return "item.json", "the band red covers another area than the others"
    if how == "crs":
        folder(root / "bands")
        tiff(root / "bands/T48RUV_nir.tif", VALUES[3], names=(), crs="EPSG:32647")
        return "bands", r"the band nir is in EPSG:32647, expected EPSG:32648"
    if how == "no item":
        (root / "item.json").write_text('{"type": "Catalog", "links": []}')
        return "item.json", "is no STAC item, expected JSON of the type Feature"
    if how == "no tiff":
        item(root / "item.json", assets={"a": {"href": "a.jp2"}})
        return "item.json", "has no GeoTIFF among its assets"
    if how == "several bands in a folder":
        tiff(root / "bands/T_blue.tif")
        return "bands", r"T_blue\.tif has 4 bands, expected 1 in a folder of bands"
    if how == "twice":
        folder(root / "bands")
        tiff(root / "bands/U_nir.tif", VALUES[3], names=())
        return "bands", "are both the band nir"
    if how == "truncated":
        path = root / "image.tif"
        tiff(path, np.random.default_rng(0).integers(0, 999, (4, 64, 64), dtype=np.uint16))
        path.write_bytes(path.read_bytes()[:9000])
        return "image.tif", r"image\.tif (is truncated|cannot be read as a GeoTIFF)"
    if how == "complex":
        tiff(root / "image.tif", VALUES.astype(np.complex64))
        return "image.tif", "holds complex64, expected float32 or"
    tiff(root / "image.tif", crs=None)
    return "image.tif", "has no coordinates"


@pytest.mark.parametrize(
    "how",
    [
        "grids",
        "areas",
        "crs",
        "no item",
        "no tiff",
        "several bands in a folder",
        "twice",
        "truncated",
        "complex",
        "no coordinates",
    ],
)
def test_what_does_not_fit_is_named(how, tmp_path):
    name, words = spoil(tmp_path, how)
    with pytest.raises(DataError, match=words):
        open_image(str(tmp_path / name), bands=BANDS)


@pytest.mark.parametrize("name", ["none.tif", "none.zarr", "none.json", "none"])
def test_what_is_not_there_is_named(name, tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no"):
        open_image(str(tmp_path / name))
