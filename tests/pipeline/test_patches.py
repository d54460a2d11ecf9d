"""Displacement in patches: only where something was found, planned when that is known."""

from __future__ import annotations

import shutil

import numpy as np
import patched
import pytest
import runs
from patched import BURST

from slidecloud.pipeline import levelling
from slidecloud.pipeline.estimate import estimate
from slidecloud.pipeline.orphans import collect
from slidecloud.pipeline.rates import Rates
from slidecloud.pipeline.status import status
from slidecloud.pipeline.verify import verify
from slidecloud.store import open_run

QUICK = ("integrate: false", "recovered: false")


def test_only_patches_are_unwrapped_and_they_show_the_slides(patched_scene, patched_run):
    run = open_run(str(patched_run / "run.zarr"))
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
        true = patched_scene.velocity[window.rows, window.columns]
        slide = patched_scene.labels[window.rows, window.columns] > 0
        error = own["velocity"].values - (true - np.median(true[stable]))
        # A fast slide of 0.1 m/yr along the line of sight, against atmosphere over seven months.
        assert abs(np.nanmedian(error[slide])) < 0.02
        assert 0.8 < float(own["recovered_fraction"]) < 1.2
        assert 0.3 < float(own["recovered_fraction_integrated"]) < 1.3
        assert float(own["integrated_false_offset"]) > 0
        assert int(own["preferred"]) in (1, 2)
        assert np.isfinite(own["velocity_integrated"].values[slide]).any()
    assert np.isnan(velocity[~covered]).all()


def test_the_tree_of_a_burst_has_its_patches_and_that_of_the_run_none(patched_run):
    run = open_run(str(patched_run / "run.zarr"))
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


def test_unwrapped_phase_is_congruent_with_what_was_measured(patched_source, patched_run):
    run = open_run(str(patched_run / "run.zarr"))
    name, window = next(iter(run.patches(BURST).items()))
    phase = run.unwrapped(BURST, name)["phase"].values
    wrapped = np.stack(
        [patched_source.read(pair, window.rows).phase[:, window.columns] for pair in patched_source.pairs]
    )
    turns = (phase - wrapped * (np.pi / 32768)) / (2 * np.pi)
    known = np.isfinite(turns)
    assert known.mean() > 0.9
    assert np.abs(turns[known] - np.rint(turns[known])).max() < 1e-4 / (2 * np.pi) * 2


def test_a_second_run_does_nothing_and_all_is_owned(patched_run):
    again = runs.rerun(patched_run, *patched.lines())
    assert again.done == 0
    assert status(str(patched_run / "run.zarr")).ended
    stages = {stage.stage: stage for stage in status(str(patched_run / "run.zarr")).stages}
    assert stages["unwrap"].done == stages["unwrap"].total == 4
    assert stages["timeseries"].done == 10
    found = collect(str(patched_run / "run.zarr"))
    assert not found.orphans
    assert not found.foreign
    assert not verify(str(patched_run / "run.zarr")).damaged


def test_patches_that_are_no_more_leave_the_run(patched_copy):
    """Another threshold finds less: what the patch of the weak slide held is no result any longer.

    One run store holds one configuration, so it is changed there too, as if it had been made with it.
    """
    run = patched_copy / "run.zarr"
    before = set(open_run(str(run)).patches(BURST))
    text = (run / ".slidecloud/run.yaml").read_text()
    lines = [line for line in patched.lines() if not line.startswith("detect")]
    (run / ".slidecloud/run.yaml").write_text(text.replace("threshold: null", "threshold: 1000.0"))
    summary = runs.rerun(patched_copy, *lines, "detect: {method: classical, seasons: false, threshold: 1000}")
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


def test_a_patch_without_still_ground_is_set_aside_and_the_rest_goes_on(patched_copy, monkeypatch):
    """Without a halo little but the detection is left of a patch; detections themselves are not made again."""
    monkeypatch.setattr(levelling, "LEAST_STABLE", 1000)
    told = patched_copy / "run.zarr/.slidecloud/run.yaml"
    text = told.read_text().replace("halo: 600.0", "halo: 0.0")
    for line in QUICK:
        text = text.replace(line.replace("false", "true"), line)
    told.write_text(text)
    lines = [line.replace("halo: 600", "halo: 0") for line in patched.lines(*QUICK)]
    summary = runs.rerun(patched_copy, *lines)
    assert summary.exit_code == 3
    reasons = {item.reason for item in summary.quarantined}
    assert reasons
    assert all("Raise timeseries.halo" in reason for reason in reasons)
    assert open_run(str(patched_copy / "run.zarr")).inventory is not None


def test_estimate_shows_what_patches_save(patched_run, patched_source, tmp_path):
    runs.ingest(patched_source, str(tmp_path / "stacks"))
    before = estimate(runs.configure(tmp_path, *patched.lines()), Rates())
    assert {"unwrap", "timeseries"} < {stage.stage for stage in before.stages}
    assert any("assumed to cover 10%" in line for line in before.lines())
    after = estimate(runs.configure(patched_run, *patched.lines()), Rates())
    assert after.stages == ()
    assert not any("assumed" in line for line in after.lines())
    shutil.rmtree(shutil.copytree(patched_run, tmp_path / "again") / "run.zarr/.slidecloud/done/unwrap")
    ahead = estimate(runs.configure(tmp_path / "again", *patched.lines()), Rates())
    saved = next(line for line in ahead.lines() if line.startswith("Series of patches"))
    windows = open_run(str(patched_run / "run.zarr")).patches(BURST).values()
    share = sum(window.pixels for window in windows) / np.prod(patched.SHAPE)
    assert f"({share:.1%})" in saved
