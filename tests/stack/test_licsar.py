"""LiCSAR frames in both layouts, both coherences, both forms of baselines; every value comes back."""

from __future__ import annotations

import itertools

import miniature as mini
import numpy as np
import pytest

from slidecloud.kernels.phase import decode
from slidecloud.stack import SourceWarning, open_source
from slidecloud.types import SENTINEL1_WAVELENGTH, DataError

PHASE_STEP = np.pi / 65536 + 2e-6


def wrapped_error(block, truth):
    error = np.angle(np.exp(1j * (decode(block.phase).astype(float) - truth)))
    return np.abs(error[block.coherence > 0]).max()


@pytest.mark.parametrize(
    ("layout", "byte", "baselines"), list(itertools.product(("portal", "licsbas"), (True, False), ("four", "nine")))
)
def test_every_variant(tmp_path, layout, byte, baselines):
    frame = mini.licsar(tmp_path, layout=layout, byte_coherence=byte, baselines=baselines)
    source = open_source(frame)
    assert source.rejected == ()
    assert [item.pair.key for item in source.pairs] == list(mini.KEYS)
    assert [item.pair.perpendicular_baseline for item in source.pairs] == pytest.approx([40, -25, -65])
    for item in source.pairs:
        block = source.read(item, slice(None))
        truth, coherence = mini.unwrapped(item.pair.key), mini.coherence(item.pair.key)
        known = (truth != 0) & (coherence > 0)
        assert np.array_equal(block.coherence, np.where(known, np.rint(coherence * 255), 0))
        assert np.array_equal(block.unwrapped[known], truth[known])
        assert np.isnan(block.unwrapped[~known]).all()
        assert wrapped_error(block, truth) <= PHASE_STEP


def test_the_inner_folder_of_licsbas_can_be_given_too(tmp_path):
    frame = mini.licsar(tmp_path, layout="licsbas")
    assert open_source(frame / "GEOC").header == open_source(frame).header


@pytest.mark.parametrize(
    ("kinds", "offset", "filtered", "has_unwrapped"),
    [
        (("diff_unfiltered_pha", "diff_pha", "unw"), 0.0, False, True),
        (("diff_unfiltered_pha",), 0.0, False, False),
        (("diff_pha", "unw"), 0.1, True, True),
        (("diff_pha",), 0.1, True, False),
        (("unw",), 0.0, True, True),
    ],
)
def test_unfiltered_phase_is_preferred_and_filtering_recorded(tmp_path, kinds, offset, filtered, has_unwrapped):
    source = open_source(mini.licsar(tmp_path, kinds=kinds))
    assert (source.header.filtered, source.header.has_unwrapped) == (filtered, has_unwrapped)
    block = source.read(source.pairs[0], slice(None))
    assert (block.unwrapped is not None) == has_unwrapped
    assert wrapped_error(block, mini.unwrapped(mini.KEYS[0]) + offset) <= PHASE_STEP


def test_where_unwrapping_left_holes_the_wrapped_phase_stays(tmp_path):
    frame = mini.licsar(tmp_path)
    holes = mini.unwrapped(mini.KEYS[0])
    holes[5] = 0
    mini.write(frame / f"interferograms/{mini.KEYS[0]}/{mini.KEYS[0]}.geo.unw.tif", holes)
    source = open_source(frame)
    block = source.read(source.pairs[0], slice(5, 6))
    assert np.isnan(block.unwrapped).all()
    assert block.coherence.all()
    assert wrapped_error(block, mini.unwrapped(mini.KEYS[0])[5:6]) <= PHASE_STEP


def test_header_and_times(tmp_path):
    source = open_source(mini.licsar(tmp_path))
    header = source.header
    assert header.id == mini.FRAME.lower() == "026a_05271_131313"
    assert (header.heading, header.pass_, header.look_direction) == (mini.HEADING, "ascending", "right")
    assert header.wavelength == SENTINEL1_WAVELENGTH
    assert header.slant_range == 878000.5
    assert header.shape == (mini.HEIGHT, mini.WIDTH)
    assert source.pairs[0].pair.reference == np.datetime64("2018-01-06T11:22:34")


def test_radar_frequency_gives_the_wavelength(tmp_path):
    frame = mini.licsar(tmp_path)
    with (frame / "metadata/metadata.txt").open("a") as file:
        file.write("radar_freq=5.4050005e9\n")
    assert open_source(frame).header.wavelength == pytest.approx(299792458 / 5.4050005e9, rel=1e-12)


def test_static_maps(tmp_path):
    maps = open_source(mini.licsar(tmp_path)).static()
    assert np.array_equal(maps["elevation"], mini.heights())
    theta, turn = np.radians(mini.INCIDENCE), np.radians(mini.HEADING)
    assert np.isnan(maps["los_east"][0, 0])
    assert maps["los_east"][1, 1] == pytest.approx(-np.sin(theta) * np.cos(turn))
    assert maps["los_north"][1, 1] == pytest.approx(np.sin(theta) * np.sin(turn))
    assert maps["los_up"][1, 1] == pytest.approx(np.cos(theta))
    assert maps["incidence"][1, 1] == pytest.approx(theta, abs=1e-6)


def test_a_heading_missing_from_the_metadata_is_read_off_the_look_vectors(tmp_path):
    frame = mini.licsar(tmp_path)
    (frame / "metadata/metadata.txt").write_text("master=20180118\ncenter_time=11:22:33\n")
    assert open_source(frame).header.heading == pytest.approx(mini.HEADING, abs=1e-4)


def test_baselines_between_dates_that_are_linked_by_others(tmp_path):
    frame = mini.licsar(tmp_path)
    (frame / "metadata/baselines").write_text("20180118 20180106 -40.0 -12.0\n20180106 20180130 -25.0 24.0\n")
    source = open_source(frame)
    assert [item.pair.perpendicular_baseline for item in source.pairs] == pytest.approx([40, -25, -65])


def test_a_date_missing_from_baselines_has_none(tmp_path):
    frame = mini.licsar(tmp_path)
    (frame / "metadata/baselines").write_text("20180118 20180106 -40.0 -12.0\n")
    baselines = [item.pair.perpendicular_baseline for item in open_source(frame).pairs]
    assert baselines[0] == pytest.approx(40)
    assert np.isnan(baselines[1:]).all()


def test_garbage_among_baselines_is_warned_about_by_line(tmp_path):
    frame = mini.licsar(tmp_path)
    path = frame / "metadata/baselines"
    path.write_text(path.read_text() + "<html>504 Gateway Time-out</html>\n20180118 20180130 lots 12\n")
    with pytest.warns(SourceWarning, match=r"baselines has 2 unusable lines \(line 4 '<html>504"):
        source = open_source(frame)
    assert [item.pair.perpendicular_baseline for item in source.pairs] == pytest.approx([40, -25, -65])


def test_no_baselines_at_all(tmp_path):
    frame = mini.licsar(tmp_path)
    (frame / "metadata/baselines").unlink()
    with pytest.warns(SourceWarning, match="no file 'baselines'"):
        source = open_source(frame)
    assert all(np.isnan(item.pair.perpendicular_baseline) for item in source.pairs)


def test_a_frame_whose_letter_contradicts_its_heading_is_refused(tmp_path):
    frame = mini.licsar(tmp_path)
    path = frame / "metadata/metadata.txt"
    path.write_text(path.read_text().replace("heading=-12.25", "heading=-167.75"))
    with pytest.raises(DataError, match=r"is ascending, but the heading -167.75 degrees is descending"):
        open_source(frame)
