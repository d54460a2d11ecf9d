"""Readers against miniatures of the public layouts, whole and spoilt."""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pictured
import pytest
from pyproj import Transformer

from slidecloud.optical.naming import Naming
from slidecloud.optical.sets import open_sets
from slidecloud.types import DataError


def test_tiff_pairs_are_read_as_they_were_written(tmp_path):
    found = open_sets([pictured.tiffs(tmp_path / "set", 3)], bands=pictured.BANDS)
    assert found.bands == 4
    assert len(found) == 3
    for number, patch in enumerate(found):
        image, mask = pictured.picture(number)
        sample = patch.read()
        assert patch.shape == (4, 32, 32)
        assert sample.image.dtype == np.float32
        np.testing.assert_array_equal(sample.image, image)
        np.testing.assert_array_equal(sample.mask, mask == 1)
        assert sample.valid.all()


def test_pictures_of_black_and_white_masks(tmp_path):
    """As in sets for competitions: RGB images, masks of 0 and 255, words in the names, a folder without landslides."""
    image, mask = pictured.picture(1, bands=3)
    pictured.write_png(tmp_path / "landslide/images/image_07.png", image)
    pictured.write_png(tmp_path / "landslide/masks/07_mask.png", mask * 255)
    pictured.write_png(tmp_path / "quiet/images/image_08.png", image[::-1].copy())
    with pytest.raises(
        DataError, match=r"image_08\.png has no mask .*no folder of masks beside it.*empty_without_mask"
    ):
        open_sets([tmp_path])
    slide, quiet = (patch.read() for patch in open_sets([tmp_path], empty_without_mask=True))
    np.testing.assert_array_equal(slide.image, image)
    np.testing.assert_array_equal(slide.mask, mask == 1)
    assert not quiet.mask.any()


def test_transparent_pixels_and_no_data_are_missing(tmp_path):
    image, mask = pictured.picture(2, bands=3)
    opaque = np.full((1, 32, 32), 255, np.uint8)
    opaque[0, :4] = 0
    pictured.write_png(tmp_path / "a/image/x.png", np.concatenate([image, opaque]))
    pictured.write_png(tmp_path / "a/mask/x.png", np.stack([mask * 255] * 3))
    pictured.write_tiff(
        tmp_path / "b/image/x.tif", image.astype(np.int16) * np.int16(1 - 2 * (mask == 1)), nodata=-9999
    )
    changed = image.astype(np.int16)
    changed[1, 5, 6] = -9999
    pictured.write_tiff(tmp_path / "b/image/x.tif", changed, nodata=-9999)
    pictured.write_tiff(tmp_path / "b/mask/x.tif", mask)
    first, second = (patch.read() for patch in open_sets([tmp_path / "a", tmp_path / "b"], bands=("r", "g", "b")))
    assert np.isnan(first.image[:, :4]).all()
    np.testing.assert_array_equal(first.image[:, 4:], image[:, 4:])
    np.testing.assert_array_equal(first.mask, mask == 1)
    assert np.isnan(second.image).sum() == 1
    assert not second.valid[5, 6]


def test_reading_by_several_threads_leaves_the_filters_of_warnings_as_they_were(tmp_path):
    image, mask = pictured.picture(1)
    pictured.write_tiff(tmp_path / "set/image/p.tif", image)
    pictured.write_tiff(tmp_path / "set/mask/p.tif", mask)
    (patch,) = open_sets([tmp_path / "set"])
    before = list(warnings.filters)
    with ThreadPoolExecutor(8) as pool:
        samples = list(pool.map(lambda _: patch.read(), range(200)))
    assert all((sample.image == image).all() for sample in samples)
    assert warnings.filters == before


def test_bands_that_files_name_otherwise_are_refused(tmp_path):
    """Names in a language of their own say nothing."""
    image, mask = pictured.picture(1)
    pictured.write_tiff(tmp_path / "set/image/p.tif", image, names=pictured.BANDS)
    pictured.write_tiff(tmp_path / "set/mask/p.tif", mask, names=("landslide",))
    for bands in (None, pictured.BANDS, ("B2", "B3", "B4", "B8")):
        assert open_sets([tmp_path / "set"], bands=bands).bands == 4
    with pytest.raises(DataError, match=r"p\.tif calls its band 1 blue, expected red: name the bands in the order"):
        open_sets([tmp_path / "set"], bands=("red", "green", "blue", "nir"))


