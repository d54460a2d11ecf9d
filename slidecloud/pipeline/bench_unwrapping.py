"""How fast pairs are unwrapped, beside NumPy's way, line by line, which knows nothing of noise."""

from __future__ import annotations

from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from slidecloud.kernels.phase import decode, encode
from slidecloud.kernels.unwrapping import unwrap
from slidecloud.pipeline.bench_timing import PROCESSOR, race
from slidecloud.pipeline.rates import UNWRAP, Measurement
from slidecloud.types import Float32

LINES: Final = "numpy.unwrap, line by line"
_LOOKS: Final = 16.0
_COHERENCE: Final = 0.25
_FRINGES: Final = 10.0
"""Standard deviation of the phase, rad: a few fringes across a patch, as coherent as slopes are."""


def measure_unwrapping(seconds: float, *, side: int = 256) -> list[Measurement]:
    """What the stage ``unwrap`` computes of a patch, on one core.

    Parameters
    ----------
    seconds
        For both contenders together.
    side
        Rows and columns of the patch.
    """
    angle, coherence = _pair(side)
    best = race(
        {
            UNWRAP: partial(unwrap, angle, coherence, looks=_LOOKS),
            LINES: partial(_line_by_line, angle),
        },
        seconds,
        clock=PROCESSOR,
    )
    rates = {name: side**2 / took for name, took in best.items()}
    return [Measurement(UNWRAP, "pair-pixels/s", rates[UNWRAP], LINES, rates[LINES])]


def _pair(side: int) -> tuple[NDArray[np.int16], NDArray[np.uint8]]:
    """A smooth surface of some fringes with the noise of its coherence."""
    random = np.random.default_rng(0)
    smooth = gaussian_filter(random.normal(size=(side, side)), side / 12)
    noise = np.sqrt((1 - _COHERENCE**2) / (2 * _LOOKS)) / _COHERENCE
    phase = smooth * (_FRINGES / smooth.std()) + noise * random.normal(size=smooth.shape)
    return encode(phase), np.full(smooth.shape, round(255 * _COHERENCE), np.uint8)


def _line_by_line(angle: NDArray[np.int16]) -> Float32:
    found: Float32 = np.unwrap(np.unwrap(decode(angle), axis=0), axis=1)
    return found
