"""A report of a run: one self-contained HTML file with its pictures inside, and the pictures beside it."""

from __future__ import annotations

import html
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from slidecloud.kernels import colours
from slidecloud.plots import maps, pages, series
from slidecloud.plots.accuracy import (
    Accuracy,
    Truth,
    accuracy,
    least_steady,
    reference_level,
    true_gradients,
    true_series,
)
from slidecloud.plots.figures import INK, new_figure, save
from slidecloud.plots.findings import Findings, findings
from slidecloud.plots.landslides import landslide_figure
from slidecloud.plots.pairs import edited_pairs, patch_network_figure

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

    from slidecloud.store import Run
    from slidecloud.types import Float32, Float64

_WIDTH: Final = 12.5
_SERIES_HIGH: Final = 2.6
_MARKS: Final = "AB"


def report(
    run: Run,
    out: str | os.PathLike[str],
    *,
    truth: Mapping[str, Truth] | None = None,
    bursts: Sequence[str] | None = None,
) -> Path:
    """Write ``report.html`` and PNGs for each burst (``report.png`` and ``landslides.png`` for the first).

    Parameters
    ----------
    run
        An open run store with gradients and time series.
    out
        Folder to write into.
    truth
        What really moved, by burst, where it is known.
    bursts
        Bursts to show; by default all.

    Returns
    -------
    Path
        The HTML file.

    Raises
    ------
    ValueError
        If the run holds no burst.
    """
    chosen = tuple(run.bursts if bursts is None else bursts)
    if not chosen:
        raise ValueError(f"{run.location} holds no burst yet; finish the run with 'slidecloud run'.")
    folder = Path(out)
    parts = []
    for number, burst in enumerate(chosen):
        known = (truth or {}).get(burst)
        picture = save(burst_figure(run, burst, truth=known), folder / _picture_name(burst, number))
        pictures = [picture, *_landslides(run, burst, folder, number, known), *_network(run, burst, folder, number)]
        parts.append(_section(run, burst, pictures, known))
    return pages.write(folder / "report.html", title=run.location.name, body=_body(run, parts))


def burst_figure(run: Run, burst: str, *, truth: Truth | None = None) -> Figure:
    """Velocity, gradients and one series of a burst; with a truth, beside what really moved. Gradients alone where
    nothing was found that a series could be of."""
    gradients, timeseries = run.gradients(burst), displacement(run, burst)
    header = run.header(burst)
    canvas = maps.Canvas.of(header, _elevation(run, burst))
    maps_high = _WIDTH / 3 * 0.72 * min(max(canvas.shape_on_page, 0.3), 1.3) + 0.9
    true = None if truth is None else true_gradients(truth, header, gradient_window(gradients))
    if timeseries is None:
        figure = new_figure(_WIDTH, maps_high)
        _gradient_row(figure, gradients, canvas, true)
        figure.suptitle(f"{burst}: {header.pass_}, line of sight", fontsize=12, color=INK)
        return figure
    figure = new_figure(_WIDTH, 2 * maps_high + _SERIES_HIGH)
    rows: Any = figure.subfigures(3, 1, height_ratios=[maps_high, maps_high, _SERIES_HIGH])
    pixels = _pixels(timeseries, truth)
    _velocity_row(rows[0], timeseries, canvas, pixels, truth)
    _gradient_row(rows[1], gradients, canvas, true)
    _series_row(rows[2], timeseries, pixels, truth)
    first, last = (np.datetime_as_string(timeseries["time"].values[i], unit="D") for i in (0, -1))
    figure.suptitle(
        f"{burst}: {timeseries.sizes['time']} dates from {first} to {last}, {header.pass_}, line of sight",
        fontsize=12,
        color=INK,
    )
    return figure


def displacement(run: Run, burst: str) -> xr.Dataset | None:
    """The series of a burst; None where there are none, as nothing was found."""
    try:
        return run.timeseries(burst)
    except KeyError:
        return None


def burst_accuracy(run: Run, burst: str, truth: Truth) -> Accuracy | None:
    """A burst of a run against its truth; None where it has no series."""
    gradients, timeseries = run.gradients(burst), displacement(run, burst)
    if timeseries is None:
        return None
    return accuracy(gradients, timeseries, truth, header=run.header(burst), window=gradient_window(gradients))


