"""Files of a source folder, and the dates in their names."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from slidecloud.types import Rejected

SENTINEL1_LAUNCH = np.datetime64("2014-04-03", "D")
_PAIR = re.compile(r"(?<!\d)(\d{8})[-_](\d{8})(?!\d)")


@dataclass(frozen=True, slots=True)
class Listing:
    """Regular files below a folder, and what was left out of them.

    Attributes
    ----------
    root
        The folder, absolute, links resolved.
    files
        Absolute paths, sorted.
    refused
        Links that leave the folder, linked or unreadable folders; each with reason and remedy.
    """

    root: Path
    files: tuple[Path, ...]
    refused: tuple[Rejected, ...]

    def name(self, path: Path) -> str:
        """Path below the root, for messages."""
        return printable(path.relative_to(self.root))


def printable(path: Path | str) -> str:
    """A name as one line of text that shows control characters and undecodable bytes as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in str(path))


def list_files(path: str | os.PathLike[str]) -> Listing:
    """All regular files below a folder. Links are followed to files inside the folder only.

    Raises
    ------
    FileNotFoundError, NotADirectoryError, PermissionError
        If `path` is missing, is no folder, or cannot be listed.
    """
    root = Path(path)
    if not root.exists():
        raise FileNotFoundError(
            f"source {printable(root)} does not exist: give the folder that holds the interferograms"
        )
    if not root.is_dir():
        raise NotADirectoryError(
            f"source {printable(root)} is a file: expected a folder. Give the folder that holds the interferograms"
        )
    root = root.resolve()
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
    return Listing(root, tuple(sorted(files)), tuple(refused))


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
    name = printable(path.relative_to(root))
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


def one_of(paths: Iterable[Path]) -> Path | None:
    """The only path of several, or None if there is none.

    Raises
    ------
    ValueError
        If there is more than one.
    """
    several = sorted(paths)
    if len(several) > 1:
        raise ValueError(f"{len(several)} files where one was expected: {', '.join(map(printable, several))}. Keep one")
    return several[0] if several else None
