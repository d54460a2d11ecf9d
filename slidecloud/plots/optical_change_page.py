"""The report of two dates of outlines: what changed, where, on which ground, and how it moves."""

from __future__ import annotations

import html
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from slidecloud.optical.change import KINDS
from slidecloud.optical.radar_join import change_by_class
from slidecloud.plots import pages
from slidecloud.plots.figures import save
from slidecloud.plots.optical_change import change_figure, histogram_figure
from slidecloud.plots.rain import motion_figure, rain_figure
from slidecloud.plots.stability import class_figure

if TYPE_CHECKING:
    import xarray as xr
    from geopandas import GeoDataFrame
    from matplotlib.figure import Figure
    from pandas import DataFrame

_MEANING: Final = (
    "An outline says where the ground was bare or disturbed when the image was taken. What is green again has vanished "
    "here and may still move; what moves need not be bare."
)


def change_page(
    out: str | os.PathLike[str],
    *,
    dates: tuple[str, str],
    changes: GeoDataFrame,
    density: xr.Dataset | None,
    stability: GeoDataFrame | None = None,
    series: Sequence[Any] = (),
    histograms: DataFrame | None = None,
) -> Path:
    """Write ``change.html``, with its tables and pictures inside, and the pictures beside it.

    Parameters
    ----------
    out
        Folder to write into.
    dates
        Names of the earlier and of the later date.
    changes, density
        Landslides, and maps of their density; None without any.
    stability
        Outlines by motion; None without a radar.
    series
        Of some outlines: comparisons with rain, or motions alone.
    histograms
        Outlines over the ground; None without.

    Returns
    -------
    Path
        The HTML file.
    """
    folder = Path(out)
    parts = [f'<p class="note">{html.escape(_MEANING)}</p>', "<h2>What changed</h2>"]
    if density is not None:
        parts.append(
            _picture(change_figure(changes, density["density_after"], dates=dates), folder, "change-map", "Change")
        )
    parts.append(_changes(changes))
    if stability is not None:
        parts += _motion(stability, density, folder)
    if series:
        parts.append(f"<h2>Motion of the {len(series)} fastest outlines</h2>")
        parts += [_series(one, folder) for one in series]
    if histograms is not None:
        picture = _picture(histogram_figure(histograms), folder, "change-histograms", "Outlines over the ground")
        parts += ["<h2>On which ground</h2>", picture, _histograms(histograms)]
    title = f"Landslides from {dates[0]} to {dates[1]}"
    return pages.write(folder / "change.html", title=title, body="".join(parts))


def _picture(figure: Figure, folder: Path, name: str, alt: str) -> str:
    return pages.picture(save(figure, folder / f"{name}.png"), alt=alt)


def _changes(changes: GeoDataFrame) -> str:
    rows = []
    for name, meaning in KINDS.items():
        kind = changes[changes["change"] == name]
        before, after = (1e-4 * float(kind[column].sum()) for column in ("before_area", "after_area"))
        rows.append((f"{name}: {meaning}", f"{len(kind):,}", f"{before:,.2f}", f"{after:,.2f}"))
    return pages.table(rows, header=("", "landslides", "ha before", "ha after"))


def _motion(stability: GeoDataFrame, density: xr.Dataset | None, folder: Path) -> list[str]:
    parts = ["<h2>How the ground inside moves</h2>"]
    if density is not None:
        figure = class_figure(stability, density["density_after"])
        parts.append(_picture(figure, folder, "change-classes", "Outlines by motion"))
    table = change_by_class(stability)
    rows = [
        (str(name), *(f"{number:,}" for number in row)) for name, row in zip(table.index, table.values, strict=True)
    ]
    parts.append(pages.table(rows, header=("outlines", *table.columns)))
    notes = stability.loc[stability["deciding"] & (stability["note"] != ""), "note"]
    if len(notes):
        told = [(note, f"{number:,}") for note, number in notes.value_counts().sort_index().items()]
        parts.append(pages.table(told, header=("without a class", "outlines")))
    return parts


def _series(one: Any, folder: Path) -> str:
    with_rain = hasattr(one, "rain")
    name = one.motion.landslide if with_rain else one.landslide
    figure = rain_figure(one) if with_rain else motion_figure(one)
    return _picture(figure, folder, f"series-{re.sub('[^A-Za-z0-9_.-]+', '-', name)}", f"Motion of {name}")


def _histograms(table: DataFrame) -> str:
    rows = [
        (
            f"{row['factor']}: {row['class']}", f"{row['ground']:.1%}", f"{row['area']:.1%}",
            f"{row['share']:.1%}", f"{row['outlines']:,}", f"{row['new']:,}", f"{row['times_average']:.2f}",
        )
        for row in table.to_dict("records")
    ]  # fmt: skip
    header = ("factor and class", "of all ground", "of outlined ground", "of outlines", "outlines", "new", "× average")
    return pages.table([tuple(cell.replace("nan%", "–").replace("nan", "–") for cell in row) for row in rows],
                       header=header)  # fmt: skip
