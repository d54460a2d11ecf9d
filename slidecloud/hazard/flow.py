"""Where water runs: flow directions, accumulation and main stems of an elevation model."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slidecloud.kernels.flow import NOWHERE, main_stems, steepest
from slidecloud.libraries import library


class Flow(NamedTuple):
    """``direction``: uint8 (y, x) as in `slidecloud.kernels.flow`. ``accumulation``: int32 (y, x), cells that drain
    through each, itself included; 0 without an elevation. ``stem``: int32 (y, x), the accumulation at the lower end of
    the main stem on which each cell lies."""

    direction: NDArray[np.uint8]
    accumulation: NDArray[np.int32]
    stem: NDArray[np.int32]


def flow(elevation: ArrayLike, *, spacing: tuple[float, float]) -> Flow:
    """Flow over a whole elevation model, its pits filled.

    Water leaves at the border of the grid and of ground without an elevation. It needs the whole ground at once: what
    drains through a cell may come from anywhere.

    Parameters
    ----------
    elevation
        (y, x), m, NaN = none; rows run southward.
    spacing
        Metres per pixel along (y, x), positive.

    Raises
    ------
    ValueError
        If the elevation is not a 2-D array of at least two cells, has no value, or holds infinities; if a spacing is
        not positive.

    References
    ----------
    Wang, L., Liu, H. (2006), An efficient method for identifying and filling surface depressions in digital elevation
    models, Int. J. Geogr. Inf. Sci. 20(2), 193-213. O'Callaghan, J. F., Mark, D. M. (1984), The extraction of drainage
    networks from digital elevation data, Comput. Vis. Graph. Image Process. 28, 323-344.
    """
    pyflwdir, dem = library("pyflwdir"), library("pyflwdir.dem")
    ground = _checked(elevation, spacing)
    _, spilling = dem.fill_depressions(ground, nodata=np.nan)
    forest = pyflwdir.from_array(spilling, ftype="d8", check_ftype=False)
    direction = steepest(ground, forest.idxs_ds, forest.idxs_seq, spacing=spacing)
    del forest, spilling
    accumulation = pyflwdir.from_array(direction, ftype="d8", check_ftype=False).upstream_area("cell")
    accumulation = np.where(direction == NOWHERE, 0, accumulation).astype(np.int32)
    return Flow(direction, accumulation, main_stems(direction, accumulation))


def _checked(elevation: ArrayLike, spacing: tuple[float, float]) -> NDArray[np.float32]:
    ground = np.ascontiguousarray(elevation, dtype=np.float32)
    if ground.ndim != 2 or ground.size < 2:
        raise ValueError(f"elevation: found shape {ground.shape}, expected (y, x) of at least two cells")
    if np.isinf(ground).any() or not np.isfinite(ground).any():
        raise ValueError("elevation: found infinities or no value at all, expected metres, and NaN where unknown")
    if not min(spacing) > 0.0:
        raise ValueError(f"spacing: found {spacing}, expected positive metres; drop the sign of a map's dy")
    return ground
