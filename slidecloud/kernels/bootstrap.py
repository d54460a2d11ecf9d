"""Sigmas of models of motion from the dates themselves, without believing any covariance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from slidecloud.kernels import _trajectory_design as model
from slidecloud.kernels._trajectory_solve import solve
from slidecloud.types import Float32


def bootstrap_sigma(
    displacement: ArrayLike,
    sigma: ArrayLike,
    time: ArrayLike,
    *,
    subset: ArrayLike | None = None,
    seasonal: bool = False,
    breaks: Sequence[float] = (),
    acceleration: bool = False,
    block: int = 4,
    draws: int = 200,
    seed: int = 0,
) -> Float32:
    """Sigma of every term from dates drawn again, in blocks that keep neighbours together (Kuensch, 1989).

    A check of sigmas that rest on a covariance. It misses noise that lasts longer than a block, such as that of speckle
    which adds up in series from short pairs: for those, believe `sbas.invert`, whose sigmas are larger. With few blocks
    it is itself uncertain, by about one part in the square root of twice their number.

    Parameters
    ----------
    displacement, sigma, time, subset, seasonal, breaks, acceleration
        As for `slidecloud.kernels.trajectory.fit`.
    block
        Successive dates drawn together; blocks run on from the last date to the first.
    draws
        At least 2.
    seed
        Of the draws, which are the same for all pixels.

    Returns
    -------
    float32 (term, pixel), in the order of ``terms`` of `Trajectory`; NaN where a draw leaves a term undetermined in
    more than half of the draws.

    Raises
    ------
    ValueError
        As `fit`, or if `block` or `draws` make no sense.

    References
    ----------
    Kuensch, H. R. (1989), The jackknife and the bootstrap for general stationary observations, Ann. Statist. 17(3),
    1217-1241.
    """
    given = model.checked(displacement, sigma, time, subset)
    dates = given.time.size
    if not 1 <= block <= dates or draws < 2:
        raise ValueError(f"block, draws: found {block}, {draws}, expected 1 to {dates} dates and at least 2")
    terms, design = model.design(given.time, seasonal, breaks, acceleration)
    still = np.zeros(given.series.shape[1])
    fixed = design, given.series, given.label, given.variance, still, given.time
    rng = np.random.default_rng(seed)
    count, total, square = (np.zeros((still.size, len(terms))) for _ in range(3))
    centre = solve(*fixed).value
    for _ in range(draws):
        first = rng.integers(0, dates, -(-dates // block))
        drawn = ((first[:, None] + np.arange(block)) % dates).reshape(-1)[:dates]
        apart = solve(*fixed, copies=np.bincount(drawn, minlength=dates)).value - centre
        known = np.isfinite(apart)
        count += known
        total += np.where(known, apart, 0.0)
        square += np.where(known, apart**2, 0.0)
    variance = (square - total**2 / np.maximum(count, 1)) / np.maximum(count - 1, 1)
    enough = (count > draws / 2) & np.isfinite(centre)
    return np.where(enough, np.sqrt(np.maximum(variance, 0.0)), np.nan).T.astype(np.float32)
