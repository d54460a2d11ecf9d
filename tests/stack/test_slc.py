"""Readers of single-look images: the Amsterdam set and its broken variants, and stores broken in other ways."""

from __future__ import annotations

import json
import re
import shutil

import numpy as np
import pytest
import xarray as xr

from slidecloud.pipeline.folders import ingest_folder
from slidecloud.stack import SlcArraySource, SlcSource, WavelengthWarning, open_source
from slidecloud.store.slc import SlcStack
from slidecloud.types import DataError

TIMES = np.array(["2023-03-19T05:50:35", "2023-03-31T05:50:36", "2023-04-12T05:50:35"], "datetime64[s]")


@pytest.fixture
def amsterdam(real_data, tmp_path):
    """A copy that may be broken."""
    return shutil.copytree(real_data("amsterdam_slc"), tmp_path / "amsterdam_slc", copy_function=_writable)


def _writable(source, target):
    shutil.copyfile(source, target)


def images(count=3, shape=(12, 40)):
    parts = np.random.default_rng(0).standard_normal((count, *shape, 2), dtype=np.float32)
    return parts.view(np.complex64)[..., 0]


def store(path, *, order=slice(None), dims=("azimuth", "range", "time"), drop=(), angle=None, **attributes):
    """A Zarr store as sarxarray writes it, with times and metadata."""
    slc = images()[order].transpose(1, 2, 0)
    parts = {"real": (dims, slc.real), "imag": (dims, slc.imag)}
    dataset = xr.Dataset(
        parts, {"time": TIMES[order]}, {"spacing": [14.0, 3.5], "heading": -170.0, "wavelength": 0.0555}
    )
    dataset["perpendicular_baseline"] = ("time", np.array([0.0, 34.0, -20.0])[order])
    if angle is not None:
        dataset["flattening_phase"] = (("time", "azimuth", "range"), angle)
    dataset = dataset.drop_vars(list(drop))
    dataset.attrs.update(attributes)
    dataset.attrs = {name: value for name, value in dataset.attrs.items() if value is not None}
    dataset.to_zarr(path, zarr_format=2, consolidated=False)
    return path


def test_amsterdam_header(real_data):
    source = open_source(real_data("amsterdam_slc"))
    assert isinstance(source, SlcSource)
    header = source.header
    assert (header.id, header.geometry, header.shape) == ("amsterdam_slc", "radar", (84, 338))
    assert (header.pass_, header.look_direction) == ("descending", "right")
    # Flight south-south-west; 2.33 m in slant range at 43.5 degrees; 5.405 GHz.
    assert header.heading == pytest.approx(-170.7, abs=0.3)
    assert header.spacing == pytest.approx((13.86, 3.38), abs=0.02)
    assert header.wavelength == pytest.approx(0.0554658, abs=1e-7)
    # Bandwidth over sampling rate: 56.5 / 64.3 MHz, 327 / 486 Hz.
    assert header.effective_looks == pytest.approx(0.878 * 0.672, abs=0.002)
    assert [str(image.time) for image in source.images] == ["2023-03-19T05:50:35", "2023-03-31T05:50:35"]
    assert [image.perpendicular_baseline for image in source.images] == pytest.approx([0.0, -33.9], abs=0.1)
    assert source.rejected == ()


def test_amsterdam_maps(real_data):
    maps = open_source(real_data("amsterdam_slc")).static()
    assert set(maps) == {"elevation", "latitude", "longitude", "incidence"}
    # Near range lies east of a descending pass, and lines go south.
    assert maps["longitude"][0, 0] > maps["longitude"][0, -1]
    assert maps["latitude"][0, 0] > maps["latitude"][-1, 0]
    assert np.rad2deg(maps["incidence"]) == pytest.approx(43.03, abs=0.05)
    assert maps["incidence"][0, -1] > maps["incidence"][0, 0]


def test_amsterdam_becomes_an_slc_stack(real_data, tmp_path):
    folder = real_data("amsterdam_slc")
    location, summary = ingest_folder(str(folder), str(tmp_path))
    assert summary.exit_code == 0
    assert summary.done == 2
    stack, source = SlcStack(location), open_source(folder)
    for place, image in enumerate(source.images):
        block = stack.read([place], slice(3, 80), slice(5, 300))
        np.testing.assert_array_equal(block.samples[0], source.read_image(image, slice(3, 80)).samples[:, 5:300])
    assert ingest_folder(str(folder), str(tmp_path))[1].done == 0


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("slcs_example", "time of .* has the dtype int64 and no units"),
        ("slcs_example_broken_vars", "holds imag, expected slc, or real and imag"),
        ("slcs_example_broken_dim", "real of .* has the dimensions .*, expected time, azimuth, range"),
    ],
)
def test_broken_variants_are_refused_by_name(real_data, name, text):
    with pytest.raises(DataError, match=text):
        open_source(real_data("amsterdam_slc") / f"{name}.zarr")


