"""OPERA CSLC-S1: every value, time, baseline and look vector comes back; twins, bursts, grids and bad files."""

from __future__ import annotations

import dataclasses
import re
import shutil

import cslc
import h5py
import numpy as np
import pytest
import sinking

from slidecloud.pipeline.folders import ingest_folder
from slidecloud.stack import SlcSource, SourceWarning, open_source
from slidecloud.store.slc import SlcStack
from slidecloud.types import DataError

FIRST = cslc.name(cslc.DAYS[0])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return cslc.folder(tmp_path_factory.mktemp("opera"))


@pytest.fixture
def copy(folder, tmp_path):
    """A copy that may be broken."""
    return shutil.copytree(folder, tmp_path / "copy")


def test_header_times_and_baselines(folder):
    source = open_source(folder)
    assert isinstance(source, SlcSource)
    header = source.header
    assert (header.id, header.geometry, header.shape) == ("t027_056725_iw1", "map", (200, 300))
    assert header.spacing == (10.0, 5.0)
    assert header.grid.crs == "EPSG:32610"
    assert (header.grid.left, header.grid.top, header.grid.dx, header.grid.dy) == (6e5, 4.1e6, 5.0, -10.0)
    assert (header.pass_, header.look_direction) == ("ascending", "right")
    assert header.heading == pytest.approx(cslc.HEADING, abs=1e-3)
    assert header.slant_range == pytest.approx(cslc.RANGE, abs=1)
    assert header.wavelength == cslc.WAVELENGTH
    # 50 square metres of a resolution cell of 2.7 m / sin(36 degrees) by 22.5 m.
    assert header.effective_looks == pytest.approx(50 / (2.7 / np.sin(np.radians(36)) * 22.5), rel=1e-3)
    assert [str(image.time) for image in source.images][:2] == ["2017-06-05T13:27:54", "2017-06-17T13:27:54"]
    assert [image.perpendicular_baseline for image in source.images] == pytest.approx([0, 55, -80, 20], abs=0.01)
    assert (source.rejected, source.flattened, source.sample_scale) == ((), True, None)


def test_samples_come_back_bit_by_bit(folder):
    source = open_source(folder)
    for image, day in zip(source.images, cslc.DAYS, strict=True):
        for rows in (slice(0, 200), slice(3, 4), slice(127, 131)):
            found = source.read_image(image, rows).samples
            np.testing.assert_array_equal(found.view(np.uint32), cslc.samples(day)[rows].view(np.uint32))


def test_static_layers(folder):
    """Incidence is that against the vertical, not the local one of the file."""
    maps = open_source(folder).static()
    assert set(maps) == {"elevation", "los_east", "los_north", "los_up", "incidence"}
    for name, part in zip(("los_east", "los_north", "los_up"), cslc.look(), strict=True):
        np.testing.assert_allclose(maps[name], part, atol=1e-6)
    np.testing.assert_allclose(np.degrees(maps["incidence"]), cslc.INCIDENCE, atol=1e-4)
    assert maps["elevation"][3, 7] == 513


def test_sinking_ground_comes_out_negative(tmp_path):
    shape = (cslc.HEIGHT, cslc.WIDTH)
    for day in cslc.DAYS:
        motion = cslc.displacement(day) / cslc.RATE * sinking.RATE * sinking.bowl(shape)
        cslc.write(tmp_path / "in" / cslc.name(day), day, cslc.samples(day, motion=motion))
    cslc.static(tmp_path / "in" / cslc.STATIC)
    sinking.check(tmp_path / "in", tmp_path, "interferograms: {looks: [2, 4]}", looks=(2, 4))


