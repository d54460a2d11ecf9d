"""The report of forecasts: how good they were, and a picture of each landslide."""

from __future__ import annotations

import html
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.plots import pages
from slidecloud.plots.figures import save
from slidecloud.plots.forecast import forecast_figure
from slidecloud.plots.forecast_told import section
from slidecloud.types import Float32, Float64

if TYPE_CHECKING:
    import xarray as xr

_MOST: Final = 50
"""Pictures of a page: those of the landslides that are likeliest to exceed a threshold, or have moved most."""
_MEANING: Final = (
    "Each day is forecast from the last pass before it and from rain and level up to that day. The interval holds what "
    "the next pass would measure with a probability of 90 %. A forecast tells of motion that goes on as it did while it"
    " was learnt: of a slide that begins to fail it knows nothing. Probabilities are of the motion itself where it is"
    " known how well passes measure, else of what a pass would measure. They replace no warning of an authority."
)


class Shown(NamedTuple):
    """The point that stands for a landslide: of its points the likeliest to exceed a threshold on the last day.

    Where there are no thresholds it is the one that has moved most.
    """

    landslide: str
    point: int
    probability: float
    moved: float


def forecast_page(found: Sequence[Any], out: str | os.PathLike[str]) -> Path:
    """Write ``forecast.html``, with its tables and pictures inside, and the pictures beside it.

    Parameters
    ----------
    found
        As `slidecloud.pipeline.forecast_report.told` gives them.
    out
        Folder to write into.

    Returns
    -------
    Path
        The HTML file.
    """
    folder = Path(out)
    parts = [f'<p class="note">{_MEANING}</p>']
    for told in found:
        one = told.judged
        parts.append(f"<h2>{html.escape(one.title)}</h2>{pages.table(one.rows())}")
        chosen = list(shown(one.found, list(one.points["landslide"])))
        parts.append(_listed(one, chosen[:_MOST], len(chosen)))
        parts += [_picture(one, place, folder) for place in chosen[:_MOST]]
        parts.append(section(told, folder, _words(one.title)))
    return pages.write(folder / "forecast.html", title="Daily forecasts of displacement", body="".join(parts))


def shown(found: xr.Dataset, landslides: Sequence[str]) -> Iterator[Shown]:
    """The point that stands for each landslide, that which is likeliest to exceed a threshold first.

    Parameters
    ----------
    found
        Forecasts of a part.
    landslides
        Of each point; a point that lies in none stands for itself.
    """
    points = found.sizes["point"]
    moved, probability = _moved(found["observed"].values), np.full(points, np.nan)
    if found.sizes["threshold"]:
        last = _last(found["displacement"].values)
        probability = np.fmax.reduce(found["exceedance"].values[:, last, np.arange(points)])
    order = np.lexsort((-moved, -np.nan_to_num(probability, nan=-1.0)))
    best: dict[str, int] = {}
    for point in order.tolist():
        best.setdefault(landslides[point] or f"\n{point}", point)
    for name, point in best.items():
        yield Shown(name if name == landslides[point] else "", point, float(probability[point]), float(moved[point]))


def _moved(observed: Float64) -> Float64:
    """Largest less smallest displacement of each point (pass, point), mm; 0 where it has none."""
    known = np.isfinite(observed)
    low, high = (np.where(known, observed, edge) for edge in (np.inf, -np.inf))
    return np.where(known.any(axis=0), high.max(axis=0, initial=-np.inf) - low.min(axis=0, initial=np.inf), 0.0)


def _last(displacement: Float32) -> NDArray[np.intp]:
    """The last day that is forecast of each point (day, point); the last of all where none is."""
    known = np.isfinite(displacement)
    last: NDArray[np.intp] = len(known) - 1 - np.argmax(known[::-1], axis=0)
    return last


def _listed(one: Any, chosen: Sequence[Shown], count: int) -> str:
    """A table of the landslides that have a picture."""
    rows = [
        (_name(one, place), f"{place.moved:.1f}", "–" if np.isnan(place.probability) else f"{place.probability:.0%}")
        for place in chosen
    ]
    more = f'<p class="note">{count - len(chosen)} more have no picture.</p>' if count > len(chosen) else ""
    header = ("landslide and point", "moved between passes (mm)", "exceeds a threshold on the last day")
    return pages.table(rows, header=header) + more


def _picture(one: Any, place: Shown, folder: Path) -> str:
    name = _name(one, place)
    figure = forecast_figure(one.found, place.point, title=f"{name}, {one.title}")
    words = _words(f"{one.title} {one.points['id'].iloc[place.point]}")
    return pages.picture(save(figure, folder / f"forecast-{words}.png"), alt=f"Forecast of {name}")


def _words(text: str) -> str:
    """For the name of a file."""
    return re.sub("[^a-z0-9]+", "-", text.lower()).strip("-")


def _name(one: Any, place: Shown) -> str:
    point = f"point {one.points['id'].iloc[place.point]}"
    return f"Landslide {place.landslide}, {point}" if place.landslide else point.capitalize()