def burst_findings(run: Run, burst: str, truth: Truth) -> Findings:
    """The detections of a burst against its truth."""
    gradients = run.gradients(burst)
    window = gradient_window(gradients)
    return findings(run.detections(burst), gradients, truth, header=run.header(burst), window=window)


def gradient_window(gradients: xr.Dataset) -> tuple[int, int]:
    """Rows and columns of the window that the gradients were stacked with."""
    rows, columns = gradients.attrs["window"]
    return rows, columns


def _pixels(timeseries: xr.Dataset, truth: Truth | None) -> list[tuple[int, int]]:
    """The pixel that stands out most and, where the truth is known, the one that moves least steadily."""
    found = [series.most_telling(timeseries)]
    return found if truth is None else [*found, least_steady(truth, timeseries)]


def _series_row(figure: Any, timeseries: xr.Dataset, pixels: list[tuple[int, int]], truth: Truth | None) -> None:
    panels = np.ravel(figure.subplots(1, len(pixels)))
    for axes, (row, column), mark in zip(panels, pixels, _MARKS, strict=False):
        true = None if truth is None else true_series(truth, timeseries, row, column)
        series.draw(axes, timeseries.isel(y=row, x=column), title=f"Point {mark}", true=true)


def _velocity_row(
    figure: Any, timeseries: xr.Dataset, canvas: maps.Canvas, pixels: list[tuple[int, int]], truth: Truth | None
) -> None:
    velocity = 1000 * timeseries["velocity"].values
    sigma = 1000 * timeseries["velocity_sigma"].values
    limits = colours.symmetric(velocity)
    panels: list[tuple[str, Any, str, tuple[float, float], str]] = []
    if truth is not None:
        true = 1000 * (truth.velocity - reference_level(timeseries, truth))
        moving = truth.slides > 0
        limits = colours.symmetric(true[moving] if moving.any() else true, share=80)
        panels.append(("True velocity", true, "mm/yr, positive towards satellite", limits, maps.DIVERGING))
    panels.append(("Velocity", velocity, "mm/yr, positive towards satellite", limits, maps.DIVERGING))
    panels.append(("Its standard error", sigma, "mm/yr", colours.positive(sigma), maps.SEQUENTIAL))
    if truth is None:
        coherence = timeseries["temporal_coherence"].values
        panels.append(("Temporal coherence", coherence, "1", (0.0, 1.0), maps.SEQUENTIAL))
    for axes, (title, values, label, span, ramp) in zip(figure.subplots(1, 3), panels, strict=True):
        maps.draw(axes, values, canvas, title=title, label=label, limits=span, colours=ramp)
        for pixel, mark in zip(pixels, _MARKS, strict=False):
            place = canvas.position(*pixel, velocity.shape)
            axes.plot(*place, "o", ms=11, mfc="none", mec="black", mew=1.3)
            axes.annotate(mark, place, xytext=(7, 5), textcoords="offset points", fontsize=9, weight="bold", color=INK)


def _gradient_row(figure: Any, gradients: xr.Dataset, canvas: maps.Canvas, true: Mapping[str, Float64] | None) -> None:
    scale = 1e6  # m/yr per m to mm/yr per km
    measured = [scale * gradients[f"velocity_gradient_{name}"].values for name in "xy"]
    label = "mm/yr per km"
    limits = colours.symmetric(np.stack(measured), share=99)
    panels: list[tuple[str, Any, str, tuple[float, float], str]] = []
    if true is not None:
        limits = colours.symmetric(scale * true["x"], share=99.7)
        panels.append(("True velocity gradient along x", scale * true["x"], label, limits, maps.GRADIENT))
    panels.append(("Velocity gradient along x", measured[0], label, limits, maps.GRADIENT))
    panels.append(("Velocity gradient along y", measured[1], label, limits, maps.GRADIENT))
    if true is None:
        mean = gradients["mean_coherence"].values
        panels.append(("Mean coherence of the pairs", mean, "1", (0.0, 1.0), maps.SEQUENTIAL))
    for axes, (title, values, text, span, ramp) in zip(figure.subplots(1, 3), panels, strict=True):
        maps.draw(axes, values, canvas, title=title, label=text, limits=span, colours=ramp)


