"""Files of a source folder, zip archives in it looked into, and the dates in their names."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from slidecloud.stack import archives
from slidecloud.stack.remote import RemotePath
from slidecloud.store.location import Location, locate
from slidecloud.store.objects import check_key
from slidecloud.types import DataError, Rejected

SourcePath = Path | RemotePath
"""A file of a source: on this machine, perhaps through an archive, or below a URL."""

SENTINEL1_LAUNCH = np.datetime64("2014-04-03", "D")
_ALONE = (".h5", ".hdf5", ".he5", ".nc", ".nc4")
"""Endings of files that may hold a whole stack."""
_PAIR = re.compile(r"(?<!\d)(\d{8})[-_](\d{8})(?!\d)")


@dataclass(frozen=True, slots=True)
class Listing:
    """Regular files below a folder and in its zip archives, or below a URL, and what was left out of them.

    Attributes
    ----------
    root
        The folder or archive, absolute, links resolved; or the URL.
    files
        Absolute paths, sorted; those of members lead through their archive (see `slidecloud.stack.archives`).
    refused
        Links that leave the folder, linked or unreadable folders, archives or members that cannot be used; each with
        reason and remedy.
    """

    root: SourcePath
    files: tuple[SourcePath, ...]
    refused: tuple[Rejected, ...]

    def local_files(self) -> tuple[Path, tuple[Path, ...]]:
        """Root and files, for readers that know folders of this machine alone.

        Raises
        ------
        ValueError
            If the source is a URL.
        """
        files = tuple(path for path in self.files if isinstance(path, Path))
        if not isinstance(self.root, Path):
            raise ValueError(
                f"{self.root} holds a format that is read from folders of this machine only: copy it to one"
            )
        return self.root, files

    def name(self, path: SourcePath) -> str:
        """Path below the root, for messages."""
        return printable(self.below(path))

    def below(self, path: SourcePath) -> str:
        """Path below the root, its parts separated by slashes."""
        return path.as_posix().removeprefix(self.root.as_posix()).lstrip("/")


def printable(path: SourcePath | str) -> str:
    """A name as one line of text that shows control characters and undecodable bytes as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in str(path))


def list_files(path: str | os.PathLike[str], options: Mapping[str, Any] | None = None) -> Listing:
    """All regular files below a folder, members of zip archives among them. Links are followed inside the folder only.

    Of a zip archive given instead of a folder its members; of a file that can hold a whole stack (HDF5, NetCDF) the
    file alone, below its folder. A member that lies unpacked beside its archive is left out. Of a URL all objects.

    Parameters
    ----------
    path
        Folder, archive, file, or URL that fsspec knows (``s3://bucket/frame``).
    options
        Storage options of a URL; see `slidecloud.store.location.Location`.

    Raises
    ------
    FileNotFoundError, NotADirectoryError, PermissionError
        If `path` is missing, is no folder, or cannot be listed.
    ConnectionError
        If a store does not answer.
    DataError
        If it is an archive that cannot be read.
    ValueError
        If a URL or its options are none, or hold a secret.
    """
    location = locate(path, options)
    return _list_folder(Path(str(path).removeprefix("file://"))) if location.is_local else _list_remote(location)


def _list_remote(location: Location) -> Listing:
    files: list[RemotePath] = []
    refused: list[Rejected] = []
    for entry in location.entries():
        if entry.key.endswith("/"):  # what consoles leave to show an empty folder
            continue
        try:
            files.append(RemotePath(location, check_key(entry.key), entry.size, entry.version))
        except ValueError as error:
            name = printable(entry.key)
            refused.append(Rejected(name, f"{name} cannot be read ({error}): rename it"))
    if not files:
        raise FileNotFoundError(
            f"there is nothing below {location}: give the folder that holds the interferograms, with its bucket"
        )
    return Listing(RemotePath(location), tuple(sorted(files)), tuple(refused))


def _list_folder(root: Path) -> Listing:
    if not root.exists():
        raise FileNotFoundError(
            f"source {printable(root)} does not exist: give the folder that holds the interferograms"
        )
    root = root.resolve()
    if not root.is_dir():
        return _one_file(root)
    files: list[Path] = []
    refused: list[Rejected] = []

    def unreadable(error: OSError) -> None:
        folder = Path(str(error.filename))
        if folder == root:
            raise PermissionError(f"source {printable(root)} cannot be listed ({error.strerror}): give read permission")
        refused.append(_refuse(folder, root, f"cannot be listed ({error.strerror}): give read permission (chmod u+rx)"))

    for folder, names, found in os.walk(root, onerror=unreadable):
        names.sort()
        for name in sorted((*names, *found)):
            entry = Path(folder, name)
            reason = _link_problem(entry, root)
            if reason:
                refused.append(_refuse(entry, root, reason))
            elif entry.is_file():
                files.append(entry)
    return _with_members(root, files, refused)


