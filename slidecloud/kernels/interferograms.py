"""Interferograms from coregistered single-look images, and their phase gradients without ever storing them.

A pair is ``reference * conj(secondary)``, positive away from the satellite, summed over cells of ``looks`` samples:
their angle is the phase, and ``|sum s1 conj(s2)| / sqrt(sum |s1|² sum |s2|²)`` over the coherence window the coherence.
A cell with a sample that is 0 or not finite in either image is no data there.

Sample coherence is biased: of L independent samples of incoherent images it is on average
``Gamma(L) Gamma(1.5) / Gamma(L + 0.5)``, 0.22 for the 16 looks of a cell and 0.28 for the ten or so that are
independent in oversampled Sentinel-1 images (Touzi et al. 1999). A larger ``coherence_window`` lowers it at the cost of
resolution: 3 x 3 cells to a third.

References
----------
Touzi, R., Lopes, A., Bruniquel, J., Vachon, P. W. (1999), Coherence estimation for SAR imagery, IEEE Trans. Geosci.
Remote Sens. 37(1), 135-149.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slidecloud.kernels import device, gradients
from slidecloud.kernels._gradients_check import Estimator
from slidecloud.kernels._interferograms_check import (
    Axes,
    both_axes,
    check_angles,
    check_dates,
    check_images,
    check_shape,
    grid,
    window_reach,
)
from slidecloud.kernels._interferograms_rows import form_rows
from slidecloud.kernels.device import on_device

__all__ = ["TILE", "Interferograms", "form", "form_pairs", "grid", "samples", "stack"]

TILE = (256, 512)
"""Cells of a tile of `stack` without its halo."""


class Interferograms(NamedTuple):
    """Multilooked pairs: ``phase`` int16 binary angle, 0 where no data; ``coherence`` uint8, value/255, 0 = no data,
    valid at least 1. Both (pair, y, x), or (y, x) of a single pair."""

    phase: NDArray[np.int16]
    coherence: NDArray[np.uint8]


def form(
    reference: NDArray[Any],
    secondary: NDArray[Any],
    *,
    looks: Axes = (2, 8),
    coherence_window: int | Axes = 1,
    flattening: NDArray[np.int16] | None = None,
) -> Interferograms:
    """One multilooked interferogram.

    Parameters
    ----------
    reference, secondary
        The earlier and the later image, coregistered, complex64 (y, x) or int16 (y, x, 2); see `form_pairs`.
    looks, coherence_window
        See `form_pairs`.
    flattening
        int16 (2, y, x): flattening phase of the two images; see `form_pairs`.

    Returns
    -------
    Interferograms of shape (y // looks, x // looks).

    Raises
    ------
    TypeError, ValueError
        As `form_pairs`.
    """
    if np.shape(reference) != np.shape(secondary) or reference.dtype != secondary.dtype:
        raise ValueError(
            f"secondary: found {np.shape(secondary)} {secondary.dtype}, expected {np.shape(reference)} "
            f"{reference.dtype} like the reference; coregister the two images to one grid"
        )
    pair = form_pairs(
        np.stack([reference, secondary]), reference=[0], secondary=[1], looks=looks, coherence_window=coherence_window,
        flattening=flattening,
    )  # fmt: skip
    return Interferograms(pair.phase[0], pair.coherence[0])


def form_pairs(
    slc: NDArray[Any],
    *,
    reference: ArrayLike,
    secondary: ArrayLike,
    looks: Axes = (2, 8),
    coherence_window: int | Axes = 1,
    flattening: NDArray[np.int16] | None = None,
) -> Interferograms:
    """Multilooked interferograms of a stack of images.

    Samples of a date are taken up once for all its pairs. Values of a cell do not depend on what else is formed: of a
    part of the images they are the same to the last bit, if the part begins on a multiple of the looks and reaches the
    coherence window further.

    Parameters
    ----------
    slc
        complex64 (date, y, x), or int16 (date, y, x, 2), real and imaginary part, whose scale does not matter.
    reference, secondary
        int (pair,) dates of the earlier and the later image.
    looks
        Samples (y, x) of a cell; what is left over at the end is cut off.
    coherence_window
        Odd number of cells, or (y, x) cells, around a cell from whose samples coherence is estimated; fewer at the
        borders of the images. 1 takes the cell's own.
    flattening
        int16 (date, y, x) binary angle of the phase that geometry (flat earth, topography) has put into the samples,
        of the sign of the samples' own phase: each is multiplied by exp(-i flattening).

    Returns
    -------
    Interferograms of shape (pair, y // looks, x // looks); device arrays if the images are. On a device, sums of the
    looks are rounded in another order: phases differ from the host's by float32 rounding.

    Raises
    ------
    TypeError, ValueError
        For wrong types, shapes, dates or looks; the message says what to do.
    RuntimeError
        If there is no GPU.
    """
    if on_device(slc) or on_device(flattening):
        return _form_on_device(slc, reference, secondary, looks, coherence_window, flattening)
    parts = check_images(slc)
    images = (*parts.shape[:2], parts.shape[2] // 2)
    angles = check_angles(flattening, images)
    first, second = check_dates(reference, secondary, len(parts))
    shape = grid(images[1:], looks)
    phase, coherence = np.empty((first.size, *shape), np.int16), np.empty((first.size, *shape), np.uint8)
    form_rows(parts, angles, first, second, both_axes("looks", looks), window_reach(coherence_window), phase, coherence)
    return Interferograms(phase, coherence)


def stack(
    slc: NDArray[Any],
    *,
    reference: ArrayLike,
    secondary: ArrayLike,
    span: ArrayLike | None = None,
    baseline: ArrayLike | None = None,
    looks: Axes = (2, 8),
    coherence_window: int | Axes = 1,
    flattening: NDArray[np.int16] | None = None,
    window: int | Axes = 10,
    gap: int | Axes | None = None,
    estimator: Estimator = "coherent",
) -> gradients.GradientStack:
    """Mean phase gradients of a stack of images: `form_pairs` and `gradients.stack` in one pass, tile by tile.

    Only one tile of interferograms exists at a time: 3 bytes for each pair and cell of `TILE` and its halo, 400 kB a
    pair, beside images and maps. Results are to the last bit those of stacking whole interferograms. Images on a device
    are formed whole, in its memory.

    Parameters
    ----------
    slc, reference, secondary, looks, coherence_window, flattening
        See `form_pairs`.
    span, baseline, window, gap, estimator
        See `gradients.accumulate`; the window counts cells.
    """
    if on_device(slc) or on_device(flattening):
        formed = form_pairs(
            slc, reference=reference, secondary=secondary, looks=looks, coherence_window=coherence_window,
            flattening=flattening,
        )  # fmt: skip
        return gradients.stack(
            *formed, reference=reference, secondary=secondary, span=span, baseline=baseline, window=window, gap=gap,
            estimator=estimator,
        )  # fmt: skip
    cells = grid(np.shape(slc)[1:3], looks)
    before, after = zip(*gradients.halo(window, estimator=estimator), strict=True)
    kind = gradients.RateSums if estimator == "rate" else gradients.GradientSums
    fields: list[NDArray[Any]] = []
    for top in range(0, cells[0], TILE[0]):
        for left in range(0, cells[1], TILE[1]):
            own = (slice(top, min(top + TILE[0], cells[0])), slice(left, min(left + TILE[1], cells[1])))
            outer, interior = _padded(own, before, after, cells)
            rows, columns, wanted = samples(outer, cells, looks=looks, coherence_window=coherence_window)
            formed = form_pairs(
                slc[:, rows, columns], reference=reference, secondary=secondary, looks=looks,
                coherence_window=coherence_window,
                flattening=None if flattening is None else flattening[:, rows, columns],
            )  # fmt: skip
            sums = gradients.accumulate(
                formed.phase[:, *wanted], formed.coherence[:, *wanted], reference=reference, secondary=secondary,
                span=span, baseline=baseline, window=window, gap=gap, estimator=estimator, interior=interior,
                origin=(outer[0].start, outer[1].start),
            )  # fmt: skip
            fields = fields or [np.empty(cells, field.dtype) for field in sums]
            for whole, part in zip(fields, sums, strict=True):
                whole[own] = part
    return gradients.finish(kind(*fields), estimator=estimator, window=window, gap=gap)


def samples(
    cells: tuple[slice, slice], shape: Axes, *, looks: Axes, coherence_window: int | Axes
) -> tuple[slice, slice, tuple[slice, slice]]:
    """What `form_pairs` needs for a part of the grid.

    Parameters
    ----------
    cells
        Rows and columns of cells that are wanted.
    shape
        Cells of the whole grid.

    Returns
    -------
    (rows of samples, columns of samples, cells of their interferogram that are wanted).
    """
    reach = window_reach(coherence_window)
    outer, wanted = _padded(cells, reach, reach, shape)
    rows, columns = (slice(part.start * n, part.stop * n) for part, n in zip(outer, looks, strict=True))
    return rows, columns, wanted


def _padded(
    cells: tuple[slice, slice], before: Axes, after: Axes, shape: Axes
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Cells with others around them as far as there are any, and where the own lie among those."""
    outer = [
        slice(max(part.start - b, 0), min(part.stop + a, size))
        for part, b, a, size in zip(cells, before, after, shape, strict=True)
    ]
    own = [slice(c.start - o.start, c.stop - o.start) for c, o in zip(cells, outer, strict=True)]
    return (outer[0], outer[1]), (own[0], own[1])


def _form_on_device(
    slc: Any, reference: ArrayLike, secondary: ArrayLike, looks: Axes, coherence_window: int | Axes, flattening: Any
) -> Interferograms:
    device.require_gpu("interferograms of images on the device")
    from slidecloud.kernels._interferograms_cuda import form_cells

    integer = len(np.shape(slc)) == 4
    images = device.as_device(slc, name="slc", dtype=np.int16 if integer else np.complex64, ndim=4 if integer else 3)
    angles = None
    if flattening is not None:
        angles = device.as_device(flattening, name="flattening", dtype=np.int16, ndim=3)
        check_shape("flattening", angles.shape, images.shape[:3])
    first, second = check_dates(reference, secondary, images.shape[0])
    shape = grid(images.shape[1:3], looks)
    phase, coherence = form_cells(
        images, angles, first, second, both_axes("looks", looks), window_reach(coherence_window), shape
    )
    return Interferograms(phase, coherence)
