"""Files that appear under their name only when they are whole."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A file or folder to write, which takes its name when the block ends without an error.

    What is yielded has the same name, in a hidden folder beside the target, so that whatever a library puts beside a
    file it writes goes with that folder. A process that is killed leaves the hidden folder and nothing else.

    Parameters
    ----------
    path
        The target; its folder is made if needed, and what has this name is replaced.

    Yields
    ------
    Path
        Where to write; nothing is there yet.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    hidden = target.with_name(f".{target.name}.{uuid.uuid4().hex}.partial")
    hidden.mkdir()
    try:
        made = hidden / target.name
        yield made
        _replace(made, target, older=hidden / "older")
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


def _replace(made: Path, target: Path, *, older: Path) -> None:
    """Rename, also over a folder, which the system does not replace."""
    if not (made.is_dir() and target.is_dir()):
        made.replace(target)
        return
    target.rename(older)
    try:
        made.rename(target)
    except OSError:
        older.rename(target)
        raise
