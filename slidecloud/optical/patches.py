"""Patches of images with known landslides, wherever they come from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.types import DataError, Float32


class Sample(NamedTuple):
    """One patch in memory.

    Attributes
    ----------
    image
        float32 (band, y, x), in whatever unit the file has; NaN where there is no data.
    mask
        bool (y, x): landslides.
    """

    image: Float32
    mask: NDArray[np.bool_]

    @property
    def valid(self) -> NDArray[np.bool_]:
        """Pixels with data in every band."""
        known: NDArray[np.bool_] = np.logical_and.reduce(np.isfinite(self.image), axis=0)
        return known


class Footprint(NamedTuple):
    """Where a patch lies, degrees on WGS 84."""

    south: float
    west: float
    north: float
    east: float


@dataclass(frozen=True, slots=True)
class Patch:
    """A patch that can be read.

    Attributes
    ----------
    name
        Path of its image file.
    source
        The image it was made from: augmented copies of one image have the same.
    place
        Where it was taken: patches of one place may show the same slides, or the same ground in the same light. None
        where it is not known.
    footprint
        None where the file does not say.
    shape
        Bands, rows and columns.
    read
        Gives the patch; raises DataError where its files cannot be used.
    said
        What the file calls its bands, empty where it does not say.
    """

    name: str
    source: str
    place: str | None
    footprint: Footprint | None
    shape: tuple[int, int, int]
    read: Callable[[], Sample] = field(repr=False, compare=False)
    said: tuple[str, ...] = ()


def check_bands(patches: tuple[Patch, ...], bands: tuple[str, ...] | None) -> int:
    """The number of bands, which all patches share.

    Parameters
    ----------
    patches
        At least one.
    bands
        Their names, where it is known what is wanted; else the first patch says how many there are.

    Raises
    ------
    DataError
        If a patch has another number of bands, or has them in another order: its file uses some of the names, and
        others where these are wanted.
    """
    wanted = patches[0].shape[0] if bands is None else len(bands)
    known = f"those of {patches[0].name}" if bands is None else ", ".join(bands)
    for patch in patches:
        if patch.shape[0] != wanted:
            raise DataError(
                f"{patch.name} has {patch.shape[0]} bands, expected {wanted} ({known}): "
                "leave it out, or write it with these bands alone"
            )
        if bands is not None and set(bands) & set(patch.said):
            for number, (said, name) in enumerate(zip(patch.said, bands, strict=True), start=1):
                if said and said != name:
                    raise DataError(
                        f"{patch.name} calls its band {number} {said}, expected {name}: name the bands in the order "
                        "of the file"
                    )
    return wanted
