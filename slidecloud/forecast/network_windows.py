"""Windows on passes as networks read them."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.forecast.samples import Samples
from slidecloud.forecast.series import Displacement
from slidecloud.types import Float64

_LEAST: Final = 5
"""Passes before an origin that is learnt from."""
_AHEAD: Final = 2
"""Passes after it that are learnt from."""


class Passed(NamedTuple):
    """What is known of n samples.

    Attributes
    ----------
    point
        int64 (n,).
    passes
        datetime64[D] (n, steps), newest first.
    moved
        float64 (n, steps - 1), mm, from each pass to the next newer one.
    target
        datetime64[D] (n,).
    increment
        float64 (n,), mm, NaN where unknown.
    """

    point: NDArray[np.int64]
    passes: NDArray[np.datetime64]
    moved: Float64
    target: NDArray[np.datetime64]
    increment: Float64


def asked(samples: Samples) -> Passed:
    """Of samples as they are."""
    moved = samples.displacement[:, :-1] - samples.displacement[:, 1:]
    return Passed(samples.point.astype(np.int64), samples.displacement_dates, moved, samples.target, samples.increment)


def learnt_from(displacement: Displacement, train: Samples) -> Passed:
    """All that can be learnt from until the last target of the training part.

    Samples look back on many passes, and those of the first year or so of a series are none: most of what could be
    learnt is lost. Here an origin has at least five passes before it, and windows that reach further back are filled up
    with the first pass, which then does not move. Each origin is learnt from twice, up to the next pass and up to the
    one after it. Samples whose target is no pass of their point, as those of daily receivers, come beside these.
    """
    seen = displacement.until(train.target.max())
    steps = train.displacement.shape[1]
    found: list[Passed] = []
    for point, row in enumerate(seen.values):
        known = np.flatnonzero(np.isfinite(row))
        dates, values = seen.dates[known], row[known]
        for ahead in range(1, _AHEAD + 1):
            origin = np.arange(_LEAST, len(known) - ahead)
            back = np.maximum(origin[:, None] - np.arange(steps), 0)
            number = np.full(len(origin), point, np.int64)
            increment = values[origin + ahead] - values[origin]
            moved = values[back[:, :-1]] - values[back[:, 1:]]
            found.append(Passed(number, dates[back], moved, dates[origin + ahead], increment))
    found.append(asked(train.where(_beside(seen, train))))
    return Passed(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def _beside(seen: Displacement, train: Samples) -> NDArray[np.bool_]:
    """Samples with a truth that is none of the values of the passes."""
    place = np.minimum(np.searchsorted(seen.dates, train.target), len(seen.dates) - 1)
    is_pass = (seen.dates[place] == train.target) & np.isfinite(seen.values[train.point, place])
    return np.isfinite(train.increment) & ~is_pass
