"""An SLC stack through the pipeline: known ramps come back, and nothing depends on how the work was cut."""

from __future__ import annotations

import dataclasses
import math

import images
import numpy as np
import pytest
import runs
import xarray as xr

import slidecloud
from slidecloud.cli import network as command
from slidecloud.cli.errors import UsageError
from slidecloud.kernels import gradients, interferograms
from slidecloud.pipeline.estimate import estimate
from slidecloud.pipeline.folders import ingest_folder
from slidecloud.pipeline.ingest import ingest
from slidecloud.pipeline.ingest_slc import ingest_slc
from slidecloud.pipeline.rates import Rates
from slidecloud.stack import ArraySource, SlcArraySource, open_source
from slidecloud.store.slc import SlcStack
from slidecloud.types import DataError, Pair

BURST = "slc_small"
LINES = ("stages: [gradients]", "network: {max_days: 36}")


@pytest.fixture(scope="module")
def slc():
    made = images.series()
    made[:, 40:52, 100:180] = 0
    made[2, 90:100, 300:330] = np.nan
    return made


@pytest.fixture(scope="module")
def finished(tmp_path_factory, slc):
    folder = tmp_path_factory.mktemp("slc")
    images.stored(folder, images.source(slc))
    summary = runs.rerun(folder, *LINES)
    assert summary.exit_code == 0, summary.lines()
    return folder


def _network():
    pairs = [(i, j) for i in range(7) for j in range(i + 1, min(i + 4, 7))]
    return np.array([i for i, _ in pairs]), np.array([j for _, j in pairs])


def test_known_ramp_comes_back(finished):
    found = slidecloud.open_run(str(finished / "run.zarr")).gradients(BURST)
    metres = -0.05546576 / (4 * math.pi)
    # Along increasing index; rows run north to south, so the spacing along y is negative.
    for axis, rate, step in (("x", images.RATE[1], 40.0), ("y", images.RATE[0], -40.0)):
        values, sigma = (found[f"velocity_gradient_{axis}{end}"].values for end in ("", "_sigma"))
        known = np.isfinite(values) & np.isfinite(sigma)
        assert known.mean() > 0.85
        error = values[known] - rate * metres / step
        # A mean over thousands of pixels, one window in eighty of them independent: far below one sigma.
        assert abs(error.mean()) < 0.2 * np.median(sigma[known])
        assert np.sqrt(np.mean(error**2)) < 1.5 * np.sqrt(np.mean(sigma[known] ** 2))


def test_grid_of_the_run_is_that_of_the_cells(finished):
    run = slidecloud.open_run(str(finished / "run.zarr"))
    header, found = run.header(BURST), run.gradients(BURST)
    assert header.shape == images.CELLS
    assert header.spacing == (40.0, 40.0)
    assert (header.azimuth_looks, header.range_looks) == images.LOOKS
    assert header.effective_looks == pytest.approx(0.6 * 16)
    # The centre of the first cell of 8 samples of 5 m and 2 of 20 m.
    assert found.x.values[0] == 5e5 + 20.0
    assert found.y.values[0] == 3.5e6 - 20.0
    assert np.diff(found.x.values[:2]) == 40.0


@pytest.mark.parametrize("estimator", ["coherent", "rate", "sum"])
def test_kernel_stack_is_that_of_whole_interferograms(slc, estimator, monkeypatch):
    reference, secondary = _network()
    monkeypatch.setattr(interferograms, "TILE", (24, 40))
    position = np.array([0.0, 40.0, -70.0, 110.0, 20.0, -30.0, 60.0])
    network = {
        "reference": reference, "secondary": secondary, "span": (secondary - reference) * 12 / 365.25,
        "baseline": position[secondary] - position[reference],
    }  # fmt: skip
    found = interferograms.stack(slc, **network, window=6, estimator=estimator)
    whole = interferograms.form_pairs(slc, reference=reference, secondary=secondary)
    expected = gradients.stack(*whole, **network, window=6, estimator=estimator)
    for name, one, other in zip(found._fields, found, expected, strict=True):
        np.testing.assert_array_equal(one, other, err_msg=name)


