"""Pictures of susceptibility: maps of a model, how well its probabilities hold, and what it heeds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from slidecloud.plots import maps
from slidecloud.plots.figures import FAINT, INK, new_figure
from slidecloud.plots.hazard import CLASS_COLOURS, CLASS_NAMES, LINES

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

_SHARES: Final = {
    "weights": "weight while learning",
    "permutation_loss": "AUC lost on other ground",
    "shares": "mean share in a prediction (SHAP)",
}
_COLOURS: Final = ("#1b6ca8", "#b2432f", "#1b9e77")


def susceptibility_figure(
    found: Mapping[str, Any],
    canvas: maps.Canvas,
    *,
    model: str,
    points: tuple[ArrayLike, ArrayLike] | None = None,
) -> Figure:
    """Probability, its spread, the area of applicability and the classes of one model.

    Parameters
    ----------
    found
        ``probability``, ``spread``, ``applicability`` (y, x), NaN = not known, and ``class``, 0 = not known.
    canvas
        Where they lie.
    model
        Name for the titles.
    points
        x and y of slides in units of the canvas, drawn on the probability.
    """
    figure = new_figure(11.8, 9.0 * min(max(canvas.shape_on_page, 0.5), 1.3) + 0.8)
    panels = figure.subplots(2, 2)
    for axes, name, title, label in (
        (panels[0, 0], "probability", f"{model}: probability of a slide", "probability"),
        (
            panels[0, 1],
            "spread",
            "spread over models without a part of the land",
            "standard deviation of the probability",
        ),
    ):
        values = np.asarray(found[name], np.float64)
        known = values[np.isfinite(values)]
        top = float(np.quantile(known, 0.995)) if known.size else 1.0
        maps.draw(axes, values, canvas, title=title, label=label, limits=(0.0, top or 1.0), colours="magma_r")
    unlike = np.asarray(found["applicability"], np.float64)
    maps.draw(
        panels[1, 0], unlike, canvas, title="unlikeness to the ground learnt from",
        label="above 1 the model knows no such ground", limits=(0.0, 2.0), colours="PuOr_r",
    )  # fmt: skip
    maps.draw_classes(panels[1, 1], found["class"], canvas, title="classes", names=CLASS_NAMES, colours=CLASS_COLOURS)
    if points is not None:
        x, y = np.asarray(points[0]), np.asarray(points[1])
        size = float(np.clip(40 / np.sqrt(max(x.size, 1)), 0.6, 2.6))
        panels[0, 0].plot(x, y, "o", ms=size, mfc="white", mec="black", mew=0.4)
        panels[0, 0].set_title(f"{x.size} slides", fontsize=8, loc="right", color=FAINT)
    return figure


def reliability_figure(models: Mapping[str, Mapping[str, ArrayLike]]) -> Figure:
    """Share of slides among places of a told probability, on the diagonal where probabilities hold.

    Parameters
    ----------
    models
        ``told``, ``found`` and ``places`` of each, as `slidecloud.hazard.assessment_curves.curves` gives them.
    """
    figure = new_figure(5.6, 5.2)
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color=FAINT, lw=1, ls="--")
    for number, (name, each) in enumerate(models.items()):
        told, found, places = (np.asarray(each[key], np.float64) for key in ("told", "found", "places"))
        sigma = np.sqrt(np.maximum(found * (1 - found), 0.25 / places) / places)
        axes.errorbar(
            told, found, yerr=sigma, fmt="o-", ms=3.5, lw=1.2, elinewidth=0.7, color=LINES[number % len(LINES)],
            label=name,
        )  # fmt: skip
    axes.set_xlim(0, 1)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel("probability told of held-out places, as in the sample", fontsize=9, color=INK)
    axes.set_ylabel("share of them that slid, with its standard error", fontsize=9, color=INK)
    axes.tick_params(labelsize=8)
    axes.grid(color=FAINT, alpha=0.25, lw=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=8, loc="upper left", frameon=False)
    return figure


def importance_figure(models: Mapping[str, Mapping[str, Any]]) -> Figure:
    """What each model heeds, in three ways that answer three questions; factors of a model from the heaviest down.

    Parameters
    ----------
    models
        ``factors``, ``weights``, ``permutation_loss``, its ``permutation_loss_spread`` and ``shares`` of each.
    """
    most = max(len(each["factors"]) for each in models.values())
    figure = new_figure(10.5, len(models) * (0.3 * most + 1.0))
    panels = figure.subplots(len(models), len(_SHARES), squeeze=False)
    for row, (name, each) in zip(panels, models.items(), strict=True):
        order = np.argsort(np.asarray(each["permutation_loss"]))
        factors = np.array(each["factors"], object)[order]
        for axes, (key, label), colour in zip(row, _SHARES.items(), _COLOURS, strict=True):
            values = np.asarray(each[key], np.float64)[order]
            error = np.asarray(each["permutation_loss_spread"])[order] if key == "permutation_loss" else None
            axes.barh(
                factors, values, color=colour, height=0.7, xerr=error, error_kw={"elinewidth": 0.7, "ecolor": INK}
            )
            axes.set_xlabel(label, fontsize=8, color=INK)
            axes.tick_params(labelsize=7, length=2, labelleft=axes is row[0])
            axes.axvline(0, color=INK, lw=0.6)
            axes.spines[["top", "right"]].set_visible(False)
        row[0].set_title(name, fontsize=9, loc="left", color=INK)
    return figure