def test_hdf5_patches_of_14_bands(tmp_path):
    root = pictured.landslide4sense(tmp_path / "TrainData", 3)
    found = open_sets([root])
    assert found.bands == 14
    by_name = {patch.name.rsplit("/", 1)[1]: patch for patch in found}
    for number in (1, 2, 3):
        image, mask = pictured.picture(number, (128, 128), 14)
        sample = by_name[f"image_{number}.h5"].read()
        np.testing.assert_allclose(sample.image, image / 50.0, rtol=1e-6)
        np.testing.assert_array_equal(sample.mask, mask == 1)


def test_places_are_told_by_coordinates_by_names_or_else_by_sources(tmp_path):
    """32 pixels of 5 m: neighbours 160 m apart are one place, those 10 km away another; in another CRS as well."""
    pictured.tiffs(tmp_path / "near", 2, apart=160.0)
    pictured.tiffs(tmp_path / "far", 2, apart=10_000.0, first=5)
    image, mask = pictured.picture(9)
    # The first of the near ones again, in degrees.
    corner = Transformer.from_crs("EPSG:32648", "EPSG:4326", always_xy=True).transform(300_000.0, 3_300_000.0)
    for kind, values in (("image", image), ("mask", mask)):
        pictured.write_tiff(tmp_path / f"other/{kind}/q.tif", values, crs="EPSG:4326", origin=corner, pixel=5e-5)
    found = open_sets([tmp_path / name for name in ("near", "far", "other")])
    places = {patch.name.removeprefix(f"{tmp_path}/"): patch.place for patch in found}
    assert places["near/image/p0.tif"] == places["near/image/p1.tif"] == places["other/image/q.tif"]
    assert len(set(places.values())) == 3
    named = open_sets([tmp_path / "near", tmp_path / "far"], naming=Naming(place=r"(p\d)"))
    assert sorted({patch.place for patch in named}) == ["p0", "p1"]
    plain = pictured.landslide4sense(tmp_path / "plain", 2, side=32, bands=3)
    assert all(patch.place == patch.source for patch in open_sets([plain]))


def test_sources_are_told_by_names(tmp_path):
    image, mask = pictured.picture(1)
    for name in ("a_0", "a_1", "b_0"):
        pictured.write_tiff(tmp_path / f"image/{name}.tif", image)
        pictured.write_tiff(tmp_path / f"mask/{name}.tif", mask)
    found = open_sets([tmp_path], naming=Naming(source=r"(\w)_\d\.tif$"))
    assert [patch.source for patch in found] == ["a", "a", "b"]
    with pytest.raises(DataError, match=r"image/a_0\.tif does not fit the pattern of the source"):
        open_sets([tmp_path], naming=Naming(source=r"^(nothing)$"))


@pytest.mark.parametrize(
    ("pattern", "words"), [("(", "is no pattern"), ("abc", "has 0 groups, expected one"), ("(a)(b)", "has 2 groups")]
)
def test_patterns_have_one_group(pattern, words):
    with pytest.raises(ValueError, match=words):
        Naming(source=pattern)


def read(folders, **options):
    return [patch.read() for patch in open_sets(folders, **options)]