def _one_file(path: Path) -> Listing:
    if archives.is_archive(path):
        listing = _with_members(path, [path], [])
        if not listing.files and listing.refused:
            raise DataError(f"source {printable(path)}: {listing.refused[0].reason}")
        return listing
    if path.suffix.lower() in _ALONE:
        return Listing(path.parent, (path,), ())
    raise NotADirectoryError(
        f"source {printable(path)} is a file: expected a folder or a zip archive. "
        "Give the folder that holds the interferograms"
    )


def _with_members(root: Path, files: list[Path], refused: list[Rejected]) -> Listing:
    """Archives replaced by their members; one `Rejected` an archive for all that is wrong with it."""
    plain = {path for path in files if not archives.is_archive(path)}
    members: list[Path] = []
    for archive in (path for path in files if path not in plain):
        try:
            found = archives.directory(archive)
        except DataError as error:
            refused.append(_refuse(archive, root, str(error)))
            continue
        members += [archive / name for name in found.members if archive.parent / name not in plain]
        if found.refused:
            name, problem = next(iter(found.refused.items()))
            reason = f"holds {len(found.refused)} members that are not used, the first {printable(name)!r}, which "
            refused.append(_refuse(archive, root, f"{reason}{problem}: expected plain files. Make the archive again"))
    return Listing(root, tuple(sorted((*plain, *members))), tuple(refused))


def _link_problem(entry: Path, root: Path) -> str:
    if not entry.is_symlink():
        return ""
    if not entry.exists():
        return "is a link to nothing: restore its target or remove it"
    if entry.is_dir():
        return "is a link to a folder, which is not followed: replace it with the folder itself"
    if not entry.resolve().is_relative_to(root):
        return "is a link that leaves the source folder: replace it with the file itself"
    return ""


def _refuse(path: Path, root: Path, reason: str) -> Rejected:
    name = path.name if path == root else printable(path.relative_to(root))
    return Rejected(name, f"{name} {reason}")


def parse_day(text: str) -> np.datetime64:
    """The day of ``YYYYMMDD``.

    Raises
    ------
    ValueError
        If it is no day of the calendar.
    """
    return np.datetime64(f"{text[:4]}-{text[4:6]}-{text[6:8]}", "D")


def parse_pair(name: str) -> tuple[np.datetime64, np.datetime64]:
    """Reference and secondary day from a name that holds ``YYYYMMDD-YYYYMMDD`` or ``YYYYMMDD_YYYYMMDD``.

    Raises
    ------
    ValueError
        If there is no such part, if there are several, or if a date is not in the calendar.
    """
    found = set(_PAIR.findall(name))
    if len(found) != 1:
        raise ValueError(f"has {len(found)} pairs of dates in its name, expected one YYYYMMDD-YYYYMMDD")
    (text,) = found
    try:
        return parse_day(text[0]), parse_day(text[1])
    except ValueError:
        raise ValueError(f"has {'-'.join(text)} in its name, which are not two days of the calendar") from None


def date_problem(reference: np.datetime64, secondary: np.datetime64, *, earliest: np.datetime64) -> str:
    """Why two acquisition days cannot make a pair, or an empty text."""
    if reference == secondary:
        return f"pairs {reference} with itself: expected two dates"
    if reference > secondary:
        return f"has its reference {reference} after its secondary {secondary}: form the pair in order of time"
    if reference < earliest:
        return f"has the date {reference}, before the mission began on {earliest}: correct the name"
    if secondary > np.datetime64("now", "D") + np.timedelta64(1, "D"):
        return f"has the date {secondary}, which is in the future: correct the name"
    return ""


def one_of(paths: Iterable[SourcePath]) -> SourcePath | None:
    """The only path of several, or None if there is none.

    Raises
    ------
    ValueError
        If there is more than one.
    """
    several = sorted(paths, key=str)
    if len(several) > 1:
        raise ValueError(f"{len(several)} files where one was expected: {', '.join(map(printable, several))}. Keep one")
    return several[0] if several else None
