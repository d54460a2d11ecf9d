"""A run on a small simulated stack: right where the truth is known, and the same whatever the order of the work."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import runs

import slidecloud
from slidecloud import cluster, simulate
from slidecloud.pipeline import executors
from slidecloud.stack.arrays import ArraySource


@pytest.fixture(scope="module")
def reference(tmp_path_factory, source):
    """An undisturbed serial run."""
    folder = tmp_path_factory.mktemp("reference")
    summary = runs.compute(folder, source)
    assert summary.exit_code == 0
    return folder


def test_velocity_agrees_with_truth(reference, scene):
    result = slidecloud.open_run(str(reference / "run.zarr")).timeseries("sim_small")
    good = (result.temporal_coherence.values > 0.6) & scene.valid
    error = (result.velocity.values - scene.velocity)[good]
    sigma = result.velocity_sigma.values[good]
    assert good.mean() > 0.5
    # Atmosphere limits a velocity over 1.4 years; its own sigma says by how much.
    assert np.sqrt(np.mean((error - np.median(error)) ** 2)) < 1.6 * np.sqrt(np.mean(sigma**2))
    moving = good & (np.abs(scene.velocity) > 0.03)
    assert moving.sum() > 20
    assert np.corrcoef(result.velocity.values[moving], scene.velocity[moving])[0, 1] > 0.8


def test_gradient_agrees_with_truth(reference, scene):
    result = slidecloud.open_run(str(reference / "run.zarr")).gradients("sim_small")
    truth = np.gradient(scene.velocity, axis=1) / 40.0
    kernel = np.ones(8) / 8
    for axis in (0, 1):
        truth = np.apply_along_axis(np.convolve, axis, truth, kernel, mode="same")
    found = result.velocity_gradient_x.values
    known = np.isfinite(found)
    strong = known & (np.abs(truth) > 4 * np.nanmedian(result.velocity_gradient_x_sigma.values))
    assert strong.sum() > 20
    assert np.corrcoef(found[strong], truth[strong])[0, 1] > 0.6
    assert abs(np.median(found[known] - truth[known])) < np.nanmedian(result.velocity_gradient_x_sigma.values)


def test_second_run_does_nothing(reference):
    before = {path: path.stat().st_mtime_ns for path in (reference / "run.zarr").rglob("*") if path.is_file()}
    before.pop(reference / "run.zarr/.slidecloud/lease")  # which driver wrote last
    summary = runs.rerun(reference)
    assert summary.done == 0
    assert summary.skipped > 0
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_point_series_lies_under_its_point(reference, scene):
    run = slidecloud.open_run(str(reference / "run.zarr"))
    latitude, longitude = _centre_of(scene, 40, 60)
    point = run.at(longitude, latitude)
    expected = run.timeseries("sim_small").displacement[:, 40, 60].values
    np.testing.assert_array_equal(point.displacement.values[0], expected)
    assert float(point.distance[0]) < 1.0
    with pytest.raises(KeyError, match="No burst"):
        run.at(0.0, 0.0)


@pytest.mark.parametrize("workers", [1, 2])
def test_threads_change_nothing(tmp_path, reference, source, workers):
    pool = executors.threads(workers)
    runs.compute(tmp_path, source, executor=pool)
    pool.close()
    assert runs.objects(tmp_path / "run.zarr") == runs.objects(reference / "run.zarr")


def test_processes_change_nothing(tmp_path, reference, source):
    with cluster.local(2) as client:
        summary = runs.compute(tmp_path, source, executor=executors.dask(client))
    assert summary.exit_code == 0
    assert runs.objects(tmp_path / "run.zarr") == runs.objects(reference / "run.zarr")


@pytest.mark.parametrize("chunks", [(32, 96, 128), (8, 16, 32), (5, 24, 40)])
def test_chunks_change_nothing(tmp_path, reference, source, chunks):
    runs.compute(tmp_path, source, "resources: {executor: serial, memory: 2 GiB}", chunks=chunks)
    assert runs.arrays(tmp_path / "run.zarr") == runs.arrays(reference / "run.zarr")


@pytest.mark.parametrize("tile", ["[32, 128]", "[64, 64]", "[96, 64]", "[96, 128]"])
def test_tiles_change_nothing(tmp_path, reference, source, tile):
    resources = f"resources: {{executor: serial, memory: 2 GiB, tile: {tile}}}"
    runs.compute(tmp_path, source, resources)
    assert runs.objects(tmp_path / "run.zarr") == runs.objects(reference / "run.zarr")


@pytest.mark.parametrize("seed", [0, 1])
def test_order_of_arrival_changes_nothing(tmp_path, reference, source, interferograms, scene, seed):
    order = np.random.default_rng(seed).permutation(len(interferograms.pairs))
    for part in np.array_split(order, 3):
        runs.ingest(
            runs.subset(source, interferograms, scene, list(part)), str(tmp_path / "stacks"), chunks=runs.CHUNKS
        )
    summary = runs.rerun(tmp_path)
    assert summary.exit_code == 0
    assert runs.objects(tmp_path / "run.zarr") == runs.objects(reference / "run.zarr")


def test_bursts_that_overlap_are_all_returned(tmp_path, source, interferograms, scene):
    """Two bursts over one place: nothing is averaged, and the best is the one with the smaller sigma."""
    runs.ingest(source, str(tmp_path / "stacks"), chunks=runs.CHUNKS)
    header = dataclasses.replace(scene.header, id="sim_other")
    few = list(range(60))
    i = interferograms
    other = ArraySource(header, i.pairs[:60], i.phase[few], i.coherence[few], i.unwrapped[few], scene.static())
    runs.ingest(other, str(tmp_path / "stacks"), chunks=runs.CHUNKS)
    runs.rerun(tmp_path)
    latitude, longitude = _centre_of(scene, 40, 60)
    run = slidecloud.open_run(str(tmp_path / "run.zarr"))
    both = run.at(longitude, latitude)
    assert set(both.burst.values) == {"sim_small", "sim_other"}
    best = run.best(longitude, latitude)
    assert float(best.velocity_sigma) == float(both.velocity_sigma.min())
    assert "burst" not in best.dims


def test_radar_geometry(tmp_path):
    """A stack in radar geometry runs, and a point is found by its latitude and longitude."""
    scene = simulate.scene(11, shape=(64, 64), dates=16, geometry="radar", id="sim_radar")
    i = simulate.interferograms(scene)
    source = ArraySource(scene.header, i.pairs, i.phase, i.coherence, i.unwrapped, scene.static())
    assert runs.compute(tmp_path, source).exit_code == 0
    run = slidecloud.open_run(str(tmp_path / "run.zarr"))
    point = run.at(float(scene.longitude[20, 30]), float(scene.latitude[20, 30]))
    np.testing.assert_array_equal(point.displacement.values[0], run.timeseries("sim_radar").displacement[:, 20, 30])
    with pytest.raises(KeyError, match="No burst"):
        run.at(float(scene.longitude[0, 0]) + 1, float(scene.latitude[0, 0]))


def _centre_of(scene, row: int, column: int) -> tuple[float, float]:
    from pyproj import Transformer

    grid = scene.header.grid
    inverse = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True)
    longitude, latitude = inverse.transform(grid.x[column], grid.y[row])
    return latitude, longitude
