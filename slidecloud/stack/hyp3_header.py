"""Headers of stacks of HyP3 products, from what their text files say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from slidecloud.stack.grids import spacing
from slidecloud.stack.hyp3_parameters import Parameters
from slidecloud.stack.names import SourcePath, printable
from slidecloud.types import SENTINEL1_WAVELENGTH, DataError, Grid, Pass, StackHeader

INDEPENDENT_LOOKS = 0.5
"""Of a look, as Sentinel-1 IW samples about 1.3 times (range) and 1.5 times (azimuth) its resolution."""

_SINGLE_LOOK = 20.0
"""Metres along azimuth below which pixels are single looks, which are 14 m apart."""


def map_header(stack_id: str, parameters: Sequence[Parameters], grid: Grid, *, has_unwrapped: bool) -> StackHeader:
    """Header of geocoded products on a grid; their filter is named with the processor.

    Raises
    ------
    DataError
        If products differ in looks or pass.
    """
    strengths = " and ".join(f"{value:g}" for value in sorted({item.filter_strength for item in parameters}))
    return _header(
        stack_id, parameters, (grid.height, grid.width), spacing(grid), grid=grid, has_unwrapped=has_unwrapped,
        filtered=any(item.filter_strength > 0 for item in parameters), processor=f"ISCE2, adaptive filter {strengths}",
    )  # fmt: skip


def radar_header(
    stack_id: str, parameters: Sequence[Parameters], shape: tuple[int, int], steps: tuple[float, float]
) -> StackHeader:
    """Header of products in the geometry of the radar, of which `steps` are the metres between pixels (y, x).

    They are multilooked like the geocoded ones, or else single looks: steps along azimuth tell.

    Raises
    ------
    DataError
        If products differ in looks or pass.
    """
    return _header(stack_id, parameters, shape, steps, single=steps[0] < _SINGLE_LOOK)


def _header(
    stack_id: str,
    parameters: Sequence[Parameters],
    shape: tuple[int, int],
    steps: tuple[float, float],
    *,
    grid: Grid | None = None,
    has_unwrapped: bool = False,
    filtered: bool = False,
    processor: str = "ISCE2",
    single: bool = False,
) -> StackHeader:
    looks = {(item.range_looks, item.azimuth_looks): item.path for item in parameters}
    passes: dict[Pass, SourcePath] = {item.pass_: item.path for item in parameters}
    for name, values in (("looks", looks), ("pass", passes)):
        if len(values) > 1:
            said = ", ".join(f"{value} in {printable(path)}" for value, path in values.items())
            raise DataError(f"{name} differ between products: {said}; expected one: keep alike products in a stack")
    range_looks, azimuth_looks = (1, 1) if single else next(iter(looks))
    ranges = [item.slant_range for item in parameters if not math.isnan(item.slant_range)]
    return StackHeader(
        id=stack_id,
        geometry="radar" if grid is None else "map",
        shape=shape,
        spacing=steps,
        wavelength=SENTINEL1_WAVELENGTH,
        range_looks=range_looks,
        azimuth_looks=azimuth_looks,
        effective_looks=range_looks * azimuth_looks * INDEPENDENT_LOOKS,
        heading=median(item.heading for item in parameters),
        look_direction="right",
        pass_=next(iter(passes)),
        slant_range=median(ranges or [math.nan]),
        source="HyP3",
        processor=processor,
        filtered=filtered,
        has_unwrapped=has_unwrapped,
        grid=grid,
    )
