"""Rates of this machine: how fast it stacks gradients, inverts series, and reads and writes a store.

``estimate`` turns these rates into hours. Each kernel also runs against a plain NumPy and SciPy formulation of the same
work in the same call, so that a slow machine and a slow kernel can be told apart.
"""

from __future__ import annotations

import datetime
import os
import platform
import time
import uuid
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.pipeline.rates import Rates, default_path
from slidecloud.types import Float32, Float64

__all__ = ["Rates", "bench", "default_path", "plain_gradients", "plain_series"]

_REVISIT_DAYS = 12
_LONGEST_STEPS = 3
_OBJECT_BYTES = 12_000_000


def bench(
    location: str | os.PathLike[str] | None = None,
    *,
    storage_options: dict[str, Any] | None = None,
    seconds: float = 3.0,
    shape: tuple[int, int] = (256, 512),
    dates: int = 60,
    objects: int = 8,
) -> Rates:
    """Measure the rates of this machine.

    Parameters
    ----------
    location
        Folder or URL whose speed counts, best the bucket of the stacks; by default the current folder. A few objects of
        12 MB are written there, read back and removed.
    storage_options
        How to reach it, see `slidecloud.store.locate`.
    seconds
        Time for each measurement; the best of the repeats within it is taken.
    shape
        Rows and columns of the test scene.
    dates
        Number of acquisitions, 12 days apart; every date is paired with the next three.
    objects
        Objects to write and read.

    Returns
    -------
    Rates
        Nothing is saved: call `Rates.save`.
    """
    from slidecloud.store.location import locate

    where = locate(location or Path.cwd(), storage_options)
    read, write = _stream(where, objects)
    scene = _scene(shape, dates)
    gradients, gradients_plain = _measure_gradients(scene, seconds)
    sbas, sbas_plain = _measure_sbas(scene, seconds)
    return Rates(
        gradients=gradients,
        sbas=sbas,
        read=read,
        write=write,
        gradients_ratio=gradients / gradients_plain,
        sbas_ratio=sbas / sbas_plain,
        location=where.url,
        machine=_machine(),
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
        versions=_versions(),
    )


class _Scene(NamedTuple):
    phase: NDArray[np.int16]
    coherence: NDArray[np.uint8]
    reference: NDArray[np.int64]
    secondary: NDArray[np.int64]
    time: Float64


def _scene(shape: tuple[int, int], dates: int) -> _Scene:
    """Smooth random motion seen through noise, every date paired with the next three."""
    generator = np.random.default_rng(0)
    ends = [(i, j) for i in range(dates) for j in range(i + 1, min(i + 1 + _LONGEST_STEPS, dates))]
    reference, secondary = np.array(ends).T
    ramp = np.linspace(0, 6, shape[0])[:, None] + np.linspace(0, 4, shape[1])
    series = generator.normal(size=dates).cumsum()[:, None, None] * ramp[None] / 10
    phase = series[reference] - series[secondary] + generator.normal(scale=0.5, size=(len(ends), *shape))
    angle = np.rint(phase * (32768 / np.pi)).astype(np.int64).astype(np.int16)
    coherence = generator.integers(20, 255, size=angle.shape, dtype=np.uint8)
    return _Scene(angle, coherence, reference, secondary, np.arange(dates) * _REVISIT_DAYS / 365.25)


def _measure_gradients(scene: _Scene, seconds: float) -> tuple[float, float]:
    from slidecloud.kernels import gradients

    def fast() -> None:
        gradients.stack(scene.phase, scene.coherence, reference=scene.reference, secondary=scene.secondary)

    few = min(len(scene.reference), 20)
    part = scene.phase[:few], scene.coherence[:few]
    ours = scene.phase.size / _best(fast, seconds)
    plain = part[0].size / _best(lambda: plain_gradients(*part), seconds)
    return ours, plain


