"""Which pixels the sums of a region are found at: its own, and those around it that sigma is averaged over."""

from __future__ import annotations

from dataclasses import dataclass

from slidecloud.kernels._gradients_variance import grid_step

Axes = tuple[int, int]


@dataclass(frozen=True)
class Frame:
    """Pixels (y, x) of the input: from ``start`` to ``stop``, of which those from ``corner`` on are wanted.

    The grid of sigma, fixed to the burst, has ``points`` from ``grid_first`` on, ``step`` pixels apart. ``start`` and
    ``stop`` may lie outside the input, where a window still reaches into it.
    """

    corner: Axes
    extent: Axes
    start: Axes
    stop: Axes
    step: Axes
    grid_first: Axes
    points: Axes


def frame(
    corner: Axes, extent: Axes, origin: Axes, limit: Axes, window: Axes, lead: Axes, halo: Axes, reach: Axes
) -> Frame:
    """The frame of ``extent`` pixels from ``corner`` on; ``origin`` is the first of the ``limit`` pixels of input.

    Windows begin ``lead`` pixels before their pixel and ``halo`` is how far they go on; sigma needs ``reach`` pixels.
    """
    step = grid_step(window)
    start = tuple(max(c - r, a - h) for c, r, a, h in zip(corner, reach, lead, halo, strict=True))
    stop = tuple(min(c + e + r, n + a) for c, e, r, n, a in zip(corner, extent, reach, limit, lead, strict=True))
    first = tuple(-(-(a + o) // s) * s - o for a, o, s in zip(start, origin, step, strict=True))
    points = tuple(max(0, -(-(b - f) // s)) for b, f, s in zip(stop, first, step, strict=True))
    return Frame(corner, extent, _axes(start), _axes(stop), step, _axes(first), _axes(points))


def _axes(values: tuple[int, ...]) -> Axes:
    return values[0], values[1]
