"""Motion put together from its gradients: where a patch moves against its surroundings, and how far it reaches."""

from __future__ import annotations

import numpy as np

from slidecloud.kernels._blobs_waves import BLOCK, divergence, gather, motion, space_of
from slidecloud.kernels.views import SPACING, GradientView
from slidecloud.types import Float32


def relative_motion(view: GradientView, *, finest: float = 60.0, widest: float = 1500.0) -> Float32:
    """Line-of-sight motion relative to the surroundings, in sigmas of the gradients times pixels, float32 (y, x).

    The field whose gradients are nearest to those given in the sense of least squares, found in the spectrum
    (Frankot and Chellappa 1988), each gradient over its sigma and unknown ones 0. The square of the wave
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
    space = space_of(evidence, round(2.0 * widest / metres))
    found = motion(divergence(evidence, space), space, finest=finest / metres, widest=widest / metres)
    height, width = view.x.shape
    large: Float32 = np.repeat(np.repeat(found * np.float32(BLOCK), BLOCK, 0), BLOCK, 1)[:height, :width]
    return large
