"""Interferograms of a scene, as a processor would deliver them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels import phase as binary_angle
from slidecloud.simulate.calendar import days_between
from slidecloud.simulate.history import default_pairs, phase_history
from slidecloud.simulate.scenes import Scene
from slidecloud.simulate.speckle import box_sum, check_window, encode_coherence, speckle_row
from slidecloud.simulate.streams import Subject, stream
from slidecloud.simulate.unwrapping import Jump, deliver, pair_jump, pair_offset
from slidecloud.types import Float32, Float64, Pair

CoherenceKind = Literal["estimated", "true"]


class Interferograms(NamedTuple):
    """Pairs of a scene.

    ``pairs`` sorted; ``phase`` int16 (pair, y, x) binary angle, 0 where no data; ``coherence`` uint8 (pair, y, x),
    value/255, 0 = no data; ``unwrapped`` float32 (pair, y, x) rad, NaN = no data, or None; ``offset`` float64 (pair,)
    rad, the constant that unwrapping left in each pair: ``unwrapped - offset`` wraps to ``phase``. Phase is that of
    reference * conj(secondary): positive away from the satellite.
    """

    pairs: tuple[Pair, ...]
    phase: NDArray[np.int16]
    coherence: NDArray[np.uint8]
    unwrapped: Float32 | None
    offset: Float64


@dataclass(frozen=True, slots=True)
class _Task:
    """Everything that is the same for all rows. `first`, `second`: date indices (pair,)."""

    scene: Scene
    pairs: tuple[Pair, ...]
    first: NDArray[np.intp]
    second: NDArray[np.intp]
    history: Float32
    noise: bool
    window: int
    offset: Float64
    jumps: tuple[Jump | None, ...]


class _Row(NamedTuple):
    """One row before coherence is known: `phase` (pair, x) rad unwrapped; `real`, `imaginary` (pair, x) the summed
    looks; `power` (date, x)."""

    phase: Float32
    real: Float32
    imaginary: Float32
    power: Float32


def interferograms(
    scene: Scene,
    pairs: Sequence[Pair] | None = None,
    *,
    noise: bool = True,
    coherence: CoherenceKind = "estimated",
    coherence_window: int = 5,
    unwrapped: bool = True,
    unwrapping_errors: float = 0.0,
) -> Interferograms:
    """Multilooked interferograms with speckle, atmosphere, elevation errors and motion.

    Speckle is made for every look and date (see `speckle.speckle_row`), so phase noise has the multilook distribution
    (Lee et al. 1994), pairs that share a date are correlated as they should be, and closures are those of real stacks.
    A pair's values depend on the seed, the scene and the dates up to its secondary, not on which other pairs are made.

    Parameters
    ----------
    scene
        From `scene`.
    pairs
        Pairs of the scene's dates; `default_pairs` otherwise.
    noise
        False leaves the speckle out; coherence must then be ``true``.
    coherence
        ``estimated`` from the simulated looks over `coherence_window` pixels along each axis, biased as in real
        products; ``true`` gives the model's.
    coherence_window
        Odd number of pixels.
    unwrapped
        Also give unwrapped phase: the right number of turns, plus a constant per pair of whole turns and a fraction.
    unwrapping_errors
        Share of pairs, in [0, 1], in which an ellipse of the unwrapped phase is wrong by one turn.

    Returns
    -------
    Interferograms
        Layover, shadow and water are no data.

    Raises
    ------
    ValueError
        If a pair is not of the scene's dates or an option is out of its range.

    References
    ----------
    Lee, J.-S., Hoppel, K. W., Mango, S. A., Miller, A. R. (1994), Intensity and phase statistics of multilook
    polarimetric and interferometric SAR imagery, IEEE Trans. Geosci. Remote Sens. 32(5), 1017-1028.
    """
    chosen = tuple(sorted(default_pairs(scene) if pairs is None else pairs))
    size = (len(chosen), *scene.header.shape)
    phase, quality = np.zeros(size, dtype=np.int16), np.zeros(size, dtype=np.uint8)
    turns = np.empty(size, dtype=np.float32) if unwrapped else None
    offset = np.zeros(len(chosen))
    for rows, block in blocks(
        scene,
        chosen,
        noise=noise,
        coherence=coherence,
        coherence_window=coherence_window,
        unwrapped=unwrapped,
        unwrapping_errors=unwrapping_errors,
    ):
        phase[:, rows], quality[:, rows], offset = block.phase, block.coherence, block.offset
        if turns is not None:
            turns[:, rows] = block.unwrapped
    return Interferograms(chosen, phase, quality, turns, offset)


def blocks(
    scene: Scene,
    pairs: Sequence[Pair] | None = None,
    *,
    noise: bool = True,
    coherence: CoherenceKind = "estimated",
    coherence_window: int = 5,
    unwrapped: bool = True,
    unwrapping_errors: float = 0.0,
    block_rows: int = 32,
) -> Iterator[tuple[slice, Interferograms]]:
    """`interferograms` in blocks of `block_rows` rows, top to bottom, for scenes larger than memory.

    Values do not depend on `block_rows`. Kept in memory are the phase history (4 bytes per date and pixel of the whole
    scene) and one block.

    Yields
    ------
    The rows and their interferograms, arrays (pair, rows, x).
    """
    chosen = tuple(sorted(default_pairs(scene) if pairs is None else pairs))
    _check(
        noise=noise,
        coherence=coherence,
        window=coherence_window,
        unwrapping_errors=unwrapping_errors,
        block_rows=block_rows,
    )
    task = _task(scene, chosen, noise, coherence_window if coherence == "estimated" else 0, unwrapping_errors)
    height, width = scene.header.shape
    finished = _finished_rows(task)
    for start in range(0, height, block_rows):
        rows = slice(start, min(start + block_rows, height))
        size = (len(chosen), rows.stop - start, width)
        phase, quality = np.empty(size, dtype=np.int16), np.empty(size, dtype=np.uint8)
        turns = np.empty(size, dtype=np.float32)
        for line in range(size[1]):
            radians, gamma = next(finished)
            row = start + line
            valid = scene.valid[row]
            phase[:, line] = np.where(valid, binary_angle.encode(radians), 0)
            quality[:, line] = np.where(valid, encode_coherence(gamma), 0)
            if unwrapped:
                turns[:, line] = np.where(valid, deliver(radians, row, offset=task.offset, jumps=task.jumps), np.nan)
        yield rows, Interferograms(chosen, phase, quality, turns if unwrapped else None, task.offset)


def _task(scene: Scene, pairs: tuple[Pair, ...], noise: bool, window: int, unwrapping_errors: float) -> _Task:
    position = {date: index for index, date in enumerate(scene.dates)}
    ends = [[position.get(time.astype("datetime64[s]")) for time in (p.reference, p.secondary)] for p in pairs]
    for pair, indices in zip(pairs, ends, strict=True):
        for date, index in zip((pair.reference, pair.secondary), indices, strict=True):
            if index is None:
                raise ValueError(
                    f"pair {pair.key}: found the date {date}, expected one of the {len(position)} dates of the scene; "
                    "take times from scene.dates"
                )
        if pair.reference >= pair.secondary:
            raise ValueError(f"pair {pair.key}: found a reference not before its secondary, expected it earlier")
    return _Task(
        scene=scene,
        pairs=pairs,
        first=np.array([first for first, _ in ends], dtype=np.intp),
        second=np.array([second for _, second in ends], dtype=np.intp),
        history=phase_history(scene),
        noise=noise,
        window=window,
        offset=np.array([pair_offset(scene.seed, pair) for pair in pairs], dtype=np.float64),
        jumps=tuple(pair_jump(scene.seed, pair, shape=scene.header.shape, share=unwrapping_errors) for pair in pairs),
    )


def _finished_rows(task: _Task) -> Iterator[tuple[Float32, Float32]]:
    """Unwrapped phase without offset and coherence of each row, (pair, x) both."""
    if task.window == 0:
        for row in range(task.scene.header.shape[0]):
            yield _noisy_row(task, row).phase, _true_coherence(task, row)
        return
    height, half = task.scene.header.shape[0], task.window // 2
    around: deque[_Row] = deque(maxlen=task.window)
    for row in range(height + half):
        if row < height:
            around.append(_noisy_row(task, row))
        else:
            around.popleft()
        centre = row - half
        if centre >= 0:
            # Rows above the centre: fewer at the top of the scene.
            yield around[min(half, centre)].phase, _estimated_coherence(task, around)


def _noisy_row(task: _Task, row: int) -> _Row:
    """Phase and summed looks of one row."""
    scene, i, j = task.scene, task.first, task.second
    signal = task.history[j, row] - task.history[i, row]
    if not task.noise:
        nothing = np.empty((0, 0), dtype=np.float32)
        return _Row(signal, nothing, nothing, nothing)
    series = _speckle(task, row)
    valid = scene.valid[row].astype(np.float32)
    real, imaginary = np.empty_like(signal), np.empty_like(signal)
    # Real products and sums only: their last bit does not depend on where a pixel stands in a vector register.
    for pair, (a, b) in enumerate(zip(series[i], series[j], strict=True)):
        np.sum((a * b).reshape(-1, a.shape[-1]), axis=0, out=real[pair])
        np.sum(a[1] * b[0] - a[0] * b[1], axis=0, out=imaginary[pair])
    phase = signal + np.arctan2(imaginary, real)
    cosine, sine = np.cos(signal), np.sin(signal)
    power = (series * series).reshape(len(series), -1, series.shape[-1]).sum(axis=1)
    return _Row(
        phase,
        valid * (real * cosine - imaginary * sine),
        valid * (real * sine + imaginary * cosine),
        valid * power,
    )


def _speckle(task: _Task, row: int) -> Float32:
    scene = task.scene
    maps = scene.coherence.row(row)
    return speckle_row(
        stream(scene.seed, Subject.SPECKLE, row),
        persistent=maps.persistent,
        decorrelation_time=maps.decorrelation_time,
        quality=np.stack([maps.quality_at(date) for date in scene.dates]),
        intervals=days_between(scene.dates),
        looks=round(scene.header.effective_looks),
    )


def _true_coherence(task: _Task, row: int) -> Float32:
    maps = task.scene.coherence.row(row)
    quality = np.stack([maps.quality_at(date) for date in task.scene.dates])
    spans = task.scene.dates[task.second] - task.scene.dates[task.first]
    days = (spans / np.timedelta64(1, "D")).astype(np.float32)
    return maps.decayed(days[:, None], quality[task.first], quality[task.second])


def _estimated_coherence(task: _Task, around: deque[_Row]) -> Float32:
    """Sample coherence over the rows at hand and the window's columns; valid pixels alone."""
    real, imaginary, power = (
        box_sum(_added([getattr(row, part) for row in around]), task.window, axis=1)
        for part in ("real", "imaginary", "power")
    )
    both = power[task.first] * power[task.second]
    together = np.sqrt(real * real + imaginary * imaginary)
    estimate: Float32 = np.divide(together, np.sqrt(both), out=np.zeros_like(together), where=both > 0.0)
    return estimate


def _added(rows: list[Float32]) -> Float32:
    total = rows[0].copy()
    for row in rows[1:]:
        total += row
    return total


def _check(*, noise: bool, coherence: str, window: int, unwrapping_errors: float, block_rows: int) -> None:
    if coherence not in ("estimated", "true"):
        raise ValueError(f"coherence: found {coherence!r}, expected 'estimated' or 'true'")
    if not noise and coherence == "estimated":
        raise ValueError("coherence: found 'estimated' without noise to estimate it from; pass coherence='true'")
    check_window(window)
    if not 0.0 <= unwrapping_errors <= 1.0:
        raise ValueError(f"unwrapping_errors: found {unwrapping_errors}, expected a share of pairs in [0, 1]")
    if block_rows < 1:
        raise ValueError(f"block_rows: found {block_rows}, expected at least one row")
