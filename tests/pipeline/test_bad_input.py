"""Bad stacks, stores and settings: a message with the remedy, or quarantine while the rest completes."""

from __future__ import annotations

import dataclasses
import errno
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import runs

from slidecloud.config_yaml import ConfigError
from slidecloud.pipeline import plan as planning
from slidecloud.pipeline.executors import SerialExecutor
from slidecloud.pipeline.status import status
from slidecloud.stack.arrays import ArraySource
from slidecloud.store.arrays import Writer
from slidecloud.types import DataError


@pytest.fixture(scope="module")
def stacks(tmp_path_factory, source):
    """A folder with a sound stack."""
    folder = tmp_path_factory.mktemp("stacks")
    runs.ingest(source, str(folder / "stacks"), chunks=runs.CHUNKS)
    return folder


@pytest.fixture
def copy(stacks, tmp_path):
    """A copy to spoil."""
    shutil.copytree(stacks / "stacks", tmp_path / "stacks")
    return tmp_path


def no_stacks(folder: Path) -> None:
    shutil.rmtree(folder / "stacks")


def no_zarr_in_stacks(folder: Path) -> None:
    shutil.rmtree(folder / "stacks/sim_small.zarr")


def foreign_run_store(folder: Path) -> None:
    import zarr

    zarr.create_group(str(folder / "run.zarr"))


def run_store_is_a_stack(folder: Path) -> None:
    shutil.copytree(folder / "stacks/sim_small.zarr", folder / "run.zarr")


def other_configuration(folder: Path) -> None:
    runs.rerun(folder, "gradients: {window_pixels: 5}")


NOTHING = ()
FATAL = [
    (no_stacks, NOTHING, FileNotFoundError, "no burst stacks in .*slidecloud ingest"),
    (no_zarr_in_stacks, NOTHING, FileNotFoundError, "no burst stacks in"),
    (None, ("bursts: [absent]",), ConfigError, "bursts names absent, which .* lacks; it has sim_small"),
    (foreign_run_store, NOTHING, ConfigError, "not a run of slidecloud.*another run store"),
    (run_store_is_a_stack, NOTHING, ConfigError, "another run store"),
    (other_configuration, NOTHING, ConfigError, r"gradients.window_pixels was \[5, 5\] and is now \[8, 8\]"),
    (None, ("resources: {memory: 2 GiB, tile: [30, 64]}",), ValueError, r"tile is \[30, 64\].*multiples"),
    (None, ("resources: {memory: 100 MB, tile: [32, 64]}",), MemoryError, "Raise resources.memory"),
    (None, ("resources: {memory: 2 GiB, tile: [-64, 64]}",), ConfigError, "rows and columns above 0"),
    (None, ("gradients: {window_pixels: 8, gap: 20}",), ValueError, "gap: found 20 x 20"),
    (None, ("timeseries: {reference: {kind: point, point: [31, 105]}}",), ConfigError, "longitude, latitude"),
    (None, ("timeseries: {reference: {kind: area, area: [6, 45, 5, 46]}}",), ConfigError, "west, south, east, north"),
]


@pytest.mark.parametrize(("spoil", "lines", "error", "message"), FATAL)
def test_run_refuses(copy, spoil, lines, error, message):
    if spoil is not None:
        spoil(copy)
    with pytest.raises(error, match=message):
        runs.rerun(copy, *lines)


ASIDE = [
    (("sources: [{path: /absent/folder}]",), "/absent/folder"),
    (("network: {max_days: 5}",), "none of them is usable within max_days 5"),
    (("network: {max_baseline: 0.0001}",), "none of them is usable"),
    (("timeseries: {where: everywhere, min_coherence: 0.999}",), "no pixel with unwrapped phase and coherence"),
    (("timeseries: {where: everywhere, reference: {kind: point, point: [0, 0]}}",), "lies outside stack sim_small"),
    (("timeseries: {where: everywhere, reference: {kind: area, area: [0, 0, 1, 1]}}",), "lies outside stack sim_small"),
]


@pytest.mark.parametrize(("lines", "message"), ASIDE)
def test_run_sets_aside(copy, lines, message):
    summary = runs.rerun(copy, *lines)
    assert summary.exit_code == 3
    assert message in "\n".join(summary.lines())
    if not lines[0].startswith("sources"):
        assert message in "\n".join(status(str(copy / "run.zarr")).lines())


def spoiled(source: ArraySource, scene, interferograms, id: str, **changes: object) -> ArraySource:
    """The small stack under another id with something wrong."""
    fields = {
        "phase": interferograms.phase,
        "coherence": interferograms.coherence,
        "unwrapped": interferograms.unwrapped,
    }
    fields |= {name: value for name, value in changes.items() if name in fields}
    header = dataclasses.replace(scene.header, id=id, **{k: v for k, v in changes.items() if k not in fields})
    return ArraySource(header, interferograms.pairs, fields["phase"], fields["coherence"], fields["unwrapped"], {})