def spoil(root, how):
    """Damage a set of two TIFF pairs; what is said about it."""
    image, mask = pictured.picture(1)
    second = root / "image/p1.tif", root / "mask/p1.tif"
    at = {"crs": "EPSG:32648", "origin": (310_000.0, 3_300_000.0)}
    if how == "bands":
        pictured.write_tiff(second[0], image[:3], **at)
        return r"p1\.tif has 3 bands, expected 4 \(blue, green, red, nir\)"
    if how == "mask is missing":
        second[1].unlink()
        return r"image/p1\.tif has no mask \(there is none in .*mask\), and so have 0 more"
    if how == "image is missing":
        second[0].unlink()
        return r"mask/p1\.tif has no image in .*image: add the image, or remove the mask"
    if how == "crs":
        pictured.write_tiff(second[1], mask, **at | {"crs": "EPSG:32647"})
        return r"mask/p1\.tif is in EPSG:32647, expected the EPSG:32648 of .*image/p1\.tif: warp it"
    if how == "grid":
        pictured.write_tiff(second[1], mask, **at | {"origin": (310_005.0, 3_300_000.0)})
        return r"mask/p1\.tif has the geotransform .*warp it to the same grid"
    if how == "shape":
        pictured.write_tiff(second[1], mask[:-1], **at)
        return r"mask/p1\.tif has 31 x 32 pixels, expected the 32 x 32 of"
    if how == "classes":
        mask[0, :3] = 2
        pictured.write_tiff(second[1], mask, **at)
        return r"mask/p1\.tif holds the values 0, 1, 2, expected 0 for no landslide and 1"
    if how == "soft edges":
        pictured.write_tiff(second[1], (mask * 255 - np.arange(32, dtype=np.uint8) % 3 * mask).astype(np.uint8), **at)
        return r"holds the values 0, 253, 254, 255, expected 0"
    if how == "overlay":
        pictured.write_tiff(second[1], np.stack([mask, mask, 1 - mask]), **at)
        return r"mask/p1\.tif has 3 bands that differ, expected a mask of one band"
    if how == "truncated":
        second[0].write_bytes(second[0].read_bytes()[:200])
        return r"image/p1\.tif cannot be read as TIF"
    if how == "another format":  # GDAL would follow such a file to others
        second[0].rename(root / "elsewhere.tif")
        second[0].write_text("<VRTDataset/>")
        return r"image/p1\.tif cannot be read as TIF"
    if how == "infinite":
        pictured.write_tiff(second[0], np.where(mask == 1, np.inf, image).astype(np.float32), **at)
        return r"image/p1\.tif holds infinite values"
    if how == "twice":
        pictured.write_png(root / "image/p1.png", image[:3])
        return r"image/p1\.png and .*image/p1\.tif are both called 'p1'"
    pictured.write_hdf5(root / "more/img/image_1.h5", "img", np.zeros((8, 8, 2)))
    return "holds pictures and HDF5 files"


@pytest.mark.parametrize(
    "how",
    [
        "bands",
        "mask is missing",
        "image is missing",
        "crs",
        "grid",
        "shape",
        "classes",
        "soft edges",
        "overlay",
        "truncated",
        "another format",
        "infinite",
        "twice",
        "mixed",
    ],
)
def test_what_is_wrong_with_pictures_is_named(tmp_path, how):
    root = pictured.tiffs(tmp_path / "set", 2)
    words = spoil(root, how)
    with pytest.raises(DataError, match=words):
        read([root], bands=pictured.BANDS)


def spoil_hdf5(root, how):
    image, mask = root / "img/image_2.h5", root / "mask/mask_2.h5"
    if how == "mask is missing":
        mask.unlink()
        return r"image_2\.h5 has no mask"
    if how == "dataset":
        pictured.write_hdf5(image, "image", np.zeros((32, 32, 3)))
        return r"image_2\.h5: img is missing, expected an image \(y, x, band\)"
    if how == "axes":
        pictured.write_hdf5(image, "img", np.zeros((3, 32, 32)))
        return r"image_2\.h5: img has the shape \(3, 32, 32\), expected \(y, x, band\)"
    if how == "two axes":
        pictured.write_hdf5(image, "img", np.zeros((32, 32)))
        return r"img has the shape \(32, 32\), expected 3 axes"
    if how == "shape":
        pictured.write_hdf5(mask, "mask", np.zeros((16, 32), np.uint8))
        return r"mask has the shape \(16, 32\), expected the \(32, 32\)"
    if how == "bands":
        pictured.write_hdf5(image, "img", np.zeros((32, 32, 4)))
        return r"image_2\.h5 has 4 bands, expected 3"
    if how == "classes":
        pictured.write_hdf5(mask, "mask", np.arange(1024, dtype=np.uint8).reshape(32, 32) % 3)
        return r"mask_2\.h5: mask holds the values 0, 1, 2"
    if how == "truncated":
        image.write_bytes(image.read_bytes()[:300])
        return r"image_2\.h5 cannot be read as HDF5"
    image.rename(root / "img/image.h5")
    return r"image\.h5 has no number at the end of its name"


@pytest.mark.parametrize(
    "how", ["mask is missing", "dataset", "axes", "two axes", "shape", "bands", "classes", "truncated", "name"]
)
def test_what_is_wrong_with_hdf5_is_named(tmp_path, how):
    root = pictured.landslide4sense(tmp_path, 2, side=32, bands=3)
    words = spoil_hdf5(root, how)
    with pytest.raises(DataError, match=words):
        read([root])


def test_folders_without_images_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"There is no folder '.*nowhere'"):
        open_sets([tmp_path / "nowhere"])
    with pytest.raises(FileNotFoundError, match=r"There are no images below .*expected files \.png"):
        open_sets([tmp_path])
