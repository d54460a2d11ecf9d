"""One pass over a region in tiles: every map of a bin's sums, from all its pairs."""

from __future__ import annotations

import numpy as np
from numba import njit

from slidecloud.kernels._gradients_finish import block_distances, flag_aliased
from slidecloud.kernels._gradients_sums import COHERENT, DIFFERENCES, TILE_COLUMNS, TILE_ROWS, accumulate_tile
from slidecloud.kernels._gradients_variance import scatter_parts
from slidecloud.kernels._gradients_windows import SAMPLE_ONE


@njit(nogil=True, cache=True)
def _store(out, values, factor):  # type: ignore[no-untyped-def]
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = np.float32(values[i, j] * factor)


@njit(nogil=True, cache=True)
def accumulate_region(  # type: ignore[no-untyped-def]
    phase, coherence, order, span, steps, kind, window, block, lead, halo, corner,
    maps, ratios, usable, local, count, flags,
):  # fmt: skip
    """Fill the maps of the last line, which start at zero, for the region whose first pixel is ``corner``.

    ``maps`` (12, y, x) float32: x real, x imag, y real, y imag, magnitude, magnitude², span, coherence, and the four
    distances; ``ratios``, ``usable``, ``local`` as of ``scatter_parts``; ``count`` int32, ``flags`` uint8. ``halo`` is
    how many pixels (y, x) the windows reach beyond the region in all, ``lead`` how many of them before it.
    """
    one = 1.0 if kind == DIFFERENCES else 1.0 / (SAMPLE_ONE * SAMPLE_ONE)
    height, width = count.shape
    for top in range(0, height, TILE_ROWS):
        rows = min(TILE_ROWS, height - top)
        for left in range(0, width, TILE_COLUMNS):
            columns = min(TILE_COLUMNS, width - left)
            total, extra = np.zeros((rows, 4, columns)), np.zeros((rows, 4, columns))
            by_pair, by_role = np.zeros((rows, 6, columns)), np.zeros((rows, 6, columns))
            by_chain, magnitude = np.zeros((rows, 6, columns)), np.zeros((rows, 3, columns))
            distance = np.empty((4, rows, columns))
            pixel_coherence = np.zeros((rows, columns), np.int32)
            weight = np.zeros((rows + halo[0], columns + halo[1]), np.int32)
            part = (slice(top, top + rows), slice(left, left + columns))
            parts = (slice(None), slice(top, top + rows), slice(left, left + columns))
            accumulate_tile(
                phase, coherence, order, span, steps, kind, window, block, corner[0] + top, corner[1] + left,
                lead, total, extra, by_pair, by_role, by_chain, magnitude, count[part], pixel_coherence, weight,
            )  # fmt: skip
            scatter_parts(total, by_pair, by_role, by_chain, kind, ratios[parts], usable[parts], local[parts])
            if kind == COHERENT:
                flag_aliased(total, extra, window, block, flags[part])
            block_distances(weight, extra, count[part], kind, window, block, distance, flags[part])
            for field in range(4):
                _store(maps[field][part], total[:, field], one)
                _store(maps[8 + field][part], distance[field], 1.0)
            _store(maps[4][part], magnitude[:, 0], one)
            _store(maps[5][part], magnitude[:, 1], one * one)
            _store(maps[6][part], magnitude[:, 2], one)
            _store(maps[7][part], pixel_coherence, 1.0 / 255.0)