def _measure_sbas(scene: _Scene, seconds: float) -> tuple[float, float]:
    from slidecloud.kernels import sbas

    pixels = min(8192, scene.phase[0].size)
    flat = scene.phase.reshape(len(scene.phase), -1)[:, :pixels]
    phase = flat.astype(np.float32) * np.float32(np.pi / 32768)
    weight = scene.coherence.reshape(len(scene.phase), -1)[:, :pixels].astype(np.float32) / np.float32(255)
    network = scene.reference, scene.secondary
    ours = phase.size / _best(lambda: sbas.invert(phase, weight, *network, time=scene.time), seconds)
    few = min(256, pixels)
    part = phase[:, :few], weight[:, :few]
    plain = part[0].size / _best(lambda: plain_series(*part, *network), seconds)
    return ours, plain


def plain_gradients(
    phase: NDArray[np.int16], coherence: NDArray[np.uint8], *, window: int = 10
) -> tuple[Float32, Float32]:
    """The coherent estimator with window 10 and gap 2 as anyone would write it with NumPy and SciPy.

    Parameters
    ----------
    phase, coherence
        As `slidecloud.kernels.gradients.stack` takes them, (pair, y, x).
    window
        Side of the window in pixels.

    Returns
    -------
    tuple
        Gradient along x and along y, (y, x) rad per pixel step. Edges wrap around: this is for timing.
    """
    from scipy.ndimage import uniform_filter

    side = (window - 2) // 2
    lever = side + 2
    sums = np.zeros((2, *phase.shape[1:]), np.complex64)
    for angle, weight in zip(phase, coherence, strict=True):
        z = weight * np.exp(1j * (angle * np.float32(np.pi / 32768)))
        for axis, size in ((1, (window, side)), (0, (side, window))):
            block = uniform_filter(z.real, size) + 1j * uniform_filter(z.imag, size)
            sums[1 - axis] += np.roll(block, -lever, axis) * block.conj()
    along_x, along_y = np.angle(sums) / np.float32(lever)
    return along_x, along_y


def plain_series(
    phase: Float32, weight: Float32, reference: NDArray[np.int64], secondary: NDArray[np.int64]
) -> Float32:
    """Weighted least squares per pixel with batched normal equations in NumPy.

    Parameters
    ----------
    phase, weight
        (pair, pixel) rad and rad^-2; no gaps.
    reference, secondary
        (pair,) date indices.

    Returns
    -------
    ndarray
        Phase of every date since the first, float32 (date, pixel) rad, signed as `slidecloud.kernels.sbas.invert` does.
    """
    dates = int(secondary.max()) + 1
    rows = np.arange(len(reference))
    design = np.zeros((len(reference), dates), np.float32)
    design[rows, reference], design[rows, secondary] = -1, 1
    design = design[:, 1:]
    normal = np.einsum("ki,kp,kj->pij", design, weight, design, optimize=True)
    right = np.einsum("ki,kp->pi", design, weight * phase)
    series = np.linalg.solve(normal, right[..., None])[..., 0].T
    return np.concatenate([np.zeros((1, phase.shape[1]), np.float32), series])


def _best(work: Callable[[], object], seconds: float) -> float:
    """Shortest time of one call; the first call (compilation) does not count."""
    work()
    best, end = float("inf"), time.perf_counter() + seconds
    while True:
        began = time.perf_counter()
        work()
        now = time.perf_counter()
        best = min(best, now - began)
        if now >= end:
            return best


def _stream(location: Any, objects: int) -> tuple[float, float]:
    """Read and write MB/s of one stream, with data that does not compress."""
    folder = location / f".slidecloud-bench-{uuid.uuid4().hex}"
    data = np.random.default_rng(0).bytes(_OBJECT_BYTES)
    names = [f"{i}" for i in range(objects)]
    try:
        began = time.perf_counter()
        for name in names:
            folder.write(name, data)
            if folder.is_local:
                _to_disk(Path(folder.url) / name)
        written = time.perf_counter()
        for name in names:
            if folder.read(name) != data:
                raise OSError(f"{folder}/{name} does not give back what was written; check the disk or the bucket")
        done = time.perf_counter()
    finally:
        for name in names:
            folder.delete(name)
        if folder.is_local and Path(folder.url).is_dir():
            Path(folder.url).rmdir()
    total = objects * _OBJECT_BYTES / 1e6
    return total / (done - written), total / (written - began)


def _to_disk(path: Path) -> None:
    """Have a file written out and dropped from memory, so that reading it back measures the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _machine() -> str:
    return f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in ("slidecloud", "numpy", "numba", "zarr"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
