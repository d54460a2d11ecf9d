"""Gradient maps of a world without simulating its pairs one by one.

Fields that belong to dates (delays, errors of the elevation model) telescope in a stack: their gradients add with one
weight per date, the sum of the shares of the pairs that end there less those that begin there. Shares differ from place
to place with coherence, so the weights of the dates are maps; a few of their principal parts, each with one random
field, have the same covariance as a field for every date. Decorrelation is noise of known variance and spectrum.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from slidecloud.kernels.views import GradientView
from slidecloud.models.scenery.blocks import Axis, Blocks, blocks_on
from slidecloud.models.scenery.pair_weights import Estimator, PairWeights, pair_weights
from slidecloud.models.scenery.sigma import Scatter, estimated
from slidecloud.models.scenery.survey import Survey
from slidecloud.models.scenery.upsampling import enlarged
from slidecloud.models.scenery.world import World
from slidecloud.types import SENTINEL1_WAVELENGTH, Float32, Float64

COARSE_METRES = 320.0
STRENGTH_SPREAD = 0.35
LEAST_COVERAGE = 0.25
_RADIANS_PER_METRE = 4.0 * math.pi / SENTINEL1_WAVELENGTH
_VARIANCE_KEPT = 0.995
_MOST_PARTS = 5


class Observation(NamedTuple):
    """Maps on the world's grid, per metre along increasing column (`x`) and row (`y`).

    ``view``: what a stack would show. ``motion_x``, ``motion_y``: the part of it that motion makes, 1/yr.
    ``noise_x``, ``noise_y``: standard deviation of the rest, 1/yr.
    """

    view: GradientView
    motion_x: Float32
    motion_y: Float32
    noise_x: Float32
    noise_y: Float32


class _Dates(NamedTuple):
    """Weights of the dates: `maps` float32 (date, y, x) coarse, 1/yr; `strength` of each date's turbulence."""

    maps: Float32
    strength: Float64


def observe(
    world: World,
    survey: Survey,
    rng: np.random.Generator,
    *,
    estimator: Estimator = "coherent",
    season: int | None = None,
) -> Observation:
    """What gradient stacking shows of a world: velocity gradients over all bins, or over those of one season.

    Parameters
    ----------
    world, survey
        What is true, and when it was looked at.
    rng
        Draws delays and noise.
    estimator
        ``coherent`` products of two blocks, or the published running ``sum``.
    season
        Index of a season; None: all.

    Raises
    ------
    ValueError
        If no pair is of that season.
    """
    members = np.flatnonzero(np.isin(survey.bin, np.flatnonzero(survey.season == season)) | (season is None))
    if not len(members):
        raise ValueError(f"season: found no pair in season {season} of {survey.season.tolist()}, expected some")
    blocks = blocks_on(world.spacing, estimator)
    coherence = _coherence(world, survey, members)
    weights = pair_weights(coherence, survey, members, pixels=blocks.pixels("x"), estimator=estimator)
    dates = _dates(survey, members, weights, rng)
    static = _static(world, dates.maps, survey, rng)
    parts = _principal_parts(dates, world, rng)
    linear, quadratic = (enlarged(part, world.valid.shape) for part in (weights.linear, weights.quadratic))
    white = rng.standard_normal(world.valid.shape, dtype=np.float32)
    moving = _moving(world, dates.maps, survey)
    scatter = Scatter(world, weights, survey, members)
    dates_used = len(np.unique([survey.first[members], survey.second[members]]))
    found, noises, motions, errors = {}, {}, {}, {}
    for axis in ("x", "y"):
        step = world.spacing[1] if axis == "x" else world.spacing[0]
        length = np.float32(blocks.lever(axis) * step)
        coverage = blocks.coverage(world.valid, axis)
        with np.errstate(divide="ignore"):
            fewer = 1.0 / (np.maximum(coverage, LEAST_COVERAGE) * blocks.pixels(axis))
        scale = np.float32(1.0 / _RADIANS_PER_METRE) / length
        first, second = np.sqrt(linear * fewer) * scale, np.sqrt(quadratic) * fewer * scale
        noise = first * blocks.noise(white, axis)
        noise += second * blocks.product_noise(rng.standard_normal(white.shape, dtype=np.float32), axis)
        motions[axis] = _wrapped(blocks.difference(moving, axis), weights, survey, members, blocks) / length
        air, air_variance = _air(parts, blocks, axis, length)
        terrain = blocks.difference(static, axis) / length
        found[axis] = motions[axis] + noise + air + terrain
        found[axis][coverage < LEAST_COVERAGE] = np.nan
        noises[axis] = np.sqrt(first**2 + second**2 + air_variance + terrain.var())
        pairs_scatter = scatter.variance(blocks, axis, world.turbulent**2 * _roughness(parts, blocks, axis))
        errors[axis] = estimated(first**2 + second**2 + pairs_scatter / length**2, blocks, dates=dates_used, rng=rng)
    missing = np.isnan(found["x"]) | np.isnan(found["y"])
    for field in (*found.values(), *errors.values()):
        field[missing] = np.nan
    view = GradientView(
        found["x"],
        found["y"],
        errors["x"],
        errors["y"],
        np.where(missing, np.float32(np.nan), enlarged(weights.coherence, world.valid.shape)),
        float(survey.spans[members].sum()),
    )
    return Observation(view, motions["x"], motions["y"], noises["x"], noises["y"])


