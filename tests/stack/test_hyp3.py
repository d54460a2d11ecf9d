"""HyP3 burst products: every value of a miniature comes back, exact or within the step of its encoding."""

from __future__ import annotations

import pickle
import shutil

import hyp3_files as mini
import numpy as np
import pytest

from slidecloud.kernels.phase import decode
from slidecloud.pipeline.folders import ingest_folder
from slidecloud.stack import open_source
from slidecloud.stack.hyp3_names import burst_id
from slidecloud.store import open_stack
from slidecloud.types import DataError

PHASE_STEP = np.pi / 65536 + 2e-6


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return mini.stack(tmp_path_factory.mktemp("hyp3"))


@pytest.fixture(scope="module")
def zips(tmp_path_factory):
    return mini.stack(tmp_path_factory.mktemp("zips"), zipped=True)


@pytest.fixture
def copy(folder, tmp_path):
    return shutil.copytree(folder, tmp_path / "copy")


def inside(key):
    """Pixels of the union that a pair has, without the pond."""
    top, bottom, left, right = mini.EXTENT[key]
    mask = np.zeros((mini.HEIGHT, mini.WIDTH), bool)
    mask[top:bottom, left:right] = True
    return mask & (mini.land() > 0)


@pytest.mark.parametrize("form", ["folder", "zips"])
def test_pixels_of_every_pair(form, request):
    source = open_source(request.getfixturevalue(form))
    assert [item.pair.key for item in source.pairs] == list(mini.KEYS)
    assert source.rejected == ()
    for item in source.pairs:
        key = item.pair.key
        block = source.read(item, slice(None))
        known = inside(key)
        assert np.array_equal(block.coherence > 0, known)
        assert np.abs(block.coherence / 255 - mini.coherence(key))[known].max() <= 0.5 / 255 + 1e-6
        error = np.angle(np.exp(1j * (decode(block.phase).astype(float) - mini.wrapped(key))))
        assert np.abs(error[known]).max() <= PHASE_STEP
        connected = known & (mini.components() > 0)
        assert np.array_equal(np.isfinite(block.unwrapped), connected)
        assert np.array_equal(block.unwrapped[connected], mini.unwrapped(key)[connected])


def test_archives_and_folders_are_the_same_source(folder, zips):
    one, other = open_source(folder), open_source(zips)
    assert one.header == other.header
    for name, values in one.static().items():
        assert np.array_equal(values, other.static()[name], equal_nan=True)


def test_header(folder):
    header = open_source(folder).header
    assert header.id == mini.ID
    assert (header.geometry, header.shape, header.spacing) == ("map", (mini.HEIGHT, mini.WIDTH), (80.0, 80.0))
    assert (header.grid.crs, header.grid.left, header.grid.top) == (mini.CRS, mini.LEFT, mini.TOP)
    assert (header.pass_, header.look_direction, header.heading) == ("ascending", "right", -12.5)
    assert (header.range_looks, header.azimuth_looks, header.effective_looks) == (20, 4, 40.0)
    assert header.wavelength == mini.WAVELENGTH
    assert header.slant_range == 879021.2
    assert header.filtered
    assert (header.source, header.processor) == ("HyP3", "ISCE2, adaptive filter 0.5")
    assert header.has_unwrapped


def test_times_are_those_of_the_granules(folder):
    pair = open_source(folder).pairs[2].pair
    assert pair.reference == np.datetime64("2020-06-16T02:23:13")
    assert pair.secondary == np.datetime64("2020-06-28T02:23:13")


def test_without_times_in_granules_the_second_of_the_day_counts(copy):
    for key in mini.KEYS:
        name = mini.single(key)
        scenes = {f"{side}_Granule": "S1A_IW" for side in ("Reference", "Secondary")}
        (copy / name / f"{name}.txt").write_text(mini.text(key, **scenes))
    assert open_source(copy).pairs[0].pair.reference == np.datetime64("2020-06-04T02:23:12")


