"""The stage ``timeseries``: pairs are levelled over the stable area of a burst, then inverted tile by tile."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slidecloud.config import Device
from slidecloud.config_timeseries import ReferenceConfig, TimeseriesConfig
from slidecloud.kernels import levels, sbas
from slidecloud.kernels.weights import weight_table
from slidecloud.pipeline.area import reference_mask
from slidecloud.pipeline.device_series import invert_on_gpu
from slidecloud.pipeline.inputs import Selection
from slidecloud.pipeline.tiles import BASE_MEMORY, SHARE, Tile, cut
from slidecloud.pipeline.units import Unit
from slidecloud.store import records
from slidecloud.store.arrays import Writer, read, read_pairs, reader
from slidecloud.store.location import Location
from slidecloud.types import DataError, Float32, Float64, StackHeader

STAGE = "timeseries"
_LEVEL_BYTES = 100
_LEVEL_PAIR_BYTES = 17
_MOST_TOGETHER = 32
_READ_BYTES, _SOLVE_BYTES = 540, 80
"""Bytes a pixel besides the pairs: of reading them by chunks; of inverting them, besides the results, which are made
when reading is over. Measured 460 (30 pairs, 12 dates), 540 (90 pairs, 32 dates) and 67 (429 pairs, 145 dates)."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Which pairs to read, and how they hang together, in the order (reference, secondary)."""

    stack: Location
    indices: tuple[int, ...]
    reference: tuple[int, ...]
    secondary: tuple[int, ...]
    years: tuple[float, ...]
    min_coherence: float

    @property
    def spans(self) -> Float64:
        """(pair,) years."""
        years = np.array(self.years)
        spans: Float64 = years[list(self.secondary)] - years[list(self.reference)]
        return spans

    def read(self, positions: NDArray[np.intp], tile: Tile) -> tuple[Float32, NDArray[np.uint8]]:
        """Unwrapped phase (NaN = missing) and coherence (0 = missing) of some pairs, shape (pair, pixel)."""
        phase, coherence = self.read_stored(positions, tile)
        for seen, quality in zip(phase, coherence, strict=True):
            quality[(quality < 255 * self.min_coherence) | ~np.isfinite(seen)] = 0
            seen[quality == 0] = np.nan
        return phase, coherence

    def read_stored(self, positions: NDArray[np.intp], tile: Tile) -> tuple[Float32, NDArray[np.uint8]]:
        """Unwrapped phase and coherence of some pairs as they are stored, shape (pair, pixel)."""
        root = reader(self.stack)
        indices = np.array(self.indices, np.intp)[positions]
        coherence = read_pairs(root["coherence"], indices, tile.rows, tile.columns)  # type: ignore[arg-type]
        phase = read_pairs(root["unwrapped"], indices, tile.rows, tile.columns)  # type: ignore[arg-type]
        return phase.reshape(len(positions), -1), coherence.reshape(len(positions), -1)


