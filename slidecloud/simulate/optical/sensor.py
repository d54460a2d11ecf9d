"""What a camera in orbit makes of it: haze, blur, a slight shift, noise, whole numbers."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import ndimage

from slidecloud.simulate.streams import Subject, stream
from slidecloud.types import Float32

UNIT: Final = 1e-4
"""Reflectance of one digital number, as satellite products have it."""

_BLUR: Final = 0.6
_SHIFT: Final = 0.25
_GAIN: Final = 0.04
_READ: Final = 0.002
_SHOT: Final = 2e-5
_FADING: Final = (1.0, 0.62, 0.36, 0.3, 0.16, 0.01, 0.004)


def observe(reflectance: Float32, *, seed: int, date: int, haze: float) -> Float32:
    """An image as it is delivered.

    Air adds `haze` in the blue and less beyond it (about the inverse fourth power of the wavelength) and takes as much
    of the ground's light. Gains differ by some percent between bands and dates, images of different dates by a quarter
    of a pixel. Noise has a constant part and one that grows with the root of the light.

    Parameters
    ----------
    reflectance
        (band, y, x) in all bands of `materials.BANDS`.
    seed, date
        Of the noise.
    haze
        Reflectance.

    Returns
    -------
    float32 (band, y, x), whole multiples of 1e-4, at least 1e-4: 0 is left for pixels without data.
    """
    rng = stream(seed, Subject.SENSOR, date)
    added = haze * rng.uniform(0.6, 1.4) * np.array(_FADING)[:, None, None]
    gain = 1.0 + _GAIN * rng.standard_normal((len(reflectance), 1, 1))
    shift = rng.uniform(-_SHIFT, _SHIFT, 2)
    blurred = np.stack(
        [ndimage.shift(ndimage.gaussian_filter(band, _BLUR), shift, order=1, mode="nearest") for band in reflectance]
    )
    light = np.clip(gain * (blurred * (1.0 - added) + added), 0.0, None)
    noise = np.sqrt(_READ**2 + _SHOT * light) * rng.standard_normal(light.shape)
    counts = np.rint((light + noise) / UNIT).clip(1, 65_535)
    return (counts * UNIT).astype(np.float32)
