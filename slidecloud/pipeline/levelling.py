"""Levels of pairs: the stable area of a burst or a patch, and what each pair and the reference read over it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.config_timeseries import ReferenceConfig
from slidecloud.kernels import components, levels, sbas
from slidecloud.pipeline import pair_editing
from slidecloud.pipeline.area import reference_mask
from slidecloud.pipeline.pair_editing import Edited
from slidecloud.pipeline.patches import Patch
from slidecloud.pipeline.tiles import Tile
from slidecloud.pipeline.unwrapped_pairs import Pairs
from slidecloud.store.arrays import Writer
from slidecloud.store.patch_specs import EDITED
from slidecloud.types import DataError, Float32, Float64, StackHeader

LEAST_STABLE: Final = 25
"""Pixels outside detections that a patch needs to be levelled at all."""
LEAST_IN_COMPONENT: Final = 5
"""Pixels of the stable area that a connected component needs to be levelled."""
Turns = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class LevelsWork:
    """Find the stable area of a burst or a patch, each pair's level over it, and the series of the reference.

    Attributes
    ----------
    pairs
        What to read.
    group
        Group to write.
    header
        Of the burst, or of the patch.
    reference
        What displacement is relative to.
    together
        Pairs that are read at once.
    patch
        None for a whole burst.
    names
        Of the pairs, for messages; of a patch only.
    edit
        Whether pairs of a patch that others contradict are left out.
    given
        (date,) m, how the reference really moves since the first date; by default it rests.
    """

    pairs: Pairs
    group: str
    header: StackHeader
    reference: ReferenceConfig
    together: int
    patch: Patch | None = None
    names: tuple[str, ...] = ()
    edit: bool = False
    given: tuple[float, ...] | None = None

    @property
    def name(self) -> str:
        """The burst or patch, for messages."""
        return f"Stack {self.header.id}" if self.patch is None else f"Patch {self.patch.name} of stack {self.header.id}"

    def __call__(self, writer: Writer) -> dict[str, Any]:
        if self.pairs.phase == "unwrapped" and not self.header.has_unwrapped:
            raise DataError(
                f"Stack {self.header.id} has no unwrapped phase, which the stage timeseries needs. Ingest products "
                "that bring it, set timeseries.phase to 'unwrap', or leave timeseries out of 'stages'."
            )
        moving = self._moving()
        stable, coherence = self._stable_area(moving)
        turns = self._turns(stable)
        offsets = self._medians(stable, np.zeros(len(self.pairs.indices)), turns).astype(np.float32)
        edited = self._choose(coherence, offsets, turns, moving)
        self._check_levelled(offsets)
        series, closure = self._reference_series(offsets, turns, moving)
        metres = (-self.header.wavelength / (4 * math.pi) * series).astype(np.float32)
        writer.write(f"{self.group}/stable", stable.reshape(self.header.shape).astype(np.uint8))
        writer.write(f"{self.group}/pair_offset", offsets)
        writer.write(f"{self.group}/reference_displacement", metres)
        writer.write(f"{self.group}/reference_closure_rms", np.array(closure, np.float32))
        facts = {"stable_pixels": int(stable.sum()), "reference_closure_rms": closure}
        if edited is None:
            return facts | self._lost(offsets)
        assert turns is not None
        writer.write(f"{self.group}/moving", moving.reshape(self.header.shape).astype(np.uint8))
        writer.write(f"{self.group}/component_turns", turns)
        for name, values in edited.arrays(wavelength=self.header.wavelength).items():
            if self.edit or name not in EDITED:
                writer.write(f"{self.group}/{name}", values)
        note = edited.note(self.name)
        return facts | edited.facts() | ({"note": note} if note else {})

    def _choose(
        self, coherence: Float64, offsets: Float32, turns: Turns | None, moving: NDArray[np.bool_]
    ) -> Edited | None:
        """Which pairs of a patch take part; the others lose their level, with which they are left out. Of a burst all.

        Unwrapped pairs of low coherence give back half of a motion: those that link no dates are better left out.
        """
        if self.patch is None or turns is None:
            return None
        seen = None
        if self.edit:
            seen = pair_editing.sample(
                self.pairs, self.header.shape, still=~moving, turns=turns, offsets=offsets, together=self.together
            )
        found = pair_editing.choose(
            seen, self.pairs, coherence=coherence, levelled=np.isfinite(offsets), names=self.names,
            looks=self.header.effective_looks,
        )  # fmt: skip
        offsets[found.used == 0] = np.nan
        return found

    def _moving(self) -> NDArray[np.bool_]:
        """Pixels (pixel,) of detections."""
        if self.patch is None:
            return np.zeros(self.header.shape[0] * self.header.shape[1], np.bool_)
        return self.patch.mask().ravel()

    def _batches(
        self, turns: Turns | None, rest: NDArray[np.bool_] | None = None
    ) -> Iterator[tuple[NDArray[np.intp], Float32, NDArray[np.uint8]]]:
        """Pairs a few at a time, their components brought to one level: by ``turns``, or by the ground at ``rest``."""
        whole = Tile(0, self.header.shape[0], 0, self.header.shape[1])
        count = len(self.pairs.indices)
        for first in range(0, count, self.together):
            positions = np.arange(first, min(first + self.together, count))
            phase, coherence = self.pairs.read(positions, whole)
            labels = self.pairs.read_components(positions, whole)
            if labels is not None:
                for number, (values, label) in enumerate(zip(phase, labels, strict=True)):
                    taken = components.turns(values, label, rest) if rest is not None else turns[first + number]  # type: ignore[index]
                    phase[number] = components.levelled(values, label, taken)
            yield positions, phase, coherence

    def _turns(self, stable: NDArray[np.bool_]) -> Turns | None:
        """Turns (pair, component) that the stable area takes off each component; None where there are none."""
        if self.pairs.component is None:
            return None
        whole, count = Tile(0, self.header.shape[0], 0, self.header.shape[1]), len(self.pairs.indices)
        taken = np.empty((count, components.COMPONENTS), np.int16)
        for first in range(0, count, self.together):
            positions = np.arange(first, min(first + self.together, count))
            phase, _ = self.pairs.read(positions, whole)
            labels = self.pairs.read_components(positions, whole)
            assert labels is not None
            for pair, values, label in zip(positions, phase, labels, strict=True):
                taken[pair] = components.turns(values, label, stable, least=LEAST_IN_COMPONENT)
        return taken

    def _medians(self, mask: NDArray[np.bool_], offsets: Float64, turns: Turns | None) -> Float64:
        found = [levels.pair_median(phase, mask) - offsets[positions] for positions, phase, _ in self._batches(turns)]
        return np.concatenate(found)

    def _stable_area(self, moving: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], Float64]:
        """The pixels that are taken to be at rest, and the mean coherence of each pair where it matters."""
        still, matters = ~moving, moving if moving.any() else ~moving
        means = np.zeros(len(self.pairs.indices))
        sums, quality, spans = None, np.zeros(moving.size), self.pairs.spans
        for positions, phase, coherence in self._batches(None, still):
            medians = levels.pair_median(phase, still)
            sums = levels.add_rates(sums, phase, offset=medians, interval=spans[positions])
            for pair, layer in zip(positions, coherence, strict=True):
                quality += layer
                means[pair] = float(layer[matters].mean()) / 255
        if sums is None or not quality.any():
            raise DataError(
                f"{self.name} has no pixel with unwrapped phase and coherence of at least "
                f"{self.pairs.min_coherence}. Lower timeseries.min_coherence, or look at its stack."
            )
        rate = levels.mean_rate(sums)
        quality[moving] = 0
        usable = int((np.isfinite(rate) & (quality > 0)).sum())
        if self.patch is not None and usable < LEAST_STABLE:
            raise DataError(
                f"{self.name} has {usable} pixels with data outside its detections, expected at least {LEAST_STABLE}: "
                "there is no ground that displacement could be relative to. Raise timeseries.halo, or choose "
                "timeseries.where 'everywhere'."
            )
        return levels.least_moving(rate, quality, fraction=self.reference.fraction), means

    def _check_levelled(self, offsets: Float32) -> None:
        if not np.isfinite(offsets).any():
            raise DataError(
                f"{self.name} has {len(offsets)} pairs and none of them has data in the stable area. "
                "Raise timeseries.halo or timeseries.reference.fraction, or look at the coherence of its stack."
            )

    def _reference_series(
        self, offsets: Float32, turns: Turns | None, moving: NDArray[np.bool_]
    ) -> tuple[Float64, float]:
        """Phase (date,) rad of the reference against the stable area, less its own motion; residual of its pairs."""
        if self.reference.kind == "stable":
            return np.zeros(len(self.pairs.years)), 0.0
        name = "" if self.patch is None else self.patch.name
        mask = reference_mask(self.header, self.reference, patch=name, position=self.pairs.place())
        if (mask & moving).any():
            raise DataError(
                f"{self.name}: the reference {self.reference.kind} lies inside a detection, which moves. "
                "Choose ground that does not, or reference 'stable'."
            )
        medians = self._medians(mask, offsets.astype(np.float64), turns)
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
                f"The reference {self.reference.kind} of {self.name[0].lower()}{self.name[1:]} has no data at "
                f"{int(np.isnan(series).sum())} of {len(series)} dates, or its pairs do not link them all. "
                "Choose a coherent place, or reference 'stable'."
            )
        if self.given is not None:
            series -= -4 * math.pi / self.header.wavelength * np.array(self.given)
        return series, float(inversion.residual_rms[0])

    def _lost(self, offsets: Float32) -> dict[str, Any]:
        """Facts about pairs without data in the stable area, which cannot be levelled."""
        lost = int(np.isnan(offsets).sum())
        if not lost:
            return {}
        place = f"Burst {self.header.id}" if self.patch is None else self.name
        note = f"{place}: {lost} of {len(offsets)} pairs have no data in the stable area and were left out."
        return {"pairs_without_level": lost, "note": note}


def reference_digest(reference: ReferenceConfig, given: tuple[float, ...] | None) -> dict[str, Any]:
    """What results depend on of the reference: of a given series its values, wherever its file lies."""
    settings = reference.model_dump(mode="json", exclude={"series"})
    return settings if given is None else settings | {"given": list(given)}
