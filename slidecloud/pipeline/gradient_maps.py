"""Maps of phase gradients of a whole burst, from the sums of its season bins."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels import gradients as kernel
from slidecloud.pipeline.spacing import signed_spacing
from slidecloud.store.arrays import Writer, read, reader
from slidecloud.store.location import Location
from slidecloud.store.schema import BIN_SUMS
from slidecloud.types import DataError, Float32, StackHeader

SUMS = (*BIN_SUMS, "count", "flags")
"""What is stored of a bin, in the order of `kernels.gradients.GradientSums`."""


@dataclass(frozen=True, slots=True)
class Method:
    """Estimator and window in pixels (y, x)."""

    estimator: Literal["coherent", "overlap", "sum", "rewrapped"]
    window: tuple[int, int]
    gap: int | None


@dataclass(frozen=True, slots=True)
class MapsWork:
    """Maps over all bins and per season, for the whole burst."""

    run: Location
    group: str
    header: StackHeader
    durations: tuple[float, ...]
    seasons: tuple[int, ...]
    season_count: int
    method: Method

    def __call__(self, writer: Writer) -> dict[str, Any]:
        everything = range(len(self.durations))
        total = self._write_maps(writer, list(everything), prefix="", season=None)
        self._write_weighted(writer, list(everything))
        for season in range(self.season_count):
            members = [index for index in everything if self.seasons[index] == season]
            self._write_maps(writer, members, prefix="season_", season=season)
        if not total:
            raise DataError(
                f"Burst {self.header.id} has no pixel at which a pair has data in a quarter of each block; expected "
                "some coherence above 0. Look at the coherence of its stack, or take the burst out of the run."
            )
        return {"pixels_with_data": total}

    def _sums(self, index: int) -> kernel.GradientSums:
        root = reader(self.run)
        region = (index, slice(None), slice(None))
        fields = (np.ascontiguousarray(read(root[f"{self.group}/sum_{name}"], region)) for name in SUMS)  # type: ignore[arg-type]
        return kernel.GradientSums(*fields)

    def _stacks(self, members: list[int]) -> Iterator[kernel.GradientStack]:
        for index in members:
            yield kernel.finish(
                self._sums(index), estimator=self.method.estimator, window=self.method.window, gap=self.method.gap
            )

    def _write_maps(self, writer: Writer, members: list[int], *, prefix: str, season: int | None) -> int:
        shape = self.header.shape
        if members:
            counts = _Counts(shape)
            rate = kernel.mean_rate(counts.watch(self._stacks(members)), [self.durations[index] for index in members])
            maps = _named_maps(rate, counts, self.header)
        else:
            maps = _empty_maps(shape)
        for name, values in maps.items():
            data, start = (values, (0, 0)) if season is None else (values[None], (season, 0, 0))
            writer.write(f"{self.group}/{prefix}{name}", data, start)
        return int((maps["pair_count"] > 0).sum())

    def _write_weighted(self, writer: Writer, members: list[int]) -> None:
        merged = self._sums(members[0])
        for index in members[1:]:
            merged = kernel.merge(merged, self._sums(index), estimator=self.method.estimator)
        stack = kernel.finish(merged, estimator=self.method.estimator, window=self.method.window, gap=self.method.gap)
        for axis in "xy":
            writer.write(f"{self.group}/gradient_{axis}_weighted", getattr(stack, axis), (0, 0))
            writer.write(f"{self.group}/gradient_{axis}_weighted_sigma", getattr(stack, f"{axis}_sigma"), (0, 0))


class _Counts:
    """Effective pairs and mean coherence over bins, gathered while the bins pass by."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self._coherence, self._pairs, self._effective = (np.zeros(shape) for _ in range(3))

    def watch(self, stacks: Iterator[kernel.GradientStack]) -> Iterator[kernel.GradientStack]:
        """Pass the stacks on."""
        for stack in stacks:
            self._pairs += stack.count
            self._coherence += np.where(stack.count > 0, stack.mean_coherence, 0).astype(float) * stack.count
            self._effective += np.nan_to_num(stack.effective_pairs, nan=0.0)
            yield stack

    @property
    def mean_coherence(self) -> Float32:
        """Mean over the pairs of all bins."""
        mean: Float32 = np.divide(
            self._coherence, self._pairs, out=np.full(self._pairs.shape, np.nan), where=self._pairs > 0
        ).astype(np.float32)
        return mean

    @property
    def effective_pairs(self) -> Float32:
        """Sum over bins: each bin counts by itself in a time-weighted mean."""
        return np.where(self._pairs > 0, self._effective, np.nan).astype(np.float32)


def _named_maps(rate: kernel.GradientRate, counts: _Counts, header: StackHeader) -> dict[str, NDArray[Any]]:
    step_y, step_x = signed_spacing(header)
    metres = -header.wavelength / (4 * math.pi)
    maps: dict[str, NDArray[Any]] = {}
    for axis, step in (("x", step_x), ("y", np.float64(step_y))):
        factor = metres / step
        maps[f"gradient_{axis}"] = getattr(rate, f"pair_{axis}")
        maps[f"gradient_{axis}_sigma"] = getattr(rate, f"pair_{axis}_sigma")
        maps[f"velocity_gradient_{axis}"] = (getattr(rate, axis) * factor).astype(np.float32)
        maps[f"velocity_gradient_{axis}_sigma"] = (getattr(rate, f"{axis}_sigma") * np.abs(factor)).astype(np.float32)
    maps["pair_count"] = rate.count
    maps["effective_pairs"] = counts.effective_pairs
    maps["mean_coherence"] = counts.mean_coherence
    maps["flags"] = rate.flags
    return maps


def _empty_maps(shape: tuple[int, int]) -> dict[str, NDArray[Any]]:
    nothing = np.full(shape, np.nan, np.float32)
    names = [
        f"{kind}_{axis}{end}" for kind in ("gradient", "velocity_gradient") for axis in "xy" for end in ("", "_sigma")
    ]
    maps: dict[str, NDArray[Any]] = dict.fromkeys([*names, "effective_pairs", "mean_coherence"], nothing)
    return {**maps, "pair_count": np.zeros(shape, np.int32), "flags": np.zeros(shape, np.uint8)}
