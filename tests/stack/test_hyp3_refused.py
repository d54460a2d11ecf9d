"""HyP3 burst products that cannot be used are refused by file, key and remedy, and the rest goes on."""

from __future__ import annotations

import hyp3_files as mini
import numpy as np
import pytest

from slidecloud.stack import open_source
from slidecloud.types import DataError


@pytest.fixture
def copy(tmp_path):
    return mini.stack(tmp_path / "copy")


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
