"""Standard errors as a stack estimates them: from the scatter of its pairs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from slidecloud.models.scenery.blocks import Axis, Blocks
from slidecloud.models.scenery.pair_weights import PairWeights
from slidecloud.models.scenery.survey import Survey
from slidecloud.models.scenery.upsampling import enlarged
from slidecloud.models.scenery.world import World
from slidecloud.types import Float32


class Scatter:
    """What makes pairs scatter beside decorrelation: fields of dates, as if pairs were independent.

    Atmosphere telescopes in the stack but not in the scatter of its pairs: kernels find the sum over shared dates
    negative where it rules, and fall back to independent pairs.
    """

    def __init__(self, world: World, weights: PairWeights, survey: Survey, members: NDArray[np.intp]) -> None:
        shape = world.valid.shape
        squares = weights.share**2
        difference = (survey.baseline[survey.second[members]] - survey.baseline[survey.first[members]]).astype(
            np.float32
        )
        self._dates = enlarged(2.0 * squares.sum(0), shape)
        self._baselines = enlarged(np.tensordot(difference**2, squares, 1), shape)
        self._lever = world.height_lever
        self._column = world.air_column
        self._stratified = np.float32(world.stratified)

    def variance(self, blocks: Blocks, axis: Axis, turbulence: float) -> Float32:
        """Variance of the difference between blocks, m^2/yr^2; `turbulence` is that of one date's delay, m^2."""
        by_height = blocks.difference(self._lever, axis) ** 2 * self._baselines
        by_air = (self._stratified * blocks.difference(self._column, axis)) ** 2 + np.float32(turbulence)
        total: Float32 = by_height + by_air * self._dates
        return total


def estimated(variance: Float32, blocks: Blocks, *, dates: int, rng: np.random.Generator) -> Float32:
    """A standard error with the scatter of an estimate from so many dates, as smooth as the window."""
    window = blocks.window
    smooth = ndimage.uniform_filter(rng.standard_normal(variance.shape, dtype=np.float32), window, mode="wrap")
    # The logarithm of a root of chi-square over nu scatters by 1 / sqrt(2 nu); nu is about the number of dates.
    spread = np.float32(np.sqrt(window[0] * window[1] / (2.0 * dates)))
    sigma: Float32 = np.sqrt(variance) * np.exp(spread * smooth)
    return sigma
