"""Motion put together from its gradients: where a patch moves against its surroundings, and how far it reaches."""

from __future__ import annotations

import numpy as np
from scipy import fft

from slidecloud.kernels._blobs_waves import BLOCK, gather, trusted
from slidecloud.kernels.views import SPACING, GradientView
from slidecloud.types import Float32


def relative_motion(view: GradientView, *, finest: float = 60.0, widest: float = 1500.0) -> Float32:
    """Line-of-sight motion relative to the surroundings, in sigmas of the gradients times pixels, float32 (y, x).

    The field whose gradients are nearest to those given in the sense of least squares, ``k . g / (i k^2)`` in the
    spectrum (Frankot and Chellappa 1988), each gradient over its sigma and unknown ones 0. The square of the wave
    number is raised by that of `widest`, so that wide motion and drifting sums fade, and waves below `finest` are left
    out. Positive towards the satellite; 0 where nothing is known.

    Parameters
    ----------
    view
        Gradient maps.
    finest, widest
        Metres: standard deviation of the smoothing, and length beyond which motion fades.

    References
    ----------
    Frankot, R. T., Chellappa, R. (1988), A method for enforcing integrability in shape from shading algorithms, IEEE
    Trans. Pattern Anal. Mach. Intell. 10(4), 439-451.
    """
    evidence = gather(view)
    metres = BLOCK * SPACING
    rows, columns = evidence.x.shape
    padded = tuple(fft.next_fast_len(n + round(2.0 * widest / metres), real=True) for n in evidence.x.shape)
    ky = (2.0 * np.pi * fft.fftfreq(padded[0])).astype(np.float32)[:, None]
    kx = (2.0 * np.pi * fft.rfftfreq(padded[1])).astype(np.float32)[None]
    along, down = (
        fft.rfft2(trusted(gradient, weight), padded)
        for gradient, weight in ((evidence.x, evidence.x_weight), (evidence.y, evidence.y_weight))
    )
    square = kx**2 + ky**2
    window = np.exp(square * np.float32(-0.5 * (finest / metres) ** 2)) / (square + np.float32((metres / widest) ** 2))
    found = fft.irfft2(-1j * (kx * along + ky * down) * window, padded)[:rows, :columns]
    height, width = view.x.shape
    large: Float32 = np.repeat(np.repeat(found * np.float32(BLOCK), BLOCK, 0), BLOCK, 1)[:height, :width]
    return large
