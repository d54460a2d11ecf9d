"""MintPy stacks in map and radar geometry: every value, sign and angle comes back; what is wrong is named."""

from __future__ import annotations

import pickle
import re
import shutil

import h5py
import numpy as np
import pytest
import sinking
import smallbaseline as small

from slidecloud.kernels.phase import decode
from slidecloud.stack import SourceWarning, WavelengthWarning, open_source
from slidecloud.stack.geometry import look_vector
from slidecloud.types import DataError

STEP = np.pi / 65536 + 2e-6
STACK = "inputs/ifgramStack.h5"
COUNT = len(small.PAIRS)


@pytest.fixture
def root(tmp_path):
    return small.geocoded(tmp_path / "fernandina")


def rewrite(root, attributes=None, **datasets):
    given = small.COMMON | small.GEO | (attributes or {})
    return small.stack(root / STACK, given, **datasets)


def wrapped_error(block, truth):
    error = np.angle(np.exp(1j * (decode(block.phase).astype(float) - truth)))
    return np.abs(error[block.coherence > 0]).max()


def test_every_value_comes_back(root):
    source = open_source(root)
    assert source.rejected == ()
    assert [item.pair.key for item in source.pairs] == ["_".join(pair) for pair in sorted(small.PAIRS)]
    for item in source.pairs:
        pair = tuple(item.pair.key.split("_"))
        assert item.pair.perpendicular_baseline == small.BASELINE[pair[1]] - small.BASELINE[pair[0]]
        assert str(item.pair.reference)[10:] == "T11:49:44"
        for rows in (slice(None), slice(7, 8)):
            block, truth = source.read(item, rows), small.unwrapped(pair)[rows]
            known = truth != 0
            np.testing.assert_array_equal(block.unwrapped[known], truth[known])
            assert np.isnan(block.unwrapped[~known]).all()
            expected = np.where(known, np.rint(small.coherence(pair)[rows] * 255), 0)
            np.testing.assert_array_equal(block.coherence, expected)
            assert wrapped_error(block, truth) <= STEP


def test_header(root):
    header = open_source(root).header
    assert (header.id, header.geometry, header.shape) == ("fernandina", "map", small.SHAPE)
    # The outer corner of the first pixel, not its centre.
    assert (header.grid.left, header.grid.top) == (-91.3, -0.25)
    assert header.grid.crs == "EPSG:4326"
    assert header.spacing == pytest.approx((92.1, 92.8), abs=0.1)
    assert (header.pass_, header.heading, header.look_direction) == ("descending", -168.0, "right")
    assert (header.azimuth_looks, header.range_looks, header.effective_looks) == (5, 15, 37.5)
    assert (header.wavelength, header.slant_range) == (small.WAVELENGTH, 850e3)
    assert (header.processor, header.filtered, header.has_unwrapped) == ("isce", True, True)


def test_look_vectors_point_to_the_satellite(root):
    """The azimuth is that of the direction to the satellite, anticlockwise from north: east of a descending pass."""
    maps = open_source(root).static()
    angle = np.radians(small.INCIDENCE + np.arange(small.SHAPE[1]) / 100)
    np.testing.assert_allclose(maps["incidence"][5], angle, atol=1e-5)
    for column in (0, 30):
        expected = look_vector(small.HEADING, angle[column])
        found = [maps[name][5, column] for name in ("los_east", "los_north", "los_up")]
        assert found == pytest.approx(expected, abs=1e-5)
        assert found[0] > 0
    assert maps["elevation"][2, 9] == 215


def test_without_azimuths_the_heading_serves(root):
    small.geometry(root / "inputs/geometryGeo.h5", azimuthAngle=None)
    maps = open_source(root).static()
    expected = look_vector(small.HEADING, np.radians(small.INCIDENCE))
    assert [maps[name][0, 0] for name in ("los_east", "los_north", "los_up")] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("build", [small.geocoded, small.radar])
def test_sinking_ground_comes_out_negative(tmp_path, build):
    sinking.check(build(tmp_path / "field"), tmp_path, "gradients: {window_pixels: 3}")