def test_gradients_are_those_of_stored_interferograms(tmp_path, finished, slc):
    """Interferograms formed beforehand and ingested as products give the same bits."""
    reference, secondary = _network()
    formed = interferograms.form_pairs(slc, reference=reference, secondary=secondary)
    header = slidecloud.open_run(str(finished / "run.zarr")).header(BURST)
    pairs = [Pair(images.DATES[i], images.DATES[j]) for i, j in zip(reference, secondary, strict=True)]
    ingest(ArraySource(header, pairs, *formed), str(tmp_path / "stacks"), chunks=runs.CHUNKS)
    assert runs.rerun(tmp_path, *LINES).exit_code == 0
    assert runs.arrays(tmp_path / "run.zarr") == runs.arrays(finished / "run.zarr")


def test_written_interferograms_give_the_same_gradients(tmp_path, finished, slc):
    images.stored(tmp_path, images.source(slc))
    summary = runs.rerun(tmp_path, *LINES, "interferograms: {write: true}")
    assert summary.exit_code == 0, summary.lines()
    written, direct = runs.arrays(tmp_path / "run.zarr"), runs.arrays(finished / "run.zarr")
    assert {name: written[name] for name in direct} == direct
    stack = slidecloud.open_stack(str(tmp_path / f"run.zarr/bursts/{BURST}/interferograms"))
    reference, secondary = _network()
    formed = interferograms.form_pairs(slc, reference=reference, secondary=secondary)
    for i, j, phase, coherence in zip(reference, secondary, *formed, strict=True):
        ends = (stack.reference_time == images.DATES[i]) & (stack.secondary_time == images.DATES[j])
        layer = stack.isel(pair=int(np.flatnonzero(ends)[0]))
        np.testing.assert_allclose(layer.phase.values, phase * (math.pi / 32768), atol=1e-12)
        np.testing.assert_allclose(np.nan_to_num(layer.coherence.values) * 255, coherence, atol=1e-9)
    again = runs.rerun(tmp_path, *LINES, "interferograms: {write: true}")
    assert again.done == 0


def test_asking_for_interferograms_later_computes_no_gradients_again(tmp_path, slc):
    images.stored(tmp_path, images.source(slc[:4]))
    runs.rerun(tmp_path, *LINES)
    before = runs.objects(tmp_path / f"run.zarr/bursts/{BURST}/gradients")
    summary = runs.rerun(tmp_path, *LINES, "interferograms: {write: true}")
    assert summary.exit_code == 0
    assert summary.done == 4  # tiles of one batch of pairs
    assert runs.objects(tmp_path / f"run.zarr/bursts/{BURST}/gradients") == before


@pytest.mark.parametrize("tile", ["[32, 128]", "[64, 64]", "[64, 128]"])
def test_tiles_change_nothing(tmp_path, finished, slc, tile):
    images.stored(tmp_path, images.source(slc))
    runs.rerun(tmp_path, *LINES, f"resources: {{executor: serial, memory: 2 GiB, tile: {tile}}}")
    assert runs.objects(tmp_path / "run.zarr") == runs.objects(finished / "run.zarr")


def test_wide_coherence_windows_do_not_depend_on_tiles(tmp_path, slc):
    lines = (*LINES, "interferograms: {coherence_window: [3, 5]}")
    found = []
    for name, tile in (("a", "[32, 64]"), ("b", "[64, 128]")):
        images.stored(tmp_path / name, images.source(slc[:4]))
        runs.rerun(tmp_path / name, *lines, f"resources: {{executor: serial, memory: 2 GiB, tile: {tile}}}")
        found.append(runs.objects(tmp_path / name / "run.zarr/bursts"))
    assert found[0] == found[1]


def test_order_of_arrival_changes_nothing(tmp_path, finished, slc):
    """Images given back to front, and two appended later, end in the same bits."""
    images.stored(tmp_path, images.source(slc, order=[6, 4, 0, 1, 5]))
    runs.rerun(tmp_path, *LINES)
    images.stored(tmp_path, images.source(slc, order=[3, 2, 0]))
    assert runs.rerun(tmp_path, *LINES).exit_code == 0
    assert runs.arrays(tmp_path / "run.zarr") == runs.arrays(finished / "run.zarr")


