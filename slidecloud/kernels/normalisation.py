"""Bands of any unit brought to numbers about 0, by what the training patches alone say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.types import DataError, Float32

LARGEST: Final = 6.0
"""Standard deviations beyond which a value counts as that many: clouds and glints are that far out."""

_EVEN: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Normalisation:
    """Mean and standard deviation of each band over the valid pixels of the training patches."""

    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.mean or len(self.mean) != len(self.deviation) or not min(self.deviation) > 0.0:
            raise ValueError(
                f"normalisation: found means {self.mean} and deviations {self.deviation}, expected one of each for "
                "every band, deviations above 0"
            )

    def apply(self, image: Float32) -> Float32:
        """An image (band, y, x) in standard deviations from the mean, from -6 to 6; 0 where there is no data.

        Raises
        ------
        DataError
            If it has another number of bands.
        """
        if len(image) != len(self.mean):
            raise DataError(f"the image has {len(image)} bands, expected the {len(self.mean)} that were learnt from")
        mean, deviation = (np.array(values, np.float32)[:, None, None] for values in (self.mean, self.deviation))
        scaled: Float32 = np.clip((image - mean) / deviation, -LARGEST, LARGEST)
        scaled[np.isnan(scaled)] = 0.0
        return scaled

    def plain(self) -> dict[str, Any]:
        """As JSON values."""
        return {"mean": list(self.mean), "deviation": list(self.deviation)}


def learn(images: Iterable[Float32]) -> Normalisation:
    """Mean and standard deviation of the bands over all pixels with data of some images.

    Parameters
    ----------
    images
        (band, y, x) each, of the training part and of no other; NaN without data. Held in memory one at a time.

    Raises
    ------
    DataError
        If there is no image, or a band is the same everywhere.
    """
    sums: NDArray[np.float64] | None = None
    near = np.zeros(0)
    for image in images:
        values = image.reshape(len(image), -1).astype(np.float64)
        known = np.isfinite(values)
        if sums is None:
            # Counted from near the mean, squares do not cancel.
            near = np.where(known, values, 0.0).sum(1) / np.maximum(known.sum(1), 1)
            sums = np.zeros((3, len(image)))
        away = np.where(known, values - near[:, None], 0.0)
        sums += known.sum(1), away.sum(1), (away * away).sum(1)
    if sums is None:
        raise DataError("there are no training patches to learn the means of bands from")
    count, total, square = sums
    offset = total / np.maximum(count, 1.0)
    spread = np.sqrt(np.maximum(square / np.maximum(count, 1.0) - offset * offset, 0.0))
    mean = near + offset
    even = np.flatnonzero(spread <= _EVEN * np.maximum(np.abs(mean), 1e-9))
    if even.size:
        raise DataError(
            f"band {int(even[0]) + 1} is {mean[even[0]]:g} in every training patch, expected values that differ: "
            "leave it out"
        )
    return Normalisation(tuple(mean.tolist()), tuple(spread.tolist()))
