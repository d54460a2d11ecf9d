"""How well a risk index finds points it was not made from, and what speaks against believing it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2

from slidecloud.hazard.risk import FactorTable, Risk, fit, index
from slidecloud.hazard.scores import Curve, auc, roc
from slidecloud.kernels.ahp import ACCEPTED
from slidecloud.kernels.information_value import EMPTY, MASKED, RARE
from slidecloud.types import Float64

DECIDES: Final[Mapping[str, frozenset[str]]] = {
    "visibility": frozenset({"slope", "aspect"}),
    "slope": frozenset({"slope", "relief"}),
    "los_rate": frozenset({"los_rate", "los_displacement"}),
    "los_displacement": frozenset({"los_rate", "los_displacement"}),
}
"""Kinds of factors that a criterion by which points are picked also decides, beside the one of its own name."""
INVENTORY: Final = ("los_rate", "visibility")
"""Criteria of a run's own inventory: motion that its radar sees."""
_FEW_POINTS: Final = 50
_CHANCE: Final = 0.05
_EXCESS: Final = 0.05
_STEPS: Final = 501


class Split(Protocol):
    """A split into what is fitted to and what is held out, as indices of places."""

    @property
    def train(self) -> NDArray[np.intp]:
        """Places fitted to."""

    @property
    def test(self) -> NDArray[np.intp]:
        """Places held out."""


class HeldOut(NamedTuple):
    """Scores on held-out places.

    ``auc``: mean area below the curves of the parts held out, each scored by an index it took no part in. ``fold_auc``
    float64 (folds,): of each, NaN where it holds one kind alone. ``curve``: mean of their curves. ``apparent``: area
    with the points that the index was made from, which is always too good. ``points``, ``others``: how many places were
    scored. ``criteria``: those by which points were picked and which the index contains.
    """

    auc: float
    fold_auc: Float64
    curve: Curve
    apparent: float
    points: int
    others: int
    criteria: tuple[str, ...]


def held_out(
    risk: Risk,
    codes: ArrayLike,
    point: ArrayLike,
    splits: Iterable[Split],
    *,
    picked_by: Sequence[str] = (),
    kinds: Mapping[str, str] | None = None,
) -> HeldOut:
    """Score the index on points that it was not made from, by making it anew without them.

    Parameters
    ----------
    risk
        The index made with all points, whose ground and settings are used.
    codes
        int (n, places): class of each factor at all points and at random places of the same ground, -1 = missing. What
        masks the points must mask the random places too: telling masked ground from open ground is no skill.
    point
        bool (places,), true for points, false for random places.
    splits
        Train and test places, such as the folds of a spatial cross-validation; random ones flatter.
    picked_by
        Criteria that the points were picked by: names or kinds of factors, or ``visibility``, the R-index.
    kinds
        Kind of each factor by its name, where that is not its kind.

    Raises
    ------
    ValueError
        If shapes disagree or no test holds both points and random places.
    """
    place = np.asarray(codes)
    slid = np.asarray(point, bool)
    if place.ndim != 2 or place.shape != (len(risk.tables), len(slid)):
        raise ValueError(
            f"codes, point: found shapes {place.shape} and {slid.shape}, expected ({len(risk.tables)}, places) and "
            "(places,)"
        )
    classes, tallies = [table.classes for table in risk.tables], [table.tally for table in risk.tables]
    scored, areas, curves = np.zeros(slid.shape, bool), [], []
    for split in splits:
        train = split.train[slid[split.train]]
        found = index(fit(classes, tallies, place[:, train], settings=risk.settings), place[:, split.test])
        known = ~np.isnan(found)
        told, value = split.test[known], found[known]
        scored[told] = True
        areas.append(auc(value, slid[told]))
        if not np.isnan(areas[-1]):
            curves.append(roc(value, slid[told]))
    if not curves:
        raise ValueError(
            f"splits: found {len(areas)} of {int(scored.sum())} places, none with both points and random places that "
            "have an index; take fewer, larger parts"
        )
    return HeldOut(
        float(np.nanmean(areas)),
        np.array(areas),
        _mean_curve(curves),
        _apparent(risk, place, slid),
        int((slid & scored).sum()),
        int((~slid & scored).sum()),
        shared_criteria(risk.names, picked_by, kinds=kinds),
    )


