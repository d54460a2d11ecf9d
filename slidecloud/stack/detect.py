"""Open a folder of interferograms, whatever format it is in."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Literal, NamedTuple, get_args

from slidecloud.stack import gamma, licsar
from slidecloud.stack.geotiff import GeotiffSource
from slidecloud.stack.names import Listing, list_files, printable
from slidecloud.stack.source import Source
from slidecloud.types import Grid

Kind = Literal["auto", "gamma", "licsar"]


class _Format(NamedTuple):
    matches: Callable[[Listing], bool]
    open: Callable[..., GeotiffSource]
    expected: str


_FORMATS = {
    "gamma": _Format(
        gamma.matches, gamma.open_gamma, "GAMMA: *YYYYMMDD-YYYYMMDD*unw.tif and *cc.tif with *.par headers"
    ),
    "licsar": _Format(licsar.matches, licsar.open_licsar, "LiCSAR: YYYYMMDD_YYYYMMDD.geo.unw.tif and .geo.cc.tif"),
}


def open_source(
    path: str | os.PathLike[str], *, kind: Kind = "auto", id: str | None = None, grid: Grid | None = None
) -> Source:
    """Open a folder of interferograms. Only file names and headers are read.

    Parameters
    ----------
    path
        The folder. All its subfolders are searched.
    kind
        Format: ``gamma``, ``licsar``, or ``auto`` to tell it from the names of the files.
    id
        Name of the stack, ``[a-z0-9_]{1,64}``; by default the LiCSAR frame or the name of the folder, in lower case.
    grid
        Grid of the stack where it exists already: files are cut to it, or padded with no data. By default the grid
        is the union of the files on the lattice (CRS, spacing, whole pixels) that most of them share; others are
        refused.

    Returns
    -------
    Source
        Pairs that cannot be used are in its ``rejected``, with reason and remedy.

    Raises
    ------
    FileNotFoundError, NotADirectoryError, PermissionError
        If the folder is missing, no folder, not readable, or holds nothing of a known format.
    DataError
        If no pair, or none of the headers that all pairs need, can be used.
    ValueError
        If several formats fit, `kind` is unknown, or the id cannot name a stack.

    Warns
    -----
    SourceWarning
        If something was left out, or assumed, that a person should know.
    """
    if kind not in get_args(Kind):
        raise ValueError(f"kind is {kind!r}: expected one of {', '.join(get_args(Kind))}")
    listing = list_files(path)
    fitting = [name for name, form in _FORMATS.items() if kind in ("auto", name) and form.matches(listing)]
    if not fitting:
        raise FileNotFoundError(_nothing_fits(listing, kind))
    if len(fitting) > 1:
        raise ValueError(
            f"{printable(listing.root)} holds files of several formats ({', '.join(fitting)}), expected one: "
            f"pass kind={fitting[0]!r} or another, or give the folder of one"
        )
    return _FORMATS[fitting[0]].open(listing, id=id, grid=grid)


def _nothing_fits(listing: Listing, kind: str) -> str:
    count = len(listing.files)
    found = f"{count} files, such as {listing.name(listing.files[0])}" if count else "no files"
    refused = f" Left out: {listing.refused[0].reason}." if listing.refused else ""
    expected = " or ".join(form.expected for name, form in _FORMATS.items() if kind in ("auto", name))
    return (
        f"{printable(listing.root)} holds {found}, but none of a known format; expected {expected}. "
        f"Give the folder that holds them, or rename the files.{refused}"
    )
