"""Patches as images with masks of the same name, PNG or TIFF."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Final

from slidecloud.optical import pictures
from slidecloud.optical.folders import Pair, pairs
from slidecloud.optical.naming import Naming
from slidecloud.optical.patches import Patch

_WORDS: Final = re.compile(r"(?:^|(?<=[_\-. ]))(?:images?|imgs?|masks?|labels?)(?=$|[_\-. ])", re.IGNORECASE)
_EDGES: Final = re.compile(r"^[_\-. ]+|[_\-. ]+$")


def patches(root: Path, *, naming: Naming, empty_without_mask: bool = False) -> tuple[Patch, ...]:
    """Patches of all folders ``image`` (or images, img, imgs) with a folder ``mask`` (or masks, label, labels) beside.

    An image and its mask have the same name, but for the words image and mask (``image_12.tif``, ``mask_12.tif``).
    Headers are read and checked; no pixel is.

    Parameters
    ----------
    root
        Folder above.
    naming
        How sources and places are told from names.
    empty_without_mask
        Whether an image without a mask shows no landslide, as in sets that have a folder of such; else it is an error.

    Raises
    ------
    DataError
        If a file is missing, cannot be read or does not fit the other of its pair.
    """
    found = pairs(root, endings=pictures.ENDINGS, key=_key, empty_without_mask=empty_without_mask)
    return tuple(_patch(pair, naming) for pair in found)


def _patch(pair: Pair, naming: Naming) -> Patch:
    head = pictures.header(pair.image)
    if pair.mask is not None:
        pictures.check_pair(head, pictures.header(pair.mask), pair.image, pair.mask)
    source = naming.source_of(pair.image, pair.below)
    place = naming.place_of(pair.below)
    read = partial(pictures.read, *pair[:2])
    return Patch(str(pair.image), source, place, head.footprint, head.shape, read, head.bands)


def _key(path: Path) -> str:
    """A name without the words image and mask."""
    return _EDGES.sub("", _WORDS.sub("", path.stem)) or path.stem