def test_baselines_have_the_sign_of_geometry(folder):
    """Of two satellites over a plane, the phase of a height is that of the formula the whole project uses."""
    source = open_source(folder)
    height, theta, rise = 693e3, 0.6, 10.0
    target = np.array([height * np.tan(theta), 0.0])
    for item in source.pairs:
        first, second = item.pair.key.split("_")
        across = mini.POSITION[second] - mini.POSITION[first]
        # B to the right and above: (cos, sin) in the plane of right and up, at right angles to the line of sight.
        satellites = np.array([[0.0, height], [across * np.cos(theta), height + across * np.sin(theta)]])
        # Seen at the same range of the reference, ground that is higher appears under a larger look angle.
        slant = np.linalg.norm(target - satellites[0])
        seen = theta + rise / (slant * np.sin(theta))
        raised = satellites[0] + slant * np.array([np.sin(seen), -np.cos(seen)])
        paths = [np.linalg.norm(raised - sat) - np.linalg.norm(target - sat) for sat in satellites]
        phase = 4 * np.pi / mini.WAVELENGTH * (paths[1] - paths[0])
        baseline = item.pair.perpendicular_baseline
        expected = -4 * np.pi / mini.WAVELENGTH * baseline * rise / (slant * np.sin(theta))
        assert phase == pytest.approx(expected, rel=0.01)
        # ISCE2: sign of (target - reference) x (secondary - reference) . velocity, velocity out of the plane of
        # right, forward, up.
        to_target, to_other = target - satellites[0], satellites[1] - satellites[0]
        product = to_target[1] * to_other[0] - to_target[0] * to_other[1]
        assert np.sign(product) == -np.sign(baseline)


def test_static_maps(folder):
    maps = open_source(folder).static()
    assert np.array_equal(maps["elevation"], mini.heights())
    _, x = np.mgrid[: mini.HEIGHT, : mini.WIDTH]
    incidence = mini.INCIDENCE + 0.0005 * x
    assert maps["incidence"] == pytest.approx(incidence, abs=1e-6)
    turn = np.radians(mini.HEADING)
    # A satellite that flies north-north-west and looks right stands in the west-south-west.
    assert maps["los_east"] == pytest.approx(-np.sin(incidence) * np.cos(turn), abs=1e-6)
    assert maps["los_north"] == pytest.approx(np.sin(incidence) * np.sin(turn), abs=1e-6)
    assert maps["los_up"] == pytest.approx(np.cos(incidence), abs=1e-6)


def test_look_angles_to_the_wrong_side_are_refused(copy):
    for path in copy.rglob("*_lv_phi.tif"):
        _, phi = mini.look_angles(mini.HEADING + 180)
        mini.raster(path, phi[:19, :23])
    with pytest.raises(DataError, match=r"_lv_phi.tif points east .* expected west for a right-looking ascending pass"):
        open_source(copy).static()


def test_look_angles_in_degrees_are_refused(copy):
    for path in copy.rglob("*_lv_theta.tif"):
        mini.raster(path, np.degrees(mini.look_angles()[0])[:19, :23].astype(np.float32))
    with pytest.raises(DataError, match=r"_lv_theta.tif holds angles from 51.* to 52.*, expected radians from 0 to"):
        open_source(copy).static()


def test_rows_in_parts_are_the_rows_of_the_whole(zips):
    source = open_source(zips)
    whole = source.read(source.pairs[1], slice(None))
    parts = [source.read(source.pairs[1], slice(start, min(start + 7, mini.HEIGHT))) for start in range(0, 20, 7)]
    for name in ("phase", "coherence", "unwrapped"):
        joined = np.concatenate([getattr(part, name) for part in parts])
        assert np.array_equal(joined, getattr(whole, name), equal_nan=name == "unwrapped")


@pytest.mark.parametrize(
    ("number", "swath", "expected"),
    [(136231, 2, "t064_136231_iw2"), (56072, 2, "t027_056072_iw2"), (1, 1, "t001_000001_iw1"),
     (93117, 2, "t044_093117_iw2"), (375887, 3, "t175_375887_iw3")],
)  # fmt: skip
def test_the_orbit_of_a_burst(number, swath, expected):
    assert burst_id(number, swath) == expected


