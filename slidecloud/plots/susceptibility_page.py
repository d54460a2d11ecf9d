"""The report of susceptibility: what speaks against it, maps, scores, gains, curves and importances."""

from __future__ import annotations

import html
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from slidecloud.hazard.classes import CLASSES, UNKNOWN
from slidecloud.hazard.risk_tables import level_table
from slidecloud.hazard.scores import Curve
from slidecloud.plots import hazard, pages
from slidecloud.plots.figures import save
from slidecloud.plots.susceptibility import importance_figure, reliability_figure, susceptibility_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

    from slidecloud.plots.maps import Canvas

_MEANING: Final = (
    "Each cell has the probability that it holds a slide like those that were learnt from. It says nothing of when. "
    "AUC is the chance that a slide is told to be likelier than a place without one; it comes "
    "from places that a model had not seen, apart in space, unless it says apparent or optimistic."
)
_OF_GAINS: Final = (
    "Gain in AUC with deformation over without, on the same held-out places, with intervals of 95 %. Over folds: were "
    "the models learnt again from other places. Blocks: on other land of this kind, by drawing whole blocks of places. "
    "DeLong: if neighbours were independent of each other, which they are not; it is too short."
)
_OF_SCORES: Final = (
    "Optimistic: folds of chance, beside their excess over folds in space. Apparent: the very places learnt from. "
    "PR-AUC (area below precision against recall), Brier and ECE (expected calibration error) are of the sample with "
    "its share of slides; corrected: by lines that had not seen the places."
)
_OF_SHARES: Final = (
    "Weights favour factors of many values. What other ground loses when a factor is shuffled says what a model needs. "
    "Shares (SHAP) are of the probability for a forest, and of its logit for the others."
)
_RATES: Final = {
    "success": "Slides by the model that learnt from them: how well they are described.",
    "prediction": "The same slides by models of folds that had not seen them: how well others are foretold.",
}
_SCORES: Final = {
    "auc": "AUC in space", "folds": "of single folds", "optimistic_auc": "optimistic AUC", "excess": "its excess",
    "apparent_auc": "apparent AUC", "average_precision": "PR-AUC", "brier": "Brier", "calibration_error": "ECE",
    "calibration_error_corrected": "ECE corrected", "success": "success rate", "prediction": "prediction rate",
}  # fmt: skip


def susceptibility_page(
    told: Mapping[str, Any],
    out: str | os.PathLike[str],
    *,
    maps: Mapping[str, Mapping[str, Any]],
    canvas: Canvas,
    points: tuple[ArrayLike, ArrayLike],
) -> Path:
    """Write ``susceptibility.html``, with its tables and pictures inside, and the pictures beside it.

    Parameters
    ----------
    told
        Attributes of the group ``hazard/susceptibility_report``.
    out
        Folder to write into.
    maps
        By model, as for `slidecloud.plots.susceptibility.susceptibility_figure`.
    canvas, points
        Where they lie, and x and y of the slides in its units.

    Returns
    -------
    Path
        The HTML file.
    """
    folder, models = Path(out), told["models"]

    def drawn(title: str, name: str, figure: Figure, note: str = "") -> str:
        picture = pages.picture(save(figure, folder / f"susceptibility-{name}.png"), alt=title)
        return f"<h2>{title}</h2>{picture}" + (f'<p class="note">{note}</p>' if note else "")

    parts = [
        f'<p class="note">{_MEANING}</p>',
        _caveats(told["caveats"]),
        "<h2>Scores</h2>",
        _scores(models),
        f'<p class="note">{_OF_SCORES}</p>',
    ]
    if told["gains"]:
        parts += ["<h2>With deformation</h2>", _gains(told["gains"]), f'<p class="note">{_OF_GAINS}</p>']
    for model, found in maps.items():
        figure = susceptibility_figure(found, canvas, model=_name(model), points=points)
        parts += [drawn(f"Maps: {_name(model)}", f"map-{model}", figure), _classes(models[model])]
    curves = {_name(model): _curve(each["roc"]) for model, each in models.items()}
    parts.append(drawn("Held-out places", "roc", hazard.curve_figure(curves)))
    for kind, note in _RATES.items():
        rates = {_name(model): _curve(each[kind]) for model, each in models.items()}
        parts.append(drawn(f"{kind.capitalize()} rate", kind, hazard.curve_figure(rates, kind="rate"), note))
    reliable = {_name(model): each["reliability"] for model, each in models.items()}
    parts.append(drawn("Calibration", "calibration", reliability_figure(reliable)))
    figure = importance_figure({_name(model): each for model, each in models.items()})
    parts.append(drawn("What the models heed", "importance", figure, _OF_SHARES))
    parts += ["<h2>What was learnt from</h2>", pages.table(_sample(told))]
    return pages.write(folder / "susceptibility.html", title="Landslide susceptibility", body="".join(parts))