@dataclass(frozen=True, slots=True)
class LevelsWork:
    """Find the stable area of a burst, each pair's level over it, and the series of the reference."""

    pairs: Pairs
    group: str
    header: StackHeader
    reference: ReferenceConfig
    together: int

    def __call__(self, writer: Writer) -> dict[str, Any]:
        if not self.header.has_unwrapped:
            raise DataError(
                f"Stack {self.header.id} has no unwrapped phase, which the stage timeseries needs. Ingest products "
                "that bring it, or leave timeseries out of 'stages'."
            )
        stable = self._stable_area()
        offsets = self._medians(stable, np.zeros(len(self.pairs.indices))).astype(np.float32)
        series, closure = self._reference_series(offsets)
        writer.write(f"{self.group}/stable", stable.reshape(self.header.shape).astype(np.uint8))
        writer.write(f"{self.group}/pair_offset", offsets)
        metres = (-self.header.wavelength / (4 * math.pi) * series).astype(np.float32)
        writer.write(f"{self.group}/reference_displacement", metres)
        writer.write(f"{self.group}/reference_closure_rms", np.array(closure, np.float32))
        return {"stable_pixels": int(stable.sum()), "reference_closure_rms": closure, **_lost(self.header.id, offsets)}

    def _batches(self) -> Iterator[tuple[NDArray[np.intp], Float32, NDArray[np.uint8]]]:
        whole = Tile(0, self.header.shape[0], 0, self.header.shape[1])
        count = len(self.pairs.indices)
        for first in range(0, count, self.together):
            positions = np.arange(first, min(first + self.together, count))
            yield positions, *self.pairs.read(positions, whole)

    def _medians(self, mask: NDArray[np.bool_], offsets: Float64) -> Float64:
        found = [levels.pair_median(phase, mask) - offsets[positions] for positions, phase, _ in self._batches()]
        return np.concatenate(found)

    def _stable_area(self) -> NDArray[np.bool_]:
        pixels = self.header.shape[0] * self.header.shape[1]
        everywhere = np.ones(pixels, np.bool_)
        sums, quality, spans = None, np.zeros(pixels), self.pairs.spans
        for positions, phase, coherence in self._batches():
            medians = levels.pair_median(phase, everywhere)
            sums = levels.add_rates(sums, phase, offset=medians, interval=spans[positions])
            for layer in coherence:
                quality += layer
        if sums is None or not quality.any():
            raise DataError(
                f"Stack {self.header.id} has no pixel with unwrapped phase and coherence of at least "
                f"{self.pairs.min_coherence}. Lower timeseries.min_coherence, or look at its stack."
            )
        return levels.least_moving(levels.mean_rate(sums), quality, fraction=self.reference.fraction)

    def _reference_series(self, offsets: Float32) -> tuple[Float64, float]:
        """Phase of the reference against the stable area at each date, rad, and the residual of its pairs."""
        if self.reference.kind == "stable":
            return np.zeros(len(self.pairs.years)), 0.0
        mask = reference_mask(self.header, self.reference)
        medians = self._medians(mask, offsets.astype(np.float64))
        inversion = sbas.invert(
            medians[:, None].astype(np.float32),
            np.isfinite(medians)[:, None].astype(np.float32),
            np.array(self.pairs.reference),
            np.array(self.pairs.secondary),
            time=np.array(self.pairs.years),
        )
        series = inversion.series[:, 0].astype(np.float64)
        if np.isnan(series).any() or inversion.subset.max() > 1:
            raise DataError(
                f"The reference {self.reference.kind} of stack {self.header.id} has no data at "
                f"{int(np.isnan(series).sum())} of {len(series)} dates, or its pairs do not link them all. "
                "Choose a coherent place, or reference 'stable'."
            )
        return series, float(inversion.residual_rms[0])


@dataclass(frozen=True, slots=True)
class InvertWork:
    """Invert the pairs of one tile."""

    pairs: Pairs
    run: Location
    group: str
    header: StackHeader
    tile: Tile
    minimum_norm: bool
    robust: bool
    device: Device = "cpu"

    def __call__(self, writer: Writer) -> dict[str, Any]:
        result = self._invert()
        self._write(writer, result)
        return {"pixels_with_data": int(np.isfinite(result.velocity).sum())}

    def _invert(self) -> sbas.Inversion:
        phase, coherence = self.pairs.read_stored(np.arange(len(self.pairs.indices)), self.tile)
        invert = invert_on_gpu if self.device == "gpu" else sbas.invert
        return invert(
            phase,
            coherence,
            np.array(self.pairs.reference),
            np.array(self.pairs.secondary),
            time=np.array(self.pairs.years),
            offset=self._levels(),
            weight_table=weight_table(looks=self.header.effective_looks, least=self.pairs.min_coherence),
            robust=self.robust,
            minimum_norm=self.minimum_norm,
        )

    def _levels(self) -> Float32:
        """Phase to take off each pair, rad: its offset, and what the reference moved between its dates."""
        group = reader(self.run, self.group)
        offsets, metres = (
            read(group[name], (slice(None),))  # type: ignore[arg-type]
            for name in ("pair_offset", "reference_displacement")
        )
        series = metres.astype(np.float64) * (-4 * math.pi / self.header.wavelength)
        moved = series[list(self.pairs.secondary)] - series[list(self.pairs.reference)]
        total: Float32 = (offsets.astype(np.float64) + moved).astype(np.float32)
        return total

    def _write(self, writer: Writer, result: sbas.Inversion) -> None:
        metres = np.float32(-self.header.wavelength / (4 * math.pi))
        np.multiply(result.series, metres, out=result.series)
        np.multiply(result.sigma, abs(metres), out=result.sigma)
        maps: dict[str, NDArray[Any]] = {
            "displacement": result.series,
            "displacement_sigma": result.sigma,
            "subset": result.subset,
            "velocity": result.velocity * metres,
            "velocity_sigma": result.velocity_sigma * abs(metres),
            "temporal_coherence": result.temporal_coherence,
            "residual_rms": result.residual_rms,
            "redundancy": result.redundancy,
            "time_coverage": result.time_coverage,
        }
        shape = (self.tile.bottom - self.tile.top, self.tile.right - self.tile.left)
        for name, values in maps.items():
            data = values.reshape(*values.shape[:-1], *shape)
            writer.write(f"{self.group}/{name}", data, (*(0 for _ in values.shape[:-1]), self.tile.top, self.tile.left))


