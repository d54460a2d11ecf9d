"""GAMMA folders: every value of a miniature comes back, exact or within the step of its encoding."""

from __future__ import annotations

import os
import pickle
import shutil

import miniature as mini
import numpy as np
import pytest

from slidecloud.kernels.phase import decode
from slidecloud.stack import SourceWarning, WavelengthWarning, open_source
from slidecloud.types import DataError

PHASE_STEP = np.pi / 65536 + 2e-6
"""Half a step of the binary angle, and float32 rounding of some turns."""


def wrapped_error(block, truth):
    error = np.angle(np.exp(1j * (decode(block.phase).astype(float) - truth)))
    return np.abs(error[block.coherence > 0]).max()


def test_pixels_of_every_pair(tmp_path):
    source = open_source(mini.gamma(tmp_path / "field"))
    assert [item.pair.key for item in source.pairs] == list(mini.KEYS)
    assert source.rejected == ()
    for item in source.pairs:
        block = source.read(item, slice(None))
        truth, coherence = mini.unwrapped(item.pair.key), mini.coherence(item.pair.key)
        known = (truth != 0) & (coherence > 0)
        assert np.array_equal(block.coherence > 0, known)
        assert np.array_equal(block.unwrapped[known], truth[known])
        assert np.isnan(block.unwrapped[~known]).all()
        assert not block.phase[~known].any()
        assert wrapped_error(block, truth) <= PHASE_STEP
        assert np.abs(block.coherence / 255 - coherence)[known].max() <= 0.5 / 255 + 1e-6


def test_subsidence_is_positive_phase(tmp_path):
    source = open_source(mini.gamma(tmp_path / "field"))
    assert np.nanmin(source.read(source.pairs[0], slice(None)).unwrapped) > 0


def test_rows_in_parts_are_the_rows_of_the_whole(tmp_path):
    source = open_source(mini.gamma(tmp_path / "field"))
    whole = source.read(source.pairs[1], slice(None))
    parts = [source.read(source.pairs[1], slice(start, min(start + 5, 12))) for start in (0, 5, 10)]
    for name in ("phase", "coherence", "unwrapped"):
        joined = np.concatenate([getattr(part, name) for part in parts])
        assert np.array_equal(joined, getattr(whole, name), equal_nan=name == "unwrapped")


def test_the_header_comes_from_the_image_headers(tmp_path):
    header = open_source(mini.gamma(tmp_path / "Field")).header
    assert header.id == "field"
    assert header.geometry == "map"
    assert header.shape == (mini.HEIGHT, mini.WIDTH)
    assert header.wavelength == pytest.approx(299792458 / 5.4050005e9, rel=1e-12)
    assert (header.heading, header.pass_, header.look_direction) == (-12.25, "ascending", "right")
    assert (header.range_looks, header.azimuth_looks) == (8, 2)
    assert header.effective_looks == pytest.approx(16 * 56.5 / 64.345241 * 327 / 486.4863103)
    assert header.slant_range == 878314.5356
    assert header.has_unwrapped
    # a thousandth of a degree at 29.994 N: 110852 m and 96486 m a degree on WGS 84 (pyproj's Geod)
    assert header.spacing == pytest.approx((110.852, 96.486), abs=0.02)
    assert header.grid.crs == "EPSG:4326"
    assert (header.grid.left, header.grid.top) == pytest.approx((mini.LEFT, mini.TOP))


def test_times_have_the_time_of_day(tmp_path):
    root = mini.gamma(tmp_path / "field")
    (root / "headers/r20180130_VV_8rlks_mli.par").unlink()
    first, _, last = open_source(root).pairs
    assert first.pair.reference == np.datetime64("2018-01-06T00:40:21")
    assert last.pair.secondary == np.datetime64("2018-01-30T00:40:21")  # as the first day, having no header


def test_baselines_from_components_are_the_perpendicular_part(tmp_path):
    source = open_source(mini.gamma(tmp_path / "field"))
    assert [item.pair.perpendicular_baseline for item in source.pairs] == pytest.approx([40, -25, -65], abs=1e-4)