def test_radar_geometry(tmp_path):
    source = open_source(small.radar(tmp_path / "field"))
    header = source.header
    assert (header.geometry, header.grid) == ("radar", None)
    middle = np.radians(small.INCIDENCE + 0.315)
    # Along azimuth on the ground, and across the line of sight.
    along = 78.08 * 6337286.6 / (6337286.6 + 698834.2)
    assert header.spacing == pytest.approx((along, 34.9 / np.sin(middle)), rel=1e-5)
    maps = source.static()
    assert maps["latitude"][3, 0] == pytest.approx(-0.25 - 3 * 6e-4)
    assert maps["longitude"][0, 3] == pytest.approx(-91.3 - 3 * 5e-4)


@pytest.mark.parametrize(
    ("changes", "crs"),
    [
        ({"EPSG": 32715, "X_UNIT": "meters"}, "EPSG:32715"),
        ({"EPSG": None, "UTM_ZONE": "15S", "X_UNIT": "meters"}, "EPSG:32715"),
        ({"EPSG": None, "UTM_ZONE": "11N", "X_UNIT": "meters"}, "EPSG:32611"),
        ({"EPSG": None}, "EPSG:4326"),
    ],
)
def test_coordinate_systems(root, changes, crs):
    (root / "inputs/geometryGeo.h5").unlink()
    rewrite(root, changes)
    with pytest.warns(SourceWarning, match=r"has no geometryGeo\.h5"):
        assert open_source(root).header.grid.crs == crs


def test_dropped_pairs_are_refused_by_name_or_kept_on_demand(root):
    keep = np.ones(COUNT, bool)
    keep[2] = False
    rewrite(root, dropIfgram=keep)
    source = open_source(root)
    key = "_".join(small.PAIRS[2])
    assert len(source.pairs) == COUNT - 1
    (refused,) = source.rejected
    assert refused.key == key
    assert re.search(rf"ifgramStack\.h5: pair {key} is dropped by MintPy .*keep_dropped", refused.reason)
    assert len(open_source(root, keep_dropped=True).pairs) == COUNT


def test_nothing_is_unwrapped_outside_components_but_the_wrapped_phase_stays(root):
    components = np.ones((COUNT, *small.SHAPE), np.int16)
    components[:, :10] = 0
    rewrite(root, connectComponent=components)
    source = open_source(root)
    block = source.read(source.pairs[0], slice(5, 15))
    assert np.isnan(block.unwrapped[:5]).all()
    assert np.isfinite(block.unwrapped[5:]).all()
    assert block.coherence.all()
    assert wrapped_error(block, small.unwrapped(small.PAIRS[0])[5:15]) <= STEP


def test_wrapped_phase_and_corrected_unwrapped_phase_are_preferred(root):
    wrapped = np.stack([np.angle(np.exp(1j * (small.unwrapped(pair) + 0.2))) for pair in small.PAIRS])
    turned = np.stack([small.unwrapped(pair) for pair in small.PAIRS]) + np.float32(2 * np.pi)
    rewrite(root, wrapPhase=wrapped.astype(np.float32), unwrapPhase_bridging=turned)
    source = open_source(root)
    block = source.read(source.pairs[0], slice(0, 20))
    assert wrapped_error(block, small.unwrapped(small.PAIRS[0])[:20] + 0.2) <= STEP
    np.testing.assert_array_equal(block.unwrapped, turned[0, :20])


def test_wrapped_phase_alone(root):
    wrapped = np.stack([np.angle(np.exp(1j * small.unwrapped(pair))) for pair in small.PAIRS]).astype(np.float32)
    rewrite(root, wrapPhase=wrapped, unwrapPhase=None, connectComponent=None)
    source = open_source(root)
    assert not source.header.has_unwrapped
    assert source.read(source.pairs[0], slice(0, 9)).unwrapped is None


