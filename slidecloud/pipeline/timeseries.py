"""The stage ``timeseries`` of whole bursts: pairs are levelled over the stable area, then inverted tile by tile."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slidecloud.config_resources import Device
from slidecloud.config_timeseries import TimeseriesConfig
from slidecloud.kernels import components, sbas
from slidecloud.kernels.date_corrections import take_off
from slidecloud.kernels.weights import weight_table
from slidecloud.pipeline.device_series import invert_on_gpu
from slidecloud.pipeline.inputs import Selection
from slidecloud.pipeline.levelling import LevelsWork, reference_digest
from slidecloud.pipeline.tiles import BASE_MEMORY, SHARE, Tile, cut
from slidecloud.pipeline.units import Unit
from slidecloud.pipeline.unwrapped_pairs import Pairs, of_stack
from slidecloud.store import records
from slidecloud.store.arrays import Writer, read, reader
from slidecloud.store.location import Location
from slidecloud.types import Float32, StackHeader

STAGE = "timeseries"
LEVEL_BYTES, LEVEL_PAIR_BYTES = 100, 17
MOST_TOGETHER = 32
READ_BYTES, SOLVE_BYTES = 540, 80
"""Bytes a pixel besides the pairs: of reading them by chunks; of inverting them, besides the results, which are made
when reading is over. Measured 460 (30 pairs, 12 dates), 540 (90 pairs, 32 dates) and 67 (429 pairs, 145 dates)."""


@dataclass(frozen=True, slots=True)
class InvertWork:
    """Invert the pairs of one tile; ``corrected`` where the corrections of their dates are to be taken off first."""

    pairs: Pairs
    run: Location
    group: str
    header: StackHeader
    tile: Tile
    minimum_norm: bool
    robust: bool
    device: Device = "cpu"
    corrected: bool = False

    def __call__(self, writer: Writer) -> dict[str, Any]:
        result = self._invert()
        self._write(writer, result)
        return {"pixels_with_data": int(np.isfinite(result.velocity).sum())}

    def _invert(self) -> sbas.Inversion:
        every = np.arange(len(self.pairs.indices))
        phase, coherence = self.pairs.read_stored(every, self.tile)
        labels = self.pairs.read_components(every, self.tile)
        if labels is not None:
            taken = read(reader(self.run, self.group)["component_turns"], (slice(None),) * 2)  # type: ignore[arg-type]
            for number, (values, label) in enumerate(zip(phase, labels, strict=True)):
                phase[number] = components.levelled(values, label, taken[number])
        if self.corrected:
            place = (slice(None), slice(self.tile.top, self.tile.bottom), slice(self.tile.left, self.tile.right))
            feigned = read(reader(self.run, self.group)["correction"], place)  # type: ignore[arg-type]
            network = self.pairs.reference, self.pairs.secondary
            take_off(phase, feigned.reshape(len(feigned), -1), *network, wavelength=self.header.wavelength)
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
    given: tuple[float, ...] | None = None,
) -> list[Unit]:
    """Units of one burst: the levels of its pairs, then each tile; ``given`` as `LevelsWork` takes it."""
    header, count, dates = selection.header, len(selection.pairs), len(selection.dates)
    pairs = of_stack(selection, config.min_coherence)
    science = [selection.signature, config.min_coherence, reference_digest(config.reference, given)]
    parts = ["timeseries.levels/1", *science, selection.place]
    pixels = header.shape[0] * header.shape[1]
    # Pairs are folded one by one in their order, so how many are read together does not show in the results.
    room = (SHARE * memory - BASE_MEMORY) / pixels - LEVEL_BYTES
    together = max(1, min(MOST_TOGETHER, int(room // LEVEL_PAIR_BYTES)))
    passes = 2 if config.reference.kind == "stable" else 3
    first = Unit(
        records.Key(STAGE, f"{header.id}/levels", records.digest(parts)),
        LevelsWork(pairs, group(header.id), header, config.reference, together, given=given),
        bytes_read=5 * count * pixels * passes,
        bytes_written=pixels,
        peak_memory=BASE_MEMORY + pixels * (LEVEL_BYTES + together * LEVEL_PAIR_BYTES),
        kernel="levels",
        samples=count * pixels * passes,
    )
    per_pixel = 5 * count + max(READ_BYTES, 9 * dates + SOLVE_BYTES)
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
                records.Key(STAGE, f"{header.id}/{part}", records.digest(["timeseries.invert/4", *inputs])),
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
