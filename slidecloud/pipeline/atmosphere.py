"""Atmosphere of a patch: what to take off each date, found on still ground after levelling and before inversion."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.config_atmosphere import AtmosphereConfig
from slidecloud.config_timeseries import ReferenceConfig
from slidecloud.kernels import components, date_corrections, sbas, troposphere
from slidecloud.kernels.date_corrections import Corrected
from slidecloud.kernels.weights import weight_table
from slidecloud.pipeline.area import reference_mask
from slidecloud.pipeline.delays import Delays
from slidecloud.pipeline.ground import Ground
from slidecloud.pipeline.patches import Patch
from slidecloud.pipeline.tiles import Tile
from slidecloud.pipeline.unwrapped_pairs import Pairs
from slidecloud.store.arrays import Writer, read, reader
from slidecloud.store.location import Location
from slidecloud.types import DataError, Float32, StackHeader

SAMPLE: Final = 20_000
"""Pixels, at most about so many, that are inverted to see the atmosphere."""
LEAST_COHERENCE: Final = 0.6
"""Temporal coherence below which a pixel does not tell of the atmosphere."""
FIELD: Final = 8
"""Samples along a side of the fields that corrections are fitted to and judged on in turn."""
_BITS: Final = {
    "gacos": date_corrections.MODEL,
    "height": date_corrections.HEIGHT,
    "ramp": date_corrections.RAMP,
}


@dataclass(frozen=True, slots=True)
class AtmosphereWork:
    """Find the corrections of the dates of a patch.

    Attributes
    ----------
    pairs, run, group, header
        What to read, the run store, the group of the patch's series, and the header of the patch.
    patch, ground
        Where, and the maps of its burst.
    dates
        (date,) as GACOS files are named.
    config, reference
        What to try, and what displacement is relative to.
    together
        Pairs that are read at once.
    """

    pairs: Pairs
    run: Location
    group: str
    header: StackHeader
    patch: Patch
    ground: Ground
    dates: tuple[np.datetime64, ...]
    config: AtmosphereConfig
    reference: ReferenceConfig
    together: int

    def __call__(self, writer: Writer) -> dict[str, Any]:
        maps, seen = self._maps(), self._seen()
        notes: list[str] = []
        side = FIELD * self._step
        colour = troposphere.checkerboard(self.header.shape, side=side)
        model: list[Float32 | None] = [None] * len(self.dates)
        if self.config.gacos is not None:
            model, notes = self._model(maps, seen, self.config.gacos)
        found = [
            date_corrections.correct(
                one,
                fitted=colour,
                judged=~colour,
                model=expected,
                elevation=maps["elevation"] if self.config.height else None,
                plane=self.config.ramp,
            )
            for one, expected in zip(seen, model, strict=True)
        ]
        self._write(writer, found)
        kept = np.array([one.kept for one in found])
        wanted = {"gacos": self.config.gacos is not None, "height": self.config.height, "ramp": self.config.ramp}
        facts: dict[str, Any] = {
            "dates": len(found),
            "kept": {name: int(np.count_nonzero(kept & _BITS[name])) for name, asked in wanted.items() if asked},
        }
        if notes:
            facts["note"] = f"Patch {self.patch.name} of burst {self.header.id}: {' '.join(notes)}"
        return facts

    @property
    def _step(self) -> int:
        return max(1, math.ceil(math.sqrt(self.patch.window.pixels / SAMPLE)))

    def _maps(self) -> dict[str, Float32]:
        """Maps of the ground in the patch that the corrections need."""
        names = ["elevation"] if self.config.height else []
        if self.config.gacos is not None:
            names += ["incidence"] if self.header.grid is not None else ["incidence", "latitude", "longitude"]
        maps = self.ground.read(
            names,
            why="timeseries.atmosphere needs. Ingest it with its elevation model and view, or leave gacos and height "
            "out.",
        )
        return {name: values[self.patch.window.rows, self.patch.window.columns] for name, values in maps.items()}

    def _seen(self) -> Float32:
        """Displacement (date, y, x), m, of samples of still, coherent ground about its median; elsewhere NaN."""
        chosen = np.zeros(self.header.shape, np.bool_)
        chosen[:: self._step, :: self._step] = True
        chosen &= ~self.patch.mask()
        values, quality = self._samples(chosen.ravel())
        inversion = sbas.invert(
            values, quality, np.array(self.pairs.reference), np.array(self.pairs.secondary),
            time=np.array(self.pairs.years), offset=self._stored("pair_offset"),
            weight_table=weight_table(looks=self.header.effective_looks, least=self.pairs.min_coherence),
        )  # fmt: skip
        series = inversion.series * np.float32(-self.header.wavelength / (4 * math.pi))
        steady = ~(inversion.temporal_coherence < LEAST_COHERENCE) & np.isfinite(series).any(axis=0)
        if not steady.any():
            raise DataError(
                f"Patch {self.patch.name} of stack {self.header.id} has no coherent ground at rest to see the "
                "atmosphere on. Raise timeseries.halo, or leave timeseries.atmosphere out."
            )
        seen = np.full((len(series), self.patch.window.pixels), np.nan, np.float32)
        places = np.flatnonzero(chosen)[steady]
        seen[:, places] = series[:, steady] - np.nanmedian(series[:, steady], axis=0)
        return seen.reshape(len(series), *self.header.shape)

    def _samples(self, chosen: NDArray[np.bool_]) -> tuple[Float32, NDArray[np.uint8]]:
        """Phase and coherence (pair, sample), components brought to one level."""
        whole, turns = Tile(0, self.header.shape[0], 0, self.header.shape[1]), self._stored("component_turns")
        count, samples = len(self.pairs.indices), int(chosen.sum())
        values, quality = np.empty((count, samples), np.float32), np.empty((count, samples), np.uint8)
        for first in range(0, count, self.together):
            positions = np.arange(first, min(first + self.together, count))
            phase, coherence = self.pairs.read_stored(positions, whole)
            labels = self.pairs.read_components(positions, whole)
            assert labels is not None
            for pair, layer, label, sure in zip(positions, phase, labels, coherence, strict=True):
                values[pair] = components.levelled(layer, label, turns[pair])[chosen]
                quality[pair] = sure[chosen]
        return values, quality

    def _model(self, maps: dict[str, Float32], seen: Float32, folder: str) -> tuple[list[Float32 | None], list[str]]:
        """What GACOS expects of each date, None where it does not, and sentences about what is missing."""
        delays = Delays(folder, self.header, maps)
        found, notes = delays.expected(self.dates)
        helped = [self._helps(one, expected) for one, expected in zip(seen, found, strict=True) if expected is not None]
        if helped and 2 * sum(helped) <= len(helped):
            notes.append(
                f"GACOS lessens the scatter of still ground at {sum(helped)} of {len(helped)} dates only and was "
                "left out of all."
            )
            return [None] * len(found), notes
        return found, notes

    def _helps(self, seen: Float32, expected: Float32) -> bool:
        every = np.ones(seen.shape, np.bool_)
        try:
            return troposphere.judge(seen, seen - expected, mask=every, least_gain=date_corrections.LEAST_GAIN).helps
        except ValueError:  # too little ground to tell
            return False

    def _write(self, writer: Writer, found: list[Corrected]) -> None:
        """Corrections since the first date: nothing where displacement is relative to, so that levels stay."""
        level = self._level()
        parts = np.stack([one.part for one in found])
        parts -= np.array([float(np.median(one[level])) for one in parts], np.float32)[:, None, None]
        parts -= parts[0].copy()
        writer.write(f"{self.group}/correction", parts, (0, 0, 0))
        writer.write(f"{self.group}/correction_before", np.array([one.before for one in found], np.float32))
        writer.write(f"{self.group}/correction_after", np.array([one.after for one in found], np.float32))
        writer.write(f"{self.group}/correction_kept", np.array([one.kept for one in found], np.uint8))

    def _level(self) -> NDArray[np.bool_]:
        """Pixels (y, x) that displacement is relative to."""
        if self.reference.kind == "stable":
            stable: NDArray[np.bool_] = self._stored("stable") == 1
            return stable
        place = self.pairs.place()
        return reference_mask(self.header, self.reference, patch=self.patch.name, position=place).reshape(
            self.header.shape
        )

    def _stored(self, name: str) -> NDArray[Any]:
        return read(reader(self.run, self.group)[name], (...,))  # type: ignore[arg-type]
