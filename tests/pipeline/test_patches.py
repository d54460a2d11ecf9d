"""Displacement in patches: only where something was found, planned when that is known, the same however done."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import patched
import pytest
import runs

from slidecloud.pipeline import levelling
from slidecloud.pipeline.estimate import estimate
from slidecloud.pipeline.executors import threads
from slidecloud.pipeline.orphans import collect
from slidecloud.pipeline.rates import Rates
from slidecloud.pipeline.status import status
from slidecloud.pipeline.verify import verify
from slidecloud.plots.point import date_residuals, point_figure
from slidecloud.store import open_run
from slidecloud.store.point_pairs import pairs_at

BURST = "t026_000001_iw2"
QUICK = ("integrate: false", "recovered: false")


@pytest.fixture(scope="module")
def made() -> Any:
    return patched.scene()


@pytest.fixture(scope="module")
def source(made: Any) -> Any:
    return patched.source(made)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, source: Any) -> Path:
    """A finished run; read it only."""
    folder = tmp_path_factory.mktemp("patched")
    summary = patched.compute(folder, source)
    assert summary.exit_code == 0, summary.lines()
    return folder


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "copy"))


def test_only_patches_are_unwrapped_and_they_show_the_slides(made, finished):
    run = open_run(str(finished / "run.zarr"))
    found = run.patches(BURST)
    assert len(found) == 2
    assert sum(window.pixels for window in found.values()) < 0.5 * np.prod(patched.SHAPE)
    series = run.timeseries(BURST)
    assert (series.sizes["y"], series.sizes["x"]) == patched.SHAPE
    velocity = series["velocity"].values
    covered = np.zeros(patched.SHAPE, bool)
    for name, window in found.items():
        covered[window.rows, window.columns] = True
        own = run.timeseries(BURST, name)
        assert np.array_equal(own["velocity"].values, velocity[window.rows, window.columns], equal_nan=True)
        assert np.array_equal(own["x"].values, series["x"].values[window.columns])
        stable = own["stable"].values == 1
        assert stable.any()
        assert not (stable & (own["moving"].values == 1)).any()
        true = made.velocity[window.rows, window.columns]
        slide = made.labels[window.rows, window.columns] > 0
        error = own["velocity"].values - (true - np.median(true[stable]))
        # A fast slide of 0.1 m/yr along the line of sight, against atmosphere over seven months.
        assert abs(np.nanmedian(error[slide])) < 0.02
        assert 0.8 < float(own["recovered_fraction"]) < 1.2
        assert 0.3 < float(own["recovered_fraction_integrated"]) < 1.3
        assert float(own["integrated_false_offset"]) > 0
        assert int(own["preferred"]) in (1, 2)
        assert np.isfinite(own["velocity_integrated"].values[slide]).any()
    assert np.isnan(velocity[~covered]).all()


def test_the_tree_of_a_burst_has_its_patches_and_that_of_the_run_none(finished):
    run = open_run(str(finished / "run.zarr"))
    assert not any("/patches" in name for name in run.tree.groups)
    tree = run.burst_tree(BURST)
    names = list(run.patches(BURST))
    assert {f"/patches/{name}/{part}" for name in names for part in ("timeseries", "unwrapped")} < set(tree.groups)
    assert "/gradients" in tree.groups
    node = tree[f"patches/{names[0]}"]
    assert tuple(node.attrs["window"][:2]) == (run.patches(BURST)[names[0]].top, run.patches(BURST)[names[0]].bottom)
    own = run.timeseries(BURST, names[0])["velocity"].values
    assert np.array_equal(node["timeseries/velocity"].values, own, equal_nan=True)
    with pytest.raises(KeyError, match="no burst 'elsewhere'"):
        run.burst_tree("elsewhere")


def test_unwrapped_phase_is_congruent_with_what_was_measured(source, finished):
    run = open_run(str(finished / "run.zarr"))
    name, window = next(iter(run.patches(BURST).items()))
    phase = run.unwrapped(BURST, name)["phase"].values
    wrapped = np.stack([source.read(pair, window.rows).phase[:, window.columns] for pair in source.pairs])
    turns = (phase - wrapped * (np.pi / 32768)) / (2 * np.pi)
    known = np.isfinite(turns)
    assert known.mean() > 0.9
    assert np.abs(turns[known] - np.rint(turns[known])).max() < 1e-4 / (2 * np.pi) * 2


def test_a_second_run_does_nothing_and_all_is_owned(finished):
    again = runs.rerun(finished, *patched.lines())
    assert again.done == 0
    assert status(str(finished / "run.zarr")).ended
    stages = {stage.stage: stage for stage in status(str(finished / "run.zarr")).stages}
    assert stages["unwrap"].done == stages["unwrap"].total == 4
    assert stages["timeseries"].done == 10
    found = collect(str(finished / "run.zarr"))
    assert not found.orphans
    assert not found.foreign
    assert not verify(str(finished / "run.zarr")).damaged


@pytest.mark.long
def test_the_same_by_threads_in_two_sessions_and_small_memory(finished, source, tmp_path):
    """The first session only detects; the second finds what is done and goes on."""
    lines = [line for line in patched.lines() if not line.startswith("resources")]
    first = [
        line.replace("timeseries]", "]").replace(", ]", "]") if line.startswith("stages") else line for line in lines
    ]
    runs.compute(tmp_path, source, *first, "resources: {executor: serial, memory: 2 GiB}")
    before = status(str(tmp_path / "run.zarr")).stages
    assert {stage.stage for stage in before} == {"gradients", "detect", "merge"}
    summary = runs.rerun(tmp_path, *lines, "resources: {executor: threads, memory: 800 MiB}", executor=threads(2))
    assert summary.exit_code == 0
    one, other = (runs.arrays(folder / "run.zarr" / "bursts") for folder in (finished, tmp_path))
    assert {n for n in one if "/patches/" in n} == {n for n in other if "/patches/" in n}
    assert one == other


def test_points_come_from_the_patch_that_covers_them(made, finished):
    run = open_run(str(finished / "run.zarr"))
    slide = patched.SLIDES[0]
    longitude, latitude = positions(made, slide.row, slide.column)
    found = run.at(longitude, latitude)
    assert found["patch"].values.tolist() == [next(iter(run.patches(BURST)))]
    assert found["track"].values.tolist() == ["ascending 026"]
    assert float(found["distance"].max()) < 40
    best = run.best(longitude, latitude)
    chosen = {1: "velocity", 2: "velocity_integrated"}[int(best["preferred"])]
    assert float(best["velocity_best"]) == float(best[chosen])
    assert float(best["velocity"]) == float(run.timeseries(BURST)["velocity"][slide.row, slide.column])
    with pytest.raises(KeyError, match="no patch 'r000000_c000000'"):
        run.timeseries(BURST, "r000000_c000000")
    with pytest.raises(KeyError, match="covers longitude"):
        run.at(*positions(made, 1, 138))


def positions(made: Any, row: float, column: float) -> tuple[float, float]:
    from pyproj import Transformer

    grid = made.header.grid
    turn = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True)
    return turn.transform(grid.left + grid.dx * (int(column) + 0.5), grid.top + grid.dy * (int(row) + 0.5))


def test_patches_that_are_no_more_leave_the_run(copy):
    """Another threshold finds less: what the patch of the weak slide held is no result any longer.

    One run store holds one configuration, so it is changed there too, as if it had been made with it.
    """
    run = copy / "run.zarr"
    before = set(open_run(str(run)).patches(BURST))
    text = (run / ".slidecloud/run.yaml").read_text()
    lines = [line for line in patched.lines() if not line.startswith("detect")]
    (run / ".slidecloud/run.yaml").write_text(text.replace("threshold: null", "threshold: 1000.0"))
    summary = runs.rerun(copy, *lines, "detect: {method: classical, seasons: false, threshold: 1000}")
    assert summary.exit_code == 0
    after = set(open_run(str(run)).patches(BURST))
    assert before
    assert after == set()
    assert any("No displacement series where there is no detection" in note for note in summary.notes)
    with pytest.raises(KeyError, match="no timeseries"):
        open_run(str(run)).timeseries(BURST)
    orphans = collect(str(run), remove=True)
    gone = before - after
    assert any(orphan.key.startswith(f"bursts/{BURST}/patches/{name}/") for orphan in orphans.orphans for name in gone)
    assert not any((run / f"bursts/{BURST}/patches/{name}" / "zarr.json").exists() for name in gone)


def test_a_patch_without_still_ground_is_set_aside_and_the_rest_goes_on(copy, monkeypatch):
    """Without a halo little but the detection is left of a patch; detections themselves are not made again."""
    monkeypatch.setattr(levelling, "LEAST_STABLE", 1000)
    told = copy / "run.zarr/.slidecloud/run.yaml"
    text = told.read_text().replace("halo: 600.0", "halo: 0.0")
    for line in QUICK:
        text = text.replace(line.replace("false", "true"), line)
    told.write_text(text)
    lines = [line.replace("halo: 600", "halo: 0") for line in patched.lines(*QUICK)]
    summary = runs.rerun(copy, *lines)
    assert summary.exit_code == 3
    reasons = {item.reason for item in summary.quarantined}
    assert reasons
    assert all("Raise timeseries.halo" in reason for reason in reasons)
    assert open_run(str(copy / "run.zarr")).inventory is not None


@pytest.mark.long
@pytest.mark.parametrize("stage", ["unwrap", "timeseries"])
def test_killed_in_the_second_round_and_taken_up_again(finished, source, tmp_path, stage):
    """Rounds: detections, then the patches that follow from them. What was done before the end is not done again."""
    runs.ingest(source, str(tmp_path / "stacks"), chunks=runs.CHUNKS)
    (tmp_path / "region.yaml").write_text(runs.yaml_text(tmp_path, *patched.lines()))
    records = tmp_path / "run.zarr/.slidecloud/done"
    driver = subprocess.Popen(runs.command("run", str(tmp_path / "region.yaml")), stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 600
    while driver.poll() is None and not any((records / stage).rglob("*.json")) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(driver.pid, signal.SIGKILL)
    assert driver.wait() == -signal.SIGKILL
    before = {path: path.read_bytes() for path in records.rglob("*.json")}
    summary = runs.rerun(tmp_path, *patched.lines())
    assert summary.exit_code == 0
    assert summary.done > 0
    assert all(path.read_bytes() == data for path, data in before.items())
    units = [path for path in records.rglob("*.json") if path.relative_to(records).parts[0] != "template"]
    old = [path for path in before if path.relative_to(records).parts[0] != "template"]
    assert summary.done == len(units) - len(old)
    assert runs.objects(tmp_path / "run.zarr") == runs.objects(finished / "run.zarr")


def test_the_picture_of_a_point_shows_series_pairs_and_residuals(made, finished, tmp_path):
    slide = patched.SLIDES[0]
    place = positions(made, slide.row, slide.column)
    run = open_run(str(finished / "run.zarr"))
    pairs = pairs_at(run, *place).load()
    found = run.best(*place).load()
    residual = date_residuals(pairs, found["time"].values, looks=made.header.effective_looks)
    # What the store says of all pairs of the pixel is what the dates say, each pair counted at both its ends.
    assert np.nanmin(residual) < float(found["residual_rms"]) < np.nanmax(residual)
    assert {text.get_text() for text in point_figure(run, *place).axes[1].get_legend().get_texts()} >= {
        f"took part: {int((pairs['used'].values == 1).sum())}"
    }
    assert call("export", str(finished / "run.zarr"), "--point", f"{place[0]},{place[1]}", "--out", str(tmp_path)) == 0
    table, picture = sorted(tmp_path.iterdir())
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert len(table.read_text().splitlines()) == 1 + np.isfinite(found["displacement"].values).sum()
    words = ("--point", f"{place[0]},{place[1]}", "--format", "kmz")
    assert call("export", str(finished / "run.zarr"), *words) == 2


def test_another_reference_is_a_shift_of_what_is_read_and_then_of_what_is_stored(made, copy):
    store = str(copy / "run.zarr")
    run = open_run(store)
    name, window = next(iter(run.patches(BURST).items()))
    series = run.timeseries(BURST, name).load()
    free = (series["moving"].values == 0) & np.isfinite(series["displacement"].values).all(0)
    row, column = np.argwhere(free & (series["residual_rms"].values < 0.25))[0]
    place = positions(made, window.top + row, window.left + column)
    moved = run.referenced(point=place).timeseries(BURST, name).load()
    taken = series["displacement"].values[:, row, column]
    assert np.allclose(
        moved["displacement"].values, series["displacement"].values - taken[:, None, None], atol=1e-6, equal_nan=True
    )
    assert float(moved["velocity"][row, column]) == 0
    assert call("reference", store, "--point", f"{place[0]},{place[1]}") == 0
    assert np.array_equal(open_run(store).timeseries(BURST, name)["velocity"], series["velocity"], equal_nan=True)
    assert call("reference", store, "--point", f"{place[0]},{place[1]}", "--write") == 0
    written = open_run(store).timeseries(BURST, name)
    assert np.array_equal(written["displacement"].values, moved["displacement"].values, equal_nan=True)
    assert not verify(store).damaged
    assert runs.rerun(copy, *patched.lines()).done == 0
    assert call("reference", store, "--stable", "--write") == 0
    back = open_run(store).timeseries(BURST, name)["displacement"].values
    stable = series["stable"].values == 1
    assert np.abs(np.nanmedian(back[:, stable], axis=1)).max() < 1e-6


def call(*words: str) -> int:
    from slidecloud.cli import main

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the other patch's ground may close worse
        return main(list(words))


def test_a_reference_in_a_detection_or_nowhere_is_refused(made, finished, capsys):
    store, slide = str(finished / "run.zarr"), patched.SLIDES[0]
    place = positions(made, slide.row, slide.column)
    assert call("reference", store, "--point", f"{place[0]},{place[1]}") == 1
    assert "inside a detection" in capsys.readouterr().err
    assert call("reference", store, "--point", "0,0") == 1
    assert "lies in none of the 2" in capsys.readouterr().err
    assert call("reference", store, "--point", "east") == 2
    assert call("reference", store) == 2


def test_estimate_shows_what_patches_save(finished, source, tmp_path):
    runs.ingest(source, str(tmp_path / "stacks"))
    before = estimate(runs.configure(tmp_path, *patched.lines()), Rates())
    assert {"unwrap", "timeseries"} < {stage.stage for stage in before.stages}
    assert any("assumed to cover 10%" in line for line in before.lines())
    after = estimate(runs.configure(finished, *patched.lines()), Rates())
    assert after.stages == ()
    assert not any("assumed" in line for line in after.lines())
    shutil.rmtree(shutil.copytree(finished, tmp_path / "again") / "run.zarr/.slidecloud/done/unwrap")
    ahead = estimate(runs.configure(tmp_path / "again", *patched.lines()), Rates())
    saved = next(line for line in ahead.lines() if line.startswith("Series of patches"))
    share = sum(w.pixels for w in open_run(str(finished / "run.zarr")).patches(BURST).values()) / np.prod(patched.SHAPE)
    assert f"({share:.1%})" in saved