def test_integer_samples_and_flattening(tmp_path, slc):
    """int16 samples with a scale; geometry beside them is taken off, so that its ramp leaves no trace."""
    angle = np.broadcast_to(np.arange(images.SHAPE[1]) * 977, slc.shape).astype(np.int16)
    turned = np.nan_to_num(slc * np.exp(1j * angle * (np.pi / 32768)))
    parts = np.rint(np.stack([turned.real, turned.imag], -1) * 2000).clip(-32767, 32767).astype(np.int16)
    source = images.source(parts, flattening=angle, sample_scale=1 / 2000)
    stack = xr.open_zarr(str(images.stored(tmp_path, source)), decode_coords="all")
    assert stack.slc_parts.dtype == np.int16
    assert stack.attrs["sample_scale"] == 1 / 2000
    assert runs.rerun(tmp_path, *LINES).exit_code == 0
    found = slidecloud.open_run(str(tmp_path / "run.zarr")).gradients(BURST)
    expected = images.RATE[1] * (-0.05546576 / (4 * math.pi)) / 40.0
    error = found.velocity_gradient_x.values - expected
    assert abs(np.nanmedian(error)) < 0.3 * np.nanmedian(found.velocity_gradient_x_sigma.values)


def test_bad_image_is_left_out_and_named(tmp_path, slc):
    empty = slc.copy()
    empty[3] = np.nan
    summary = ingest_slc(images.source(empty), str(tmp_path / "stacks"), chunks=images.CHUNKS)
    assert summary.exit_code == 3
    assert "20200209" in summary.lines()[1]
    assert runs.rerun(tmp_path, *LINES).exit_code == 0
    few = tmp_path / "few"
    images.stored(few, images.source(slc, order=[0, 1, 2, 4, 5, 6]))
    runs.rerun(few, *LINES)
    assert runs.arrays(few / "run.zarr") == runs.arrays(tmp_path / "run.zarr")


def test_damage_is_found_and_mended(tmp_path, slc):
    source = images.source(slc[:3])
    path = images.stored(tmp_path, source)
    before = runs.objects(path)
    chunk = next(file for file in sorted((path / "slc/c/1").rglob("*")) if file.is_file())
    chunk.write_bytes(chunk.read_bytes()[:-7])
    (path / "zarr.json").write_text("{}")
    from slidecloud.pipeline.verify import verify

    found = verify(str(path), repair=True)
    assert len(found.damaged) == 2
    ingest_slc(source, str(tmp_path / "stacks"), chunks=images.CHUNKS)
    assert runs.objects(path) == before


def test_pairs_need_a_limit_in_days(tmp_path, slc):
    images.stored(tmp_path, images.source(slc[:3]))
    summary = runs.rerun(tmp_path, "stages: [gradients]")
    assert summary.exit_code == 3
    assert "network.max_days is null" in summary.lines()[1]


def test_series_are_refused_for_want_of_unwrapped_phase(tmp_path, slc):
    images.stored(tmp_path, images.source(slc[:3]))
    summary = runs.rerun(tmp_path, "network: {max_days: 36}", "timeseries: {where: everywhere, phase: stored}")
    assert summary.exit_code == 3
    assert any("no unwrapped phase" in item.reason for item in summary.quarantined)


def test_other_views_are_not_added(tmp_path, slc):
    images.stored(tmp_path, images.source(slc[:3]))
    other = images.source(slc[:3])
    other.header = dataclasses.replace(other.header, wavelength=0.24)
    with pytest.raises(DataError, match="wavelength"):
        ingest_slc(other, str(tmp_path / "stacks"))
    parts = np.ones((3, *images.SHAPE, 2), np.int16)
    with pytest.raises(DataError, match=r"sample_scale is 1\.0, the stack's is None"):
        ingest_slc(images.source(parts), str(tmp_path / "stacks"))


def test_estimate_knows_the_bytes(tmp_path, slc):
    images.stored(tmp_path, images.source(slc))
    stage = estimate(runs.configure(tmp_path, *LINES), Rates()).stages[0]
    samples = 7 * images.CELLS[0] * images.CELLS[1] * 16
    # Every tile reads its halo too, and the maps read the sums.
    assert stage.bytes_read > 8 * samples
    whole = estimate(runs.configure(tmp_path, *LINES, "resources: {executor: serial, tile: [64, 128]}"), Rates())
    assert whole.stages[0].bytes_read < stage.bytes_read


