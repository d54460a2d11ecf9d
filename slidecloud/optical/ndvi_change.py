"""The classical way to find landslides in two images: where vegetation has gone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from slidecloud.simulate.optical import AFTER, BEFORE
from slidecloud.types import DataError, Float32


@dataclass(frozen=True, slots=True)
class NdviChange:
    """Scores from the fall of the vegetation index NDVI = (nir - red) / (nir + red) between two dates.

    Attributes
    ----------
    red, nir
        Places of the bands at the first and at the second date.
    """

    red: tuple[int, int]
    nir: tuple[int, int]

    @classmethod
    def of(cls, bands: tuple[str, ...]) -> NdviChange:
        """For images with such bands.

        Raises
        ------
        DataError
            If red or near infrared of a date is missing.
        """
        wanted = [f"{date}{band}" for band in ("red", "nir") for date in (BEFORE, AFTER)]
        missing = [name for name in wanted if name not in bands]
        if missing:
            raise DataError(f"the bands are {', '.join(bands)}; the change of NDVI needs {', '.join(missing)} as well")
        first, second, third, fourth = (bands.index(name) for name in wanted)
        return cls((first, second), (third, fourth))

    def __call__(self, image: Float32) -> Float32:
        """A quarter of the fall, plus one half: float32 (y, x) from 0 to 1, and 0.5 where nothing changed.

        Parameters
        ----------
        image
            (band, y, x), reflectance or anything proportional to it; NaN without data.
        """
        before, after = (_index(image[red], image[nir]) for red, nir in zip(self.red, self.nir, strict=True))
        fall: Float32 = np.clip(0.5 + 0.25 * (before - after), 0.0, 1.0).astype(np.float32)
        return fall


def _index(red: Float32, nir: Float32) -> Float32:
    total = nir + red
    index: Float32 = np.divide(nir - red, total, out=np.full(total.shape, np.nan, np.float32), where=total > 0)
    return index
