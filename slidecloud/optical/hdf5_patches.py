"""Patches as HDF5, a file for an image and one for its mask, in the way of Landslide4Sense.

``img/image_1.h5`` holds ``img`` (y, x, band), 128 x 128 x 14, and ``mask/mask_1.h5`` holds ``mask`` (y, x). The bands
of that set are Sentinel-2's B1 to B12 (without B10), slope and elevation; any number of bands and pixels is read.
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from slidecloud.optical.folders import Pair, pairs
from slidecloud.optical.masks import as_mask
from slidecloud.optical.naming import Naming
from slidecloud.optical.patches import Patch, Sample
from slidecloud.stack.hdf5 import opened
from slidecloud.types import DataError

ENDINGS: Final = (".h5", ".hdf5")
MOST_BANDS: Final = 64

_IMAGE: Final = ("img", "an image (y, x, band)")
_MASK: Final = ("mask", "a mask (y, x)")
_NUMBER: Final = re.compile(r"(\d+)$")


def patches(root: Path, *, naming: Naming, empty_without_mask: bool = False) -> tuple[Patch, ...]:
    """Patches of all folders ``img`` with a folder ``mask`` beside; the number at the end of a name joins the two.

    Names and shapes of datasets are checked; no pixel is read. Parameters are those of `image_pairs.patches`.

    Raises
    ------
    DataError
        If a file is missing, a name has no number, or a dataset is missing or of another shape.
    """
    found = pairs(root, endings=ENDINGS, key=_number, empty_without_mask=empty_without_mask)
    return tuple(_patch(pair, naming) for pair in found)


def read(image: Path, mask: Path | None) -> Sample:
    """A patch; without a mask nothing in it is a landslide.

    Raises
    ------
    DataError
        If a dataset cannot be used; names file and dataset.
    """
    name, expected = _IMAGE
    with opened(image) as file:
        values = file.values(name, kinds="fiu", ndim=3, expected=expected)
    if np.isinf(values).any():
        raise DataError(f"{image}: {name} holds infinite values, expected finite ones or NaN: make it again")
    bands = np.ascontiguousarray(np.moveaxis(values, -1, 0), np.float32)
    if mask is None:
        return Sample(bands, np.zeros(bands.shape[1:], np.bool_))
    name, expected = _MASK
    with opened(mask) as file:
        marks = file.values(name, kinds="fiub", ndim=2, expected=expected)
    return Sample(bands, as_mask(marks, f"{mask}: {name}"))


def _patch(pair: Pair, naming: Naming) -> Patch:
    rows, columns, bands = _shape(pair.image, *_IMAGE, ndim=3)
    if bands > min(rows, columns, MOST_BANDS):
        raise DataError(
            f"{pair.image}: {_IMAGE[0]} has the shape {(rows, columns, bands)}, expected (y, x, band), such as "
            "(128, 128, 14): turn its axes"
        )
    if pair.mask is not None and (found := _shape(pair.mask, *_MASK, ndim=2)) != (rows, columns):
        raise DataError(
            f"{pair.mask}: {_MASK[0]} has the shape {found}, expected the {(rows, columns)} of {pair.image}"
        )
    source = naming.source_of(pair.image, pair.below)
    place = naming.place_of(pair.below)
    return Patch(str(pair.image), source, place, None, (bands, rows, columns), partial(read, *pair[:2]))


def _shape(path: Path, dataset: str, expected: str, *, ndim: int) -> tuple[int, ...]:
    with opened(path) as file:
        return tuple(file.dataset(dataset, kinds="fiub", ndim=ndim, expected=expected).shape)


def _number(path: Path) -> str:
    number = _NUMBER.search(path.stem)
    if number is None:
        raise DataError(f"{path} has no number at the end of its name, expected one such as image_12.h5: rename it")
    return str(int(number[1]))
