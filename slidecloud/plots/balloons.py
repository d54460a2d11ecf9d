"""Small pictures for Google Earth: the series of a landslide, and the legend of a map."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from slidecloud.kernels.colours import Ramp, steps
from slidecloud.plots import series
from slidecloud.plots.figures import INK, new_figure
from slidecloud.store.velocity_maps import Pixels, VelocityMap, velocity_maps
from slidecloud.types import Float32

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from slidecloud.store import Run

_DPI: Final = 110
_KEPT: Final = 8
"""Velocity maps that are kept for the next landslide, which often lies in one of them."""


class Balloons:
    """Draws, of a row of a run's inventory, the series of the pixel inside that moves most for its standard error.

    Parameters
    ----------
    run
        An open run store.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._maps = lru_cache(maxsize=_KEPT)(self._maps_of)
        self._velocities = lru_cache(maxsize=_KEPT)(self._velocities_of)

    def __call__(self, row: Any) -> bytes | None:
        """PNG of the series; None where no pixel inside the outline has a velocity."""
        best: tuple[float, VelocityMap, Pixels] | None = None
        for burst in [name for name in str(row.bursts).split(",") if name in self._run.bursts]:
            for one in self._maps(burst):
                found = self._fastest(one, row.geometry)
                if found is not None and (best is None or found[0] > best[0]):
                    best = found[0], one, found[1]
        return None if best is None else _png(self._figure(best[1], best[2]))

    def _fastest(self, one: VelocityMap, outline: Any) -> tuple[float, Pixels] | None:
        if not one.near(np.array([outline], dtype=object)).size:
            return None
        (inside,) = one.inside([outline])
        velocity, sigma = self._velocities(one)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.abs(velocity[inside.rows, inside.columns] / sigma[inside.rows, inside.columns])
        ratio = np.where(np.isfinite(ratio), ratio, -1.0)
        if not ratio.size or ratio.max() < 0:
            return None
        most = int(ratio.argmax())
        return float(ratio[most]), Pixels(inside.rows[most : most + 1], inside.columns[most : most + 1])

    def _maps_of(self, burst: str) -> list[VelocityMap]:
        return velocity_maps(self._run.location, self._run.header(burst))

    def _velocities_of(self, one: VelocityMap) -> tuple[Float32, Float32]:
        return one.map("velocity"), one.map("velocity_sigma")

    def _figure(self, one: VelocityMap, pixel: Pixels) -> Figure:
        import xarray as xr

        velocity, sigma = (found[pixel.rows[0], pixel.columns[0]] for found in self._velocities(one))
        data = {name: ("time", one.series(name, pixel)[:, 0]) for name in ("displacement", "displacement_sigma")}
        found = xr.Dataset(data, coords={"time": one.time}).assign(velocity=velocity, velocity_sigma=sigma)
        figure = new_figure(6.2, 3.0)
        axes = figure.subplots()
        (longitude,), (latitude,) = one.place(pixel)
        series.draw(axes, found, title=f"{longitude:.5f}°, {latitude:.5f}°")
        axes.tick_params(axis="x", labelrotation=20)
        return figure


def legend(title: str, label: str, ramp: Ramp, limits: tuple[float, float]) -> bytes:
    """PNG of a bar of colours.

    Parameters
    ----------
    title
        What the map shows.
    label
        Quantity and unit of the limits.
    ramp, limits
        Colours, and the values of the first and the last.
    """
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LinearSegmentedColormap, Normalize

    colours = [tuple(part / 255 for part in colour) for _, colour in steps(ramp, limits)]
    figure = new_figure(3.6, 0.9)
    axes = figure.subplots()
    scale = ScalarMappable(Normalize(*limits), LinearSegmentedColormap.from_list("ramp", colours))
    bar = figure.colorbar(scale, cax=axes, orientation="horizontal")
    bar.set_label(label, fontsize=8, color=INK)
    bar.ax.tick_params(labelsize=8)
    axes.set_title(title, fontsize=8, loc="left", color=INK)
    return _png(figure)


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DPI, metadata={"Software": None})
    return buffer.getvalue()