def test_amsterdam_from_images_to_gradients(real_data, tmp_path):
    """Real images in radar geometry: one pair, its gradients those of the kernel, its points by their place."""
    folder = real_data("amsterdam_slc")
    location, _ = ingest_folder(str(folder), str(tmp_path / "stacks"))
    resources = "resources: {executor: serial}"
    assert runs.rerun(tmp_path, "stages: [gradients]", "network: {max_days: 12}", resources).exit_code == 0
    found = slidecloud.open_run(str(tmp_path / "run.zarr")).gradients("amsterdam_slc")
    block = SlcStack(location).read([0, 1], slice(0, 84), slice(0, 338))
    span = 12 / 365.25
    expected = interferograms.stack(block.samples, reference=[0], secondary=[1], span=[span], window=8)
    np.testing.assert_allclose(found.gradient_x.values, expected.x, rtol=1e-6)
    assert found.latitude.shape == (42, 42)
    full = open_source(folder).static()["longitude"]
    assert found.longitude.values[3, 5] == pytest.approx(full[6:8, 40:48].mean(), abs=1e-6)
    # An undisturbed city in twelve days: nothing steeper than a few hundredths of a radian a cell.
    assert abs(np.nanmedian(expected.x)) < 0.05


def test_command_shows_the_network_that_would_be_formed(tmp_path, slc, capsys):
    path = images.stored(tmp_path, images.source(slc[:4]))
    assert command.network(str(path), max_days=24) == 0
    # Three pairs of 12 days and two of 24.
    assert "5 pairs" in capsys.readouterr().out
    with pytest.raises(UsageError, match="--max-days"):
        command.network(str(path))


def test_stored_interferograms_grow_with_new_images(tmp_path, slc):
    """A new image appends its pairs; what results is what a fresh run stores."""
    lines = (*LINES, "interferograms: {write: true}")
    for part in (slice(0, 5), slice(0, 7)):
        images.stored(tmp_path / "grown", images.source(slc, order=part))
        assert runs.rerun(tmp_path / "grown", *lines).exit_code == 0
    images.stored(tmp_path / "fresh", images.source(slc))
    runs.rerun(tmp_path / "fresh", *lines)
    assert runs.arrays(tmp_path / "grown/run.zarr") == runs.arrays(tmp_path / "fresh/run.zarr")


def test_source_in_the_configuration_is_estimated_ingested_and_run(real_data, tmp_path):
    lines = (
        "stages: [gradients]",
        "network: {max_days: 12}",
        "resources: {executor: serial}",
        f"sources: [{{path: {real_data('amsterdam_slc')}}}]",
    )
    before = estimate(runs.configure(tmp_path, *lines), Rates())
    assert [stage.stage for stage in before.stages] == ["ingest", "gradients"]
    assert before.stages[0].bytes_written == 2 * 84 * 338 * 8
    assert runs.rerun(tmp_path, *lines).exit_code == 0
    after = estimate(runs.configure(tmp_path, *lines), Rates())
    assert after.stages == ()
    assert after.done == before.stages[1].units


def test_an_image_that_failed_for_other_reasons_is_tried_again(tmp_path, slc, monkeypatch):
    """A disk that gives up is no reason to go on without an image."""
    source = images.source(slc[:3])
    read = SlcArraySource.read_image

    def broken(self, image, rows):
        if image.key == "20200116":
            raise OSError("disk on fire")
        return read(self, image, rows)

    monkeypatch.setattr(SlcArraySource, "read_image", broken)
    assert ingest_slc(source, str(tmp_path / "stacks"), chunks=images.CHUNKS, retries=0).exit_code == 3
    summary = runs.rerun(tmp_path, *LINES)
    assert "Ingest of" in summary.lines()[1]
    assert "20200116" in summary.lines()[1]
    monkeypatch.undo()
    images.stored(tmp_path, source)
    assert runs.rerun(tmp_path, *LINES).exit_code == 0