def test_what_is_not_said_is_assumed_with_a_warning(root):
    rewrite(root, {"WAVELENGTH": None, "HEADING": None, "ORBIT_DIRECTION": None})
    with pytest.warns(WavelengthWarning, match="Sentinel-1 is assumed"):
        header = open_source(root).header
    assert header.heading == pytest.approx(small.HEADING, abs=1e-4)  # from the azimuths
    rewrite(root, {"CENTER_LINE_UTC": None})
    with pytest.warns(SourceWarning, match="taken to be at midnight"):
        assert str(open_source(root).pairs[0].pair.reference).endswith("T00:00:00")


def test_a_source_travels(root):
    source = open_source(root)
    assert pickle.loads(pickle.dumps(source)) == source


def dates(*pairs):
    return np.array([*pairs, *small.PAIRS[len(pairs) :]], "S8")


PAIRS = {
    "swapped": (("20180118", "20180106"), "reference 2018-01-18 after its secondary 2018-01-06"),
    "with itself": (("20180106", "20180106"), "with itself"),
    "no day": (("20180106", "20180231"), "not two days of the calendar"),
    "words": (("20180106", "tomorrow"), "not two days of the calendar"),
    "future": (("20180106", "29990101"), "in the future"),
    "before the mission": (("20080106", "20180106"), "before the mission"),
    "twice": (small.PAIRS[1], "comes twice"),
}


@pytest.mark.parametrize("case", PAIRS)
def test_pairs_with_wrong_dates_are_refused(root, case):
    pair, text = PAIRS[case]
    rewrite(root, date=dates(pair))
    source = open_source(root)
    assert len(source.pairs) == COUNT - 1
    (refused,) = source.rejected
    assert re.search(rf"ifgramStack\.h5: pair {'_'.join(pair)} .*{text}", refused.reason)


def cube(dtype=np.float32, value=1.0, shape=(COUNT, *small.SHAPE)):
    return np.full(shape, value, dtype)


FATAL = {
    "no phase": ({"unwrapPhase": None}, "unwrapPhase is missing, expected it or wrapPhase"),
    "no coherence": ({"coherence": None}, "coherence is missing"),
    "no dates": ({"date": None}, "date is missing, expected two dates of each pair"),
    "integer phase": ({"unwrapPhase": cube(np.int16)}, "unwrapPhase holds int16, expected floating point"),
    "complex phase": ({"unwrapPhase": cube(np.complex64)}, "unwrapPhase holds complex64"),
    "flat phase": ({"unwrapPhase": np.ones(small.SHAPE, np.float32)}, r"unwrapPhase has the shape \(48, 64\)"),
    "other rows": (
        {"coherence": cube(shape=(COUNT, 47, 64))},
        r"coherence has the shape \(7, 47, 64\), expected \(7, 48, 64\)",
    ),
    "fewer pairs": ({"coherence": cube(shape=(6, 48, 64))}, r"coherence has the shape \(6, 48, 64\)"),
    "fewer dates": ({"date": np.array(small.PAIRS[:4], "S8")}, r"date has the shape \(4, 2\), expected \(7, 2\)"),
    "dates as numbers": ({"date": np.array(small.PAIRS).astype(int)}, "date holds int64, expected text"),
    "fewer baselines": ({"bperp": np.ones(3, np.float32)}, "bperp has 3 values, expected 7"),
    "fewer marks": ({"dropIfgram": np.ones(3, bool)}, "dropIfgram has 3 values, expected 7"),
    "all dropped": ({"dropIfgram": np.zeros(COUNT, bool)}, "none of 7 pairs can be used"),
}


@pytest.mark.parametrize("case", FATAL)
def test_broken_stacks_are_named(root, case):
    datasets, text = FATAL[case]
    rewrite(root, **datasets)
    with pytest.raises(DataError, match=rf"ifgramStack\.h5: {text}"):
        open_source(root)


