"""Open a folder or archive of interferograms or single-look images, whatever format it is in."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, NoReturn, get_args

from slidecloud.stack import gamma, hyp3, hyp3_radar, licsar, mapping, mintpy, opera, slc_zarr, snap
from slidecloud.stack.guess import endings, nearest
from slidecloud.stack.names import Listing, list_files, printable
from slidecloud.stack.slc import SlcSource
from slidecloud.stack.source import Source
from slidecloud.types import Grid, SourceKind


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
    "hyp3": _Format(
        hyp3.matches,
        lambda listing, id, grid: hyp3.open_hyp3(listing, id=id, grid=grid),
        "HyP3: burst products S1_136231_IW2_20200604_20200616_VV_INT80_10C1, folders or zip archives",
    ),
    "hyp3_radar": _Format(
        hyp3_radar.matches,
        lambda listing, id, _: hyp3_radar.open_hyp3_radar(listing, id=id),
        "HyP3: products of one burst in the geometry of the radar, *_wrapped_phase_rdr.tif; only when asked for",
    ),
    "licsar": _Format(
        licsar.matches,
        lambda listing, id, grid: licsar.open_licsar(listing, id=id, grid=grid),
        "LiCSAR: YYYYMMDD_YYYYMMDD.geo.unw.tif and .geo.cc.tif",
    ),
    "mapping": _Format(
        lambda _: False,
        lambda *_: _unmapped(),
        "any Zarr store or NetCDF file of interferograms, with a file that says what it holds: pass --mapping",
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

_ONLY_ASKED_FOR = frozenset({"hyp3_radar", "mapping"})
"""Kinds that are never told from names: the same files are another kind too, or tell nothing."""


def open_source(
    path: str | os.PathLike[str],
    *,
    kind: SourceKind = "auto",
    id: str | None = None,
    grid: Grid | None = None,
    storage_options: Mapping[str, Any] | None = None,
    mapping_file: str | None = None,
    keep_dropped: bool = False,
) -> Source | SlcSource:
    """Open a folder of interferograms or of coregistered single-look images. Only names and headers of files are read.

    Parameters
    ----------
    path
        The folder, its URL (``s3://bucket/frame``), or one zip archive. All subfolders are searched, and zip archives
        in folders of this machine; nothing is unpacked.
    kind
        Format: ``gamma``, ``hyp3``, ``licsar``, ``mintpy`` (interferograms), ``opera``, ``snap``, ``zarr`` (single-look
        images), or ``auto`` to tell it from the names of the files. ``hyp3_radar``, the same products in the geometry
        of the radar, is taken only when asked for; ``mapping``, a plain store or file, needs `mapping_file`.
    id
        Name of the stack, ``[a-z0-9_]{1,64}``; by default the burst, the LiCSAR frame or the name of the folder, in
        lower case. Where a folder holds several bursts, one of them.
    grid
        Grid of the stack where it exists already: files are cut to it, or padded with no data. By default the grid
        is the union of the files on the lattice (CRS, spacing, whole pixels) that most of them share; others are
        refused.
    storage_options
        Options of the object store of a URL; secrets by the name of an environment variable (``env:NAME``).
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
    ConnectionError
        If the store of a URL does not answer.
    DataError
        If no pair, or none of the headers that all pairs need, can be used.
    ValueError
        If several formats fit, `kind` is unknown, or the id cannot name a stack.

    Warns
    -----
    SourceWarning
        If something was left out, or assumed, that a person should know.
    """
    if kind not in get_args(SourceKind):
        raise ValueError(f"kind is {kind!r}: expected one of {', '.join(get_args(SourceKind))}")
    if mapping_file is not None:
        return mapping.open_mapped(path, mapping_file, id=id, storage_options=storage_options)
    if kind == "mapping":
        _unmapped()
    listing = list_files(path, storage_options)
    asked = [name for name in _FORMATS if kind == name or (kind == "auto" and name not in _ONLY_ASKED_FOR)]
    fitting = [name for name in asked if _FORMATS[name].matches(listing)]
    if not fitting:
        raise FileNotFoundError(_nothing_fits(listing, kind))
    if len(fitting) > 1:
        raise ValueError(_several_fit(listing, fitting))
    if fitting == ["mintpy"]:
        return mintpy.open_mintpy(listing, id=id, keep_dropped=keep_dropped)
    return _FORMATS[fitting[0]].open(listing, id, grid)


def _unmapped() -> NoReturn:
    raise ValueError("kind is 'mapping', and no mapping_file (--mapping) says what the source holds: give one")


def _several_fit(listing: Listing, fitting: list[str]) -> str:
    """Which files speak for which format: those that it would take if they were alone."""
    found = {
        name: [path for path in listing.files if _FORMATS[name].matches(Listing(listing.root, (path,), ()))]
        for name in fitting
    }
    said = "; ".join(
        f"{len(paths)} files speak for {name}" + (f", such as {listing.name(paths[0])}" if paths else "")
        for name, paths in found.items()
    )
    most = max(fitting, key=lambda name: len(found[name]))
    return (
        f"{printable(listing.root)} holds files of several formats ({', '.join(fitting)}), expected one. {said}. "
        f"Pass kind={most!r} (--kind {most}) or another of them, or give the folder of one"
    )


def _nothing_fits(listing: Listing, kind: str) -> str:
    names = [path.name for path in listing.files]
    count = len(names)
    found = f"{count} files ({endings(names)}), such as {listing.name(listing.files[0])}" if count else "no files"
    refused = f" Left out: {listing.refused[0].reason}." if listing.refused else ""
    expected = "".join(f"\n  {name:11}{form.expected}" for name, form in _FORMATS.items() if kind in ("auto", name))
    meaning = nearest(names)
    return (
        f"{printable(listing.root)} holds {found}, but none of {'a known format' if kind == 'auto' else kind}."
        + (f" They look like {meaning}." if meaning else "")
        + f" Expected one of these kinds:{expected}\nGive the folder that holds them, or rename the files.{refused}"
    )