def _coherence(world: World, survey: Survey, members: NDArray[np.intp]) -> Float32:
    """True coherence of the members on the coarse grid, (pair, y, x)."""
    steps = [max(1, round(COARSE_METRES / step)) for step in world.spacing]
    coarse = type(world.coherence)(
        *(part[steps[0] // 2 :: steps[0], steps[1] // 2 :: steps[1]] for part in world.coherence)
    )
    if survey.coherence is not None:
        shape = coarse.persistent.shape
        return np.broadcast_to(survey.coherence[members, None, None], (len(members), *shape)).astype(np.float32)
    quality = np.stack([coarse.quality_at(date) for date in survey.dates])
    days = (survey.spans[members] * 365.25).astype(np.float32)
    first, second = survey.first[members], survey.second[members]
    return coarse.decayed(days[:, None, None], quality[first], quality[second])


def _dates(survey: Survey, members: NDArray[np.intp], weights: PairWeights, rng: np.random.Generator) -> _Dates:
    count, size = len(survey.dates), len(members)
    rows = np.concatenate([survey.second[members], survey.first[members]])
    signs = np.concatenate([np.ones(size, np.float32), -np.ones(size, np.float32)])
    incidence = sparse.csr_array((signs, (rows, np.tile(np.arange(size), 2))), shape=(count, size))
    maps = (incidence @ weights.share.reshape(size, -1)).reshape(count, *weights.share.shape[1:])
    strength = np.exp(STRENGTH_SPREAD * rng.standard_normal(count) - STRENGTH_SPREAD**2)
    return _Dates(np.asarray(maps, dtype=np.float32), strength)


def _static(world: World, maps: Float32, survey: Survey, rng: np.random.Generator) -> Float32:
    """Apparent displacement per year, m/yr, by what terrain makes of each date: stratified delay and height errors."""
    shape = world.valid.shape
    baselines = enlarged(np.tensordot(survey.baseline.astype(np.float32), maps, 1), shape)
    apparent = baselines * world.height_lever
    if world.stratified > 0.0:
        zenith = (world.stratified * rng.standard_normal(len(maps))).astype(np.float32)
        apparent = apparent + enlarged(np.tensordot(zenith, maps, 1), shape) * world.air_column
    return apparent


def _principal_parts(dates: _Dates, world: World, rng: np.random.Generator) -> list[tuple[Float32, Float32]]:
    """(weight, field) of the turbulent delay, m/yr: as many as carry the variance of all dates together."""
    if world.turbulent == 0.0:
        return []
    weighted = dates.maps * dates.strength.astype(np.float32)[:, None, None] * np.float32(world.turbulent)
    flat = weighted.reshape(len(weighted), -1)
    directions, sizes, _ = np.linalg.svd(flat[:, :: max(1, flat.shape[1] // 500)], full_matrices=False)
    power = np.cumsum(sizes**2)
    count = min(_MOST_PARTS, int(np.searchsorted(power, _VARIANCE_KEPT * power[-1])) + 1)
    kept = (directions[:, :count].T @ flat).reshape(count, *weighted.shape[1:])
    return [(enlarged(part, world.valid.shape), world.turbulence(rng)) for part in kept]


def _air(
    parts: list[tuple[Float32, Float32]], blocks: Blocks, axis: Axis, length: np.float32
) -> tuple[Float32, Float32]:
    """Gradient of the turbulent delay and its variance, 1/yr and 1/yr^2."""
    total: Float32 = np.float32(0.0)  # type: ignore[assignment]
    variance: Float32 = np.float32(0.0)  # type: ignore[assignment]
    for weight, field in parts:
        rise = blocks.difference(field, axis) / length
        total = total + weight * rise
        variance = variance + weight**2 * rise.var()
    return total, variance


def _roughness(parts: list[tuple[Float32, Float32]], blocks: Blocks, axis: Axis) -> float:
    """Variance of the difference between blocks of a delay of unit variance."""
    return float(np.mean([blocks.difference(field, axis).var() for _, field in parts])) if parts else 0.0


def _moving(world: World, maps: Float32, survey: Survey) -> Float32:
    """Velocity that the stack should show, m/yr: each motion by its own progress at the dates."""
    factor = np.zeros(len(world.slides) + 1, dtype=np.float32)
    rows, columns = (size / coarse for size, coarse in zip(world.valid.shape, maps.shape[1:], strict=True))
    for label, slide in enumerate(world.slides, start=1):
        place = int(min(slide.row / rows, maps.shape[1] - 1)), int(min(slide.column / columns, maps.shape[2] - 1))
        factor[label] = slide.progress(survey.dates, survey.dates[0]) @ maps[:, *place]
    steady = enlarged(np.tensordot(survey.years.astype(np.float32), maps, 1), world.valid.shape)
    velocity: Float32 = factor[world.labels] * world.los_rate + steady * world.drift
    return velocity


def _wrapped(
    difference: Float32, weights: PairWeights, survey: Survey, members: NDArray[np.intp], blocks: Blocks
) -> Float32:
    """Velocity differences between blocks as the angle of summed products shows them: aliased where they are large."""
    if blocks.estimator == "sum":
        return difference
    spans, place = np.unique(np.round(survey.spans[members], 4), return_inverse=True)
    fast = np.abs(difference) * np.float32(_RADIANS_PER_METRE * spans[-1]) > 0.3
    if not fast.any():
        return difference
    total_share = np.bincount(place, weights=weights.share.mean((1, 2)), minlength=len(spans))
    share = total_share / total_share.sum()
    turns = difference[fast].astype(np.float64) * _RADIANS_PER_METRE
    total = sum(part * np.exp(1j * turns * span) for part, span in zip(share, spans, strict=True))
    difference = difference.copy()
    difference[fast] = np.angle(total) / (_RADIANS_PER_METRE * float(share @ spans))
    return difference
