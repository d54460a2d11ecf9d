"""Coregistered single-look images in one Zarr store, as sarxarray and others write them.

Samples are ``slc`` (complex) or ``real`` and ``imag``, over the dimensions time, azimuth (or y) and range (or x) in
any order. ``time`` holds acquisition times by the CF conventions. Attributes of the root (or of ``slc``): ``spacing``
[y, x] in metres on the ground and ``heading`` in degrees clockwise from north; optional ``wavelength`` (m),
``slant_range`` (m), ``effective_looks`` of a sample and ``look_direction``. Optional arrays: ``perpendicular_baseline``
(time) in metres, ``flattening_phase`` (time, azimuth, range) in rad where geometry is still in the samples, and the
maps of `slidecloud.stack.source.STATIC_LAYERS`.
"""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from slidecloud.kernels.phase import encode
from slidecloud.stack.archives import inside
from slidecloud.stack.files import state
from slidecloud.stack.geometry import flight_pass
from slidecloud.stack.names import SENTINEL1_LAUNCH, Listing, printable
from slidecloud.stack.slc import acquisition_problem, one_a_day
from slidecloud.stack.source import STATIC_LAYERS, WavelengthWarning, check_id, row_range
from slidecloud.types import (
    SENTINEL1_WAVELENGTH,
    DataError,
    Float32,
    ImageBlock,
    Rejected,
    SourceImage,
    StackHeader,
)

if TYPE_CHECKING:
    import xarray as xr

_GROUP = (".zgroup", "zarr.json")
_SAMPLES = ("slc", "real", "imag")


@dataclass(frozen=True)
class SlcZarrSource:
    """Images of one Zarr store; see `slidecloud.stack.slc.SlcSource`. ``layers``: place along time by image key."""

    path: str
    header: StackHeader
    images: tuple[SourceImage, ...]
    rejected: tuple[Rejected, ...]
    layers: dict[str, int]
    flattened: bool
    sample_scale: None = None

    def static(self) -> dict[str, Float32]:
        """Maps of the store that are among `STATIC_LAYERS`."""
        store = _open(Path(self.path))
        return {
            name: np.asarray(store[name].transpose("y", "x"), np.float32) for name in STATIC_LAYERS if name in store
        }

    def read_image(self, image: SourceImage, rows: slice) -> ImageBlock:
        """Rows of one image, complex64."""
        window = {"time": self.layers[image.key], "y": slice(*row_range(rows, self.header.shape[0]))}
        store = _open(Path(self.path))

        def part(name: str) -> Any:
            try:
                return store[name].isel(window).transpose("y", "x").values
            except (OSError, ValueError, RuntimeError) as error:
                raise DataError(
                    f"{name} of {printable(self.path)} cannot be read ({error}): write the store again"
                ) from error

        samples = part("slc").astype(np.complex64) if "slc" in store else _complex(part("real"), part("imag"))
        if self.flattened:
            return ImageBlock(samples, None)
        angle = part("flattening_phase")
        samples[~np.isfinite(angle)] = 0
        return ImageBlock(samples, encode(angle))


def matches(listing: Listing) -> bool:
    """Whether a folder is a Zarr store of samples, unpacked."""
    if inside(listing.root):
        return False
    names = {listing.below(path) for path in listing.files}
    return not names.isdisjoint(_GROUP) and any(name.partition("/")[0] in _SAMPLES for name in names if "/" in name)


def open_slc_zarr(listing: Listing, *, id: str | None = None) -> SlcZarrSource:
    """Open a Zarr store of single-look images in radar geometry.

    Parameters
    ----------
    listing
        Files of the store.
    id
        Name of the stack; the name of the store without ending, in lower case, if not given.

    Raises
    ------
    DataError
        If samples, dimensions, times or attributes are missing or of a wrong type; says what was expected.
    ValueError
        If the id cannot name a stack.
    """
    root, _ = listing.local_files()
    name = printable(root)
    stack_id = check_id(root.stem.lower() if id is None else id, origin="id")
    store = _open(root)
    _check_samples(store, name)
    times = _times(store, name)
    baselines = np.full(len(times), np.nan)
    if "perpendicular_baseline" in store:
        baselines = np.asarray(store["perpendicular_baseline"].values, np.float64)
    images, rejected = [], list(listing.refused)
    fingerprint = _fingerprint(listing)
    for layer, (time, baseline) in enumerate(zip(times, baselines, strict=True)):
        problem = acquisition_problem(time, earliest=SENTINEL1_LAUNCH)
        if problem:
            rejected.append(Rejected(str(time), f"image {layer} of {name} {problem}", fingerprint))
        else:
            images.append((layer, SourceImage(time, float(baseline), (str(root),), fingerprint)))
    if not images:
        raise DataError(f"{name} has no usable image. The first: {rejected[0].reason}")
    return SlcZarrSource(
        str(root), _header(store, stack_id, name), one_a_day([image for _, image in images], name),
        tuple(rejected), {image.key: layer for layer, image in images}, "flattening_phase" not in store,
    )  # fmt: skip


