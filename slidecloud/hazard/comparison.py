"""Two models side by side on the same held-out places, such as static factors without and with deformation."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from slidecloud.hazard import intervals
from slidecloud.hazard.evaluation import Evaluation
from slidecloud.kernels.interval import Interval, by_student


class Comparison(NamedTuple):
    """Gain in AUC of the second over the first model, with three intervals for three questions.

    `folds`: would learning with the second recipe gain, were it learnt again from other places? The mean gain over the
    splits with the corrected variance of Nadeau and Bengio (2003, Machine Learning 52, 239-281), since splits share
    their training. A useless factor costs a little, because something is learnt from it: the other two see that cost
    as certain, this one does not.

    `spatial`: do these models, averaged over the repeats, rank other land of this kind better? By whole blocks drawn
    again. `independent` (DeLong): the same if neighbours were independent of each other, which they are not.
    """

    folds: Interval
    spatial: Interval
    independent: Interval


def compare(
    first: Evaluation, second: Evaluation, block: ArrayLike, *, draws: int = 1000, level: float = 0.95, seed: int = 0
) -> Comparison:
    """Gain of the second model over the first, such as +InSAR over static, on the same held-out places.

    Parameters
    ----------
    first, second
        Of the same places with the same splits; places that either could not predict are left out of both.
    block
        (n,) label of each place, see `intervals.spatial_bootstrap`.
    draws, level, seed
        As there.

    Raises
    ------
    ValueError
        If places or splits differ.
    """
    same = [(each.repeat, each.fold) for each in first.fold_scores] == [(e.repeat, e.fold) for e in second.fold_scores]
    if not same or not np.array_equal(first.event, second.event):
        raise ValueError(
            f"first, second: found {len(first.fold_scores)} and {len(second.fold_scores)} splits of {first.event.size} "
            f"and {second.event.size} places, expected the same ones"
        )
    known = np.isfinite(first.held_out) & np.isfinite(second.held_out)
    one, two, slid, label = first.held_out[known], second.held_out[known], first.event[known], np.asarray(block)[known]
    return Comparison(
        _over_folds(first, second, level),
        intervals.spatial_bootstrap(one, two, slid, label, draws=draws, level=level, seed=seed),
        intervals.delong(one, two, slid, level=level),
    )


def _over_folds(first: Evaluation, second: Evaluation, level: float) -> Interval:
    """Mean gain over the splits, its variance times ``1 / splits + test / training``."""
    gain = np.array([b.auc - a.auc for a, b in zip(first.fold_scores, second.fold_scores, strict=True)])
    told = np.isfinite(gain)
    if told.sum() < 2:
        raise ValueError(
            f"first, second: found {int(told.sum())} splits with both kinds in the test, expected 2 or more"
        )
    share = np.mean([each.test / each.train for each, good in zip(first.fold_scores, told, strict=True) if good])
    value = float(gain[told].mean())
    sigma = float(np.sqrt(gain[told].var(ddof=1) * (1 / told.sum() + share)))
    return by_student(value, sigma, int(told.sum()) - 1, level=level)
