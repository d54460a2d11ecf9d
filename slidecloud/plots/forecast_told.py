"""The part of a report that tells how good forecasts were: tables and pictures of errors, events and lags."""

from __future__ import annotations

import html
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from slidecloud.plots import pages
from slidecloud.plots.figures import save
from slidecloud.plots.forecast_errors import errors_figure, event_figure, exchanged_figure, lags_figure, map_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from slidecloud.forecast.connections import Connection
    from slidecloud.kernels.interval import Interval

_OF_ERRORS: Final = (
    "Each pass is forecast from the pass before it. Intervals of 95 % are over landslides, or over points where there "
    "are not two landslides, in the time that was judged: another season may bring another. Sizes are those of the true"
    " motion, which no method can know beforehand."
)
_OF_EVENTS: Final = (
    "Heavy rain is what 2 % of the days of the record reach within 3 days, and a drawdown what 2 % reach within 10. "
    "Passes count from an event until 14 days after it."
)
_OF_LAGS: Final = (
    "All passes of the record. A lag is that of the largest correlation of the rate of motion with the driver before; "
    "passes 12 days apart do not tell neighbouring lags apart. Independence is tested by chi-square at one lag for all "
    "points. Both know of memory and seasons, and are adjusted for the number of points (false discoveries at 5 %)."
)
_OF_EXCHANGE: Final = (
    "Rain or level of some days is exchanged for that of other days. Where the method needs it, errors grow. It tells "
    "of the method, not of the landslide."
)
_CAUSES: Final = {"rain": "rain", "drawdown": "falling level"}


def section(one: Any, folder: Path, words: str) -> str:
    """HTML of the part, with its pictures written beside.

    Parameters
    ----------
    one
        A `slidecloud.pipeline.forecast_report.Told`.
    folder
        To write into.
    words
        Of the part, for the names of files.
    """
    return "".join([*_errors(one, folder, words), *_lags(one, folder, words), *_exchanged(one, folder, words)])


def _errors(one: Any, folder: Path, words: str) -> Iterator[str]:
    found = one.assessment
    if found is None:
        return
    yield "<h3>How good they were</h3>" + _note(_OF_ERRORS)
    yield pages.table([
        ("skill against no motion since the last pass", _ends(found.skill)),
        ("share of passes within the interval of 90 %", _ends(found.coverage)),
    ])  # fmt: skip
    header = ("passes", "RMSE (mm)", "MAE (mm)", "correlation", "skill", "within")
    yield pages.table(_scored(found.sizes, ends=True), header=("motion in 12 days (mm)", *header))
    yield pages.table(_scored(found.horizons, ends=True), header=("days since the last pass", *header))
    yield _drawn(errors_figure(found), folder / f"forecast-errors-{words}.png", "Errors by size and by horizon")
    yield "<h3>Heavy rain and drawdown</h3>" + _note(_OF_EVENTS)
    yield pages.table(_scored(found.events, ends=False), header=("time", *header))
    for answer in found.answers:
        event, point = answer.event, one.judged.points["id"].iloc[answer.point]
        unit = "mm" if event.kind == "heavy rain" else "m"
        title = f"Largest {event.kind}: {event.size:.1f} {unit}, {event.first} to {event.last}, point {point}"
        path = folder / f"forecast-{event.kind.replace(' ', '-')}-{words}.png"
        yield _drawn(event_figure(one.judged.found, answer, title=title), path, title)


def _lags(one: Any, folder: Path, words: str) -> Iterator[str]:
    tested = [found for found in one.connections if np.isfinite(found.lags.correlation).any()]
    if tested:
        header = (
            "driver",
            "points that follow it",
            "middle lag (days)",
            "tested at (days)",
            "points that depend on it",
        )
        yield "<h3>Rain, level and motion</h3>" + _note(_OF_LAGS)
        yield pages.table([_told(found) for found in tested], header=header)
        yield _drawn(lags_figure(tested), folder / f"forecast-lags-{words}.png", "Correlation by lag")
    drawn = map_figure(one.errors())
    if drawn is not None:
        yield _note("Points with a black edge depend on rain or level, adjusted for their number.")
        yield _drawn(drawn, folder / f"forecast-map-{words}.png", "Map of errors and of dependence")


def _exchanged(one: Any, folder: Path, words: str) -> Iterator[str]:
    if one.exchanged is not None:
        yield "<h3>What the method looks at</h3>" + _note(_OF_EXCHANGE)
        yield _drawn(exchanged_figure(one.exchanged), folder / f"forecast-inputs-{words}.png", "Loss by input")


def _told(found: Connection) -> tuple[str, ...]:
    follow = found.lags.adjusted <= 0.05
    middle = f"{np.median(found.lags.best[follow]):.0f}" if follow.any() else "–"
    known, tested = (int(np.isfinite(p).sum()) for p in (found.lags.adjusted, found.test.adjusted))
    depend = f"{int(found.test.significant.sum())} of {tested}"
    return _CAUSES[found.cause], f"{int(follow.sum())} of {known}", middle, str(found.lag), depend


def _scored(rows: pd.DataFrame, *, ends: bool) -> list[tuple[str, ...]]:
    return [
        (
            str(name), f"{row['count']:.0f}",
            _number(row["rmse"]) + (f" ({_number(row['rmse_low'])} to {_number(row['rmse_high'])})" if ends else ""),
            *(_number(row[column]) for column in ("mae", "correlation", "skill")), _share(row["coverage"]),
        )
        for name, row in rows.iterrows()
    ]  # fmt: skip


def _ends(found: Interval) -> str:
    return f"{_number(found.value)} ({_number(found.low)} to {_number(found.high)})"


def _number(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.2f}"


def _share(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.0%}"


def _note(text: str) -> str:
    return f'<p class="note">{html.escape(text)}</p>'


def _drawn(figure: Figure, path: Path, alt: str) -> str:
    return pages.picture(save(figure, path), alt=alt)