def test_files_of_compass_are_read_alike(folder, tmp_path):
    """Older layers of zeros outside the burst are no look vectors."""
    root = tmp_path / "compass"
    for day in cslc.DAYS:
        cslc.write(root / day / f"t027_056725_iw1_{day}.h5", day)
    east = np.full((cslc.HEIGHT, cslc.WIDTH), cslc.look()[0], np.float32)
    north = np.full(east.shape, cslc.look()[1], np.float32)
    east[:, :5] = north[:, :5] = 0
    cslc.static(root / "static_layers_t027_056725_iw1.h5", data__los_east=east, data__los_north=north)
    source, published = open_source(root), open_source(folder)
    assert source.header == published.header
    assert np.isnan(source.static()["los_up"][:, :5]).all()
    assert np.isfinite(source.static()["los_up"][:, 5:]).all()


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_pairs_of_real_and_imaginary_part(copy, dtype):
    """complex32 is a pair of half-precision numbers."""
    values = cslc.samples(cslc.DAYS[0])
    with h5py.File(copy / FIRST, "r+") as file:
        del file["data/VV"]
        pairs = np.empty(values.shape, [("r", dtype), ("i", dtype)])
        pairs["r"], pairs["i"] = values.real, values.imag
        file["data/VV"] = pairs
    source = open_source(copy)
    found = source.read_image(source.images[0], slice(0, 9)).samples
    assert found.dtype == np.complex64
    np.testing.assert_allclose(found, values[:9], rtol=1e-3)


def test_of_twins_the_later_processing_wins(copy):
    later = cslc.name(cslc.DAYS[1], processed="20250101T000000Z", v="1.0")
    cslc.write(copy / "again" / later, cslc.DAYS[1])
    source = open_source(copy)
    assert len(source.images) == 4
    assert source.images[1].files[0].endswith(later)
    (refused,) = source.rejected
    assert refused.key == cslc.name(cslc.DAYS[1])
    assert re.search(rf"was processed before again/{later} of the same acquisition", refused.reason)


def test_compressed_images_and_other_polarisations_are_left_out(copy):
    compressed = "OPERA_L2_COMPRESSED-CSLC-S1_F07091_T027-056725-IW1_20170605T132754Z_VV_v1.0.h5"
    shutil.copy(copy / FIRST, copy / compressed)
    cslc.write(copy / cslc.name("20170723", pol="VH"), "20170723", pol="VH")
    source = open_source(copy)
    assert len(source.images) == 4
    reasons = {item.key: item.reason for item in source.rejected}
    assert "compressed image, made of many dates" in reasons[compressed]
    assert "has the polarisation VH, expected VV" in reasons[cslc.name("20170723", pol="VH")]


def test_several_bursts_need_a_choice(copy):
    other = "T027-056726-IW2"
    cslc.write(copy / cslc.name(cslc.DAYS[0], burst=other), cslc.DAYS[0])
    with pytest.raises(DataError, match=r"2 bursts \(t027_056725_iw1, t027_056726_iw2\).*pass id='t027_056725_iw1'"):
        open_source(copy)
    assert len(open_source(copy, id="t027_056725_iw1").images) == 4
    with pytest.warns(SourceWarning, match="no static layers of t027_056726_iw2"):
        assert len(open_source(copy, id="t027_056726_iw2").images) == 1


def test_grids_that_differ_by_pixels_are_united(copy):
    """The last image begins ten samples further west."""
    day = cslc.DAYS[3]
    (copy / cslc.name(day)).unlink()
    cslc.write(copy / cslc.name(day), day, left=cslc.LEFT - 50)
    source = open_source(copy)
    assert source.header.shape == (200, 310)
    assert source.header.grid.left == cslc.LEFT - 50
    for image in source.images:
        part = slice(None, 300) if image.key == day else slice(10, None)
        found = source.read_image(image, slice(100, 130)).samples
        expected = cslc.samples(image.key)[100:130]
        np.testing.assert_array_equal(found[:, part], expected)
        assert np.isfinite(found).sum() == np.isfinite(expected).sum()
    assert np.isnan(source.static()["elevation"][:, :10]).all()
    assert source.static()["elevation"][0, 10] == 500


def test_new_images_join_a_stack(folder, tmp_path):
    few = tmp_path / "few"
    few.mkdir()
    for day in (cslc.DAYS[0], cslc.DAYS[2]):
        shutil.copy(folder / cslc.name(day), few)
    shutil.copy(folder / cslc.STATIC, few)
    assert ingest_folder(str(few), str(tmp_path))[1].done == 2
    location, summary = ingest_folder(str(folder), str(tmp_path))
    assert (summary.done, summary.exit_code) == (2, 0)
    stack = SlcStack(location)
    days = [str(time)[:10].replace("-", "") for time in stack.times]
    assert days == [cslc.DAYS[k] for k in (0, 2, 1, 3)]
    assert stack.baselines == pytest.approx([cslc.BASELINES[day] for day in days], abs=0.01)
    for place, day in enumerate(days):
        np.testing.assert_array_equal(stack.read([place], slice(0, 200), slice(0, 300)).samples[0], cslc.samples(day))