def test_the_initial_baseline_stands_in_for_a_precision_one_that_is_zero(tmp_path):
    root = mini.gamma(tmp_path / "field")
    path = root / "base/20180106-20180118_VV_8rlks_base.par"
    path.write_text("initial_baseline(TCN):  0.0 50.0 10.0  m m m\nprecision_baseline(TCN):  0.0 0.0 0.0  m m m\n")
    theta = mini.look_angle()
    expected = 50 * np.cos(theta) - 10 * np.sin(theta)
    assert open_source(root).pairs[0].pair.perpendicular_baseline == pytest.approx(expected)


@pytest.mark.parametrize("lines", [(0, 500, 1000), (0, 250, 500, 750, 1000)])
def test_a_table_of_perpendicular_baselines_is_preferred_and_taken_at_its_centre(tmp_path, lines):
    root = mini.gamma(tmp_path / "field")
    mini.bperp(root / "base/20180106-20180118_VV_8rlks_bperp.par", 33.25, lines=lines)
    assert open_source(root).pairs[0].pair.perpendicular_baseline == pytest.approx(33.25)


def test_static_maps(tmp_path):
    maps = open_source(mini.gamma(tmp_path / "field")).static()
    assert np.array_equal(maps["elevation"], mini.heights())
    assert maps["incidence"] == pytest.approx(np.radians(39.5))
    east, north, up = (maps[f"los_{name}"][3, 4] for name in ("east", "north", "up"))
    assert up == pytest.approx(np.cos(np.radians(39.5)), abs=1e-6)
    assert east**2 + north**2 + up**2 == pytest.approx(1, abs=1e-6)
    # the satellite flies north-north-west to the west of the ground it sees: its foot lies west and a little south
    assert np.degrees(np.arctan2(east, north)) % 360 == pytest.approx(360 - 12.25 - 90, abs=1e-4)


def test_a_left_looking_radar_stands_on_the_other_side(tmp_path):
    root = mini.gamma(tmp_path / "field")
    for path in (root / "headers").iterdir():
        mini.par(path, path.name[1:9], azimuth_angle="-90.0 degrees")
    source = open_source(root)
    assert source.header.look_direction == "left"
    assert source.static()["los_east"].min() > 0


def test_wrapped_phase_is_taken_as_it_is_and_unwrapped_may_be_missing(tmp_path):
    root = mini.gamma(tmp_path / "field")
    for key in mini.KEYS:
        name = key.replace("_", "-")
        truth = mini.unwrapped(key)
        shifted = np.where(truth == 0, 0, mini.wrap(truth + 0.5)).astype(np.float32)
        mini.write(root / f"tifs/crop_{name}_VV_8rlks_flat_adf_pha.tif", shifted)
        (root / f"tifs/crop_{name}_VV_8rlks_eqa_unw.tif").unlink()
    source = open_source(root)
    assert not source.header.has_unwrapped
    assert source.header.filtered  # its name says so
    for item in source.pairs:
        block = source.read(item, slice(None))
        assert block.unwrapped is None
        assert wrapped_error(block, mini.unwrapped(item.pair.key) + 0.5) <= PHASE_STEP


def test_one_pair_without_unwrapped_phase_among_others_has_none(tmp_path):
    root = mini.gamma(tmp_path / "field")
    truth = mini.unwrapped(mini.KEYS[0])
    path = root / "tifs/crop_20180106-20180118_VV_8rlks_eqa_unw.tif"
    mini.write(path.with_name("20180106-20180118_pha.tif"), np.where(truth == 0, 0, mini.wrap(truth)))
    path.unlink()
    source = open_source(root)
    assert source.header.has_unwrapped
    assert np.isnan(source.read(source.pairs[0], slice(None)).unwrapped).all()
    assert np.isfinite(source.read(source.pairs[1], slice(None)).unwrapped).any()


@pytest.mark.parametrize(
    ("tag", "warned"),
    [("0.0555041577", True), ("0.0554657595", False), ("0.0554714", True), ("0.0554702", False), ("none", False)],
)
def test_a_tag_that_differs_by_more_than_one_in_ten_thousand_is_warned_about(tmp_path, tag, warned, recwarn):
    root = mini.gamma(tmp_path / "field")
    path = root / "tifs/crop_20180106-20180118_VV_8rlks_eqa_unw.tif"
    mini.write(path, mini.unwrapped(mini.KEYS[0]), nodata=0, tags={"WAVELENGTH_METRES": tag})
    if warned:
        with pytest.warns(WavelengthWarning, match="20180106-20180118.*which is used"):
            source = open_source(root)
    else:
        source = open_source(root)
    assert source.header.wavelength == pytest.approx(0.0554657595, rel=1e-8)


