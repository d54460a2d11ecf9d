"""HyP3 products in the geometry of the radar: phase as it is, coherence and elevation of the places of its pixels."""

from __future__ import annotations

import hyp3_files as mini
import numpy as np
import pytest
from pyproj import Transformer

from slidecloud.kernels.phase import decode
from slidecloud.pipeline.folders import ingest_folder
from slidecloud.stack import open_source
from slidecloud.store import open_stack

FIRST, SECOND, OTHER = mini.KEYS
"""Two pairs of one reference image, and one of another."""


def build(root, *, zipped=False, complex_=True, shift=0.0):
    for key in mini.KEYS:
        folder = mini.product(root, key)
        mini.add_radar(folder, key, complex_=complex_, shift=shift if key == OTHER else 0.0)
        if zipped:
            mini.archive(folder)
            for path in folder.iterdir():
                path.unlink()
            folder.rmdir()
    return root


def nearest(values):
    """Values of the union's grid at the radar pixels."""
    latitude, longitude = mini.places()
    east, north = Transformer.from_crs(4326, mini.CRS, always_xy=True).transform(longitude, latitude)
    rows, columns = (mini.TOP - north) // mini.SPACING, (east - mini.LEFT) // mini.SPACING
    return values[rows.astype(int), columns.astype(int)]


@pytest.mark.parametrize("complex_", [True, False])
@pytest.mark.parametrize("zipped", [True, False])
def test_pixels(tmp_path, zipped, complex_):
    source = open_source(build(tmp_path, zipped=zipped, complex_=complex_), kind="hyp3_radar")
    assert [item.pair.key for item in source.pairs] == list(mini.KEYS)
    for item in source.pairs:
        key = item.pair.key
        block = source.read(item, slice(None))
        known = mini.radar_phase(key) != 0
        assert np.array_equal(block.coherence > 0, known)
        assert block.unwrapped is None
        assert np.abs(block.coherence / 255 - nearest(mini.coherence(key)))[known].max() <= 0.5 / 255 + 1e-6
        error = np.angle(np.exp(1j * (decode(block.phase).astype(float) - mini.radar_phase(key))))
        assert np.abs(error[known]).max() <= np.pi / 65536 + 2e-6
        part = source.read(item, slice(3, 7))
        assert np.array_equal(part.phase, block.phase[3:7])
        assert np.array_equal(part.coherence, block.coherence[3:7])


def test_header_and_maps(tmp_path):
    source = open_source(build(tmp_path), kind="hyp3_radar")
    header = source.header
    assert (header.id, header.geometry, header.shape, header.grid) == (mini.ID, "radar", mini.radar_shape(), None)
    assert header.spacing == pytest.approx((60, 50), rel=2e-3)  # UTM is up to a thousandth too small or too large
    assert (header.range_looks, header.azimuth_looks) == (20, 4)
    assert not header.filtered
    assert not header.has_unwrapped
    maps = source.static()
    latitude, longitude = mini.places()
    assert maps["latitude"] == pytest.approx(latitude, abs=1e-5)
    assert maps["longitude"] == pytest.approx(longitude, abs=1e-5)
    assert np.array_equal(maps["elevation"], nearest(mini.heights()))
    turn = np.radians(mini.HEADING)
    assert maps["incidence"] == pytest.approx(mini.INCIDENCE, abs=1e-6)
    assert maps["los_east"] == pytest.approx(-np.sin(mini.INCIDENCE) * np.cos(turn), abs=1e-6)
    assert maps["los_north"] == pytest.approx(np.sin(mini.INCIDENCE) * np.sin(turn), abs=1e-6)


def test_a_pair_on_other_pixels_is_refused_by_how_far_it_lies(tmp_path):
    source = open_source(build(tmp_path, shift=0.8), kind="hyp3_radar")
    assert [item.pair.key for item in source.pairs] == [FIRST, SECOND]
    reason = {item.key: item.reason for item in source.rejected}[OTHER]
    assert "_lat_rdr.tif lies 0.80 pixels beside the other pairs, expected at most 0.25" in reason
    assert "kind hyp3" in reason


def test_a_little_beside_is_taken(tmp_path):
    assert len(open_source(build(tmp_path, shift=0.2), kind="hyp3_radar").pairs) == 3


def test_without_asking_the_geocoded_files_are_taken(tmp_path):
    assert open_source(build(tmp_path)).header.geometry == "map"


def test_missing_and_broken_files_refuse_their_pair(tmp_path):
    root = build(tmp_path)
    next(root.rglob(f"*{SECOND}*_lon_rdr.tif")).unlink()
    mini.raster(next(root.rglob(f"*{OTHER}*_lat_rdr.tif")), np.ones((3, 4), np.float32), crs=None)
    source = open_source(root, kind="hyp3_radar")
    assert [item.pair.key for item in source.pairs] == [FIRST]
    reasons = {item.key: item.reason for item in source.rejected}
    assert "_lon_rdr.tif, expected one of each" in reasons[SECOND]
    assert "_lat_rdr.tif has (3, 4) pixels, expected (14, 18)" in reasons[OTHER]


def test_ingest(tmp_path):
    location, summary = ingest_folder(
        str(build(tmp_path / "in", zipped=True)), str(tmp_path / "out"), kind="hyp3_radar"
    )
    assert summary.exit_code == 0
    stack = open_stack(str(location))
    assert stack.attrs["geometry"] == "radar"
    assert stack["latitude"].dims == ("y", "x")