def replaced(**datasets):
    return lambda path: (path.unlink(), cslc.write(path, cslc.DAYS[0], **datasets))


BURST = "metadata__processing_information__input_burst_metadata__"
REFUSED = {
    "truncated": (lambda path: path.write_bytes(path.read_bytes()[:-5000]), "cannot be read as HDF5 .*truncated"),
    "empty": (lambda path: path.write_bytes(b""), "cannot be read as HDF5"),
    "no HDF5": (lambda path: path.write_bytes(b"<html>404</html>" * 99), "cannot be read as HDF5"),
    "other polarisation inside": (lambda path: cslc.write(path, cslc.DAYS[0], pol="HH"), "/data/VV is missing"),
    "real samples": (
        lambda path: cslc.write(path, cslc.DAYS[0], np.ones((200, 300), np.float32)),
        "/data/VV holds float32, expected complex",
    ),
    "other shape": (
        replaced(**cslc.grid((200, 299), cslc.LEFT)),
        r"/data/VV has the shape \(200, 300\), expected \(200, 299\)",
    ),
    "cube": (
        lambda path: cslc.write(path, cslc.DAYS[0], data__VV=None, data__HH=np.ones((2, 3, 4), np.complex64), pol="VH"),
        "/data/VV is missing",
    ),
    "no coordinates": (replaced(data__x_coordinates=None), "/data/x_coordinates is missing"),
    "coordinates northward": (
        replaced(data__y_coordinates=np.arange(200.0) * 10, data__y_spacing=10.0),
        "/data/y_coordinates go from 0 to 1990 .* expected equal steps, southward",
    ),
    "uneven coordinates": (replaced(data__x_spacing=4.9), "/data/x_coordinates go from .* expected equal steps"),
    "NaN coordinates": (replaced(data__x_coordinates=np.full(300, np.nan)), "/data/x_coordinates go from nan"),
    "text spacing": (replaced(data__x_spacing=np.bytes_("5 m")), "/data/x_spacing holds .S3, expected"),
    "no such projection": (replaced(data__projection=np.int32(99999)), "/data/projection is 99999, expected an EPSG"),
    "other zone": (replaced(data__projection=np.int32(32611)), "is in EPSG:32611, expected EPSG:32610"),
    "other lattice": (
        lambda path: cslc.write(path, cslc.DAYS[0], left=cslc.LEFT + 2),
        "is shifted by 0.400 columns",
    ),
    "no time": (replaced(identification__zero_doppler_start_time=None), "zero_doppler_start_time is missing"),
    "time in words": (
        replaced(identification__zero_doppler_start_time=np.bytes_("yesterday")),
        "zero_doppler_start_time is 'yesterday', expected a time such as",
    ),
    "renamed": (
        replaced(identification__zero_doppler_start_time=np.bytes_("2018-06-05 13:27:54.1")),
        "was acquired on 20180605, expected 20170605 as in its name",
    ),
    "no pass": (replaced(identification__orbit_pass_direction=np.bytes_("north")), "is 'north', expected ascending"),
    "other pass": (
        replaced(identification__orbit_pass_direction=np.bytes_("Descending")),
        "0.05547 m, descending, expected 0.05547 m, ascending",
    ),
    "no wavelength": (replaced(**{f"{BURST}wavelength": None}), "wavelength is missing"),
    "wavelength in centimetres": (replaced(**{f"{BURST}wavelength": 5.5}), "wavelength is 5.5, expected metres"),
    "another radar": (
        replaced(**{f"{BURST}wavelength": 0.236}),
        "pass 0.23600 m, ascending, expected 0.05547",
    ),
    "no orbit": (replaced(metadata__orbit__velocity_y=None), "/metadata/orbit/velocity_y is missing"),
    "short orbit": (replaced(metadata__orbit__time=np.arange(5.0)), "/metadata/orbit has columns of several lengths"),
    "orbit of another place": (
        replaced(**{f"metadata__orbit__velocity_{axis}": np.full(13, 7e3) for axis in "xyz"}),
        "/metadata/orbit cannot be used|heading",
    ),
    "phase of topography": (
        replaced(metadata__processing_information__parameters__topographic_flattening_applied=np.bytes_("False")),
        "topographic_flattening_applied is false",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_images_leave_the_others(copy, case):
    damage, text = REFUSED[case]
    damage(copy / FIRST)
    source = open_source(copy)
    assert [image.key for image in source.images] == list(cslc.DAYS[1:])
    (refused,) = source.rejected
    assert refused.key == FIRST
    assert FIRST in refused.reason
    assert re.search(text, refused.reason), refused.reason


def test_unknown_compression_is_named(copy):
    """The identifier of a filter that nobody has."""
    path = copy / FIRST
    values = cslc.samples(cslc.DAYS[0])
    with h5py.File(path, "r+") as file:
        del file["data/VV"]
        file.create_dataset("data/VV", data=values, chunks=(100, 100), fletcher32=True)
    data = path.read_bytes()
    with h5py.File(path) as file:
        plist = file["data/VV"].id.get_create_plist()
        assert plist.get_filter(0)[0] == h5py.h5z.FILTER_FLETCHER32
    # The filter message of the last object header that holds one: version 1, one filter, its number.
    at = data.rindex(b"fletcher32")
    number = data.rindex(b"\x03\x00", 0, at)
    path.write_bytes(data[:number] + (32123).to_bytes(2, "little") + data[number + 2 :])
    source = open_source(copy)
    image = next(image for image in source.images if image.key == cslc.DAYS[0])
    with pytest.raises(DataError, match=rf"{FIRST}: /data/VV .*(compressed in a way that is not known|cannot be read)"):
        source.read_image(image, slice(0, 10))


def test_samples_that_were_cut_off_are_quarantined_by_name(copy, tmp_path):
    source = open_source(copy)
    path = copy / FIRST
    with h5py.File(path) as file:
        stored = file["data/VV"].id.get_chunk_info(1)
    data = bytearray(path.read_bytes())
    data[stored.byte_offset : stored.byte_offset + 100] = bytes(100)
    path.write_bytes(data)
    with pytest.raises(DataError, match=rf"{FIRST}: /data/VV cannot be read"):
        source.read_image(source.images[0], slice(0, 200))
    _, summary = ingest_folder(str(copy), str(tmp_path / "stacks"))
    assert summary.exit_code == 3
    assert FIRST in summary.quarantined[0].reason


@pytest.mark.parametrize(
    ("layers", "text"),
    [
        ({"data__los_east": np.full((200, 300), 0.57, np.float32)}, "los_east points east .* expected west"),
        ({"data__z": np.full((200, 300), 40000.0, np.float32)}, "/data/z holds elevations from 40000"),
        ({"data__los_north": np.ones((200, 300), np.int32)}, "/data/los_north holds int32, expected floating point"),
        ({"data__projection": np.int32(32611)}, "is in EPSG:32611, expected EPSG:32610"),
    ],
)
def test_static_layers_that_make_no_sense(copy, layers, text):
    (copy / cslc.STATIC).unlink()
    cslc.static(copy / cslc.STATIC, **layers)
    with pytest.raises(DataError, match=rf"{cslc.STATIC}.*{text}"):
        open_source(copy).static()


def test_an_orbit_against_the_pass_is_refused(copy):
    """All say descending over an ascending orbit."""
    for day in cslc.DAYS:
        cslc.write(copy / cslc.name(day), day, identification__orbit_pass_direction=np.bytes_("Descending"))
    with pytest.raises(DataError, match=r"heading of -12\.0 degrees and /identification says descending"):
        open_source(copy)


def test_nothing_usable(tmp_path):
    (tmp_path / FIRST).write_bytes(b"")
    with pytest.raises(DataError, match=r"none of 1 images can be used.*v1\.1\.h5 cannot be read as HDF5"):
        open_source(tmp_path)
    (tmp_path / FIRST).rename(tmp_path / "OPERA_L2_CSLC-S1_2017.h5")
    with pytest.raises(DataError, match="holds no image, expected files such as OPERA"):
        open_source(tmp_path)


def test_a_source_travels(folder):
    import pickle

    source = open_source(folder)
    assert pickle.loads(pickle.dumps(source)) == source
    assert dataclasses.is_dataclass(source)
