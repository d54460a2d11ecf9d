"""Open a folder of interferograms or single-look images, whatever format it is in."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Literal, NamedTuple, get_args

from slidecloud.stack import gamma, licsar, mapping, mintpy, opera, slc_zarr, snap
from slidecloud.stack.names import Listing, list_files, printable
from slidecloud.stack.slc import SlcSource
from slidecloud.stack.source import Source
from slidecloud.types import Grid

Kind = Literal["auto", "gamma", "licsar", "mapping", "mintpy", "opera", "snap", "zarr"]


class _Format(NamedTuple):
    matches: Callable[[Listing], bool]
    open: Callable[[Listing, str | None, Grid | None], Source | SlcSource]
    expected: str


_FORMATS = {
    "gamma": _Format(
        gamma.matches,
        lambda listing, id, grid: gamma.open_gamma(listing, id=id, grid=grid),
        "GAMMA: *YYYYMMDD-YYYYMMDD*unw.tif and *cc.tif with *.par headers",
    ),
    "licsar": _Format(
        licsar.matches,
        lambda listing, id, grid: licsar.open_licsar(listing, id=id, grid=grid),
        "LiCSAR: YYYYMMDD_YYYYMMDD.geo.unw.tif and .geo.cc.tif",
    ),
    "mintpy": _Format(
        mintpy.matches,
        lambda listing, id, _: mintpy.open_mintpy(listing, id=id),
        "MintPy: ifgramStack.h5 with geometryGeo.h5 or geometryRadar.h5",
    ),
    "opera": _Format(
        opera.matches,
        lambda listing, id, grid: opera.open_opera(listing, id=id, grid=grid),
        "OPERA: coregistered images OPERA_L2_CSLC-S1_*.h5 or t027_056725_iw1_YYYYMMDD.h5",
    ),
    "snap": _Format(
        snap.matches,
        lambda listing, id, _: snap.open_snap(listing, id=id),
        "SNAP: coregistered images as *.znap with bands i_VV_31Mar2023 and q_VV_31Mar2023",
    ),
    "zarr": _Format(
        slc_zarr.matches,
        lambda listing, id, _: slc_zarr.open_slc_zarr(listing, id=id),
        "a Zarr store of images: slc, or real and imag, by time",
    ),
}


def open_source(
    path: str | os.PathLike[str],
    *,
    kind: Kind = "auto",
    id: str | None = None,
    grid: Grid | None = None,
    mapping_file: str | None = None,
    keep_dropped: bool = False,
) -> Source | SlcSource:
    """Open a folder of interferograms or of coregistered single-look images. Only file names and headers are read.

    Parameters
    ----------
    path
        The folder. All its subfolders are searched.
    kind
        Format: ``gamma``, ``licsar`` (interferograms), ``snap``, ``zarr`` (single-look images), or ``auto`` to tell it
        from the names of the files. ``mapping``, a plain store or file, needs `mapping_file`.
    id
        Name of the stack, ``[a-z0-9_]{1,64}``; by default the LiCSAR frame or the name of the folder, in lower case.
    grid
        Grid of the stack where it exists already: files are cut to it, or padded with no data. By default the grid
        is the union of the files on the lattice (CRS, spacing, whole pixels) that most of them share; others are
        refused.
    mapping_file
        YAML or JSON file that says what a plain Zarr store or NetCDF file, `path`, holds; then no format is looked for.
    keep_dropped
        Offer the pairs too that MintPy drops.

    Returns
    -------
    Source or SlcSource
        Pairs or images that cannot be used are in its ``rejected``, with reason and remedy.

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
    if mapping_file is not None:
        return mapping.open_mapped(path, mapping_file, id=id)
    if kind == "mapping":
        raise ValueError("kind is 'mapping', and no mapping_file (--mapping) says what the source holds: give one")
    listing = list_files(path)
    fitting = [name for name, form in _FORMATS.items() if kind in ("auto", name) and form.matches(listing)]
    if not fitting:
        raise FileNotFoundError(_nothing_fits(listing, kind))
    if len(fitting) > 1:
        raise ValueError(
            f"{printable(listing.root)} holds files of several formats ({', '.join(fitting)}), expected one: "
            f"pass kind={fitting[0]!r} or another, or give the folder of one"
        )
    if fitting == ["mintpy"]:
        return mintpy.open_mintpy(listing, id=id, keep_dropped=keep_dropped)
    return _FORMATS[fitting[0]].open(listing, id, grid)


def _nothing_fits(listing: Listing, kind: str) -> str:
    count = len(listing.files)
    found = f"{count} files, such as {listing.name(listing.files[0])}" if count else "no files"
    refused = f" Left out: {listing.refused[0].reason}." if listing.refused else ""
    expected = " or ".join(form.expected for name, form in _FORMATS.items() if kind in ("auto", name))
    return (
        f"{printable(listing.root)} holds {found}, but none of a known format; expected {expected}. "
        f"Give the folder that holds them, or rename the files.{refused}"
    )
