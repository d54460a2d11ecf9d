"""Pairs of a patch that take part: those that others contradict, or that see too little, are left out with a reason."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels import components, levels, pair_misfit
from slidecloud.kernels.pair_choice import choose_pairs
from slidecloud.kernels.pair_editing import LOW_COHERENCE, NO_DATA, Edit, describe, edit
from slidecloud.kernels.pair_quality import judge
from slidecloud.pipeline.tiles import Tile
from slidecloud.pipeline.unwrapped_pairs import Pairs, add_turns
from slidecloud.store.patch_specs import REJECTED
from slidecloud.types import Float32, Float64

SAMPLE: Final = 5_000
"""Pixels of a patch, at most about so many, on which pairs are compared."""
SAMPLE_BYTES: Final = 60
"""Bytes a pair and pixel of the sample."""
BAD_LOOPS: Final = 0.5
"""Share of a pair's loop pixels that may still be off after mending: that many are no noise."""
WEAK: Final = 2
"""Stands in ``pair_used`` for a pair that takes part only because the network needs it."""

_SHOWN: Final = 3
"""Edited pairs that a note tells of."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Pixels of all pairs, (pair, pixel).

    Attributes
    ----------
    unwrapped
        float32 rad, as unwrapped, components at one level, about the median of each pair on still ground.
    mended
        The same with the turns that loops show added, NaN where they reject the pixel, less the level of the pair; NaN
        of a pair without a level.
    coherence
        uint8, 255 times coherence, 0 = no data.
    rejected
        bool, where loops reject the pixel.
    """

    unwrapped: Float32
    mended: Float32
    coherence: NDArray[np.uint8]
    rejected: NDArray[np.bool_]


class Edited(NamedTuple):
    """Which pairs take part, and why.

    Attributes
    ----------
    used
        uint8 (pair,), 0, 1 or `WEAK`.
    reason
        uint8 (pair,), code of `slidecloud.kernels.pair_editing`: why it is left out, or weak.
    coherence
        float64 (pair,), mean where it matters.
    contradicted, bad_loops
        float64 (pair,), share of its pixels that others contradict and loops do not mend, and of its loop pixels that
        are off after mending; NaN where pairs were not compared.
    noise, date_noise
        float64 (pair,), (date,) rad, what pairs that take part leave of the series.
    sentences
        On the pairs that others contradict.
    network
        Sentences on the network of the pairs that take part.
    """

    used: NDArray[np.uint8]
    reason: NDArray[np.uint8]
    coherence: Float64
    contradicted: Float64
    bad_loops: Float64
    noise: Float64
    date_noise: Float64
    sentences: tuple[str, ...]
    network: tuple[str, ...]

    def arrays(self, *, wavelength: float) -> dict[str, NDArray[Any]]:
        """What the group of a patch holds of it by name; that of comparing pairs is NaN where they were not."""
        metres = wavelength / (4 * math.pi)
        floats = {
            "pair_coherence": self.coherence,
            "pair_contradicted": self.contradicted,
            "pair_bad_loops": self.bad_loops,
            "pair_noise": self.noise,
            "date_noise": metres * self.date_noise,
        }
        whole = {"pair_used": self.used, "pair_reason": self.reason}
        return {**whole, **{name: values.astype(np.float32) for name, values in floats.items()}}

    def facts(self) -> dict[str, Any]:
        """For the record of the unit."""
        counts = {"pairs_used": int((self.used > 0).sum()), "pairs_weak": int((self.used == WEAK).sum())}
        counts["pairs_incoherent"] = int(((self.used == 0) & (self.reason == LOW_COHERENCE)).sum())
        return {**counts, "network": list(self.network), "edited": list(self.sentences)}

    def note(self, name: str) -> str:
        """What a person should know of the patch called ``name``; empty where nothing was edited."""
        if not self.sentences:
            return ""
        more = f" ({len(self.sentences) - _SHOWN} more.)" if len(self.sentences) > _SHOWN else ""
        return f"{name}: {' '.join(self.sentences[:_SHOWN])}{more} {' '.join(self.network)}"


def chosen_pixels(shape: tuple[int, int]) -> NDArray[np.bool_]:
    """The sample, (pixel,) in row-major order: every so many rows and columns."""
    step = max(1, math.ceil(math.sqrt(shape[0] * shape[1] / SAMPLE)))
    chosen = np.zeros(shape, np.bool_)
    chosen[::step, ::step] = True
    return chosen.ravel()


