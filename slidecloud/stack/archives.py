"""Zip archives as folders: their members are listed and read where they lie, and nothing is ever unpacked.

A member is named by its path through the archive, ``products/S1.zip/S1/S1_corr.tif``. Members that no honest archive
has (names that climb out of it, links, absurd sizes) are refused by name.
"""

from __future__ import annotations

import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from slidecloud.types import DataError

MAX_MEMBERS = 10_000
MAX_RATIO = 200
"""A member that claims to grow by more than this, and to more than `_SMALL` bytes, is taken for a bomb."""

_SMALL = 16 * 2**20
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_END = struct.Struct("<4s4H2LH")
_DAMAGE = (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, struct.error, EOFError)


class Member(NamedTuple):
    """A file in an archive: bytes when unpacked, and their checksum."""

    size: int
    checksum: int


class Directory(NamedTuple):
    """What an archive holds: its files by name, and of each refused member what it is."""

    members: dict[str, Member]
    refused: dict[str, str]


def is_archive(path: Path) -> bool:
    """Whether a path is a file that is called a zip archive."""
    return path.suffix.lower() == ".zip" and path.is_file()


def split(path: Path) -> tuple[Path, str] | None:
    """Archive and name of the member that a path goes through it to, or None for a path on the disk."""
    for parent in path.parents:
        if is_archive(parent):
            return parent, path.relative_to(parent).as_posix()
    return None


def inside(path: object) -> bool:
    """Whether a path of a source leads through an archive."""
    return isinstance(path, Path) and (is_archive(path) or split(path) is not None)


def directory(archive: Path) -> Directory:
    """Members of an archive.

    Raises
    ------
    DataError
        If it is no readable archive, or has more than `MAX_MEMBERS` members; does not name it.
    """
    try:
        found = archive.stat()
    except OSError as error:
        raise DataError(f"cannot be opened ({error.strerror}): give read permission (chmod u+r)") from error
    return _directory(archive, found.st_size, found.st_mtime_ns)


def read(path: Path, limit: int) -> bytes:
    """At most the first `limit` bytes of a member.

    Raises
    ------
    DataError
        If it cannot be read.
    """
    archive, name = _parts(path)
    try:
        with zipfile.ZipFile(archive) as opened, opened.open(name) as file:
            return file.read(limit)
    except (*_DAMAGE, KeyError, zlib.error) as error:
        raise DataError(f"cannot be read from its archive ({error}): fetch the archive again") from error


def member(path: Path) -> Member:
    """Size and checksum of the member that a path goes to.

    Raises
    ------
    FileNotFoundError
        If the archive has no such member.
    DataError
        If the archive cannot be read.
    """
    archive, name = _parts(path)
    try:
        return directory(archive).members[name]
    except KeyError:
        raise FileNotFoundError(2, "no such member", str(path)) from None


def _parts(path: Path) -> tuple[Path, str]:
    parts = split(path)
    if parts is None:
        raise FileNotFoundError(2, "no such archive", str(path))
    return parts


@lru_cache(maxsize=4096)
def _directory(archive: Path, size: int, _modified: int) -> Directory:
    """Cached, as every raster asks for it; size and time of the file tell when it is another one."""
    try:
        claimed = _claimed_members(archive, size)
        if claimed > MAX_MEMBERS:
            raise DataError(f"claims {claimed} members, expected at most {MAX_MEMBERS}: unpack what is wanted")
        with zipfile.ZipFile(archive) as opened:
            infos = opened.infolist()
    except DataError:
        raise
    except PermissionError as error:
        raise DataError("cannot be opened (permission denied): give read permission (chmod u+r)") from error
    except _DAMAGE as error:
        raise DataError(f"is no readable zip archive ({error}): fetch it again") from error
    members: dict[str, Member] = {}
    refused: dict[str, str] = {}
    for info, problem in _judged(infos):
        if problem:
            refused[info.filename] = problem
        elif not info.is_dir():
            members[info.filename] = Member(info.file_size, info.CRC)
    return Directory(members, refused)


def _claimed_members(archive: Path, size: int) -> int:
    """Members that the end of the archive claims, read before the list itself, which may be made to exhaust memory."""
    with archive.open("rb") as file:
        file.seek(max(0, size - 2**16 - _END.size))
        tail = file.read()
    place = tail.rfind(b"PK\x05\x06")
    if place < 0 or place + _END.size > len(tail):
        raise zipfile.BadZipFile("its end is missing")
    return int(_END.unpack_from(tail, place)[4])


def _judged(infos: list[zipfile.ZipInfo]) -> Iterator[tuple[zipfile.ZipInfo, str]]:
    """Every member, with what is wrong with it or an empty text."""
    seen: set[str] = set()
    for info in infos:
        yield info, _problem(info) or ("comes twice" if info.filename in seen else "")
        seen.add(info.filename)


def _problem(info: zipfile.ZipInfo) -> str:
    # Both names: zipfile cuts the one it offers at a NUL byte and turns the separators of other systems.
    for name in (info.filename, info.orig_filename):
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\\" in name or re.match(r"[A-Za-z]:", name):
            return "has a name that leads out of the archive"
        if "\0" in name or path.as_posix() != name.removesuffix("/"):
            return "has a name that is no plain path"
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is a link or a device"
    if info.flag_bits & 1:
        return "is encrypted"
    if info.compress_type not in _METHODS:
        return "is packed in a way other than deflate"
    if info.file_size > max(_SMALL, MAX_RATIO * info.compress_size):
        return f"claims to grow from {info.compress_size} to {info.file_size} bytes"
    return ""
