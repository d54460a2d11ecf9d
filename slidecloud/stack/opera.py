"""OPERA CSLC-S1: geocoded coregistered single-look images of a burst, HDF5, as published and as COMPASS writes them.

Files lie in a folder or a bucket; of one in a bucket only the rows asked for are fetched. Samples are complex64 on a
UTM grid, 5 m east by 10 m north, with the phase of orbit and topography removed; NaN is no data. Times are those of
zero Doppler at the first line. Perpendicular baselines come from the orbits in the files, measured from the first image
of the folder, positive towards larger look angles. The static layers of the burst, where they lie beside the images,
give elevation and look vectors; incidence is that of the look vector against the vertical, not against the slope as
``local_incidence_angle``. Layover and shadow are not masked: the stage ``visibility`` maps them.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import numpy as np

from slidecloud.kernels.orbits import perpendicular_baseline
from slidecloud.stack.files import fingerprint
from slidecloud.stack.geometry import checked_elevation, checked_look_vectors
from slidecloud.stack.geotiff import by_key
from slidecloud.stack.grids import majority, placement
from slidecloud.stack.hdf5 import Hdf5, lay, opened
from slidecloud.stack.names import SENTINEL1_LAUNCH, Listing, SourcePath, printable
from slidecloud.stack.opera_metadata import ImageFacts, centre_of, grid_of, position, read_facts, stack_header
from slidecloud.stack.opera_names import Product, choose, matches
from slidecloud.stack.slc import acquisition_problem
from slidecloud.stack.source import SourceWarning, check_id, row_range
from slidecloud.types import DataError, Float32, Grid, ImageBlock, Rejected, SourceImage, StackHeader

__all__ = ["OperaSource", "matches", "open_opera"]

_THREADS = 16


@dataclass(frozen=True, slots=True)
class Samples:
    """Where the samples of an image lie: file, dataset, and the place of its first pixel in the stack."""

    place: SourcePath
    dataset: str
    row: int
    column: int


@dataclass(frozen=True)
class OperaSource:
    """Images of one burst; see `slidecloud.stack.slc.SlcSource`. ``samples`` by image key; ``layers``: static file."""

    header: StackHeader
    images: tuple[SourceImage, ...]
    rejected: tuple[Rejected, ...]
    samples: Mapping[str, Samples]
    layers: SourcePath | None
    sample_scale: None = None
    flattened: Literal[True] = True

    def static(self) -> dict[str, Float32]:
        """Elevation (m), incidence (rad) and look vectors from the static layers, as far as they lie there."""
        if self.layers is None or self.header.grid is None:
            return {}
        with opened(self.layers) as file:
            row, column = _placed(file.name, grid_of(file), self.header.grid)
            maps = {
                name: _laid(self.header.shape, file, path, row, column)
                for name, path in (("elevation", "/data/z"), ("east", "/data/los_east"), ("north", "/data/los_north"))
                if path in file
            }
        found = {}
        if "elevation" in maps:
            found["elevation"] = checked_elevation(maps["elevation"], f"{file.name}: /data/z")
        if "east" in maps and "north" in maps:
            east, north = maps["east"], maps["north"]
            nowhere = (east == 0) & (north == 0)
            up = np.sqrt(np.maximum(1 - np.square(east, dtype=float) - np.square(north, dtype=float), 0))
            up = np.where(nowhere, np.nan, up).astype(np.float32)
            found |= checked_look_vectors(east, north, up, pass_=self.header.pass_, name=f"{file.name}: /data/los_east")
        return found

    def read_image(self, image: SourceImage, rows: slice) -> ImageBlock:
        """Rows of one image, complex64; NaN where the image does not reach."""
        found = self.samples[image.key]
        start, stop = row_range(rows, self.header.shape[0])
        samples = np.full((stop - start, self.header.shape[1]), np.nan, np.complex64)
        with opened(found.place) as file:
            dataset = file.dataset(found.dataset, kinds="c", ndim=2, expected="complex samples")
            lay(samples, file, dataset, start, row=found.row, column=found.column)
        return ImageBlock(samples, None)


def open_opera(listing: Listing, *, id: str | None = None, grid: Grid | None = None) -> OperaSource:
    """Open the images of one burst.

    Parameters
    ----------
    listing
        Files of the folder.
    id
        Name of the stack, the burst if not given. Where the folder holds several bursts, one of them.
    grid
        Grid of the stack where that exists already; else the union of the grids of the images.

    Raises
    ------
    DataError
        If there are several bursts, no image can be used, or orbit and pass contradict each other.
    ValueError
        If the id cannot name a stack.

    Warns
    -----
    SourceWarning
        If there are no static layers.
    """
    chosen = choose(listing, id)
    stack_id = check_id(chosen.burst if id is None else id, origin="id")
    rejected: list[Rejected] = []
    facts: dict[Product, ImageFacts] = {}
    for product, found in zip(chosen.products, _survey(chosen.products), strict=True):
        if isinstance(found, DataError):
            rejected.append(Rejected(listing.name(product.path), str(found), fingerprint(product.path)))
        else:
            facts[product] = found
    if not facts:
        reason = (*rejected, *chosen.rejected)[0].reason
        raise DataError(f"{printable(listing.root)}: none of {len(chosen.products)} images can be used. {reason}")
    grid = grid or majority(found.grid for found in facts.values())
    target = centre_of(grid).target
    usual, _ = Counter(_radar(found) for found in facts.values()).most_common(1)[0]
    images: list[SourceImage] = []
    samples: dict[str, Samples] = {}
    header = first = None
    for product, found in facts.items():
        name, mark = listing.name(product.path), fingerprint(product.path)
        try:
            _check_alike(found, usual, name)
            row, column = _placed(name, found.grid, grid)
            state = position(found, target, name)
            if header is None or first is None:
                header, first = stack_header(stack_id, chosen.burst, found, state, grid, name), state
        except DataError as error:
            rejected.append(Rejected(name, str(error), mark))
            continue
        baseline = perpendicular_baseline(first, state, target)
        images.append(SourceImage(found.time, baseline, (str(product.path),), mark))
        samples[images[-1].key] = Samples(product.path, found.dataset, row, column)
    if header is None:
        raise DataError(f"{printable(listing.root)}: no image can be used. The first: {rejected[0].reason}")
    if chosen.static is None:
        warnings.warn(
            f"{printable(listing.root)} has no static layers of {chosen.burst}: elevation and look vectors are not "
            "known. Put the file OPERA_L2_CSLC-S1-STATIC_... beside the images",
            SourceWarning,
            stacklevel=2,
        )
    return OperaSource(
        header,
        tuple(images),
        by_key(chosen.rejected, rejected),
        samples,
        chosen.static,
    )


def _survey(products: Sequence[Product]) -> Iterator[ImageFacts | DataError]:
    """Metadata of all images, or why an image cannot be used; those in buckets at once."""
    with ThreadPoolExecutor(_THREADS) as pool:
        yield from pool.map(_facts, products)


def _facts(product: Product) -> ImageFacts | DataError:
    try:
        with opened(product.path) as file:
            found = read_facts(file, product.polarisation)
        day = str(found.time.astype("datetime64[D]")).replace("-", "")
        problem = acquisition_problem(found.time, earliest=SENTINEL1_LAUNCH)
        if day != product.day:
            problem = f"was acquired on {day}, expected {product.day} as in its name: rename or fetch it again"
        if problem:
            raise DataError(f"{file.name} {problem}")
    except DataError as error:
        return error
    return found


def _radar(facts: ImageFacts) -> tuple[str, str]:
    return f"{facts.wavelength:.5f} m", facts.pass_


def _check_alike(facts: ImageFacts, usual: tuple[str, str], name: str) -> None:
    """One stack has one wavelength and one pass, those of most images."""
    if _radar(facts) != usual:
        raise DataError(
            f"{name} has the wavelength and pass {', '.join(_radar(facts))}, expected {', '.join(usual)} like most "
            "images of the folder: put it into a stack of its own"
        )


def _placed(name: str, grid: Grid, stack: Grid) -> tuple[int, int]:
    try:
        return placement(grid, stack)
    except DataError as error:
        raise DataError(f"{name} {error}") from error


def _laid(shape: tuple[int, int], file: Hdf5, path: str, row: int, column: int) -> Float32:
    """A static layer on the grid of a stack."""
    values = np.full(shape, np.nan, np.float32)
    lay(values, file, file.dataset(path, kinds="f", ndim=2, expected="a static layer"), 0, row=row, column=column)
    return values