def _caveats(caveats: Sequence[str]) -> str:
    items = "".join(f"<li>{html.escape(text)}</li>" for text in caveats)
    return f"<h2>Before you use these maps</h2><ul>{items}</ul>" if caveats else ""


def _scores(models: Mapping[str, Any]) -> str:
    rows = []
    for model, each in models.items():
        folds = [value for value in each["auc_of_folds"] if value is not None]
        chance = each["optimistic_auc"]
        found = each | {
            "excess": None if chance is None else chance - each["auc"],
            "success": each["success"]["area"],
            "prediction": each["prediction"]["area"],
            "folds": f"{min(folds):.2f} to {max(folds):.2f}" if folds else None,
        }
        rows.append([_name(model), *(_text(found[key]) for key in _SCORES)])
    return pages.table(rows, header=["model", *_SCORES.values()])


def _gains(gains: Mapping[str, Any]) -> str:
    names = {"folds": "over folds", "spatial": "blocks", "independent": "DeLong"}
    rows = [
        [model, *(f"{each[key]['value']:+.3f} ({each[key]['low']:+.3f} to {each[key]['high']:+.3f})" for key in names)]
        for model, each in gains.items()
    ]
    return pages.table(rows, header=["model", *names.values()])


def _classes(model: Mapping[str, Any]) -> str:
    names = {code: name for code, name in CLASSES.items() if code != UNKNOWN}
    table = level_table(model["class_cells"], model["class_slides"], names=names)
    borders = [0.0, *model["borders"], 1.0]
    rows = [
        [
            row.level, f"{low:.3g} to {high:.3g}", f"{row.ground:.1%}", f"{row.points:.1%}",
            _text(row.times_average, "{:.2f}"),
        ]
        for row, low, high in zip(table.itertuples(), borders[:-1], borders[1:], strict=True)
    ]  # fmt: skip
    header = ["class", "probability", "of the ground", "of the slides, unseen", "times the average"]
    return pages.table(rows, header=header)


def _sample(told: Mapping[str, Any]) -> list[tuple[str, str]]:
    sample = told["sample"]
    rows = [
        (f"slides, {told['on']}", f"{sample['slides']:,}"),
        ("absences drawn", f"{sample['absences']:,} of {sample['eligible']:,}, {sample['method']}"),
        ("share of slides in the sample, and on the ground", f"{sample['sample_share']:.3f}, {told['true_share']:.2g}"),
        ("range of the variogram of residuals", _text(told["variogram_range_m"], "{:,.0f} m")),
        ("kept out around tests", f"{told['buffer_m']:,.0f} m"),
        ("blocks of the bootstrap", f"{told['block_m']:,.0f} m"),
        ("seed", f"{sample['seed']}"),
    ]
    for key, label in (("distance_m", "metres from slides"), ("least_slope_degrees", "least slope in degrees")):
        if sample[key] is not None:
            rows.append((label, f"{sample[key]:g}"))
    return rows


def _name(model: str) -> str:
    return model.replace("_insar", " + deformation")


def _curve(found: Mapping[str, ArrayLike]) -> Curve:
    return Curve(np.asarray(found["across"], np.float64), np.asarray(found["up"], np.float64))


def _text(value: Any, form: str = "{:.3f}") -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    return value if isinstance(value, str) else form.format(value)