def test_one_bad_burst_does_not_stop_the_rest(copy, source, scene, interferograms):
    """A burst without data, one without unwrapped phase and one not ingested to the end, beside a good one."""
    nothing = np.zeros_like(interferograms.coherence)
    empty = spoiled(source, scene, interferograms, "empty", coherence=nothing)
    runs.ingest(empty, str(copy / "stacks"), chunks=runs.CHUNKS)
    wrapped = spoiled(source, scene, interferograms, "wrapped", unwrapped=None, has_unwrapped=False)
    runs.ingest(wrapped, str(copy / "stacks"), chunks=runs.CHUNKS)
    half = spoiled(source, scene, interferograms, "half")
    runs.ingest(half, str(copy / "stacks"), chunks=runs.CHUNKS)
    next((copy / "stacks/half.zarr/.slidecloud/done/ingest").rglob("*.json")).unlink()
    summary = runs.rerun(copy, "timeseries: {where: everywhere, phase: stored}")
    text = "\n".join(summary.lines())
    assert summary.exit_code == 3
    assert "Stack wrapped has no unwrapped phase" in text
    assert "half.zarr has not finished" in text
    settings = runs.configure(copy, "timeseries: {where: everywhere, phase: stored}")
    good = [unit for unit in planning.make(settings).units if unit.key.unit.startswith("sim_small/")]
    found = runs.records.done(runs.locate(str(copy / "run.zarr")))
    assert all(unit.key in found for unit in good)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("wavelength", 0.236),
        ("shape", None),
        ("pass_", "descending"),
        ("look_direction", "left"),
        ("range_looks", 4),
        ("has_unwrapped", False),
    ],
)
def test_append_of_another_stack_is_refused(copy, source, scene, interferograms, name, value):
    if name == "shape":
        i, header = interferograms, dataclasses.replace(scene.header, shape=(90, 128), grid=None, geometry="radar")
        other = ArraySource(header, i.pairs, i.phase[:, :90], i.coherence[:, :90], i.unwrapped[:, :90], {})
    else:
        i, header = interferograms, dataclasses.replace(scene.header, **{name: value})
        unwrapped = i.unwrapped if header.has_unwrapped else None
        other = ArraySource(header, i.pairs, i.phase, i.coherence, unwrapped, {})
    with pytest.raises(DataError, match=r"cannot be added to .* [Ii]ngest it under another id"):
        runs.ingest(other, str(copy / "stacks"))


class _Flaky(SerialExecutor):
    """Fails the first so many submissions."""

    def __init__(self, failures: int) -> None:
        super().__init__()
        self._failures = failures

    def take(self):
        number, result = super().take()
        if self._failures > 0:
            self._failures -= 1
            return number, RuntimeError("the worker was preempted")
        return number, result


def test_failed_units_are_tried_again(copy):
    assert runs.rerun(copy, executor=_Flaky(2)).exit_code == 0


def test_units_that_always_fail_are_quarantined_and_tried_by_the_next_run(copy):
    summary = runs.rerun(copy, executor=_Flaky(300))
    assert summary.exit_code == 3
    assert {item.kind for item in summary.quarantined} == {"failed"}
    assert "the worker was preempted (tried 3 times)" in summary.quarantined[0].reason
    assert runs.rerun(copy).exit_code == 0


def test_full_disk_leaves_nothing_half_written(copy, monkeypatch):
    """Writes that fail for want of space: the unit is set aside, no record speaks of it, and the next run completes."""
    original, count = Writer.write, [0]

    def full(self, path, data, start=()):
        count[0] += 1
        if count[0] > 40:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return original(self, path, data, start)

    monkeypatch.setattr(Writer, "write", full)
    summary = runs.rerun(copy)
    assert summary.exit_code == 3
    assert "No space left" in "\n".join(summary.lines())
    monkeypatch.setattr(Writer, "write", original)
    from slidecloud.pipeline.verify import verify

    assert verify(str(copy / "run.zarr")).damaged == ()
    assert runs.rerun(copy).exit_code == 0


def test_folder_that_may_not_be_written(copy):
    locked = copy / "locked"
    locked.mkdir(mode=0o555)
    user = os.geteuid()
    if user == 0:
        copy.chmod(0o755)
        os.seteuid(65534)  # permissions do not bind root
    try:
        with pytest.raises(PermissionError, match="locked"):
            runs.rerun(copy, f"run: {locked}/run.zarr")
    finally:
        os.seteuid(user)


def test_correlated_noise_is_measured_and_told(tmp_path, scene, interferograms):
    """A filtered stack: its noise reaches across the gap, which the run says; the unfiltered one gets no note."""
    from scipy.ndimage import uniform_filter

    from slidecloud.kernels.phase import encode

    i = interferograms
    z = np.exp(1j * i.phase * (np.pi / 32768))
    smooth = np.angle(uniform_filter(z.real, (0, 5, 5)) + 1j * uniform_filter(z.imag, (0, 5, 5)))
    for name, phase in (("plain", i.phase), ("smooth", encode(smooth))):
        header = dataclasses.replace(scene.header, id=name)
        source = ArraySource(header, i.pairs, phase, i.coherence, i.unwrapped, {})
        runs.ingest(source, str(tmp_path / "stacks"), chunks=(32, 96, 128))
    notes = runs.rerun(tmp_path, "resources: {executor: serial}", "stages: [gradients]").notes
    assert len(notes) == 1
    assert "Stack smooth: noise of neighbouring pixels" in notes[0]