def _elevation(run: Run, burst: str) -> Float32 | None:
    """Elevation from the burst stack, where it can still be reached."""
    from slidecloud.store import locate, open_stack

    stack = locate(run.config.stacks, run.config.storage_options) / f"{burst}.zarr"
    if not stack.exists():
        return None
    found = open_stack(stack)
    return None if "elevation" not in found else np.asarray(found["elevation"].values, np.float32)


def _picture_name(burst: str, number: int) -> str:
    return "report.png" if number == 0 else f"report-{burst}.png"


def _landslides(run: Run, burst: str, folder: Path, number: int, truth: Truth | None) -> list[Path]:
    """The picture of the landslides, where they were looked for."""
    if not _searched(run, burst):
        return []
    figure = landslide_figure(run, burst, elevation=_elevation(run, burst), truth=truth)
    return [save(figure, folder / _picture_name(burst, number).replace("report", "landslides"))]


def _network(run: Run, burst: str, folder: Path, number: int) -> list[Path]:
    """The picture of the network of the patch that leaves out most pairs, where any does."""
    gone = edited_pairs(run, burst)
    if not gone:
        return []
    figure = patch_network_figure(run, burst, max(gone, key=lambda name: gone[name].total()))
    return [save(figure, folder / _picture_name(burst, number).replace("report", "network"))]


def _kind(picture: Path) -> str:
    """What a picture shows, by its name."""
    kinds = {"report": "Maps and time series", "landslides": "Landslides", "network": "Pairs"}
    return next(words for name, words in kinds.items() if picture.name.startswith(name))


def _searched(run: Run, burst: str) -> bool:
    try:
        run.detections(burst)
    except KeyError:
        return False
    return True


def _section(run: Run, burst: str, pictures: Sequence[Path], truth: Truth | None) -> str:
    timeseries = displacement(run, burst)
    rows = [("displacement series", "none, as nothing was found")] if timeseries is None else _series_rows(timeseries)
    if patches := run.patches(burst):
        rows.append(("patches around landslides", f"{len(patches)}"))
        gone = sum(edited_pairs(run, burst).values(), Counter())
        rows += [("pairs left out of patches", f"{number} {why}") for why, number in gone.most_common()]
    searched = _searched(run, burst)
    if searched:
        rows.append(("landslides found", f"{len(run.detections(burst))}"))
    if truth is not None:
        reached = burst_accuracy(run, burst, truth)
        rows += [_split(line) for line in reached.lines()] if reached is not None else []
    if truth is not None and searched:
        rows += [_split(line) for line in burst_findings(run, burst, truth).lines()]
    shown = "".join(pages.picture(picture, alt=f"{_kind(picture)} of {burst}") for picture in pictures)
    return f"<h2>{html.escape(burst)}</h2>{pages.table(rows)}{shown}"


def _series_rows(timeseries: xr.Dataset) -> list[tuple[str, str]]:
    velocity, coherence = 1000 * timeseries["velocity"].values, timeseries["temporal_coherence"].values
    known = np.isfinite(velocity)
    return [
        ("pixels with a velocity", f"{known.sum():,} of {known.size:,}"),
        ("velocity, 1st to 99th percentile", "{:.1f} to {:.1f} mm/yr".format(*np.percentile(velocity[known], [1, 99]))),
        ("median standard error of velocity", f"{1000 * np.nanmedian(timeseries['velocity_sigma'].values):.1f} mm/yr"),
        ("median temporal coherence", f"{np.nanmedian(coherence):.2f}"),
        ("dates", f"{timeseries.sizes['time']}"),
    ]


def _split(line: str) -> tuple[str, str]:
    name, _, value = line.partition("  ")
    return name, value.strip()


def _body(run: Run, parts: Sequence[str]) -> str:
    place = html.escape(run.location.url)
    how = html.escape(
        f'import slidecloud\n\nrun = slidecloud.open_run("{run.location.url}")\n'
        f'run.timeseries("{run.bursts[0]}").velocity'
    )
    return (
        '<p class="note">Line of sight; positive is towards the satellite (blue), negative away from it (red). '
        "Displacement is relative to the run's reference.</p>"
        f"{''.join(parts)}<h2>Reading the results</h2><p>Everything is in <code>{place}</code>:</p><pre>{how}</pre>"
    )
