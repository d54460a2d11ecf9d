"""How fast views are searched for landslides."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
from scipy import ndimage

from slidecloud.config_detect import DetectConfig
from slidecloud.kernels.views import GradientView
from slidecloud.pipeline.bench_timing import PROCESSOR, race
from slidecloud.pipeline.finders import finder_of, usual_method
from slidecloud.pipeline.rates import BLOBS, NET, Measurement
from slidecloud.types import Float32

_SIDE = 768


def measure_finders(seconds: float) -> list[Measurement]:
    """The classical method on one core and, where what it needs is installed, the net beside it.

    Parameters
    ----------
    seconds
        For all of them together.
    """
    methods = {"classical": BLOBS, usual_method(): BLOBS if usual_method() == "classical" else NET}
    finders = {name: finder_of(DetectConfig.model_validate({"method": method})) for method, name in methods.items()}
    view = _view()
    best = race({name: partial(finder.find, view) for name, finder in finders.items()}, seconds, clock=PROCESSOR)
    rate = {name: _SIDE**2 / took for name, took in best.items()}
    found = [Measurement(BLOBS, "view-pixels/s", rate[BLOBS])]
    if NET in rate:
        found.append(Measurement(NET, "view-pixels/s", rate[NET], "classical", rate[BLOBS]))
    return found


def _view() -> GradientView:
    """Noise as smooth as the stacking window, and a few slides."""
    draw = np.random.default_rng(0)
    sigma = np.full((_SIDE, _SIDE), 3e-5, np.float32)

    def noise() -> Float32:
        smooth = ndimage.uniform_filter(draw.normal(size=sigma.shape), 10)
        values: Float32 = (sigma * smooth / smooth.std()).astype(np.float32)
        return values

    along_y, along_x = (np.arange(-20, 21) for _ in "yx")
    bump = 0.05 * np.exp(-(along_y[:, None] ** 2 + along_x**2) / 72.0)
    slope_y, slope_x = (part.astype(np.float32) / 40.0 for part in np.gradient(bump))
    x, y = noise(), noise()
    for row, column in draw.integers(0, _SIDE - 41, (8, 2)):
        x[row : row + 41, column : column + 41] += slope_x
        y[row : row + 41, column : column + 41] += slope_y
    return GradientView(x, y, sigma, sigma, np.full_like(sigma, 0.5), math.pi)
