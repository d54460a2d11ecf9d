"""Which cells may be drawn as absences, with what chance, and in what order: piece by piece as for the whole."""

from __future__ import annotations

import math
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from slidecloud.types import Float64

Method = Literal["random", "buffered", "slope", "target_group"]
METHODS: Final[tuple[str, ...]] = get_args(Method)
_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)


def chances(
    x: ArrayLike,
    y: ArrayLike,
    slid: ArrayLike,
    *,
    method: Method = "random",
    slides: ArrayLike | None = None,
    distance: float | None = None,
    slope: ArrayLike | None = None,
    least_slope: float | None = None,
    effort: ArrayLike | None = None,
    usable: ArrayLike | None = None,
) -> Float64:
    """Chance of each cell to be drawn: float64 (n,), relative, 0 = never.

    Parameters
    ----------
    x, y, slid, method, distance, slope, least_slope, effort, usable
        As for `sampling.sample`, of a piece of the land or all of it.
    slides
        (m, 2), x and y of all slides of the land, m, for ``buffered``; None: those among the cells given, which are
        all only where the cells are the whole land.

    Raises
    ------
    ValueError
        If shapes disagree or what the method needs is missing.
    """
    place = np.stack([np.asarray(axis, np.float64) for axis in (x, y)], axis=-1)
    slide = np.asarray(slid, bool)
    good = np.ones(slide.shape, bool) if usable is None else np.asarray(usable, bool)
    if slide.ndim != 1 or place.shape != (*slide.shape, 2) or good.shape != slide.shape:
        raise ValueError(f"x, y, slid, usable: found {place.shape[:-1]}, {slide.shape}, {good.shape}; expected (n,)")
    if method not in METHODS:
        raise ValueError(f"method: found {method!r}, expected one of {', '.join(METHODS)}")
    known = np.asarray(np.isfinite(place).all(axis=1), bool)
    chance: Float64 = (good & ~slide & known).astype(np.float64)
    if method == "buffered":
        all_slides = place[slide & known] if slides is None else np.asarray(slides, np.float64).reshape(-1, 2)
        chance *= _apart(place, known, all_slides, distance)
    elif method == "slope":
        chance *= _steep(slope, least_slope, slide.shape)
    elif method == "target_group":
        chance *= _looked_at(effort, slide.shape)
    return chance


def draw_order(index: ArrayLike, weight: ArrayLike, *, seed: int = 0) -> Float64:
    """A number for each cell such that those of the smallest ones are a draw without replacement.

    Parameters
    ----------
    index
        int (n,), number of each cell, the same however the land is cut into pieces.
    weight
        (n,), above 0; at the first draw chances are in proportion to it.
    seed
        Of the draw.

    Returns
    -------
    float64 (n,), above 0. It depends on the cell and the seed alone, so that the smallest of all pieces are the
    smallest of the whole, and each piece need hold no more than are drawn.

    Notes
    -----
    Exponential of rate `weight` (Efraimidis and Spirakis, 2006, Inf. Process. Lett. 97, 181) from a uniform number that
    is a hash of cell and seed (SplitMix64; Steele et al., 2014).
    """
    state = np.asarray(index).astype(np.uint64) + np.uint64(1)
    state = state * _GOLDEN + _mixed(np.array([seed], np.uint64) + _GOLDEN)
    uniform = ((_mixed(state) >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
    rank: Float64 = -np.log(uniform) / np.asarray(weight, np.float64)
    return rank


def _mixed(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


def _apart(place: Float64, known: NDArray[np.bool_], slides: Float64, distance: float | None) -> NDArray[np.bool_]:
    if distance is None or not distance > 0:
        raise ValueError(f"distance: found {distance}, expected metres above 0 for the method buffered")
    far = known.copy()
    if len(slides) and known.any():
        far[known] = cKDTree(slides).query(place[known], distance_upper_bound=distance)[0] >= distance
    return far


def _steep(slope: ArrayLike | None, least: float | None, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    if slope is None or least is None:
        raise ValueError("slope, least_slope: expected both for the method slope")
    if not 0 < least < math.pi / 2:
        raise ValueError(f"least_slope: found {least}, expected radians between 0 and pi / 2")
    found = np.asarray(slope, np.float64)
    if found.shape != shape:
        raise ValueError(f"slope: found shape {found.shape}, expected {shape}")
    return np.isfinite(found) & (found >= least)


def _looked_at(effort: ArrayLike | None, shape: tuple[int, ...]) -> Float64:
    if effort is None:
        raise ValueError("effort: found none, expected one value for each cell for the method target_group")
    found = np.nan_to_num(np.asarray(effort, np.float64), nan=0.0)
    if found.shape != shape or (found < 0).any() or not np.isfinite(found).all():
        raise ValueError(
            f"effort: found shape {found.shape} from {found.min(initial=0.0):.4g}, expected {shape} from 0"
        )
    return found
