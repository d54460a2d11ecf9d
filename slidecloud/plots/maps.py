"""Maps over a hillshade, with scale bar, units and colours that tell towards from away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from slidecloud.plots.figures import INK
from slidecloud.types import Float32, Float64

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from slidecloud.types import Grid, StackHeader

MOST_PIXELS: Final = 900
"""Larger maps are thinned for drawing; figures are not computed from what is drawn."""

DIVERGING: Final = "RdBu"
GRADIENT: Final = "PuOr"
SEQUENTIAL: Final = "viridis"


@dataclass(frozen=True)
class Canvas:
    """Where a map lies, for drawing.

    Attributes
    ----------
    extent
        Left, right, bottom, top in ``units``.
    aspect
        Height of one unit of y over width of one unit of x on the page.
    x_label, y_label
        Axis labels.
    metres
        Metres of one unit of x, for the scale bar.
    shade
        Hillshade 0..1 (y, x), or None.
    step
        Every so many pixels are drawn.
    """

    extent: tuple[float, float, float, float]
    aspect: float
    x_label: str
    y_label: str
    metres: float
    shade: Float64 | None
    step: int

    @classmethod
    def of(cls, header: StackHeader, elevation: Float32 | None = None) -> Canvas:
        """The canvas of a burst; ``elevation`` (y, x) in metres gives the hillshade."""
        if header.grid is not None:
            return cls.on(header.grid, header.spacing, elevation)
        (height, width), (dy, dx) = header.shape, header.spacing
        shade, step = _shade(header.shape, header.spacing, elevation)
        return cls((0, width, height, 0), dy / dx, "range (pixels)", "azimuth (pixels)", dx, shade, step)

    @classmethod
    def on(cls, grid: Grid, spacing: tuple[float, float], elevation: Float32 | None = None) -> Canvas:
        """The canvas of a map grid; ``spacing`` is metres per pixel along (y, x)."""
        (height, width), (dy, dx) = (grid.height, grid.width), spacing
        shade, step = _shade((height, width), spacing, elevation)
        right, bottom = grid.left + grid.dx * width, grid.top + grid.dy * height
        if _geographic(grid.crs):
            metres = dx / grid.dx
            aspect = (dy / abs(grid.dy)) / metres
            return cls(
                (grid.left, right, bottom, grid.top), aspect, "longitude (°)", "latitude (°)", metres, shade, step
            )
        extent = tuple(value / 1000 for value in (grid.left, right, bottom, grid.top))
        return cls(extent, 1.0, "easting (km)", "northing (km)", 1000.0, shade, step)  # type: ignore[arg-type]

    @property
    def shape_on_page(self) -> float:
        """Height over width of the map as drawn."""
        left, right, bottom, top = self.extent
        return abs((top - bottom) * self.aspect / (right - left))

    def position(self, row: int, column: int, shape: tuple[int, int]) -> tuple[float, float]:
        """Centre of a pixel in units of the axes."""
        left, right, bottom, top = self.extent
        return left + (right - left) * (column + 0.5) / shape[1], top + (bottom - top) * (row + 0.5) / shape[0]


def _shade(
    shape: tuple[int, int], spacing: tuple[float, float], elevation: Float32 | None
) -> tuple[Float64 | None, int]:
    """Hillshade of an elevation, and every how many pixels are drawn."""
    step = max(1, -(-max(shape) // MOST_PIXELS))
    if elevation is None:
        return None, step
    return hillshade(elevation[::step, ::step], (spacing[0] * step, spacing[1] * step)), step


def draw(
    axes: Axes,
    values: Any,
    canvas: Canvas,
    *,
    title: str,
    label: str,
    limits: tuple[float, float],
    colours: str,
    bar: bool = True,
) -> None:
    """Draw one map with its colour bar.

    Parameters
    ----------
    axes
        Where.
    values
        (y, x), NaN = no data, which shows the hillshade alone.
    canvas
        Extent and hillshade.
    title, label
        Title of the panel; quantity and unit of the colour bar.
    limits
        Lowest and highest colour; values beyond take the end colours, and the bar shows pointed ends.
    colours
        Name of a colour map.
    bar
        Draw a scale bar.
    """
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    thin = np.asarray(values)[:: canvas.step, :: canvas.step]
    mappable = ScalarMappable(Normalize(*limits, clip=True), colormaps[colours])
    image = mappable.to_rgba(np.ma.masked_invalid(thin))
    _show(axes, _lit(image, ~np.isfinite(thin), canvas.shade), canvas, title)
    found = thin[np.isfinite(thin)]
    low, high = (bool((found < limits[0]).any()), bool((found > limits[1]).any())) if found.size else (False, False)
    ends = {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}[low, high]
    beside = axes.inset_axes((1.02, 0.0, 0.04, 1.0))  # as high as the map, whatever its shape
    colour_bar = axes.figure.colorbar(mappable, cax=beside, extend=ends)
    colour_bar.set_label(label, fontsize=8, color=INK)
    colour_bar.ax.tick_params(labelsize=7)
    if bar:
        scale_bar(axes, canvas)


def draw_classes(
    axes: Axes, codes: Any, canvas: Canvas, *, title: str, names: Mapping[int, str], colours: Mapping[int, str]
) -> None:
    """Draw a map of classes with a legend beside it that gives the share of the ground of each.

    Parameters
    ----------
    axes, canvas, title
        As for `draw`.
    codes
        Integers (y, x); codes without a name show the hillshade alone and have no share.
    names, colours
        Of the classes by their code.
    """
    from matplotlib.colors import to_rgba
    from matplotlib.patches import Patch

    whole = np.asarray(codes)
    thin = whole[:: canvas.step, :: canvas.step]
    image, empty = np.ones((*thin.shape, 4)), np.ones(thin.shape, bool)
    for code in names:
        image[thin == code] = to_rgba(colours[code])
        empty[thin == code] = False
    _show(axes, _lit(image, empty, canvas.shade), canvas, title)
    count = {code: int(np.count_nonzero(whole == code)) for code in names}
    known = max(sum(count.values()), 1)
    labels = {code: f"{name}  {count[code] / known:.1%}" for code, name in names.items()}
    marks = [Patch(facecolor=colours[code], edgecolor=INK, lw=0.4, label=label) for code, label in labels.items()]
    axes.legend(
        handles=marks, loc="upper left", bbox_to_anchor=(1.01, 1.0), fontsize=8, frameon=False, labelcolor=INK,
        title="share of the ground", title_fontsize=7, alignment="left",
    )  # fmt: skip
    scale_bar(axes, canvas)


def scale_bar(axes: Axes, canvas: Canvas) -> None:
    """A bar of a round length, about a quarter of the map wide, in the lower left corner."""
    left, right, bottom, top = canvas.extent
    width = abs(right - left) * canvas.metres
    wanted = width / 4
    power = 10.0 ** np.floor(np.log10(wanted))
    length = max(step * power for step in (1, 2, 5) if step * power <= wanted)
    span = length / canvas.metres
    x, y = left + 0.05 * (right - left), bottom + 0.06 * (top - bottom)
    text = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    thickness = 0.012 * (top - bottom)
    for inset, colour in ((0.4, "white"), (0.0, INK)):
        pad = inset * abs(thickness)
        axes.fill_between(
            [x - np.sign(right - left) * pad, x + span + pad], y - pad, y + thickness + pad, color=colour, lw=0
        )
    axes.text(
        x + span / 2,
        y + 2 * thickness,
        text,
        ha="center",
        va="bottom",
        fontsize=7,
        color=INK,
        bbox={"facecolor": "white", "alpha": 0.7, "pad": 0.8, "lw": 0},
    )


def hillshade(elevation: Float32, spacing: tuple[float, float]) -> Float64:
    """Light from the north-west at 45 degrees: cosine of the angle to the ground, 0..1; gaps are flat."""
    filled = np.where(np.isfinite(elevation), elevation, np.nanmean(elevation) if np.isfinite(elevation).any() else 0)
    down, right = np.gradient(filled.astype(np.float64), *spacing)
    light = np.array([-0.5, 0.5, np.sqrt(0.5)])  # east, north, up
    normal = np.stack([-right, down, np.ones_like(right)]) / np.sqrt(right**2 + down**2 + 1)
    return np.clip(np.tensordot(light, normal, 1), 0, 1)


def _show(axes: Axes, image: Float64, canvas: Canvas, title: str) -> None:
    axes.imshow(image, extent=canvas.extent, aspect="auto")
    axes.set_aspect(canvas.aspect)
    axes.set_title(title, fontsize=10, loc="left", color=INK)
    axes.set_xlabel(canvas.x_label, fontsize=7, color=INK)
    place = axes.get_subplotspec()
    if place is None or place.is_first_col():
        axes.set_ylabel(canvas.y_label, fontsize=7, color=INK)
    axes.tick_params(labelsize=7, length=2, color=INK)
    axes.ticklabel_format(useOffset=False, style="plain")
    axes.locator_params(nbins=5)


def _lit(image: Float64, empty: Any, shade: Float64 | None) -> Float64:
    """Colours under the hillshade's light; where there is no data, the hillshade in pale grey."""
    light = np.full(empty.shape, 0.85) if shade is None else shade
    lit = image.copy()
    # Flat ground has 0.71: it keeps its colour, so that the colour bar stays true away from slopes.
    lit[..., :3] *= np.clip(0.62 + 0.54 * light, 0, 1)[..., None]
    lit[empty, :3] = (0.45 + 0.5 * light[empty])[:, None]
    lit[..., 3] = 1
    return lit


def _geographic(crs: str) -> bool:
    from pyproj import CRS

    return bool(CRS.from_user_input(crs).is_geographic)
