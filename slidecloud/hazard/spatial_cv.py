"""Splits into what a model learns from and what it is judged by, apart in space."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from slidecloud.libraries import library
from slidecloud.types import Float64

Method = Literal["kmeans", "blocks", "regions", "optimistic"]
METHODS: Final[tuple[str, ...]] = get_args(Method)
Places = NDArray[np.intp]


class Fold(NamedTuple):
    """One split: indices `train` and `test`, each rising; places in neither lay within the buffer.

    `repeat` and `fold` count from 0.
    """

    repeat: int
    fold: int
    train: Places
    test: Places


def folds(
    x: ArrayLike,
    y: ArrayLike,
    *,
    method: Method = "kmeans",
    number: int = 5,
    repeats: int = 10,
    buffer: float = 0.0,
    block: float | None = None,
    region: ArrayLike | None = None,
    seed: int = 0,
) -> list[Fold]:
    """Repeated cross-validation in space.

    Parameters
    ----------
    x, y
        (n,), m, in a metric CRS.
    method
        ``kmeans``: compact groups of places (Brenning, 2012). ``blocks``: squares of side `block` on a grid that is
        shifted anew for each repeat, dealt to the folds so that these are of like size. ``regions``: each label of
        `region` is left out once. ``optimistic``: at random, which lets a model look up the neighbours of what it
        is asked; it shows how much that flatters and is good for nothing else.
    number
        Folds of a repeat, at least 2; of no meaning for regions.
    repeats
        Times it is done anew; once for regions, which have nothing to draw.
    buffer
        m; places nearer than this to a place of the test are left out of the training. The range of the variogram of
        the residuals makes them independent.
    block
        m, for ``blocks``.
    region
        (n,) labels, for ``regions``.
    seed
        Of all draws.

    Returns
    -------
    list of Fold
        In order of repeat and fold. Within a repeat each place is tested once.

    Raises
    ------
    ValueError
        If a split cannot be made; a random split asked for by any other name than ``optimistic`` is refused.
    """
    place = _places(x, y)
    _check(place, method, number, repeats, buffer)
    rng = np.random.default_rng(seed)
    if method == "regions":
        if region is None:
            raise ValueError("region: found none, expected a label of each place for the method regions")
        labels = [_regions(region, len(place))]
    elif method == "blocks":
        if block is None or not block > 0:
            raise ValueError(f"block: found {block}, expected metres above 0 for the method blocks")
        labels = [_blocks(place, block, number, rng) for _ in range(repeats)]
    elif method == "kmeans":
        labels = [_kmeans(place, number, rng) for _ in range(repeats)]
    else:
        labels = [rng.permutation(np.arange(len(place)) % number) for _ in range(repeats)]
    return [
        _split(repeat, k, label == k, place, buffer)
        for repeat, label in enumerate(labels)
        for k in range(int(label.max()) + 1)
    ]


def block_labels(x: ArrayLike, y: ArrayLike, *, side: float) -> Places:
    """Label of the square of side `side`, m, that each place lies in: int (n,), from 0 without holes."""
    if not side > 0:
        raise ValueError(f"side: found {side}, expected metres above 0")
    return _squares(_places(x, y), side, np.zeros(2))


def _places(x: ArrayLike, y: ArrayLike) -> Float64:
    east, north = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if east.ndim != 1 or east.shape != north.shape:
        raise ValueError(f"x, y: found shapes {east.shape} and {north.shape}, expected (n,) for both")
    place = np.stack([east, north], axis=1)
    if not np.isfinite(place).all():
        raise ValueError(f"x, y: found {int((~np.isfinite(place)).any(axis=1).sum())} places without coordinates")
    return place


def _check(place: Float64, method: str, number: int, repeats: int, buffer: float) -> None:
    if method not in METHODS:
        raise ValueError(
            f"method: found {method!r}, expected one of {', '.join(METHODS)}; a random split is called optimistic, "
            "because it is"
        )
    if not 2 <= number <= len(place) or repeats < 1:
        raise ValueError(
            f"number, repeats: found {number} and {repeats}, expected 2 to {len(place)} folds, one for each place at "
            "most, and at least 1 repeat"
        )
    if not buffer >= 0:
        raise ValueError(f"buffer: found {buffer}, expected metres from 0")
    if buffer and method == "optimistic":
        raise ValueError("buffer: found one for the method optimistic, which is the split without any")


def _split(repeat: int, fold: int, test: NDArray[np.bool_], place: Float64, buffer: float) -> Fold:
    train = ~test
    if buffer:
        near = cKDTree(place[test]).query(place, distance_upper_bound=buffer)[0] < buffer
        train &= ~near
    if not train.any():
        raise ValueError(
            f"buffer: {buffer:.6g} m around fold {fold} of repeat {repeat} leaves nothing to learn from; "
            "take a shorter one or more folds"
        )
    return Fold(repeat, fold, np.nonzero(train)[0], np.nonzero(test)[0])


def _regions(region: ArrayLike, count: int) -> Places:
    label = np.asarray(region)
    if label.shape != (count,):
        raise ValueError(f"region: found shape {label.shape}, expected ({count},)")
    names, inverse = np.unique(label, return_inverse=True)
    if names.size < 2:
        raise ValueError(f"region: found {names.tolist()}, expected at least two regions")
    return inverse.astype(np.intp)


def _blocks(place: Float64, side: float, number: int, rng: np.random.Generator) -> Places:
    label = _squares(place, side, rng.uniform(0, side, 2))
    size = np.bincount(label)
    if size.size < number:
        raise ValueError(f"block: {side:.6g} m makes {size.size} blocks, expected at least {number}, one for each fold")
    dealt, load = np.zeros(size.size, np.intp), np.zeros(number)
    # The largest first, each to the fold that has least; blocks of like size in an order of chance.
    for each in np.lexsort((rng.permutation(size.size), -size)):
        dealt[each] = int(np.argmin(load))
        load[dealt[each]] += size[each]
    return dealt[label]


def _squares(place: Float64, side: float, shift: Float64) -> Places:
    cell = np.floor((place - place.min(axis=0) + shift) / side).astype(np.int64)
    _, label = np.unique(cell, axis=0, return_inverse=True)
    return label.reshape(-1).astype(np.intp)


def _kmeans(place: Float64, number: int, rng: np.random.Generator) -> Places:
    clustering = library("sklearn.cluster")
    # One start from places of chance: the best of many starts would be nearly the same partition in every repeat.
    found = clustering.KMeans(number, init="random", n_init=1, random_state=int(rng.integers(2**31))).fit(
        place - place.mean(axis=0)
    )
    label: Places = np.unique(found.labels_, return_inverse=True)[1].astype(np.intp)
    return label
