"""Logs: every end of a unit is a record with its fields, in JSON and for people, without a secret, above a live bar."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import endings
import pytest
from faults import SECRET
from rich.console import Console

from slidecloud import logs
from slidecloud.cli import main
from slidecloud.pipeline.progress import LoggedProgress, RichProgress, progress_for


@pytest.fixture(autouse=True)
def quiet_again() -> Iterator[None]:
    """Loggers as they were."""
    logger = logging.getLogger("slidecloud")
    before, level = list(logger.handlers), logger.level
    yield
    logger.handlers[:], logger.level = before, level
    logging.getLogger("slidecloud").manager._clear_cache()  # type: ignore[attr-defined]


def _records(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_every_end_is_a_record(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs.start("json", "debug")
    summary = endings.drive_all(tmp_path)
    found = _records(capsys.readouterr().err)
    run = str(tmp_path / "run.zarr")
    assert {record["run"] for record in found} == {run}
    ends = {(r["unit"], r["outcome"], r["level"], r.get("attempt")) for r in found if "outcome" in r}
    assert ends == {
        ("good", "done", "info", 1),
        ("second", "retried", "warning", 1),
        ("second", "done", "info", 2),
        ("bad", "quarantined", "error", 1),
        ("failed", "retried", "warning", 1),
        ("failed", "failed", "error", 2),
        ("waiting", "blocked", "warning", None),
    }
    (good,) = (r for r in found if r.get("outcome") == "done" and r["unit"] == "good")
    assert (good["stage"], good["bytes_read"], good["bytes_written"]) == ("test", 1, 10)
    assert good["worker"].endswith(f":{os.getpid()}")
    assert good["seconds"] >= 0
    assert good["time"].endswith("Z")
    begun = [r["unit"] for r in found if r["logger"] == "slidecloud.worker" and r["message"].endswith("begins")]
    assert sorted(begun) == ["bad", "failed", "failed", "good", "second", "second"]
    (bad,) = (r for r in found if r.get("outcome") == "quarantined")
    assert bad["reason"] == "The pixels are bad. Ingest them again."
    assert found[-1]["units"] == summary.done == 2


def test_errors_bring_their_traceback_and_no_secret(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs.start("json")
    endings.drive_all(tmp_path)
    text = capsys.readouterr().err
    failed = next(r for r in _records(text) if r.get("outcome") == "failed")
    assert "in __call__" in failed["traceback"]
    assert "s3://***@host/x?X-Amz-Signature=***&y=1" in failed["reason"]
    for secret in ("hunter22", "abcdef0123"):
        assert secret not in text


@pytest.mark.parametrize("form", ["json", "plain"])
def test_values_of_secret_variables_are_hidden(
    form: logs.Format, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("STORE_PASSWORD", 'quo"ted\\word')
    logs.start(form)
    try:
        raise RuntimeError(f"refused {SECRET}")
    except RuntimeError:
        logging.getLogger("slidecloud.test").exception("with %s", 'quo"ted\\word', extra={"reason": SECRET})
    text = capsys.readouterr().err
    assert text.count("***") >= 3
    assert SECRET not in text
    assert "ted" not in text.partition("Traceback")[0].replace("started", "")


def test_people_read_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs.start("plain", "warning")
    endings.drive_all(tmp_path)
    lines = [line for line in capsys.readouterr().err.splitlines() if line[:2] == "20"]
    assert len(lines) == 5
    assert lines[0].split(" ", 1)[1].startswith("warning test second failed, trying again [run=")


def test_a_live_bar_is_not_torn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records stand in lines of their own above the bar, which is drawn again below them."""
    screen = io.StringIO()
    monkeypatch.setattr(sys, "stderr", screen)
    logs.start("plain", "info")
    endings.drive_all(tmp_path, RichProgress(Console(stderr=True, force_terminal=True, width=200)))
    text = screen.getvalue()
    assert "info test good done" in text
    for line in text.replace("\x1b[2K", "\n").splitlines():
        assert not ("info test good done" in line and "units" in line)
    assert text.rindex("4/5 units") > text.index("test failed failed, quarantined")


def test_where_machines_read_there_is_nothing_but_records(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    logs.start("json")
    shown = progress_for(Console(stderr=True, force_terminal=True))
    assert isinstance(shown, LoggedProgress)
    endings.drive_all(tmp_path, shown)
    assert main(["run", str(tmp_path / "none.yaml")]) == 1
    found = _records(capsys.readouterr().err)
    assert any(r["message"].startswith("run: 4/5 units") for r in found)
    assert found[-1]["level"] == "error"
    assert "There is no configuration" in found[-1]["message"]


def test_the_environment_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    assert logs.asked() is None
    monkeypatch.setenv(logs.FORMAT, "json")
    assert logs.asked() == ("json", "info")
    monkeypatch.setenv(logs.LEVEL, "DEBUG")
    assert logs.asked() == ("json", "debug")
    monkeypatch.setenv(logs.FORMAT, "xml")
    with pytest.raises(ValueError, match="SLIDECLOUD_LOG_FORMAT is 'xml'; expected plain or json"):
        logs.asked()


def test_the_command_line_asks(tmp_path: Path) -> None:
    program = [sys.executable, "-m", "slidecloud", "run", "none.yaml", "--log-format", "json"]
    ended = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, check=False)
    (record,) = _records(ended.stderr)
    assert record["logger"] == "slidecloud.cli"
    assert ended.returncode == 1


def test_a_library_prints_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    endings.drive_all(tmp_path)
    assert capsys.readouterr().err == ""