@pytest.mark.parametrize(
    ("harm", "text"),
    [
        (lambda band: shutil.rmtree(band), r"is missing, expected the bands i_\* and q_\*"),
        (lambda band: (band / "0.0").unlink(), "has 0 chunks, expected 1"),
        (lambda band: _change(band, shape=[83, 338], chunks=[83, 338]), r"shape \(83, 338\), expected \(84, 338\)"),
        (lambda band: _change(band, dtype=">i8"), "dtype >i8, expected float32 or int16"),
        (lambda band: (band / ".zarray").write_text("{"), "is no Zarr array"),
    ],
)
def test_broken_bands_leave_the_other_image(amsterdam, harm, text):
    harm(amsterdam / "20230319-coreg.znap/q_VV_19Mar2023")
    source = open_source(amsterdam)
    assert [image.key for image in source.images] == ["20230331"]
    (refused,) = source.rejected
    assert "VV_19Mar2023" in refused.reason
    assert re.search(text, refused.reason)


def _change(band, **values):
    path = band / ".zarray"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_truncated_samples_are_quarantined_by_name(amsterdam, tmp_path):
    chunk = amsterdam / "20230319-coreg.znap/i_VV_19Mar2023/0.0"
    chunk.write_bytes(chunk.read_bytes()[:-100])
    _, summary = ingest_folder(str(amsterdam), str(tmp_path / "stacks"))
    assert summary.exit_code == 3
    assert "i_VV_19Mar2023 cannot be read" in summary.quarantined[0].reason


@pytest.mark.parametrize("lost", ["SNAP", "radar_frequency"])
def test_broken_metadata_are_named(amsterdam, lost):
    path = amsterdam / "20230319-coreg.znap/SNAP/product_metadata.json"
    path.write_text(path.read_text().replace(lost, "nothing") if lost != "SNAP" else "[")
    with pytest.raises(DataError, match=r"20230319-coreg\.znap/SNAP/product_metadata\.json (lacks|cannot be read)"):
        open_source(amsterdam)


@pytest.mark.parametrize("dims", [("azimuth", "range", "time"), ("y", "x", "time")])
def test_zarr_store_gives_its_samples_in_order_of_time(tmp_path, dims):
    """Times that run backwards in the store are sorted, and their pixels with them."""
    source = open_source(store(tmp_path / "images.zarr", dims=dims, order=[2, 0, 1]))
    assert [image.time for image in source.images] == list(TIMES)
    assert [image.perpendicular_baseline for image in source.images] == [0.0, 34.0, -20.0]
    for image, slc in zip(source.images, images(), strict=True):
        np.testing.assert_array_equal(source.read_image(image, slice(2, 9)).samples, slc[2:9])


def test_zarr_store_with_geometry_in_its_samples(tmp_path):
    angle = np.full((3, 12, 40), 0.5, np.float32)
    angle[1, 4, 7] = np.nan
    source = open_source(store(tmp_path / "images.zarr", angle=angle))
    block = source.read_image(source.images[1], slice(4, 5))
    assert block.flattening[0, 0] == round(0.5 * 32768 / np.pi)
    assert block.samples[0, 7] == 0
    assert block.samples[0, 8] != 0


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"drop": ["imag"]}, "holds real, expected slc, or real and imag"),
        ({"heading": None}, "lacks the attribute heading"),
        ({"spacing": None}, "lacks the attribute spacing"),
        ({"drop": ["time"]}, "time of .* no units"),
    ],
)
def test_broken_zarr_store_is_refused_by_name(tmp_path, change, text):
    with pytest.raises(DataError, match=text):
        open_source(store(tmp_path / "images.zarr", **change))


def test_store_without_wavelength_warns(tmp_path):
    with pytest.warns(WavelengthWarning, match="Sentinel-1 is assumed"):
        open_source(store(tmp_path / "images.zarr", wavelength=None))


def test_arrays_that_do_not_fit_are_refused(tmp_path):
    header = open_source(store(tmp_path / "images.zarr")).header
    slc = images()
    with pytest.raises(TypeError, match="complex128"):
        SlcArraySource(header, TIMES, slc.astype(complex))
    with pytest.raises(ValueError, match="the number of times"):
        SlcArraySource(header, TIMES[:2], slc)
    with pytest.raises(ValueError, match="1 days twice"):
        SlcArraySource(header, TIMES[[0, 1, 1]], slc)
    with pytest.raises(TypeError, match="binary angles"):
        SlcArraySource(header, TIMES, slc, flattening=np.zeros(slc.shape))