def sample(
    pairs: Pairs,
    shape: tuple[int, int],
    *,
    still: NDArray[np.bool_],
    turns: NDArray[np.int16],
    offsets: Float32,
    together: int,
) -> Sample:
    """Read the sample of all pairs of a patch.

    Parameters
    ----------
    pairs, shape
        What to read, and rows and columns of the patch.
    still
        (pixel,) outside detections.
    turns
        (pair, component), of the components of mended pairs.
    offsets
        (pair,) rad, their levels.
    together
        Pairs that are read at once.
    """
    whole, place, count = Tile(0, shape[0], 0, shape[1]), chosen_pixels(shape), len(pairs.indices)
    raw = dataclasses.replace(pairs, cycles=None)
    found = [np.empty((count, int(place.sum())), kind) for kind in (np.float32, np.float32, np.uint8, np.bool_)]
    for first in range(0, count, together):
        positions = np.arange(first, min(first + together, count))
        phase, coherence = raw.read(positions, whole)
        labels, cycles = raw.read_components(positions, whole), pairs.read_cycles(positions, whole)
        assert labels is not None
        assert cycles is not None
        for number, pair in enumerate(positions):
            own = components.levelled(
                phase[number], labels[number], components.turns(phase[number], labels[number], still)
            )
            level = levels.pair_median(own[None], still)[0]
            mended = phase[number]
            add_turns(mended, cycles[number])
            known = components.levelled(mended, labels[number], turns[pair]) - offsets[pair]
            layers = own - np.float32(level), known, coherence[number], cycles[number] == REJECTED
            for array, layer in zip(found, layers, strict=True):
                array[pair] = layer[place]
    return Sample(*found)


def choose(
    seen: Sample | None,
    pairs: Pairs,
    *,
    coherence: Float64,
    levelled: NDArray[np.bool_],
    names: tuple[str, ...],
    looks: float,
) -> Edited:
    """Leave out pairs that others contradict, then those of low coherence that link no dates.

    Parameters
    ----------
    seen
        The sample; None leaves only coherence to choose by.
    pairs
        The network.
    coherence
        (pair,) mean coherence where it matters: unwrapped pairs of low coherence give back half of a motion.
    levelled
        (pair,) bool, whether the pair has a level.
    names
        Of the pairs.
    looks
        Effective number of looks.
    """
    reference, secondary = np.array(pairs.reference), np.array(pairs.secondary)
    share = loops = noise = np.full(len(names), np.nan)
    kept, reason, dates = levelled, np.where(levelled, 0, NO_DATA), np.full(len(pairs.years), np.nan)
    sentences: tuple[str, ...] = ()
    if seen is not None:
        share, loops, edited = _edit(seen, pairs, names, looks)
        kept, reason = levelled & edited.kept, np.where(levelled, edited.why, NO_DATA)
        sentences = tuple(words for words, there in zip(edited.reasons, levelled, strict=True) if words and there)
    chosen = choose_pairs(np.where(kept, coherence, 0.0), reference, secondary)
    used = np.where(chosen.weak | (chosen.used & (reason > 0)), WEAK, chosen.used).astype(np.uint8)
    reason = np.where((reason == 0) & (used != 1), LOW_COHERENCE, reason).astype(np.uint8)
    if seen is not None:
        taken = np.where(used[:, None] > 0, seen.mended, np.float32(np.nan))
        time = np.array(pairs.years)
        noise, dates = pair_misfit.noise(taken, seen.coherence, reference, secondary, time=time, looks=looks)
    days = _days(names, pairs)
    network = describe(used > 0, reference, secondary, names=days)
    return Edited(used, reason, coherence, share, loops, noise, dates, sentences, network)


def _days(names: tuple[str, ...], pairs: Pairs) -> list[str]:
    """Days of the dates, YYYYMMDD, from the names of their pairs."""
    days = [""] * len(pairs.years)
    for name, first, last in zip(names, pairs.reference, pairs.secondary, strict=True):
        days[first], days[last] = name.split("_")
    return days


def _edit(seen: Sample, pairs: Pairs, names: tuple[str, ...], looks: float) -> tuple[Float64, Float64, Edit]:
    """Share of each pair that others contradict and nothing mends, that of its loops, and what to leave out for it.

    Which pair of an open loop is wrong, pairs as they were unwrapped tell best: where loops reject a pixel, they reject
    it in sound pairs too.
    """
    network = np.array(pairs.reference), np.array(pairs.secondary)
    known = np.where(np.isfinite(seen.mended), seen.coherence, 0).astype(np.uint8)
    quality = judge(seen.mended, known, *network)
    before, after = (
        pair_misfit.misfit(phase, seen.coherence, *network, time=np.array(pairs.years), looks=looks)
        for phase in (seen.unwrapped, seen.mended)
    )
    wrong = (before.off & (seen.rejected | after.off)).sum(axis=1)
    number = np.isfinite(seen.unwrapped).sum(axis=1)
    share = np.divide(wrong, number, out=np.zeros(len(names)), where=number > 0)
    options = {"bad_loops": BAD_LOOPS, "contradicted": share, "misfit": after.rms, "names": names}
    return share, quality.bad_loops, edit(quality, *network, **options)
