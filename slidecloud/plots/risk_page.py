"""The report of a risk index: map, curve, weights, classes, and what speaks against it."""

from __future__ import annotations

import html
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from slidecloud.hazard.risk_tables import class_table, level_table, weight_table
from slidecloud.plots import hazard, pages
from slidecloud.plots.figures import save
from slidecloud.plots.risk import information_figure, weight_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike
    from pandas import DataFrame

    from slidecloud.hazard.risk import Risk
    from slidecloud.hazard.risk_scores import HeldOut
    from slidecloud.plots.maps import Canvas

_MEANING: Final = (
    "The index ranks ground by how many landslides lie on ground of its kind. It is no probability, its levels are "
    "relative to this region, and it knows nothing of people or buildings."
)
_FORMATS: Final = {"ground": "{:.1%}", "points": "{:.1%}", "times_average": "{:.2f}", "expected": "{:.1f}"}


def risk_page(
    risk: Risk,
    out: str | os.PathLike[str],
    *,
    index: ArrayLike,
    level: ArrayLike,
    canvas: Canvas,
    points: tuple[ArrayLike, ArrayLike],
    levels: tuple[ArrayLike, ArrayLike],
    scores: HeldOut | None = None,
    caveats: Sequence[str] = (),
    made_from: Sequence[tuple[str, str]] = (),
) -> Path:
    """Write ``risk.html``, with its tables and pictures inside, and the pictures beside it.

    Parameters
    ----------
    risk
        The index.
    out
        Folder to write into.
    index, level, canvas, points
        As for `slidecloud.plots.hazard.level_figure`.
    levels
        Cells and points of each level, as for `slidecloud.hazard.risk_tables.level_table`.
    scores
        On held-out places, where there are any.
    caveats
        Sentences of `slidecloud.hazard.risk_scores.caveats`, printed before anything else.
    made_from
        Names and values of what the index was made from, such as its landslides and its grid.

    Returns
    -------
    Path
        The HTML file.
    """
    folder = Path(out)
    shown: list[tuple[str, str, Figure]] = [
        ("Map", "risk-map.png", hazard.level_figure(index, level, canvas, points=points)),
        ("Classes", "risk-classes.png", information_figure(risk)),
        ("Weights", "risk-weights.png", weight_figure(risk)),
    ]
    if scores is not None:
        curve = hazard.curve_figure({"held out": scores.curve})
        shown.append(("Held-out points", "risk-roc.png", curve))
    tables = {"Map": level_table(*levels), "Classes": class_table(risk), "Weights": weight_table(risk)}
    parts = [f'<p class="note">{_MEANING}</p>', _warnings(caveats)]
    for title, name, figure in shown:
        picture = pages.picture(save(figure, folder / name), alt=title)
        parts.append(f"<h2>{title}</h2>{picture}{_table(tables[title]) if title in tables else ''}")
    if scores is not None:
        parts.append(pages.table(_score_rows(scores)))
    if made_from:
        parts.append(f"<h2>Made from</h2>{pages.table(made_from)}")
    return pages.write(folder / "risk.html", title="Landslide risk", body="".join(parts))


def _warnings(caveats: Sequence[str]) -> str:
    if not caveats:
        return ""
    items = "".join(f"<li>{html.escape(text)}</li>" for text in caveats)
    return f"<h2>Before you use this map</h2><ul>{items}</ul>"


def _score_rows(scores: HeldOut) -> list[tuple[str, str]]:
    known = scores.fold_auc[scores.fold_auc == scores.fold_auc]
    rows = [
        ("area below the curve, held-out points", f"{scores.auc:.3f}"),
        ("the same with the points the index was made from", f"{scores.apparent:.3f}"),
        ("points and random places scored", f"{scores.points} and {scores.others}"),
    ]
    return [*rows, ("parts, lowest to highest area", f"{known.min():.3f} to {known.max():.3f}")] if known.size else rows


def _table(found: DataFrame) -> str:
    """A table for people: names without underscores, NaN as a dash."""
    texts = [[_text(name, value) for name, value in zip(found.columns, row, strict=True)]
             for row in found.itertuples(index=False)]  # fmt: skip
    return pages.table(texts, header=[str(name).replace("_", " ") for name in found.columns])


def _text(name: str, value: object) -> str:
    if not isinstance(value, float):
        return str(value) if isinstance(value, str) else f"{value:,}"
    if value != value:
        return "–"
    return _FORMATS.get(name, "{:.4f}" if name in ("weight", "judgement", "entropy") else "{:.3g}").format(value)
