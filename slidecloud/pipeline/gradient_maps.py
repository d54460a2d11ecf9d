"""Maps of phase gradients of a whole burst, from the sums of its season bins."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels import gradients as kernel
from slidecloud.pipeline.forming import multilooked_maps
from slidecloud.pipeline.spacing import signed_spacing
from slidecloud.store import records
from slidecloud.store.arrays import Writer, read, reader
from slidecloud.store.location import Location
from slidecloud.store.schema import bin_sums
from slidecloud.types import DataError, Float32, StackHeader

Sums = kernel.GradientSums | kernel.RateSums


@dataclass(frozen=True, slots=True)
class Method:
    """Estimator and window in pixels (y, x)."""

    estimator: Literal["coherent", "overlap", "rate", "sum", "rewrapped"]
    window: tuple[int, int]
    gap: int | None


@dataclass(frozen=True, slots=True)
class View:
    """Where the incidence angle lies, which turns phase per baseline into errors of elevation.

    ``looks`` (y, x) tells how the images of an SLC stack are multilooked; ``checksum`` is that of the multilooked map.
    """

    stack: Location
    looks: tuple[int, int] | None
    checksum: str

    def incidence(self) -> Float32:
        """Angle from the vertical, rad; DataError where the map is not the one that the checksum speaks of."""
        found = read(reader(self.stack)["incidence"], (slice(None), slice(None)))  # type: ignore[arg-type]
        angle = found if self.looks is None else multilooked_maps({"incidence": found}, self.looks)["incidence"]
        if records.checksum(angle.tobytes()) != self.checksum:
            raise DataError(
                f"{self.stack} was replaced while the run was going on: its incidence is not what it was when the run "
                "began. Give the same command again; it takes the stack as it is then."
            )
        return angle


@dataclass(frozen=True, slots=True)
class MapsWork:
    """Maps over all bins and per season, for the whole burst; DEM errors with a view alone."""

    run: Location
    group: str
    header: StackHeader
    durations: tuple[float, ...]
    seasons: tuple[int, ...]
    season_count: int
    method: Method
    view: View | None = None

    def __call__(self, writer: Writer) -> dict[str, Any]:
        everything = list(range(len(self.durations)))
        merged = self._merged(everything)
        self._write_weighted(writer, merged)
        self._write_dem_error(writer, merged, prefix="", season=None)
        common = merged if isinstance(merged, kernel.RateSums) else None
        total = self._write_maps(writer, everything, common, prefix="", season=None)
        for season in range(self.season_count):
            members = [index for index in everything if self.seasons[index] == season]
            self._write_maps(writer, members, common, prefix="season_", season=season)
            if self.view is not None:
                self._write_dem_error(writer, self._merged(members), prefix="season_", season=season)
        if not total:
            raise DataError(
                f"Burst {self.header.id} has no pixel at which a pair has data in a quarter of each block; expected "
                "some coherence above 0. Look at the coherence of its stack, or take the burst out of the run."
            )
        return {"pixels_with_data": total}

    def _sums(self, index: int) -> Sums:
        group = reader(self.run, self.group)
        region = (index, slice(None), slice(None))
        names = bin_sums(self.method.estimator)
        fields = (np.ascontiguousarray(read(group[f"sum_{name}"], region)) for name in names)  # type: ignore[arg-type]
        return (kernel.RateSums if self.method.estimator == "rate" else kernel.GradientSums)(*fields)

    def _merged(self, members: list[int]) -> Sums | None:
        """All pairs of the bins together; None without bins."""
        merged: Any = None
        for index in members:
            sums = self._sums(index)
            merged = sums if merged is None else kernel.merge(merged, sums, estimator=self.method.estimator)
        return merged  # type: ignore[no-any-return]

    def _finish(self, sums: Sums) -> kernel.GradientStack:
        method = self.method
        return kernel.finish(sums, estimator=method.estimator, window=method.window, gap=method.gap)

    def _stacks(self, members: list[int], common: kernel.RateSums | None) -> Iterator[kernel.GradientStack]:
        for index in members:
            sums = self._sums(index)
            yield self._finish(
                kernel.share_dem_error(sums, common) if isinstance(sums, kernel.RateSums) and common else sums
            )

    def _write_maps(
        self, writer: Writer, members: list[int], common: kernel.RateSums | None, *, prefix: str, season: int | None
    ) -> int:
        shape = self.header.shape
        if members:
            counts = _Counts(shape)
            stacks = counts.watch(self._stacks(members, common))
            rate = kernel.mean_rate(stacks, [self.durations[index] for index in members])
            maps = _named_maps(rate, counts, self.header)
        else:
            maps = _empty_maps(shape)
        self._write(writer, maps, prefix=prefix, season=season)
        return int((maps["pair_count"] > 0).sum())

    def _write(self, writer: Writer, maps: Mapping[str, NDArray[Any]], *, prefix: str, season: int | None) -> None:
        for name, values in maps.items():
            data, start = (values, (0, 0)) if season is None else (values[None], (season, 0, 0))
            writer.write(f"{self.group}/{prefix}{name}", data, start)

    def _write_dem_error(self, writer: Writer, sums: Sums | None, *, prefix: str, season: int | None) -> None:
        if self.view is None:
            return
        if isinstance(sums, kernel.RateSums):
            error = kernel.dem_error(sums, window=self.method.window, gap=self.method.gap)
            maps = dem_error_maps(error, self.header, self.view.incidence())
        else:
            maps = dict.fromkeys(DEM_ERROR_MAPS, np.full(self.header.shape, np.nan, np.float32))
        self._write(writer, maps, prefix=prefix, season=season)

    def _write_weighted(self, writer: Writer, merged: Sums | None) -> None:
        if merged is None:
            return
        stack = self._finish(merged)
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


DEM_ERROR_MAPS = tuple(f"dem_error_gradient_{axis}{end}" for axis in "xy" for end in ("", "_sigma"))


def dem_error_maps(error: kernel.DemErrorGradient, header: StackHeader, incidence: Float32) -> dict[str, Float32]:
    """Gradients of true height minus elevation model, m per m, by the name of their map.

    The error e adds ``-4 pi / wavelength * baseline * e / (slant_range * sin(incidence))`` to the phase of a pair
    (Hanssen 2001, section 2.4), so phase per metre of baseline is turned into metres by its inverse.
    """
    height = -header.wavelength * header.slant_range * np.sin(incidence.astype(np.float64)) / (4 * math.pi)
    step_y, step_x = signed_spacing(header)
    maps: dict[str, Float32] = {}
    for axis, step in (("x", step_x), ("y", np.float64(step_y))):
        maps[f"dem_error_gradient_{axis}"] = (getattr(error, axis) * height / step).astype(np.float32)
        sigma = getattr(error, f"{axis}_sigma") * np.abs(height / step)
        maps[f"dem_error_gradient_{axis}_sigma"] = sigma.astype(np.float32)
    return maps


def _empty_maps(shape: tuple[int, int]) -> dict[str, NDArray[Any]]:
    nothing = np.full(shape, np.nan, np.float32)
    names = [
        f"{kind}_{axis}{end}" for kind in ("gradient", "velocity_gradient") for axis in "xy" for end in ("", "_sigma")
    ]
    maps: dict[str, NDArray[Any]] = dict.fromkeys([*names, "effective_pairs", "mean_coherence"], nothing)
    return {**maps, "pair_count": np.zeros(shape, np.int32), "flags": np.zeros(shape, np.uint8)}