def _open(path: Path) -> xr.Dataset:
    import xarray as xr
    from zarr.errors import ZarrUserWarning

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", ZarrUserWarning)  # an array without metadata, which would be left out
            store: xr.Dataset = xr.open_zarr(str(path), chunks=None, consolidated=False)
    except (OSError, ValueError, TypeError, KeyError, ZarrUserWarning) as error:
        raise DataError(f"{printable(path)} is no Zarr store that xarray reads ({error}): write it again") from error
    names = {"azimuth": "y", "range": "x"}
    plain = store.drop_vars([old for old in names if old in store.coords])
    renamed: xr.Dataset = plain.rename({old: new for old, new in names.items() if old in plain.dims})
    return renamed


def _check_samples(store: xr.Dataset, name: str) -> None:
    present = [part for part in _SAMPLES if part in store]
    if present not in (["slc"], ["real", "imag"]):
        raise DataError(
            f"{name} holds {', '.join(present) or 'no samples'}, expected slc, or real and imag: write what is missing"
        )
    for part in present:
        array = store[part]
        if set(array.dims) != {"time", "y", "x"}:
            raise DataError(
                f"{part} of {name} has the dimensions {', '.join(map(str, array.dims))}, expected time, azimuth, "
                "range: write one image for each time"
            )
        kind = "c" if part == "slc" else "f"
        if array.dtype.kind != kind:
            expected = "complex64" if part == "slc" else "floating point"
            raise DataError(f"{part} of {name} has the dtype {array.dtype}, expected {expected}: write the samples")


def _times(store: xr.Dataset, name: str) -> Any:
    times = store["time"]
    if times.dtype.kind != "M":
        raise DataError(
            f"time of {name} has the dtype {times.dtype} and no units, expected acquisition times: give it the "
            "attribute units, such as 'days since 2023-03-19T05:50:35'"
        )
    return times.values.astype("datetime64[s]")


def _header(store: xr.Dataset, stack_id: str, name: str) -> StackHeader:
    attributes = {**(store["slc"].attrs if "slc" in store else {}), **store.attrs}
    missing = [key for key in ("spacing", "heading") if key not in attributes]
    if missing:
        raise DataError(
            f"{name} lacks the attribute {missing[0]}, expected spacing ([y, x] in metres on the ground) and heading "
            "(degrees clockwise from north) at the root: add them"
        )
    if "wavelength" not in attributes:
        warnings.warn(
            f"{name} names no wavelength: {SENTINEL1_WAVELENGTH} m of Sentinel-1 is assumed",
            WavelengthWarning,
            stacklevel=3,
        )
    heading = float(attributes["heading"])
    y, x = (float(step) for step in attributes["spacing"])
    return StackHeader(
        id=stack_id,
        geometry="radar",
        shape=(store.sizes["y"], store.sizes["x"]),
        spacing=(y, x),
        wavelength=float(attributes.get("wavelength", SENTINEL1_WAVELENGTH)),
        range_looks=1,
        azimuth_looks=1,
        effective_looks=float(attributes.get("effective_looks", 1.0)),
        heading=heading,
        look_direction="left" if attributes.get("look_direction") == "left" else "right",
        pass_=flight_pass(heading),
        slant_range=float(attributes.get("slant_range", float("nan"))),
        source=str(attributes.get("source", "Zarr")),
        processor=str(attributes.get("processor", "unknown")),
        filtered=False,
        has_unwrapped=False,
    )


def _complex(real: Any, imag: Any) -> Any:
    samples = np.empty(real.shape, np.complex64)
    samples.real, samples.imag = real, imag
    return samples


def _fingerprint(listing: Listing) -> str:
    """Digest of names, sizes and modification times of the store's files."""
    digest = hashlib.blake2b(digest_size=16)
    for file in listing.files:
        digest.update(f"{listing.name(file)}\0{state(file)}\n".encode())
    return digest.hexdigest()
