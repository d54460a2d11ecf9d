"""A file or folder takes its name when it is whole, and leaves nothing behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from slidecloud.products.whole import whole

KILLED = """
import os, signal, sys
from slidecloud.products.whole import whole
with whole(sys.argv[1]) as made:
    made.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_files_and_folders_are_replaced_whole(tmp_path: Path) -> None:
    for text in ("one", "two"):
        with whole(tmp_path / "new" / "file.txt") as made:
            made.write_text(text)
        with whole(tmp_path / "new" / "folder") as made:
            made.mkdir()
            (made / text).write_text(text)
    assert (tmp_path / "new" / "file.txt").read_text() == "two"
    assert [path.name for path in (tmp_path / "new" / "folder").iterdir()] == ["two"]
    assert _names(tmp_path / "new") == ["file.txt", "folder"]


def test_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "file.txt").write_text("older")

    def broken() -> None:
        with whole(tmp_path / "file.txt") as made:
            made.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        broken()
    assert (tmp_path / "file.txt").read_text() == "older"
    assert _names(tmp_path) == ["file.txt"]


def test_a_killed_writer_leaves_no_file_of_that_name(tmp_path: Path) -> None:
    target = tmp_path / "file.txt"
    subprocess.run([sys.executable, "-c", KILLED, str(target)], check=False, timeout=60)
    assert not target.exists()
    (left,) = _names(tmp_path)
    assert left.startswith(".file.txt.")
    assert left.endswith(".partial")


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
