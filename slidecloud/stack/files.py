"""Files of a source, on the disk, in a zip archive or below a URL: size, state, text, and their name for GDAL."""

from __future__ import annotations

import hashlib
from pathlib import Path

from slidecloud.stack import archives
from slidecloud.stack.names import SourcePath, printable
from slidecloud.stack.remote import RemotePath
from slidecloud.store.objects import ChangedError
from slidecloud.types import DataError

MAX_TEXT = 4 * 2**20
"""Bytes beyond which a header or parameter file is taken for something else."""


def size(path: SourcePath) -> int:
    """Bytes of a file.

    Raises
    ------
    OSError
        If it is missing or out of reach.
    DataError
        If its archive cannot be read.
    """
    if isinstance(path, RemotePath):
        return path.size
    return path.stat().st_size if archives.split(path) is None else archives.member(path).size


def state(path: SourcePath) -> str:
    """What changes when the file does: size and modification time, checksum (archive) or version (URL); see `size`."""
    if isinstance(path, RemotePath):
        return f"{path.size}\0{path.version}"
    if archives.split(path) is None:
        found = path.stat()
        return f"{found.st_size}\0{found.st_mtime_ns}"
    member = archives.member(path)
    return f"{member.size}\0{member.checksum:08x}"


def fingerprint(path: SourcePath, *more: object) -> str:
    """Digest of the name of a file, its `state`, and whatever else tells its part; see `size` for errors."""
    text = "\0".join(map(str, (path.name, state(path), *more)))
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=16).hexdigest()


def exists(path: SourcePath) -> bool:
    """Whether there is such a file; of a remote one whether it was listed, as only reading it tells."""
    if isinstance(path, RemotePath):
        return True
    if archives.split(path) is None:
        return path.exists()
    try:
        archives.member(path)
    except (OSError, DataError):
        return False
    return True


def read_text(path: SourcePath) -> str:
    """A short text; bytes that are no UTF-8 are replaced.

    Raises
    ------
    DataError
        If it cannot be read, or is longer than `MAX_TEXT`; names the file.
    OSError
        If the store of a remote file does not answer, or denies access: that is no fault of the file.
    """
    try:
        if isinstance(path, RemotePath):
            with path.open() as file:
                data = file.read(MAX_TEXT + 1)
        elif archives.split(path) is None:
            with path.open("rb") as file:
                data = file.read(MAX_TEXT + 1)
        else:
            data = archives.read(path, MAX_TEXT + 1)
    except ChangedError as error:
        raise DataError(printable(str(error))) from error
    except OSError as error:
        if isinstance(path, RemotePath) and not isinstance(error, FileNotFoundError):
            raise
        reason = error.strerror or printable(str(error))
        raise DataError(f"{printable(path)} cannot be read ({reason}): give read permission") from error
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