def _lost(burst: str, offsets: Float32) -> dict[str, Any]:
    """Facts about pairs without data in the stable area, which cannot be levelled."""
    lost = int(np.isnan(offsets).sum())
    if not lost:
        return {}
    note = f"Burst {burst}: {lost} of {len(offsets)} pairs have no data in the stable area and were left out."
    return {"pairs_without_level": lost, "note": note}


def group(burst: str) -> str:
    """Path of the stage's group."""
    return f"bursts/{burst}/{STAGE}"


def template_values(selection: Selection) -> tuple[dict[str, int], dict[str, NDArray[Any]]]:
    """Sizes of the stage's dimensions, and values of its coordinates."""
    seconds = selection.dates.astype("datetime64[s]").astype(np.int64)
    values: dict[str, NDArray[Any]] = {
        "time": seconds,
        "pair_reference_time": seconds[selection.reference],
        "pair_secondary_time": seconds[selection.secondary],
    }
    return {"time": len(selection.dates), "pair": len(selection.pairs)}, values


def plan(
    run: Location,
    selection: Selection,
    config: TimeseriesConfig,
    *,
    memory: int,
    tile: tuple[int, int] | None,
    device: Device = "cpu",
) -> list[Unit]:
    """Units of one burst: the levels of its pairs, then each tile."""
    header, count, dates = selection.header, len(selection.pairs), len(selection.dates)
    pairs = Pairs(
        selection.location,
        tuple(int(i) for i in selection.indices),
        tuple(int(i) for i in selection.reference),
        tuple(int(i) for i in selection.secondary),
        tuple(float(y) for y in selection.years),
        config.min_coherence,
    )
    science = [selection.signature, config.min_coherence, config.reference.model_dump(mode="json")]
    parts = ["timeseries.levels/1", *science, selection.place]
    pixels = header.shape[0] * header.shape[1]
    # Pairs are folded one by one in their order, so how many are read together does not show in the results.
    room = (SHARE * memory - BASE_MEMORY) / pixels - _LEVEL_BYTES
    together = max(1, min(_MOST_TOGETHER, int(room // _LEVEL_PAIR_BYTES)))
    passes = 2 if config.reference.kind == "stable" else 3
    first = Unit(
        records.Key(STAGE, f"{header.id}/levels", records.digest(parts)),
        LevelsWork(pairs, group(header.id), header, config.reference, together),
        bytes_read=5 * count * pixels * passes,
        bytes_written=pixels,
        peak_memory=BASE_MEMORY + pixels * (_LEVEL_BYTES + together * _LEVEL_PAIR_BYTES),
        kernel="levels",
        samples=count * pixels * passes,
    )
    per_pixel = 5 * count + max(_READ_BYTES, 9 * dates + _SOLVE_BYTES)
    tiles = cut(
        header.shape,
        selection.chunks[1:],
        read_per_pixel=5 * count,
        memory_per_pixel=per_pixel,
        memory=memory,
        tile=tile,
    )
    units = [first]
    for part in tiles:
        inputs = [first.key.digest, str(part), config.minimum_norm, config.robust, header.effective_looks]
        # A GPU rounds otherwise: what it made is its own.
        inputs += [device] if device != "cpu" else []
        units.append(
            Unit(
                records.Key(STAGE, f"{header.id}/{part}", records.digest(["timeseries.invert/3", *inputs])),
                InvertWork(pairs, run, group(header.id), header, part, config.minimum_norm, config.robust, device),
                requires=(first.name,),
                bytes_read=5 * count * part.pixels,
                bytes_written=(9 * dates + 26) * part.pixels,
                peak_memory=BASE_MEMORY + part.pixels * per_pixel,
                kernel="robust" if config.robust else "sbas",
                samples=count * part.pixels,
                device=device,
            )
        )
    return units
