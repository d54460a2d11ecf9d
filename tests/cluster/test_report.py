"""The performance report: stored whatever ends the run, never in another's store, never a reason to fail."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from distributed import Client

from slidecloud.cli import main
from slidecloud.cluster import local
from slidecloud.cluster.report import reported
from slidecloud.pipeline import executors
from slidecloud.pipeline.orphans import collect
from slidecloud.store import locate


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """A cluster of one process."""
    with local(1) as opened:
        yield opened


def _compute(executor: executors.DaskExecutor) -> None:
    executor.submit(0, lambda numbers: sum(numbers), [1, 2])  # what has no name travels too
    assert executor.take() == (0, 3)


def test_a_run_leaves_a_report_that_is_no_orphan(run_copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    region = run_copy / "region.yaml"
    settings = yaml.safe_load((run_copy / "run.zarr/.slidecloud/run.yaml").read_text())
    settings |= {"run": str(run_copy / "run.zarr"), "stacks": str(run_copy / "stacks"), "bursts": None}
    settings["resources"] |= {"executor": "dask", "workers": 1, "performance_report": True, "tile": [64, 64]}
    region.write_text(yaml.safe_dump(settings))
    assert main(["run", str(region)]) == 0
    (report,) = (run_copy / "run.zarr/.slidecloud/reports").iterdir()
    assert f"Performance report: {report}" in capsys.readouterr().err.replace("\n", "")
    assert "<html" in report.read_text()
    found = collect(str(run_copy / "run.zarr"))
    assert (found.orphans, found.foreign) == ((), ())


def test_an_interrupted_run_leaves_its_report(client: Client, tmp_path: Path) -> None:
    executor, run = executors.dask(client), locate(str(tmp_path))
    with suppress(KeyboardInterrupt), reported(executor, run) as key:
        _compute(executor)
        raise KeyboardInterrupt
    page = run.read(key)
    assert page is not None
    assert b"Dask Performance Report" in page


def test_a_run_that_was_refused_leaves_none(client: Client, tmp_path: Path) -> None:
    run = locate(str(tmp_path))
    with pytest.raises(ValueError, match="another's"), reported(executors.dask(client), run):
        raise ValueError("another's")
    assert run.keys() == []


def test_a_report_that_fails_is_a_warning(client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    executor, run = executors.dask(client), locate(str(tmp_path))
    monkeypatch.setattr("slidecloud.cluster.report._page", lambda *_: 1 / 0)
    with (
        pytest.warns(UserWarning, match=r"could not be saved \(ZeroDivisionError"),
        reported(executor, run),
    ):
        _compute(executor)
    assert run.keys() == []


def test_without_dask_or_bokeh(
    run_copy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    region = run_copy / "region.yaml"
    region.write_text(f"run: {run_copy}/run.zarr\nstacks: {run_copy}/stacks\n")
    assert main(["run", str(region), "--executor", "threads", "--performance-report"]) == 2
    assert "A performance report is Dask's, and the executor is threads." in capsys.readouterr().err
    assert importlib.util.find_spec("bokeh") is not None
    monkeypatch.setitem(sys.modules, "bokeh", None)
    assert main(["run", str(region), "--workers", "1", "--performance-report"]) == 1
    assert "bokeh is not installed; install it with: pip install 'slidecloud[viz]'" in capsys.readouterr().err
