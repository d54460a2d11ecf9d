"""What the stage ``hazard_susceptibility`` made, and how a store tells of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.config_factors import GridConfig
from slidecloud.config_susceptibility import SusceptibilityConfig
from slidecloud.hazard.assessment import INSAR
from slidecloud.hazard.assessment_curves import thinned
from slidecloud.hazard.classes import CLASSES, between
from slidecloud.hazard.factors import grid_of
from slidecloud.hazard.probability_bins import bin_of, lowest
from slidecloud.hazard.scores import rate_curve
from slidecloud.hazard.slides import SlideCells
from slidecloud.pipeline.hazard_land import Land
from slidecloud.pipeline.hazard_learn import stored, stored_places
from slidecloud.store.arrays import reader
from slidecloud.store.hazard_specs import FACTORS
from slidecloud.store.location import Location
from slidecloud.store.susceptibility_specs import SAMPLE, SUSCEPTIBILITY, figures_key
from slidecloud.types import Float32, Float64, Grid

_ALIKE: Final = 0.9
"""Share of the ground in one class of every model, above which it is spoken of."""
_STRANGE: Final = 0.05
"""Share of the ground unlike any learnt from, above which it is spoken of."""


@dataclass(frozen=True)
class Mapped:
    """Cells of the maps: `filled` int64 (BINS,) by probability, `unlike` above the area of applicability, by model."""

    filled: Mapping[str, NDArray[np.int64]]
    unlike: Mapping[str, int]


@dataclass(frozen=True)
class SusceptibilityResult:
    """What was made.

    Attributes
    ----------
    models
        Names, each with deformation after the same without.
    told
        Figures, curves and caveats as JSON values: attributes of the group ``hazard/susceptibility_report``.
    x, y
        Of the slides that were learnt from, m, in the CRS of the grid.
    """

    models: tuple[str, ...]
    told: dict[str, Any]
    x: Float64
    y: Float64

    @property
    def caveats(self) -> list[str]:
        """What speaks against the maps, one sentence each."""
        return list(self.told["caveats"])


def about(
    land: Land,
    models: tuple[str, ...],
    cells: Mapped,
    limits: Mapping[str, tuple[float, ...]],
    kinds: Mapping[str, NDArray[np.int64]],
    left: Sequence[str],
) -> SusceptibilityResult:
    """Figures of all models together, with curves over the whole maps.

    Parameters
    ----------
    land
        That was mapped.
    models
        Names of all models.
    cells
        Of the maps.
    limits, kinds
        Borders between the classes, and cells of each class from 0, unknown, by model.
    left
        What speaks of the slides, one sentence each.
    """
    each = [json.loads(stored(land.location, figures_key(model))) for model in land.settings.models]
    told: dict[str, Any] = {**each[0], "models": {}, "gains": {}, "on": land.settings.on}
    caveats: dict[str, None] = dict.fromkeys(left)
    for one in each:
        told["models"] |= one["models"]
        told["gains"] |= one["gains"]
        caveats |= dict.fromkeys(one["caveats"])
    unknown = json.loads(stored(land.location, SAMPLE))["unknown"]
    if unknown:
        caveats[f"{unknown} {land.settings.on} with a slide were left out because a factor is missing there."] = None
    for name in models:
        model = told["models"][name]
        at = {kind: np.array(values, np.float64) for kind, values in model.pop("at_slides").items()}
        filled = np.flatnonzero(cells.filled[name])
        ground = int(cells.filled[name].sum())
        for kind, values in at.items():
            curve = rate_curve(lowest(filled), lowest(bin_of(values)), area=cells.filled[name][filled])
            label = {"learnt": "success", "unseen": "prediction"}[kind]
            model[label] = {"area": curve.area, **thinned(curve)}
        # Slides where nothing was predicted have the code 0, unknown.
        caught = between(at["unseen"], limits[name])
        model["class_slides"] = np.bincount(caught, minlength=len(CLASSES)).tolist()
        model["borders"], model["class_cells"] = list(limits[name]), kinds[name].tolist()
        model["unlike"] = cells.unlike[name] / ground
        if model["unlike"] > _STRANGE and not name.endswith(INSAR):
            caveats[f"{model['unlike']:.0%} of the ground is unlike any that {name} learnt from."] = None
    if land.settings.classes == "probability":
        shares = [np.max(kinds[name][1:]) / kinds[name][1:].sum() for name in models]
        if min(shares) > _ALIKE:
            caveats[
                f"{min(shares):.1%} or more of the ground is of one class: slides are rare, and borders between "
                "classes are probabilities. 'classes: area' parts the ground by rank."
            ] = None
    told["caveats"] = list(caveats)
    _, places = stored_places(land)
    return SusceptibilityResult(models, told, places.x[places.event], places.y[places.event])


def left_out(slides: SlideCells, settings: SusceptibilityConfig, location: Location) -> list[str]:
    """What speaks of the slides themselves."""
    told = []
    if slides.beyond:
        told.append(f"{slides.beyond} of {slides.slides + slides.beyond} slides lie off the grid.")
    if settings.slides is None:
        told.append(
            f"Slides are the inventory of {location.name}, which was found by what moves: probabilities are those of "
            "being found, and a model with deformation learns to repeat the detector."
        )
    if settings.polygons == "cells" and slides.slide.size > slides.slides:
        told.append(
            f"{slides.slides} slides are {slides.slide.size} cells: those of one slide tell nearly the same, so that "
            "there are fewer independent slides than the figures say, and a slide may lie on both sides of a split."
        )
    return told


def thinned_maps(
    location: Location, config: GridConfig, model: str, *, most: int
) -> tuple[dict[str, NDArray[Any]], Grid]:
    """Maps of a model at every so many cells, at most ``most`` along a side, by name, and the grid of these cells."""
    whole = grid_of(config)
    step = -(-max(whole.height, whole.width) // most)
    group: Any = reader(location, SUSCEPTIBILITY)
    names = ("probability", "spread", "applicability", "class")
    found = {name: np.asarray(group[f"{model}_{name}"][::step, ::step]) for name in names}
    height, width = found["class"].shape
    return found, replace(whole, dx=step * whole.dx, dy=step * whole.dy, height=height, width=width)


def thinned_factor(location: Location, name: str, *, shape: tuple[int, int]) -> Float32 | None:
    """A factor thinned to maps of this shape; None where it is not made."""
    group: Any = reader(location, FACTORS)
    if name not in group:
        return None
    step = -(-max(group[name].shape) // max(shape))
    found: Float32 = np.asarray(group[name][::step, ::step])
    return found if found.shape == shape else None