MULTI = "S1_064_000000s1n00-136231s2n02-136232s3n01_IW_{key}_VV_INT80_77F1"
OLDER = "S1A_064_E053_1_N27_3_E054_1_N27_8_{key}_VV_INT80_7EB5"
MERGED = "S1_064__{key}_VV_INT80_3FBF"


@pytest.mark.parametrize("form", [MULTI, OLDER, MERGED])
def test_products_of_several_bursts_are_named_by_their_granules(tmp_path, form):
    for key in mini.KEYS:
        days = dict(zip(("Reference", "Secondary"), key.split("_"), strict=True))
        bursts = [(136232, 3), (136232, 2), (136231, 2)]
        granules = {
            f"{side}_Granule": ", ".join(
                mini.granule(day, burst=burst, swath=swath, second=f"0223{15 - 2 * i}")
                for i, (burst, swath) in enumerate(bursts)
            )
            for side, day in days.items()
        }
        mini.product(tmp_path, key, form.format(key=key), parameters=mini.text(key, **granules))
    source = open_source(tmp_path)
    assert source.header.id == "t064_136231s2n02_136232s3n01"
    assert len(source.pairs) == 3
    assert source.pairs[0].pair.reference == np.datetime64("2020-06-04T02:23:11")


def test_an_id_chooses_one_of_several_bursts(copy):
    other = mini.single(mini.KEYS[0], burst=mini.BURST + 1)
    parameters = mini.text(mini.KEYS[0], Reference_Granule=mini.granule("20200604", burst=mini.BURST + 1))
    mini.product(copy, mini.KEYS[0], other, parameters=parameters)
    with pytest.raises(ValueError, match=r"2 stacks: t064_136231_iw2 \(3 products\), t064_136232_iw2 \(1 products\)"):
        open_source(copy)
    assert [item.pair.key for item in open_source(copy, id="t064_136232_iw2").pairs] == [mini.KEYS[0]]
    assert len(open_source(copy, id=mini.ID).pairs) == 3


def test_one_archive_is_a_source(zips):
    source = open_source(next(iter(sorted(zips.glob("*.zip")))))
    assert [item.pair.key for item in source.pairs] == [mini.KEYS[0]]
    assert source.header.shape == (19, 24)


def test_an_archive_beside_its_unpacked_folder_adds_nothing(copy):
    expected = open_source(copy).pairs
    for path in sorted(copy.iterdir()):
        mini.archive(path)
    assert open_source(copy).pairs == expected


def test_a_grid_given_cuts_the_products_to_it(folder):
    from dataclasses import replace

    grid = replace(open_source(folder).header.grid, height=10, width=8)
    source = open_source(folder, grid=grid)
    assert source.header.shape == (10, 8)
    assert source.read(source.pairs[0], slice(None)).coherence.shape == (10, 8)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        ({"crs": "EPSG:32639"}, "is in EPSG:32639, expected EPSG:32640: reproject"),
        (
            {"transform": mini.Affine(40, 0, mini.LEFT, 0, -40, mini.TOP)},
            "pixel spacing of 40 x -40, expected 80 x -80",
        ),
    ],
)
def test_another_crs_or_spacing_is_refused_by_name(copy, spoil, said):
    path = next(copy.rglob(f"{mini.single(mini.KEYS[0])}_corr.tif"))
    mini.raster(path, mini.coherence(mini.KEYS[0]), **spoil)
    source = open_source(copy)
    assert len(source.pairs) == 2
    assert said in {item.key: item.reason for item in source.rejected}[mini.KEYS[0]]
    assert path.name in {item.key: item.reason for item in source.rejected}[mini.KEYS[0]]


