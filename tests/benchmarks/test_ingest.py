"""Ingest of a frame of 300 pairs of 2,000 x 3,000 pixels by the command: memory, and speed beside a copy of the files.

The files are few, linked under other dates: they are read from memory, and what is measured is the work of ingest.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import frames
import psutil
import pytest

from slidecloud import open_stack

PAIRS, COPIED = 300, 40
LIMIT = 2 * 2**30


@pytest.mark.long
@pytest.mark.parametrize("executor", ["threads", "dask"])
def test_a_frame_is_ingested_in_little_memory(executor, tmp_path, record_property):
    frame = frames.make(tmp_path, PAIRS)
    files = sorted((frame / "interferograms").rglob("*.tif"))
    copying = _copy(files[: 2 * COPIED], tmp_path / "copy")
    began = time.monotonic()
    command = [sys.executable, "-m", "slidecloud", "ingest", str(frame), str(tmp_path / "stacks")]
    with subprocess.Popen([*command, "--executor", executor, "--workers", "2"], stderr=subprocess.PIPE) as process:
        peak, most = _watch(process)
        said = process.stderr.read().decode() if process.stderr is not None else ""
    seconds = time.monotonic() - began
    assert process.returncode == 0, said
    assert "MB/s" in said
    assert "read " in said
    volume = sum(path.stat().st_size for path in files)
    speed = volume / 1e6 / seconds
    for name, value in (
        ("peak_of_all_processes_GiB", peak / 2**30), ("peak_of_one_process_GiB", most / 2**30),
        ("files_GB", volume / 1e9), ("seconds", seconds), ("MB_per_second", speed), ("copy_MB_per_second", copying),
        ("share_of_copy", speed / copying),
    ):  # fmt: skip
        record_property(name, round(value, 3))
    assert open_stack(str(tmp_path / "stacks" / f"{frame.name.lower()}.zarr")).sizes["pair"] == PAIRS
    assert (peak if executor == "threads" else most) < LIMIT
    shutil.rmtree(tmp_path / "stacks")


def _copy(files: list[Path], target: Path) -> float:
    """MB/s of copying files."""
    target.mkdir()
    began = time.monotonic()
    for number, path in enumerate(files):
        shutil.copyfile(path, target / str(number))
    seconds = time.monotonic() - began
    shutil.rmtree(target)
    return sum(path.stat().st_size for path in files) / 1e6 / seconds


def _watch(process: subprocess.Popen[bytes]) -> tuple[int, int]:
    """Largest resident bytes of a process and its children together, and of one of them, until it ends."""
    together = most = 0
    parent = psutil.Process(process.pid)
    while process.poll() is None:
        sizes = []
        for one in (parent, *parent.children(recursive=True)):
            try:
                sizes.append(one.memory_info().rss)
            except psutil.NoSuchProcess:
                continue
        together, most = max(together, sum(sizes)), max(most, *sizes, 0)
        time.sleep(0.2)
    return together, most