def test_without_a_radar_frequency_sentinel1_has_its_own(tmp_path):
    root = mini.gamma(tmp_path / "field")
    for path in (root / "headers").iterdir():
        mini.par(path, path.name[1:9], radar_frequency="")
    with pytest.warns(WavelengthWarning, match=r"r20180106_VV_8rlks_mli.par.*no radar_frequency"):
        assert open_source(root).header.wavelength == 0.05546576


def test_rasters_whose_names_only_end_alike_are_left_alone(tmp_path):
    root = mini.gamma(tmp_path / "field")
    mini.write(root / "tifs/20180106-20180118_acc.tif", mini.coherence(mini.KEYS[0]))
    mini.write(root / "tifs/20180106-20180118_alpha.tif", mini.coherence(mini.KEYS[0]))
    source = open_source(root)
    assert len(source.pairs) == 3
    assert source.rejected == ()


def test_a_single_look_header_beside_the_multilooked_one_changes_nothing(tmp_path):
    root = mini.gamma(tmp_path / "field")
    expected = open_source(root).header
    for day in ("20180106", "20180118", "20180211"):
        mini.par(root / f"headers/r{day}_VV_slc.par", day, range_looks="1", azimuth_looks="1")
    assert open_source(root).header == expected


def test_a_fingerprint_follows_the_files_of_its_pair_alone(tmp_path):
    root = mini.gamma(tmp_path / "field")
    before = open_source(root).pairs
    assert [item.fingerprint for item in open_source(root).pairs] == [item.fingerprint for item in before]
    path = root / "base/20180106-20180130_VV_8rlks_base.par"
    os.utime(path, ns=(1, 1))
    changed = [a.fingerprint != b.fingerprint for a, b in zip(open_source(root).pairs, before, strict=True)]
    assert changed == [False, True, False]
    shutil.copytree(root, tmp_path / "copy" / "field")
    copied = open_source(tmp_path / "copy" / "field").pairs
    assert [item.fingerprint for item in copied] == [item.fingerprint for item in open_source(root).pairs]


def test_a_source_can_be_pickled(tmp_path):
    source = open_source(mini.gamma(tmp_path / "field"))
    again = pickle.loads(pickle.dumps(source))
    assert again == source
    block = again.read(again.pairs[0], slice(2, 4))
    assert np.array_equal(block.phase, source.read(source.pairs[0], slice(2, 4)).phase)


def test_headers_of_two_radars_are_refused(tmp_path):
    root = mini.gamma(tmp_path / "field")
    mini.par(root / "headers/r20180118_VV_8rlks_mli.par", "20180118", radar_frequency="1.27e9 Hz")
    with pytest.raises(DataError, match=r"r20180118_VV_8rlks_mli.par gives a wavelength of 0.236.*one radar"):
        open_source(root)


def test_headers_of_two_multilookings_are_refused(tmp_path):
    root = mini.gamma(tmp_path / "field")
    mini.par(root / "headers/r20180118_VV_8rlks_mli.par", "20180118", range_looks="4")
    with pytest.raises(DataError, match="range_looks differs between headers"):
        open_source(root)


def test_a_broken_baseline_leaves_its_pair_without_and_is_warned_about(tmp_path):
    root = mini.gamma(tmp_path / "field")
    (root / "base/20180106-20180118_VV_8rlks_base.par").write_text("precision_baseline(TCN): a b c\n")
    with pytest.warns(SourceWarning, match="expected three numbers"):
        source = open_source(root)
    assert np.isnan(source.pairs[0].pair.perpendicular_baseline)
    assert source.pairs[1].pair.perpendicular_baseline == pytest.approx(-25, abs=1e-4)


def test_a_broken_table_falls_back_to_the_components(tmp_path):
    root = mini.gamma(tmp_path / "field")
    path = mini.bperp(root / "base/20180106-20180118_VV_8rlks_bperp.par", 33.25)
    path.write_text(path.read_text().replace("   500    400", "   500    4x0"))
    with pytest.warns(SourceWarning, match=r"bperp.par, line 11: found .*expected 9 numbers"):
        source = open_source(root)
    assert source.pairs[0].pair.perpendicular_baseline == pytest.approx(40, abs=1e-4)
