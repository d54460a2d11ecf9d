"""Noise of displacement series from pairs, as far as their inversion tells it: what is a date's own, and what adds up.

Atmosphere scatters every date by itself. Speckle that pairs share adds up from date to date, as a random walk, and is
most of what makes a velocity uncertain. An inversion says how much both are together by the sigma of its velocity.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from slidecloud.kernels import _trajectory_design as model
from slidecloud.kernels._trajectory_solve import solve
from slidecloud.types import Float64

_RATIOS: Final = np.concatenate([[0.0], 4.0 ** np.arange(-4.0, 6.0)])
"""Walks that are tried, in variances of a date a year: what lies between them is interpolated."""


class Noise(NamedTuple):
    """``date``: float64 (pixel,) m, sigma that is a date's own. ``walk``: float64 (pixel,) m^2/yr. NaN where the
    inversion does not tell."""

    date: Float64
    walk: Float64


def noise_of(
    displacement: ArrayLike, sigma: ArrayLike, velocity_sigma: ArrayLike, time: ArrayLike, *, subset: ArrayLike
) -> Noise:
    """Noise with which a line through the dates has the velocity's sigma.

    Parameters
    ----------
    displacement
        (date, pixel) m, NaN = missing.
    sigma
        (date, pixel) m, relative to the first date of a subset: there it is the date's own alone.
    velocity_sigma
        (pixel,) m/yr, from the inversion.
    time
        (date,) years, increasing.
    subset
        uint8 (date, pixel), as for `slidecloud.kernels.trajectory.fit`.

    Raises
    ------
    ValueError
        If shapes disagree or dates do not increase.
    """
    spread, wanted = np.asarray(sigma, np.float64), np.asarray(velocity_sigma, np.float64) ** 2
    given = model.checked(displacement, np.ones(len(spread)), time, subset)
    own = np.where((given.label > 0) & np.isfinite(spread), spread, np.inf).min(axis=0, initial=np.inf) ** 2
    told = np.isfinite(own) & (own > 0) & np.isfinite(wanted) & (wanted > 0)
    own = np.where(told, own, 1.0)
    _, line = model.design(given.time, False, (), False)
    still, one = np.zeros_like(given.series), np.ones_like(given.series)
    rates = np.stack(
        [
            solve(line, still, given.label, one, np.full(own.size, ratio), given.time).inverse[:, 0, 0]
            for ratio in _RATIOS
        ]
    )
    target = wanted / own
    ratio = _inverted(rates, target)
    # Where even dates without a walk promise less, their own noise is smaller than the inversion has it; beyond the
    # last, all is the walk.
    own = np.where(target < rates[0], wanted / rates[0], own)
    known = told & np.isfinite(rates[0])
    return Noise(np.sqrt(np.where(known, own, np.nan)), np.where(known, ratio * own, np.nan))


def _inverted(rates: Float64, target: Float64) -> Float64:
    """The ratio at which increasing ``rates`` (ratio, pixel) reach a target (pixel,)."""
    ratio = np.zeros(target.size)
    for low in range(len(_RATIOS) - 1):
        below, above = rates[low], rates[low + 1]
        share = (target - below) / (above - below)
        here = (target >= below) & (target < above)
        ratio = np.where(here, _RATIOS[low] + share * (_RATIOS[low + 1] - _RATIOS[low]), ratio)
    beyond = target >= rates[-1]
    return np.where(beyond, _RATIOS[-1] * target / rates[-1], ratio)
