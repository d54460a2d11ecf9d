"""Bad input ends in an error that names file and remedy, or in one refused pair while the rest goes on."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import miniature as mini
import numpy as np
import pytest
from rasterio.errors import NotGeoreferencedWarning
from rasterio.transform import Affine

from slidecloud.stack import SourceWarning, WavelengthWarning, open_source
from slidecloud.types import DataError

BAD = mini.KEYS[0]
UNW = "tifs/crop_20180106-20180118_VV_8rlks_eqa_unw.tif"
CC = "tifs/crop_20180106-20180118_VV_8rlks_flat_eqa_cc.tif"
PAR = "headers/r20180106_VV_8rlks_mli.par"
PAIR = f"interferograms/{BAD}/{BAD}.geo"


def phase() -> np.ndarray:
    return mini.unwrapped(BAD)


def spoiled(values: np.ndarray, value: float) -> np.ndarray:
    copy = values.copy()
    copy[3, 4] = value
    return copy


class Refused(NamedTuple):
    """One damaged pair or file in a folder of three pairs: refused when opened, for a reason that matches `said`."""

    name: str
    damage: Callable[[Path], object]
    said: tuple[str, ...]
    key: str = BAD
    left: int = 2
    build: Callable[[Path], Path] = mini.gamma


def rewrite(path: str, values: Callable[[], np.ndarray], **options) -> Callable[[Path], object]:
    return lambda root: mini.write(root / path, values(), **options)


def truncate(path: str) -> Callable[[Path], object]:
    def damage(root: Path) -> None:
        data = (root / path).read_bytes()
        (root / path).write_bytes(data[: len(data) - 200])

    return damage


def content(path: str, data: bytes) -> Callable[[Path], object]:
    return lambda root: (root / path).write_bytes(data)


def rename(path: str, to: str) -> Callable[[Path], object]:
    return lambda root: (root / path).rename((root / path).with_name(to))


def remove(*paths: str) -> Callable[[Path], object]:
    return lambda root: [(root / path).unlink() for path in paths]


def copied(path: str, folder: str) -> Callable[[Path], object]:
    def damage(root: Path) -> None:
        (root / folder).mkdir(parents=True)
        shutil.copy(root / path, root / folder)

    return damage


def without_coordinates(root: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        mini.write(root / UNW, phase(), crs=None)


def outside_link(root: Path) -> None:
    target = root.parent / "elsewhere.tif"
    (root / UNW).rename(target)
    (root / UNW).symlink_to(target)


def dangling_link(root: Path) -> None:
    (root / UNW).unlink()
    (root / UNW).symlink_to(root / "gone.tif")


def folder_link(root: Path) -> None:
    (root.parent / "more").mkdir()
    (root / "more").symlink_to(root.parent / "more")


def named_pair(first: str, second: str) -> Callable[[Path], object]:
    """A fourth pair with these dates in its name."""

    def damage(root: Path) -> None:
        shutil.copy(root / UNW, root / f"tifs/crop_{first}-{second}_unw.tif")
        shutil.copy(root / CC, root / f"tifs/crop_{first}-{second}_cc.tif")

    return damage


ROTATED = Affine(0.001, 0.0001, 100, 0.0001, -0.001, 30)
SOUTH_UP = Affine(0.001, 0, 100, 0, 0.001, 29.988)

REFUSED = [
    Refused("truncated phase", truncate(UNW), ("_unw.tif is truncated", "Fetch or make it again")),
    Refused("truncated coherence", truncate(CC), ("_cc.tif is truncated",)),
    Refused(
        "truncated before the directory at its end",
        lambda root: (rewrite(UNW, phase, tags={"A": "B"})(root), truncate(UNW)(root)),
        ("_unw.tif (has no coordinates|cannot be read as a GeoTIFF)", "fetch (or make )?it again"),
    ),
    Refused("empty file", content(UNW, b""), ("_unw.tif is empty", "fetch or make it again")),
    Refused("not a TIFF", content(UNW, b"<html>404</html>"), ("_unw.tif cannot be read as a GeoTIFF", "fetch or make")),
    Refused("only a TIFF's first bytes", content(CC, b"II*\0\x08\0\0\0"), ("_cc.tif cannot be read as a GeoTIFF",)),
    Refused("missing coherence", remove(CC), (f"pair {BAD}: no coherence", "add it")),
    Refused("missing phase", remove(UNW), (f"pair {BAD}: no phase", "add it")),
    Refused(
        "secondary before reference",
        named_pair("20180130", "20180106"),
        ("_unw.tif|_cc.tif", "reference 2018-01-30 after its secondary 2018-01-06", "in order of time"),
        key="20180130_20180106",
        left=3,
    ),
    Refused(
        "a date with itself",
        named_pair("20180106", "20180106"),
        ("pairs 2018-01-06 with itself", "expected two dates"),
        key="20180106_20180106",
        left=3,
    ),
    Refused(
        "date in the future",
        named_pair("20180106", "29990101"),
        ("has the date 2999-01-01", "in the future", "correct the name"),
        key="20180106_29990101",
        left=3,
    ),
    Refused(
        "date before Sentinel-1",
        named_pair("20080106", "20180106"),
        ("has the date 2008-01-06", "before the mission", "correct the name"),
        key="20080106_20180106",
        left=3,
    ),
    Refused(
        "a date that does not exist",
        named_pair("20180106", "20180231"),
        ("not two days of the calendar", "rename the file"),
        key="tifs/crop_20180106-20180231_unw.tif",
        left=3,
    ),
    Refused(
        "no dates in the name",
        rename(UNW, "latest_unw.tif"),
        ("tifs/latest_unw.tif has 0 pairs of dates in its name", "rename the file"),
        key="tifs/latest_unw.tif",
    ),
    Refused(
        "two pairs of dates in the name",
        rename(UNW, "20180106-20180118_20180106-20180130_unw.tif"),
        ("has 2 pairs of dates in its name",),
        key="tifs/20180106-20180118_20180106-20180130_unw.tif",
    ),
    Refused("two files for one pair", copied(UNW, "second"), ("2 files where one was expected", "second/", "Keep one")),
    Refused("several bands", rewrite(UNW, lambda: np.stack([phase()] * 2)), ("_unw.tif has 2 bands, expected 1",)),
    Refused(
        "complex numbers",
        rewrite(UNW, lambda: np.exp(1j * phase()).astype(np.complex64)),
        ("_unw.tif holds complex64, expected float32", "write its angle"),
    ),
    Refused("integer phase", rewrite(UNW, lambda: phase().astype(np.int16)), ("holds int16", "convert it")),
    Refused("16-bit coherence", rewrite(CC, lambda: np.full((12, 16), 300, np.uint16)), ("holds uint16", "convert it")),
    Refused("no coordinates", without_coordinates, ("_unw.tif has no coordinates", "geocode it")),
    Refused("rotated", rewrite(UNW, phase, transform=ROTATED), ("expected north up without rotation", "warp it")),
    Refused("south up", rewrite(UNW, phase, transform=SOUTH_UP), ("expected north up without rotation", "warp it")),
    Refused(
        "another CRS", rewrite(UNW, phase, crs="EPSG:32647"), ("is in EPSG:32647, expected EPSG:4326", "reproject")
    ),
    Refused(
        "another shape and spacing",
        rewrite(UNW, lambda: mini.unwrapped(BAD, height=24, width=32), step=0.0005),
        ("pixel spacing of 0.0005 x -0.0005, expected 0.001 x -0.001", "resample"),
    ),
    Refused("half a pixel aside", rewrite(CC, phase, left=mini.LEFT + 5e-4), ("_cc.tif is shifted by 0.500",)),
    Refused("beside the others", rewrite(UNW, phase, left=mini.LEFT + 1), ("lies beside", "stack of its own")),
    Refused(
        "link that leaves the folder",
        outside_link,
        ("eqa_unw.tif is a link that leaves the source folder", "replace it with the file"),
        key=UNW,
    ),
    Refused("link to nothing", dangling_link, ("is a link to nothing", "restore its target"), key=UNW),
    Refused("linked folder", folder_link, ("more is a link to a folder", "replace it"), key="more", left=3),
    Refused(
        "a line break in a name",
        rename(UNW, "x\n20181301-20180118_unw.tif"),
        (r"tifs/x\\n20181301", "calendar"),
        key=r"tifs/x\n20181301-20180118_unw.tif",
    ),
    Refused(
        "undecodable bytes in a name",
        rename(UNW, "x\udcff_unw.tif"),
        (r"tifs/x\\udcff_unw.tif has 0 pairs of dates",),
        key=r"tifs/x\udcff_unw.tif",
    ),
    Refused(
        "elevation on another grid",
        rewrite("tifs/crop_dem.tif", mini.heights, step=0.0013),
        ("crop_dem.tif has a pixel spacing of 0.0013", "resample"),
        key="elevation",
        left=3,
    ),
    Refused(
        "two elevations",
        copied("tifs/crop_dem.tif", "other"),
        ("elevation: 2 files where one was expected", "Keep one"),
        key="elevation",
        left=3,
    ),
    Refused(
        "LiCSAR: pair without coherence",
        remove(f"{PAIR}.cc.tif"),
        ("no coherence", "fetch it"),
        build=mini.licsar,
    ),
    Refused(
        "LiCSAR: pair without any phase",
        remove(*(f"{PAIR}.{kind}.tif" for kind in ("unw", "diff_pha", "diff_unfiltered_pha"))),
        ("no phase", "fetch it"),
        build=mini.licsar,
    ),
    Refused(
        "LiCSAR: file in the folder of another pair",
        lambda root: (root / f"{PAIR}.cc.tif").rename(root / f"interferograms/{BAD}/20180106_20180130.geo.cc.tif"),
        ("lies in the folder of pair 20180106_20180118, expected 20180106_20180130", "move or rename"),
        key=f"interferograms/{BAD}/20180106_20180130.geo.cc.tif",
        build=mini.licsar,
    ),
    Refused(
        "LiCSAR: name without dates",
        rename(f"{PAIR}.cc.tif", "copy.geo.cc.tif"),
        ("has no name YYYYMMDD_YYYYMMDD", "rename the file"),
        key=f"interferograms/{BAD}/copy.geo.cc.tif",
        build=mini.licsar,
    ),
    Refused(
        "LiCSAR: look vector incomplete",
        remove(f"metadata/{mini.FRAME}.geo.N.tif"),
        (r"look vector: .geo.N.tif missing", "fetch them"),
        key="look_vector",
        left=3,
        build=mini.licsar,
    ),
]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_a_bad_pair_is_refused_and_the_rest_goes_on(tmp_path, case):
    root = case.build(tmp_path / "field")
    case.damage(root)
    source = open_source(root)
    assert len(source.pairs) == case.left
    reason = {item.key: item.reason for item in source.rejected}[case.key]
    for said in case.said:
        assert_matches(said, reason)
    assert "\n" not in reason
    for item in source.pairs:
        assert source.read(item, slice(None)).coherence.any()


class Unreadable(NamedTuple):
    """Pixels that make no sense: the pair opens, and reading it raises."""

    name: str
    damage: Callable[[Path], object]
    said: tuple[str, ...]
    build: Callable[[Path], Path] = mini.gamma


UNREADABLE = [
    Unreadable("infinite phase", rewrite(UNW, lambda: spoiled(phase(), np.inf)), ("holds 1 infinite values", "again")),
    Unreadable("all NaN", rewrite(UNW, lambda: np.full((12, 16), np.nan, np.float32)), ("no pixel", "fetch or make")),
    Unreadable("all no data", rewrite(CC, lambda: np.zeros((12, 16), np.float32)), ("no pixel with both",)),
    Unreadable("absurd phase", rewrite(UNW, lambda: spoiled(phase(), 2e4)), ("phase of 20000 rad", "unit and byte")),
    Unreadable("phase beyond float32", rewrite(UNW, lambda: spoiled(phase().astype(float), 1e300)), ("infinite",)),
    Unreadable("coherence above 1", rewrite(CC, lambda: spoiled(mini.coherence(BAD), 1.5)), ("coherence of 1.5",)),
    Unreadable("negative coherence", rewrite(CC, lambda: spoiled(mini.coherence(BAD), -0.3)), ("coherence of -0.3",)),
    Unreadable("infinite coherence", rewrite(CC, lambda: spoiled(mini.coherence(BAD), np.inf)), ("coherence of inf",)),
    Unreadable(
        "coherence 0..255 in floating point",
        rewrite(CC, lambda: np.rint(mini.coherence(BAD) * 255)),
        ("_cc.tif holds a coherence of 2", "expected 0 to 1", "uint8, or divide by 255"),
    ),
    Unreadable(
        "LiCSAR: wrapped phase beyond pi",
        lambda root: mini.write(root / f"{PAIR}.diff_unfiltered_pha.tif", phase()),
        ("diff_unfiltered_pha.tif holds a phase of", "expected at most 3.14159", "wrap it"),
        build=mini.licsar,
    ),
]


@pytest.mark.parametrize("case", UNREADABLE, ids=lambda case: case.name)
def test_pixels_that_make_no_sense_are_named_when_read(tmp_path, case):
    root = case.build(tmp_path / "field")
    case.damage(root)
    source = open_source(root)
    bad, *rest = source.pairs
    with pytest.raises(DataError) as caught:
        source.read(bad, slice(None))
    for said in (*case.said, "tif", "expected|has no pixel"):
        assert_matches(said, str(caught.value))
    for item in rest:
        assert source.read(item, slice(None)).coherence.any()


class Fatal(NamedTuple):
    """What no pair can do without: opening raises."""

    name: str
    damage: Callable[[Path], object]
    error: type[Exception]
    said: tuple[str, ...]
    build: Callable[[Path], Path] = mini.gamma
    options: dict[str, object] = {}  # noqa: RUF012


def both_formats(root: Path) -> None:
    mini.licsar(root)


def replace_in(path: str, old: str, new: str) -> Callable[[Path], object]:
    return lambda root: (root / path).write_text((root / path).read_text().replace(old, new))


def each_par(**replace: str) -> Callable[[Path], object]:
    return lambda root: [mini.par(path, path.name[1:9], **replace) for path in (root / "headers").iterdir()]


def clear(root: Path) -> None:
    shutil.rmtree(root)
    root.mkdir()


def a_file(root: Path) -> None:
    shutil.rmtree(root)
    root.write_text("not a folder")


def two_frames(root: Path) -> Path:
    frame = mini.licsar(root)
    path = frame / f"metadata/{mini.FRAME}.geo.U.tif"
    shutil.copy(path, path.with_name(path.name.replace("026A", "027A")))
    return frame


def nothing(root: Path) -> None:
    """Leave all as it is."""


FATAL = [
    Fatal("missing folder", shutil.rmtree, FileNotFoundError, ("field does not exist", "give the folder")),
    Fatal("a file for a folder", a_file, NotADirectoryError, ("field is a file", "expected a folder")),
    Fatal("empty folder", clear, FileNotFoundError, ("holds no files", r"Expected(.|\n)*GAMMA(.|\n)*LiCSAR")),
    Fatal(
        "files of no known format",
        lambda root: (clear(root), (root / "a.txt").write_text("x")),
        FileNotFoundError,
        (r"holds 1 files \(1 .txt\), such as a.txt", r"Expected(.|\n)*GAMMA", "rename the files"),
    ),
    Fatal(
        "two formats at once",
        both_formats,
        ValueError,
        (
            r"several formats \(gamma, licsar\), expected one. 6 files speak for gamma, such as tifs/crop_20180106",
            "12 files speak for licsar",
            r"Pass kind='licsar' \(--kind licsar\)",
        ),
    ),
    Fatal("unknown kind", nothing, ValueError, ("kind is 'isce'", "expected one of auto"), options={"kind": "isce"}),
    Fatal("the wrong kind", nothing, FileNotFoundError, ("none of licsar",), options={"kind": "licsar"}),
    Fatal("id that is no slug", nothing, ValueError, (r"id '\.\./x'", "1 to 64"), options={"id": "../x"}),
    Fatal("id too long", nothing, ValueError, ("cannot name a stack",), options={"id": "a" * 65}),
    Fatal(
        "folder name that is no slug",
        nothing,
        ValueError,
        ("folder name 'mi campo ñ'", "id="),
        build=lambda root: mini.gamma(root.with_name("Mi campo ñ")),
    ),
    Fatal("no header", lambda root: shutil.rmtree(root / "headers"), DataError, ("no usable image header", "copy the")),
    Fatal(
        "absurd incidence",
        each_par(incidence_angle="139.5 degrees"),
        DataError,
        ("incidence_angle is 139.5", "5 to 80"),
    ),
    Fatal(
        "incidence in words", each_par(incidence_angle="steep"), DataError, ("'steep', expected a number", "correct")
    ),
    Fatal("no heading", each_par(heading=""), DataError, ("heading is missing", "correct the header")),
    Fatal("no date", each_par(date="soon"), DataError, ("date is 'soon', expected 'YYYY MM DD'",)),
    Fatal(
        "no radar frequency, unknown sensor",
        each_par(radar_frequency="", sensor="CSK"),
        DataError,
        (r"mli\.par has no radar_frequency", "add the line"),
    ),
    Fatal(
        "radar frequency in GHz", each_par(radar_frequency="5.405"), DataError, ("5.405 Hz, expected 0.2 to 40 GHz",)
    ),
    Fatal(
        "nothing usable",
        lambda root: [path.write_bytes(b"") for path in (root / "tifs").glob("*unw.tif")],
        DataError,
        ("none of 3 pairs can be used", "The first: .*_unw.tif is empty"),
    ),
    Fatal(
        "LiCSAR: no metadata.txt",
        remove("metadata/metadata.txt"),
        DataError,
        ("has no metadata.txt", "fetch it"),
        build=mini.licsar,
    ),
    Fatal(
        "LiCSAR: no time of day",
        replace_in("metadata/metadata.txt", "11:22:33.600000", "25:61:00"),
        DataError,
        ("center_time is '25:61:00', expected HH:MM:SS",),
        build=mini.licsar,
    ),
    Fatal(
        "LiCSAR: two frames in one folder",
        nothing,
        DataError,
        ("2 frames", "give the folder of one frame"),
        build=two_frames,
    ),
]


@pytest.mark.parametrize("case", FATAL, ids=lambda case: case.name)
def test_what_no_pair_can_do_without_is_named(tmp_path, case):
    root = case.build(tmp_path / "field")
    case.damage(root)
    with pytest.raises(case.error) as caught:
        open_source(root, **case.options)
    for said in (*case.said, "[Ee]xpected|give"):
        assert_matches(said, str(caught.value))


STATIC = [
    (
        "not of unit length",
        lambda root: mini.write_look(root / "metadata", length=0.8),
        "median length 0.800, expected 1",
    ),
    ("to the wrong side", lambda root: mini.write_look(root / "metadata", sign=-1), "points east .* expected west"),
    ("down", lambda root: mini.write_look(root / "metadata", length=-1), "points down, expected ground to satellite"),
    ("nowhere", lambda root: mini.write_look(root / "metadata", length=0), "holds no look vector"),
]


@pytest.mark.parametrize(("damage", "said"), [case[1:] for case in STATIC], ids=[case[0] for case in STATIC])
def test_look_vectors_that_point_wrong_are_refused(tmp_path, damage, said):
    frame = mini.licsar(tmp_path)
    damage(frame)
    with pytest.raises(DataError, match=rf"geo\.E\.tif.*{said}"):
        open_source(frame).static()


def test_a_few_short_look_vectors_at_an_edge_become_no_data(tmp_path):
    frame = mini.licsar(tmp_path)
    path = frame / f"metadata/{mini.FRAME}.geo.U.tif"
    up = np.full((mini.HEIGHT, mini.WIDTH), np.cos(np.radians(mini.INCIDENCE)), np.float32)
    up[4, 4] = 0.3
    mini.write(path, up)
    maps = open_source(frame).static()
    assert np.isnan(maps["los_up"][4, 4])
    assert np.isfinite(maps["los_up"][5:]).all()


def test_absurd_elevations_are_refused(tmp_path):
    root = mini.gamma(tmp_path / "field")
    mini.write(root / "tifs/crop_dem.tif", np.full((mini.HEIGHT, mini.WIDTH), 30000, np.int16))
    with pytest.raises(DataError, match=r"crop_dem.tif holds elevations from 30000 to 30000 m, expected"):
        open_source(root).static()


def test_voids_of_srtm_are_no_data(tmp_path):
    root = mini.gamma(tmp_path / "field")
    heights = mini.heights().astype(np.int16)
    heights[2, 3] = -32768
    mini.write(root / "tifs/crop_dem.tif", heights)
    elevation = open_source(root).static()["elevation"]
    assert np.argwhere(np.isnan(elevation)).tolist() == [[2, 3]]


@pytest.mark.parametrize("rows", [slice(0, 12), slice(0, 3)])
def test_a_pair_without_data_is_refused_whichever_rows_are_asked_for(tmp_path, rows):
    root = mini.gamma(tmp_path / "field")
    mini.write(root / CC, np.zeros((mini.HEIGHT, mini.WIDTH), np.float32))
    source = open_source(root)
    with pytest.raises(DataError, match=f"pair {BAD} has no pixel"):
        source.read(source.pairs[0], rows)


def test_empty_rows_of_a_pair_with_data_elsewhere_are_fine(tmp_path):
    root = mini.gamma(tmp_path / "field")
    coherence = mini.coherence(BAD)
    coherence[:6] = 0
    mini.write(root / CC, coherence)
    source = open_source(root)
    assert not source.read(source.pairs[0], slice(0, 6)).coherence.any()


def test_a_file_that_is_lost_or_damaged_after_opening(tmp_path):
    root = mini.gamma(tmp_path / "field")
    source = open_source(root)
    data = (root / UNW).read_bytes()
    (root / UNW).write_bytes(data[:-300])
    with pytest.raises(DataError, match=r"eqa_unw.tif cannot be read as a GeoTIFF"):
        source.read(source.pairs[0], slice(None))
    (root / UNW).unlink()
    with pytest.raises(DataError, match=r"eqa_unw.tif is no longer there: restore it"):
        source.read(source.pairs[0], slice(None))


def test_names_with_spaces_quotes_and_unicode_are_read_like_others(tmp_path):
    root = mini.gamma(tmp_path / "field")
    strange = root / "día 1 & 'más'"
    (root / "tifs").rename(strange)
    (strange / Path(UNW).name).rename(strange / "ñ 20180106-20180118 %41 unw.tif")
    source = open_source(root)
    assert len(source.pairs) == 3
    assert source.read(source.pairs[0], slice(None)).coherence.any()


def test_links_within_the_folder_are_followed(tmp_path):
    root = mini.gamma(tmp_path / "field")
    (root / "kept").mkdir()
    (root / UNW).rename(root / "kept/one.tif")
    (root / UNW).symlink_to(root / "kept/one.tif")
    assert len(open_source(root).pairs) == 3


def test_a_broken_header_among_good_ones_is_left_out_with_a_warning(tmp_path):
    root = mini.gamma(tmp_path / "field")
    mini.par(root / PAR, "20180106", heading="north")
    with pytest.warns(SourceWarning, match=r"r20180106_VV_8rlks_mli.par: heading is 'north'.*not used"):
        source = open_source(root)
    assert len(source.pairs) == 3


def test_a_wavelength_tag_of_another_satellite_is_taken_where_headers_have_none(tmp_path):
    root = mini.gamma(tmp_path / "field")
    each_par(radar_frequency="", sensor="PALSAR-2")(root)
    mini.write(root / UNW, phase(), nodata=0, tags={"WAVELENGTH_METRES": "0.2424"})
    with pytest.warns(WavelengthWarning, match="0.2424 m is used, that of the TIFF tags"):
        assert open_source(root).header.wavelength == 0.2424


@pytest.mark.parametrize(
    "seed", [*range(20), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(20, 1000))]
)
def test_damaged_bytes_end_in_a_named_error_or_in_valid_pixels(tmp_path, seed):
    """Any few bytes of a raster or a text header, overwritten."""
    rng = np.random.default_rng(seed)
    root = mini.licsar(tmp_path) if seed % 2 else mini.gamma(tmp_path / "field")
    files = sorted(path for path in root.rglob("*") if path.is_file())
    for _ in range(6):
        path = files[rng.integers(len(files))]
        data = bytearray(path.read_bytes())
        for _ in range(rng.integers(1, 9)):
            data[rng.integers(min(len(data), 500))] = rng.integers(256)
        path.write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SourceWarning)
        try:
            source = open_source(root)
            source.static()
        except DataError as error:
            assert_matches("expected|truncated", str(error))
            return
    for item in source.pairs:
        try:
            block = source.read(item, slice(None))
        except DataError as error:
            assert_matches(r"tif", str(error))
        else:
            assert block.phase.shape == block.coherence.shape == source.header.shape


@pytest.fixture
def as_nobody(tmp_path_factory):
    """Without the rights of root, for which no file is unreadable; yields a folder that others may enter.

    Folders that pytest makes are closed to all but their owner.
    """
    if os.geteuid() != 0:
        yield tmp_path_factory.mktemp("rights")
        return
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)
        os.seteuid(0)


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
@pytest.mark.parametrize(
    ("locked", "key", "said", "left"),
    [
        (UNW, BAD, "permission denied.*chmod u\\+r", 2),
        ("tifs/locked", "tifs/locked", "cannot be listed.*chmod u\\+rx", 3),
    ],
)
def test_files_and_folders_without_permission(as_nobody, locked, key, said, left):
    root = mini.gamma(as_nobody / "field")
    (root / "tifs/locked").mkdir()
    (root / locked).chmod(0)
    if os.geteuid() == 0:
        os.seteuid(65534)
    source = open_source(root)
    assert len(source.pairs) == left
    assert_matches(said, {item.key: item.reason for item in source.rejected}[key])


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_a_folder_without_permission(as_nobody):
    root = mini.gamma(as_nobody / "field")
    root.chmod(0)
    if os.geteuid() == 0:
        os.seteuid(65534)
    try:
        with pytest.raises(PermissionError, match=r"field cannot be listed.*give read permission"):
            open_source(root)
    finally:
        if os.getuid() == 0:
            os.seteuid(0)
        root.chmod(0o755)


def assert_matches(pattern: str, text: str) -> None:
    assert re.search(pattern, text), f"{pattern!r} not in {text!r}"
