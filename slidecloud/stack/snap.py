"""Coregistered single-look images as SNAP exports them: folders of ZNAP stores (Zarr 2), one for each or for all dates.

Bands ``i_VV_31Mar2023`` and ``q_VV_31Mar2023`` (also with ``IW3_`` before and ``mst_``, ``slv1_`` after the
polarisation) are real and imaginary part; bands ``elevation_*``, ``latitude_*``, ``longitude_*`` and the tie-point grid
``incident_angle`` become maps. Geometry must have been removed from the phase (as by the reference phase of
BandMath or TopoPhaseRemoval). Times have the day of the band's name and the time of day of the product.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import zarr
from numpy.typing import NDArray

from slidecloud.stack.archives import inside
from slidecloud.stack.names import SENTINEL1_LAUNCH, Listing, printable
from slidecloud.stack.slc import acquisition_problem, one_a_day
from slidecloud.stack.snap_metadata import METADATA, Product, day_of
from slidecloud.stack.source import check_id, row_range
from slidecloud.types import DataError, Float32, ImageBlock, Rejected, SourceImage, StackHeader

_BAND = re.compile(r"i_(?:IW\d_)?(VV|HH|VH|HV)_(?:(?:mst|slv\d*|ref|sec\d*)_)?(\d{2}[A-Z][a-z]{2}\d{4})")
_MAPS = ("elevation", "latitude", "longitude")


@dataclass(frozen=True)
class SnapSource:
    """Images of ZNAP stores; see `slidecloud.stack.slc.SlcSource`. ``bands`` by image key: folders of i and q."""

    header: StackHeader
    images: tuple[SourceImage, ...]
    rejected: tuple[Rejected, ...]
    bands: Mapping[str, tuple[Path, Path]]
    maps: Mapping[str, Path]
    incidence: Path | None
    sample_scale: None = None
    flattened: Literal[True] = True

    def static(self) -> dict[str, Float32]:
        """Elevation (m), latitude, longitude (degrees) and incidence (rad) as far as the stores hold them."""
        found = {name: _read(path, slice(None)).astype(np.float32) for name, path in self.maps.items()}
        if self.incidence is not None:
            found["incidence"] = np.deg2rad(_tie_points(self.incidence, self.header.shape)).astype(np.float32)
        return found

    def read_image(self, image: SourceImage, rows: slice) -> ImageBlock:
        """Rows of one image, complex64."""
        wanted = slice(*row_range(rows, self.header.shape[0]))
        real, imag = (_read(path, wanted) for path in self.bands[image.key])
        samples = np.empty(real.shape, np.complex64)
        samples.real, samples.imag = real, imag
        return ImageBlock(samples, None)


def matches(listing: Listing) -> bool:
    """Whether a folder holds ZNAP stores, unpacked."""
    return any(path.as_posix().endswith(f".znap/{METADATA}") and not inside(path) for path in listing.files)


def open_snap(listing: Listing, *, id: str | None = None) -> SnapSource:
    """Open the ZNAP stores of a folder.

    Parameters
    ----------
    listing
        Files of the folder.
    id
        Name of the stack; the name of the folder, in lower case, if not given.

    Raises
    ------
    DataError
        If no image can be used, or metadata are missing or broken.
    ValueError
        If the id cannot name a stack.
    """
    stack_id = check_id(listing.root.name.lower() if id is None else id, origin="id")
    _, files = listing.local_files()
    stores = [path.parents[1] for path in files if path.as_posix().endswith(f".znap/{METADATA}")]
    product = Product(stores[0] / METADATA)
    images: list[SourceImage] = []
    bands: dict[str, tuple[Path, Path]] = {}
    rejected: list[Rejected] = list(listing.refused)
    found = sorted(_bands(stores), key=lambda item: item[1])
    best = min((("VV", "HH", "VH", "HV").index(polarisation) for polarisation, *_ in found), default=0)
    for polarisation, real, day in found:
        if ("VV", "HH", "VH", "HV").index(polarisation) != best:
            continue
        name, imag = listing.name(real), real.with_name("q" + real.name[1:])
        try:
            time = day_of(day) + product.day_time
            problem = acquisition_problem(time, earliest=SENTINEL1_LAUNCH)
            if problem:
                raise DataError(f"{name} {problem}")
            for path in (real, imag):
                _check_band(path, product.shape, listing.name(path))
        except DataError as error:
            rejected.append(Rejected(name, str(error), _fingerprint((real, imag))))
            continue
        images.append(SourceImage(time, product.baseline(day), (str(real), str(imag)), _fingerprint((real, imag))))
        bands[images[-1].key] = (real, imag)
    if not images:
        reason = f" The first: {rejected[0].reason}" if rejected else ""
        raise DataError(
            f"{printable(listing.root)}: no band i_* with its q_* can be used, expected one a date.{reason}"
        )
    angles = [store / "incident_angle" for store in stores if (store / "incident_angle").is_dir()]
    return SnapSource(
        product.header(stack_id),
        one_a_day(images, printable(listing.root)),
        tuple(rejected),
        bands,
        _maps(stores, product.shape),
        angles[0] if angles else None,
    )


def _bands(stores: list[Path]) -> Iterator[tuple[str, Path, str]]:
    """(polarisation, folder of the real part, day) of every image."""
    for store in stores:
        for folder in sorted(store.iterdir()):
            match = _BAND.fullmatch(folder.name)
            if match and folder.is_dir():
                yield match[1], folder, match[2]


def _maps(stores: list[Path], shape: tuple[int, int]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for store in stores:
        for folder in sorted(store.iterdir()):
            name = folder.name.split("_")[0]
            if name in _MAPS and "_" in folder.name and (folder / ".zarray").is_file() and _open(folder).shape == shape:
                found.setdefault(name, folder)
    return found


def _open(path: Path) -> zarr.Array[Any]:
    try:
        return zarr.open_array(str(path), mode="r", zarr_format=2)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataError(
            f"{path.parent.name}/{path.name} is no Zarr array ({error}): export the product again"
        ) from error


def _check_band(path: Path, shape: tuple[int, int], name: str) -> None:
    if not path.is_dir():
        raise DataError(f"{name} is missing, expected the bands i_* and q_* of an image: export both")
    array = _open(path)
    if array.shape != shape:
        raise DataError(f"{name} has the shape {array.shape}, expected {shape} like the product: coregister the image")
    if array.dtype.newbyteorder("=") not in (np.float32, np.float64, np.int16):
        raise DataError(f"{name} has the dtype {array.dtype}, expected float32 or int16: export single-look samples")
    chunks = math.prod(-(-size // chunk) for size, chunk in zip(array.shape, array.chunks, strict=True))
    stored = sum(1 for file in path.iterdir() if not file.name.startswith("."))
    if stored < chunks:
        raise DataError(f"{name} has {stored} chunks, expected {chunks}: export the product again")


def _read(path: Path, rows: slice) -> NDArray[Any]:
    try:
        return np.asarray(_open(path)[rows])
    except (OSError, ValueError, RuntimeError) as error:
        raise DataError(f"{path.parent.name}/{path.name} cannot be read ({error}): export the product again") from error


def _tie_points(path: Path, shape: tuple[int, int]) -> NDArray[np.float64]:
    """A tie-point grid, bilinear at every sample."""
    array = _open(path)
    points = np.asarray(array[...], np.float64)
    for axis, name in enumerate("yx"):
        step, first = (float(array.attrs[f"{key}_{name}"]) for key in ("subsampling", "offset"))  # type: ignore[arg-type]
        place = np.clip((np.arange(shape[axis]) + 0.5 - first) / step, 0, points.shape[axis] - 1)
        low = np.minimum(place.astype(int), max(points.shape[axis] - 2, 0))
        share = np.expand_dims(place - low, 1 - axis)
        points = (
            np.take(points, low, axis) * (1 - share)
            + np.take(points, np.minimum(low + 1, points.shape[axis] - 1), axis) * share
        )
    return points


def _fingerprint(folders: tuple[Path, ...]) -> str:
    """Digest of names, sizes and modification times of all files of some bands."""
    digest = hashlib.blake2b(digest_size=16)
    for folder in folders:
        for file in sorted(folder.iterdir()) if folder.is_dir() else ():
            found = file.stat()
            digest.update(f"{folder.name}/{file.name}\0{found.st_size}\0{found.st_mtime_ns}\n".encode())
    return digest.hexdigest()
