"""The slow way to a view: every pair with its speckle, stacked by the kernels that a run uses."""

from __future__ import annotations

import math

import numpy as np

from slidecloud import simulate
from slidecloud.kernels import gradients as kernel
from slidecloud.kernels.views import GradientView
from slidecloud.models.scenery.blocks import blocks_on
from slidecloud.models.scenery.pair_weights import Estimator
from slidecloud.models.scenery.survey import Survey
from slidecloud.types import Pair


def stacked(
    scene: simulate.Scene, survey: Survey, *, estimator: Estimator = "coherent", season: int | None = None
) -> GradientView:
    """What `observation.observe` gives for `world_of(scene)`, from the interferograms of the scene themselves.

    Gradients are per metre along increasing column and row, on the grid of the scene.

    Parameters
    ----------
    scene
        With the dates of the survey.
    survey
        Pairs and bins.
    estimator, season
        As for `observe`.

    Raises
    ------
    ValueError
        If scene and survey do not have the same dates.
    """
    if not np.array_equal(scene.dates, survey.dates):
        raise ValueError(f"survey: found {len(survey.dates)} dates, expected the {len(scene.dates)} of the scene")
    members = np.flatnonzero(np.isin(survey.bin, np.flatnonzero(survey.season == season)) | (season is None))
    members = members[np.lexsort((survey.second[members], survey.first[members]))]
    baseline = scene.perpendicular_baseline
    pairs = [
        Pair(scene.dates[i], scene.dates[j], float(baseline[j] - baseline[i]))
        for i, j in zip(survey.first[members], survey.second[members], strict=True)
    ]
    made = simulate.interferograms(scene, pairs, unwrapped=False)
    window = blocks_on(scene.header.spacing, estimator).window
    stacks, years = [], []
    for number in np.unique(survey.bin[members]):
        chosen = survey.bin[members] == number
        sums = kernel.accumulate(
            made.phase[chosen],
            made.coherence[chosen],
            reference=survey.first[members][chosen],
            secondary=survey.second[members][chosen],
            span=survey.spans[members][chosen],
            window=window,
            estimator=estimator,
        )
        stacks.append(kernel.finish(sums, estimator=estimator, window=window))
        years.append(float(survey.duration[number]))
    rate = kernel.mean_rate(stacks, years)
    metres = -scene.header.wavelength / (4.0 * math.pi)
    factors = {axis: metres / step for axis, step in zip("yx", scene.header.spacing, strict=True)}
    coherence = np.where(np.isfinite(rate.x), (made.coherence / np.float32(255.0)).mean(0), np.nan).astype(np.float32)
    return GradientView(
        x=(rate.x * factors["x"]).astype(np.float32),
        y=(rate.y * factors["y"]).astype(np.float32),
        x_sigma=(rate.x_sigma * abs(factors["x"])).astype(np.float32),
        y_sigma=(rate.y_sigma * abs(factors["y"])).astype(np.float32),
        coherence=coherence,
        span=float(survey.spans[members].sum()),
    )