@pytest.mark.parametrize(
    ("replace", "said"),
    [
        ({"Baseline": None}, "Baseline is missing, expected a number from -5000 to 5000 m"),
        ({"Baseline": "wide"}, "Baseline is 'wide'"),
        ({"Heading": "1e9"}, "Heading is '1e9'"),
        ({"Reference_Pass_Direction": "DESCENDING"}, "expected ascending as for its heading of -12.5 degrees"),
        ({"Reference_Granule": mini.granule("20200616")}, "expected one of 2020-06-04"),
        ({"Range_looks": "0"}, "Range looks is '0'"),
        ({"Reference_Granule": "S1_136231_IW2_20200604T996000_VV_7C85-BURST"}, "a name with a time"),
    ],
)
def test_broken_parameters_refuse_their_pair(copy, replace, said):
    name = mini.single(mini.KEYS[0])
    (copy / name / f"{name}.txt").write_text(mini.text(mini.KEYS[0], **replace))
    source = open_source(copy)
    reason = {item.key: item.reason for item in source.rejected}[mini.KEYS[0]]
    assert said in reason
    assert f"{name}.txt" in reason
    assert len(source.pairs) == 2


@pytest.mark.parametrize(
    ("suffixes", "said"),
    [
        (["corr.tif"], "_corr.tif, expected it beside the phase"),
        (["wrapped_phase.tif", "unw_phase.tif"], "_wrapped_phase.tif nor _unw_phase.tif, expected one"),
        ([".txt"], ".txt, expected it beside the rasters"),
    ],
)
def test_missing_files_refuse_their_pair(copy, suffixes, said):
    name = mini.single(mini.KEYS[0])
    for suffix in suffixes:
        (copy / name / (f"{name}{suffix}" if suffix == ".txt" else f"{name}_{suffix}")).unlink()
    source = open_source(copy)
    assert said in {item.key: item.reason for item in source.rejected}[mini.KEYS[0]]
    assert len(source.pairs) == 2


def test_two_products_of_a_pair_are_both_named(copy):
    mini.product(copy, mini.KEYS[0], mini.single(mini.KEYS[0], tail="BEEF"))
    reason = {item.key: item.reason for item in open_source(copy).rejected}[mini.KEYS[0]]
    assert "2 products where one was expected" in reason
    assert "_10C1" in reason
    assert "_BEEF" in reason


def test_masks_that_do_not_cover_a_pair_are_not_used(copy):
    name = mini.single(mini.KEYS[0])
    mini.raster(copy / name / f"{name}_water_mask.tif", mini.land()[:8])
    source = open_source(copy)
    assert "does not cover" in {item.key: item.reason for item in source.rejected}[f"{mini.KEYS[0]}/land"]
    assert source.read(source.pairs[0], slice(8, 11)).coherence[:, 2:5].all()


def test_products_without_look_angles_and_elevations_have_no_maps(copy):
    for suffix in ("dem", "lv_phi"):
        for path in copy.rglob(f"*_{suffix}.tif"):
            path.unlink()
    assert open_source(copy).static() == {}


def test_unfiltered_products_say_so(copy):
    for key in mini.KEYS:
        name = mini.single(key)
        (copy / name / f"{name}.txt").write_text(mini.text(key, INSAR_phase_filter="no"))
    header = open_source(copy).header
    assert not header.filtered
    assert header.processor == "ISCE2, adaptive filter 0"


def test_a_source_can_be_pickled(zips):
    source = open_source(zips)
    again = pickle.loads(pickle.dumps(source))
    assert again == source
    assert np.array_equal(
        again.read(again.pairs[0], slice(2, 4)).phase, source.read(source.pairs[0], slice(2, 4)).phase
    )


def test_ingest_of_archives_writes_beside_none_of_them(zips, tmp_path):
    before = sorted(zips.rglob("*"))
    location, summary = ingest_folder(str(zips), str(tmp_path / "stacks"))
    assert summary.exit_code == 0
    assert sorted(zips.rglob("*")) == before
    stack = open_stack(str(location))
    assert stack.sizes["pair"] == 3
    assert stack.attrs["filtered"]