def shared_criteria(
    factors: Sequence[str], picked_by: Sequence[str], *, kinds: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """Criteria by which points were picked that the factors contain: scores on such points reward the picking.

    Parameters
    ----------
    factors
        Names of the factors of the index.
    picked_by, kinds
        As for `held_out`.
    """
    known = {} if kinds is None else kinds
    present = {known.get(name, name) for name in factors} | set(factors)
    return tuple(sorted({one for one in picked_by if (DECIDES.get(one, frozenset()) | {one}) & present}))


def caveats(risk: Risk, scores: HeldOut | None = None, *, optimistic: bool = False) -> list[str]:
    """What a reader of the map must know, one sentence each.

    Parameters
    ----------
    risk
        The index.
    scores
        On held-out places, where there are any.
    optimistic
        The places were held out at random.
    """
    found = []
    ratio = 0.0 if risk.priorities is None else risk.priorities.consistency_ratio
    if ratio > ACCEPTED:
        found.append(f"The judgements contradict each other: consistency ratio {ratio:.3f}, accepted up to {ACCEPTED}.")
    points = max(int(table.points.sum()) for table in risk.tables)
    if points < _FEW_POINTS:
        found.append(f"The information values rest on {points} points.")
    for state, says in (
        (MASKED, "hold no point because a mask took their ground; they count as {}"),
        (EMPTY, "hold no point although at least one was to be expected; their value is smoothed"),
        (RARE, "hold no point, and less than one was to be expected; little is known of them"),
    ):
        told = [text for table in risk.tables if (text := _labels(table, state))]
        if told:
            found.append(f"Classes that {says.format(risk.settings.masked)}: {'; '.join(told)}.")
    idle = [
        f"{table.classes.name} (weight {weight:.2f})"
        for table, weight in zip(risk.tables, risk.weights, strict=True)
        if _chance(table) > _CHANCE
    ]
    if idle:
        found.append(f"Factors whose classes differ by no more than chance: {', '.join(idle)}.")
    return found if scores is None else found + _of_scores(scores, optimistic)


def _of_scores(scores: HeldOut, optimistic: bool) -> list[str]:
    found = []
    if scores.criteria:
        found.append(
            f"The points were picked by {', '.join(scores.criteria)}, which the index contains: its score of "
            f"{scores.auc:.3f} tells how well it repeats the picking, not how well it finds landslides."
        )
    if scores.apparent - scores.auc > _EXCESS:
        found.append(
            f"The index finds the landslides it was made from better than others: {scores.apparent:.3f} against "
            f"{scores.auc:.3f} on those held out; fewer factors or classes may serve better."
        )
    if optimistic:
        found.append("The points were held out at random: neighbours of theirs were not, and the score is too good.")
    return found


def _chance(table: FactorTable) -> float:
    """Probability of counts as uneven as these where no class differs (Pearson, 1900); classes with less than one
    point to be expected are left out. Landslides come in groups, so that even this calls too many factors real."""
    expected = table.information.expected
    used = expected >= 1.0
    if used.sum() < 2:
        return 1.0
    even = expected[used] * (table.points[used].sum() / expected[used].sum())
    return float(chi2.sf(np.sum((table.points[used] - even) ** 2 / even), used.sum() - 1))


def _labels(table: FactorTable, state: int) -> str:
    at = [label for label, one in zip(table.classes.labels, table.information.state, strict=True) if one == state]
    return f"{table.classes.name} {', '.join(at)}" if at else ""


def _mean_curve(curves: Sequence[Curve]) -> Curve:
    """Mean share found at each share taken wrongly: parts are scored apart, since their indices have scales apart."""
    across = np.linspace(0.0, 1.0, _STEPS)
    up = np.mean([np.interp(across, one.across, one.up) for one in curves], axis=0)
    return Curve(np.append(0.0, across), np.append(0.0, up))


def _apparent(risk: Risk, codes: NDArray[np.integer], slid: NDArray[np.bool_]) -> float:
    found = index(risk, codes)
    known = ~np.isnan(found)
    return auc(found[known], slid[known])
