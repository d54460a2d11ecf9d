"""A small simulator of multilooked speckle for the gradient kernels' tests: white or oversampled, pairs or series."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels.phase import encode

REVISIT = 12.0
"""Days between dates."""


class Pairs(NamedTuple):
    """Input of the kernels: int16 (pair, y, x), uint8 (pair, y, x), int (pair,), int (pair,)."""

    phase: NDArray[np.int16]
    coherence: NDArray[np.uint8]
    reference: NDArray[np.int64]
    secondary: NDArray[np.int64]


def network(dates: int, longest: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All pairs of at most ``longest`` date steps, sorted."""
    pairs = [(i, j) for i in range(dates) for j in range(i + 1, min(i + longest + 1, dates))]
    return np.array([i for i, _ in pairs]), np.array([j for _, j in pairs])


def chain(pairs: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs that share no date."""
    return np.arange(pairs) * 2, np.arange(pairs) * 2 + 1


def ramp(shape: tuple[int, int], x: float, y: float) -> NDArray[np.float64]:
    """Phase of a constant gradient, rad per pixel."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return x * columns + y * rows


def to_coherence(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Stored coherence, at least 1 where valid."""
    return np.clip(np.rint(values * 255), 1, 255).astype(np.uint8)


def _normal(generator: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.complex64]:
    parts = generator.standard_normal((*shape, 2), dtype=np.float32) * np.float32(np.sqrt(0.5))
    return parts.view(np.complex64)[..., 0]


def white_pairs(
    generator: np.random.Generator, phase: NDArray[np.float64], *, coherence: NDArray[np.float64], looks: int
) -> Pairs:
    """Independent pairs of white noise, one coherence each, which is also the weight.

    With s1 = g s2 + sqrt(1 - g²) n the sum of s1 conj(s2) over looks is g q + sqrt((1 - g²) q) n', q = sum of the
    looks' intensities: gamma distributed.
    """
    shape = (coherence.size, *phase.shape)
    level = coherence[:, None, None]
    power = generator.standard_gamma(looks, shape, dtype=np.float32)
    z = level * power + np.sqrt((1 - level**2) * power) * _normal(generator, shape)
    reference, secondary = chain(coherence.size)
    return Pairs(encode(np.angle(z) + phase), np.broadcast_to(to_coherence(level), shape).copy(), reference, secondary)


def _smooth(field: NDArray[np.complex64], kernel: NDArray[np.float64], axis: int) -> NDArray[np.complex64]:
    taps = kernel / np.sqrt(np.sum(kernel**2))
    count = field.shape[axis] - taps.size + 1
    return sum(np.float32(tap) * np.take(field, range(k, k + count), axis=axis) for k, tap in enumerate(taps))  # type: ignore[return-value]


def _box(values: NDArray[np.floating], size: int) -> NDArray[np.floating]:
    for axis in (-2, -1):
        count = values.shape[axis] - size + 1
        values = sum(np.take(values, range(k, k + count), axis=axis) for k in range(size)) / size
    return values


def correlated_pairs(
    generator: np.random.Generator,
    phase: NDArray[np.float64],
    *,
    coherence: float,
    looks: int,
    pairs: int,
    kernel_y: tuple[float, ...] = (1.0,),
    kernel_x: tuple[float, ...] = (1.0,),
    estimate: int = 0,
) -> Pairs:
    """Independent pairs from SLCs smoothed by the kernels; weights constant or estimated in ``estimate``² pixels."""
    edge = estimate // 2
    shape = (phase.shape[0] + 2 * edge, phase.shape[1] + 2 * edge)
    raw = (looks, shape[0] + len(kernel_y) - 1, shape[1] + len(kernel_x) - 1)
    signal = np.exp(1j * np.pad(phase, edge, mode="reflect", reflect_type="odd")).astype(np.complex64)
    phases, levels = [], []
    for _ in range(pairs):
        second, noise = (
            _smooth(_smooth(_normal(generator, raw), np.array(kernel_y), 1), np.array(kernel_x), 2) for _ in range(2)
        )
        first = coherence * second + np.float32(np.sqrt(1 - coherence**2)) * noise
        z = np.sum(first * second.conj(), axis=0) * signal
        inner = (slice(edge, shape[0] - edge), slice(edge, shape[1] - edge))
        phases.append(encode(np.angle(z[inner])))
        if estimate:
            power = _box(np.sum(np.abs(first) ** 2, axis=0), estimate) * _box(
                np.sum(np.abs(second) ** 2, axis=0), estimate
            )
            levels.append(to_coherence(np.abs(_box(z, estimate)) / np.sqrt(power)))
        else:
            levels.append(to_coherence(np.full(phase.shape, coherence)))
    reference, secondary = chain(pairs)
    return Pairs(np.stack(phases), np.stack(levels), reference, secondary)


def turbulence(generator: np.random.Generator, shape: tuple[int, int], gradient: float) -> NDArray[np.float64]:
    """Random field with power law -8/3 in two dimensions, its gradient of given standard deviation (rad/pixel)."""
    size = (2 * shape[0], 2 * shape[1])
    wave = np.hypot(np.fft.fftfreq(size[0])[:, None], np.fft.rfftfreq(size[1])[None])
    wave[0, 0] = np.inf
    spectrum = np.fft.rfft2(generator.standard_normal(size)) * wave ** (-4 / 3) * np.exp(-((wave * 40) ** 2))
    field = np.fft.irfft2(spectrum, size)[: shape[0], : shape[1]]
    return field * gradient / np.sqrt(np.mean(np.square(np.gradient(field))))


def series_pairs(
    generator: np.random.Generator,
    shape: tuple[int, int],
    *,
    dates: int,
    longest: int,
    decorrelation: float,
    looks: int,
    gradient: tuple[float, float],
    turbulent: float = 0.0,
) -> Pairs:
    """Pairs of an SLC time series whose speckle decays as exp(-dt / decorrelation), dt in days: pairs share dates.

    Every date may carry an atmosphere whose gradient has the standard deviation ``turbulent`` (rad per pixel). The
    weight is the true coherence. ``gradient`` (x, y) is the same in every pair.
    """
    keep = np.float32(np.exp(-REVISIT / decorrelation))
    slc = np.empty((dates, looks, *shape), np.complex64)
    slc[0] = _normal(generator, (looks, *shape))
    for date in range(1, dates):
        slc[date] = keep * slc[date - 1] + np.sqrt(1 - keep**2) * _normal(generator, (looks, *shape))
    air = [turbulence(generator, shape, turbulent) if turbulent else np.zeros(shape) for _ in range(dates)]
    reference, secondary = network(dates, longest)
    signal = ramp(shape, *gradient)
    phases, levels = [], []
    for i, j in zip(reference, secondary, strict=True):
        z = np.einsum("lyx,lyx->yx", slc[i], slc[j].conj())
        phases.append(encode(np.angle(z) + signal + air[i] - air[j]))
        levels.append(to_coherence(np.full(shape, float(keep) ** (j - i))))
    return Pairs(np.stack(phases), np.stack(levels), reference, secondary)
