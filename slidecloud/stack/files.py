"""Files of a source, on the disk or in a zip archive: size, state, text, and the name by which GDAL opens them."""

from __future__ import annotations

from pathlib import Path

from slidecloud.stack import archives
from slidecloud.stack.names import printable
from slidecloud.types import DataError

MAX_TEXT = 4 * 2**20
"""Bytes beyond which a header or parameter file is taken for something else."""


def size(path: Path) -> int:
    """Bytes of a file.

    Raises
    ------
    OSError
        If it is missing or out of reach.
    DataError
        If its archive cannot be read.
    """
    return path.stat().st_size if archives.split(path) is None else archives.member(path).size


def state(path: Path) -> str:
    """What changes when the file does: size and modification time, in an archive size and checksum; see `size`."""
    if archives.split(path) is None:
        found = path.stat()
        return f"{found.st_size}\0{found.st_mtime_ns}"
    member = archives.member(path)
    return f"{member.size}\0{member.checksum:08x}"


def exists(path: Path) -> bool:
    """Whether there is such a file."""
    if archives.split(path) is None:
        return path.exists()
    try:
        archives.member(path)
    except (OSError, DataError):
        return False
    return True


def read_text(path: Path) -> str:
    """A short text; bytes that are no UTF-8 are replaced.

    Raises
    ------
    DataError
        If it cannot be read, or is longer than `MAX_TEXT`; names the file.
    """
    try:
        if archives.split(path) is None:
            with path.open("rb") as file:
                data = file.read(MAX_TEXT + 1)
        else:
            data = archives.read(path, MAX_TEXT + 1)
    except OSError as error:
        raise DataError(f"{printable(path)} cannot be read ({error.strerror}): give read permission") from error
    except DataError as error:
        raise DataError(f"{printable(path)} {error}") from error
    if len(data) > MAX_TEXT:
        raise DataError(
            f"{printable(path)} is longer than {MAX_TEXT} bytes, expected a short text: copy or fetch it again"
        )
    return data.decode("utf-8", errors="replace")


def gdal_name(path: Path | str) -> str:
    """The name by which GDAL opens a file where it lies."""
    parts = archives.split(Path(path))
    if parts is None:
        return str(path)
    archive, name = parts
    # Braces end the archive's name for GDAL, which else would look for the end of it by itself.
    return f"/vsizip/{{{archive}}}/{name}"
