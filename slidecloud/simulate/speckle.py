"""Speckle: circular Gaussian scattering that changes from date to date."""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slidecloud.kernels import interferograms
from slidecloud.simulate.calendar import acquisition_dates, days_between
from slidecloud.simulate.streams import Subject, stream
from slidecloud.types import Float32

Summand = TypeVar("Summand", np.float32, np.complex64)


class Looks(NamedTuple):
    """Multilooked pairs of one image: ``phase`` int16 (pair, y, x) binary angle; ``coherence`` uint8 (pair, y, x)."""

    phase: NDArray[np.int16]
    coherence: NDArray[np.uint8]


def speckle_row(
    rng: np.random.Generator,
    *,
    persistent: Float32,
    decorrelation_time: Float32,
    quality: Float32,
    intervals: Float32,
    looks: int,
) -> Float32:
    """Independent looks of one row on every date, float32 (date, 2, look, x): real and imaginary, variance 1 each.

    A look is ``sqrt(q) (sqrt(p) P + sqrt(1 - p) A) + sqrt(1 - q) N``: P stays, A is a first-order autoregression that
    decays as exp(-dt/tau), N is new on each date. Coherence is then that of `decorrelation.Coherence`, and closure
    and the correlation of pairs that share a date come out right by themselves. Dates are drawn in order, so a longer
    series begins with the same numbers.

    Parameters
    ----------
    persistent, decorrelation_time
        p and tau (days) of each pixel, (x,).
    quality
        q, (date, x).
    intervals
        Days since the date before, (date,); the first is not used.
    """
    dates, width = quality.shape
    size = (2, looks, width)
    one = np.float32(1.0)
    series = np.empty((dates, *size), dtype=np.float32)
    fixed = np.sqrt(persistent) * rng.standard_normal(size, dtype=np.float32)
    changing = rng.standard_normal(size, dtype=np.float32)
    for date in range(dates):
        if date:
            kept = np.exp(-intervals[date] / decorrelation_time)
            changing *= kept
            changing += np.sqrt(one - kept * kept) * rng.standard_normal(size, dtype=np.float32)
        signal = np.sqrt(one - persistent) * changing
        signal += fixed
        signal *= np.sqrt(quality[date])
        noise = rng.standard_normal(size, dtype=np.float32)
        noise *= np.sqrt(one - quality[date])
        np.add(signal, noise, out=series[date])
    return series


def slc_series(
    seed: int = 0,
    *,
    dates: int | ArrayLike,
    shape: tuple[int, int],
    persistent: ArrayLike = 0.0,
    decorrelation_time: ArrayLike = 24.0,
    quality: ArrayLike = 1.0,
    phase: ArrayLike | None = None,
    neighbour_correlation: tuple[float, float] = (0.0, 0.0),
) -> NDArray[np.complex64]:
    """Coregistered single-look images of a distributed scatterer, for tests of kernels.

    Parameters
    ----------
    seed
        Same seed, same images; more dates or rows leave the others as they are.
    dates
        Acquisition dates, increasing, or how many at 12 days.
    shape
        (y, x) pixels.
    persistent, decorrelation_time, quality
        The coherence of dates i and j is ``q (p + (1 - p) exp(-|dt| / tau))``, tau in days; each a number or (y, x).
    phase
        Phase history, rad, positive away from the satellite, broadcast to (date, y, x): image d carries
        ``exp(-i phase[d])``, so that reference * conj(secondary) has the phase ``phase[secondary] - phase[reference]``.
    neighbour_correlation
        Correlation of neighbours along (y, x), below 0.5, as left by oversampling.

    Returns
    -------
    complex64 (date, y, x) of mean power 1.

    Raises
    ------
    ValueError
        If a model parameter or a correlation is out of its range, or shapes do not fit.
    """
    times = acquisition_dates(dates)
    model = {"persistent": persistent, "decorrelation_time": decorrelation_time, "quality": quality}
    p, tau, q = (_model_map(value, shape, name) for name, value in model.items())
    taps = [_second_tap(value) for value in neighbour_correlation]
    padding = [(0, int(tap > 0.0)) for tap in taps]
    p, tau, q = (np.pad(each, padding, mode="edge") for each in (p, tau, q))
    images = np.empty((len(times), *p.shape), dtype=np.complex64)
    for row in range(p.shape[0]):
        series = speckle_row(
            stream(seed, Subject.SPECKLE, row),
            persistent=p[row],
            decorrelation_time=tau[row],
            quality=np.broadcast_to(q[row], (len(times), p.shape[1])),
            intervals=days_between(times),
            looks=1,
        )[:, :, 0]
        images[:, row] = (series[:, 0] + 1j * series[:, 1]) * np.float32(np.sqrt(0.5))
    for axis, tap in zip((1, 2), taps, strict=True):
        if tap > 0.0:
            here = np.take(images, range(shape[axis - 1]), axis=axis)
            following = np.take(images, range(1, shape[axis - 1] + 1), axis=axis)
            images = ((here + np.float32(tap) * following) / np.float32(np.sqrt(1.0 + tap * tap))).astype(np.complex64)
    if phase is None:
        return images
    turned: NDArray[np.complex64] = (images * np.exp(-1j * np.asarray(phase, dtype=np.float64))).astype(np.complex64)
    if turned.shape != images.shape:
        raise ValueError(f"phase: found shape {np.shape(phase)}, expected one that broadcasts to {images.shape}")
    return turned


