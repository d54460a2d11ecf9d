"""Masks of landslides as files hold them: 0 for none, and one other value."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.types import DataError

_PAIRS: Final = ((0, 1), (0, 255))
_SHOWN: Final = 6


def as_mask(values: NDArray[Any], name: str) -> NDArray[np.bool_]:
    """Landslides from the values of a mask.

    Parameters
    ----------
    values
        (y, x) of 0 and 1, or of 0 and 255; or (band, y, x) whose bands are all the same, as pictures of masks are.
    name
        Of the file, for messages.

    Raises
    ------
    DataError
        If it holds other values.
    """
    flat = values
    if values.ndim == 3:
        if (values != values[:1]).any():
            raise DataError(
                f"{name} has {len(values)} bands that differ, expected a mask of one band: it may be a picture of the "
                "mask over the image"
            )
        flat = values[0]
    if flat.dtype == np.bool_:
        return flat
    found = np.unique(flat)
    if not any(np.isin(found, pair).all() for pair in _PAIRS):
        shown = ", ".join(f"{value:g}" for value in found[:_SHOWN]) + (", ..." if len(found) > _SHOWN else "")
        raise DataError(
            f"{name} holds the values {shown}, expected 0 for no landslide and 1 (or 255) for one. "
            "A mask of several classes, with soft edges, or compressed with loss is none: make it binary first"
        )
    mask: NDArray[np.bool_] = flat > 0
    return mask