ATTRIBUTES = {
    "LENGTH": ("none", "is 'none', expected a number"),
    "WIDTH": (-4, "is '-4', expected a whole number above 0"),
    "Y_STEP": (0.0008, "expected a negative step"),
    "X_STEP": ("abc", "is 'abc', expected a number"),
    "EPSG": (999999, "expected a code such as 4326"),
    "WAVELENGTH": (5.5, "expected metres from 0.005 to 1.5"),
    "ORBIT_DIRECTION": ("ASCENDING", "expected descending, as the heading is -168.00 degrees"),
    "CENTER_LINE_UTC": (99999, "expected seconds of the day"),
    "HEADING": ("south", "is 'south', expected a number"),
}


@pytest.mark.parametrize("key", ATTRIBUTES)
def test_broken_attributes_are_named(root, key):
    value, text = ATTRIBUTES[key]
    rewrite(root, {key: value})
    with pytest.raises(DataError, match=rf"ifgramStack\.h5: the attribute {key} .*{text}"):
        open_source(root)


GEOMETRY = {
    "other shape": ({"height": np.ones((40, 64), np.float32)}, r"height has the shape \(40, 64\), expected \(48, 64\)"),
    "radians": ({"incidenceAngle": cube(value=0.67, shape=small.SHAPE)}, "incidenceAngle is 0.67 on average"),
    "from the satellite": (
        {"azimuthAngle": cube(value=78.0, shape=small.SHAPE)},
        "incidenceAngle and azimuthAngle points west .* expected east",
    ),
    "absurd heights": ({"height": cube(value=32000, shape=small.SHAPE)}, "height holds elevations from 32000"),
}


@pytest.mark.parametrize("case", GEOMETRY)
def test_broken_geometry_is_named(root, case):
    datasets, text = GEOMETRY[case]
    small.geometry(root / "inputs/geometryGeo.h5", **datasets)
    with pytest.raises(DataError, match=rf"geometryGeo\.h5: {text}"):
        open_source(root).static()


def test_geometry_of_another_place_is_refused(root):
    small.geometry(root / "inputs/geometryGeo.h5", small.COMMON | small.GEO | {"X_FIRST": -91.29})
    with pytest.raises(DataError, match=r"geometryGeo\.h5 begins 12 pixels away from the stack"):
        open_source(root)


@pytest.mark.parametrize(
    ("damage", "text"),
    [
        (lambda phase: phase.__setitem__((0, 3, 4), np.inf), "infinite values"),
        (lambda phase: phase.__setitem__((0, 3, 4), 2e5), "phase of 200000 rad"),
        (lambda phase: phase.__setitem__(0, 0), "has no pixel with both phase and coherence"),
    ],
)
def test_pixels_that_make_no_sense_are_named_when_read(root, damage, text):
    phase = np.stack([small.unwrapped(pair) for pair in small.PAIRS])
    damage(phase)
    rewrite(root, unwrapPhase=phase)
    source = open_source(root)
    with pytest.raises(DataError, match=rf"ifgramStack\.h5: .*{text}"):
        source.read(source.pairs[0], slice(None))
    assert source.read(source.pairs[1], slice(None)).coherence.any()


def test_truncated_stacks_and_two_of_them(root):
    path = root / STACK
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(DataError, match=r"ifgramStack\.h5 cannot be read as HDF5 .*truncated"):
        open_source(root)
    rewrite(root)
    (root / "old").mkdir()
    shutil.copy(path, root / "old")
    with pytest.raises(DataError, match=r"has 2 files where one was expected: .*ifgramStack\.h5"):
        open_source(root)


def test_absurd_sizes_are_refused_at_once(root):
    """A header that claims a million million pixels, none of which is stored."""
    with h5py.File(root / STACK, "r+") as file:
        del file["unwrapPhase"]
        file.create_dataset("unwrapPhase", shape=(COUNT, 1_000_000, 1_000_000), dtype="f4", chunks=(1, 64, 64))
        file.attrs["LENGTH"] = file.attrs["WIDTH"] = "1000000"
    with pytest.raises(DataError, match=r"unwrapPhase has the shape \(7, 1000000, 1000000\), expected 3 axes"):
        open_source(root)