def form_pairs(
    slc: NDArray[np.complex64],
    reference: ArrayLike,
    secondary: ArrayLike,
    *,
    looks: tuple[int, int] = (1, 1),
    coherence_window: int = 5,
) -> Looks:
    """Multilooked interferograms of an image series, with coherence as processors estimate it.

    Coherence is the sample coherence over the looks of `coherence_window` x `coherence_window` pixels, smaller at the
    edges; like every sample coherence it is too high where the truth is near 0 (Touzi et al. 1999).

    Parameters
    ----------
    slc
        complex64 (date, y, x).
    reference, secondary
        Date indices, (pair,).
    looks
        Pixels averaged along (y, x), without overlap; what is left at the end is cut off.
    coherence_window
        Multilooked pixels, odd.

    References
    ----------
    Touzi, R., Lopes, A., Bruniquel, J., Vachon, P. W. (1999), Coherence estimation for SAR imagery, IEEE Trans.
    Geosci. Remote Sens. 37(1), 135-149.
    """
    check_window(coherence_window)
    formed = interferograms.form_pairs(
        slc, reference=reference, secondary=secondary, looks=looks, coherence_window=coherence_window
    )
    return Looks(*formed)


def box_sum(values: NDArray[Summand], window: int, *, axis: int) -> NDArray[Summand]:
    """Sum over `window` neighbours along an axis, fewer at its ends; always added in the same order."""
    half = window // 2
    moved = np.moveaxis(values, axis, 0)
    padded = np.pad(moved, [(half, half)] + [(0, 0)] * (values.ndim - 1))
    total = padded[: len(moved)].copy()
    for shift in range(1, window):
        total += padded[shift : shift + len(moved)]
    return np.moveaxis(total, 0, axis)


def encode_coherence(coherence: Float32) -> NDArray[np.uint8]:
    """Coherence in [0, 1] as uint8, ``value / 255``, at least 1 because 0 stands for no data."""
    encoded: NDArray[np.uint8] = np.clip(np.rint(coherence * np.float32(255.0)), 1, 255).astype(np.uint8)
    return encoded


def check_window(window: int) -> None:
    """Refuse a coherence window that has no centre."""
    if window < 1 or window % 2 == 0:
        raise ValueError(f"coherence_window: found {window}, expected an odd number of pixels, such as 5")


def _model_map(value: ArrayLike, shape: tuple[int, int], name: str) -> Float32:
    spread = np.asarray(value, dtype=np.float32)
    if spread.shape not in ((), tuple(shape)):
        raise ValueError(f"{name}: found shape {spread.shape}, expected a number or {tuple(shape)}")
    good = spread > 0.0 if name == "decorrelation_time" else (spread >= 0.0) & (spread <= 1.0)
    if not np.all(good):
        expected = "days above 0" if name == "decorrelation_time" else "shares in [0, 1]"
        raise ValueError(f"{name}: found {spread.min()} to {spread.max()}, expected {expected}")
    return np.broadcast_to(spread, shape)


def _second_tap(correlation: float) -> float:
    """Tap b of the filter (1, b) that gives white noise the correlation b / (1 + b^2) between neighbours."""
    if not 0.0 <= correlation < 0.5:
        raise ValueError(f"neighbour_correlation: found {correlation}, expected at least 0 and below 0.5")
    if correlation == 0.0:
        return 0.0
    return float((1.0 - np.sqrt(1.0 - 4.0 * correlation**2)) / (2.0 * correlation))
