"""The stage ``interferograms``: pairs of an SLC stack are stored as a burst stack in the run store, where asked for."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from slidecloud.pipeline.inputs import Selection
from slidecloud.pipeline.samples import PairSamples, samples_of
from slidecloud.pipeline.tiles import BASE_MEMORY, Tile, cut
from slidecloud.pipeline.units import Unit
from slidecloud.store import records
from slidecloud.store.arrays import Writer
from slidecloud.store.location import Location
from slidecloud.store.stacks import stack_template
from slidecloud.types import Float32

STAGE = "interferograms"


@dataclass(frozen=True, slots=True)
class FormWork:
    """Form one batch of pairs over one tile; ``first`` is its first pair, ``order`` that in which it is stored."""

    samples: PairSamples
    group: str
    first: int
    order: tuple[int, ...]
    tile: Tile

    def __call__(self, writer: Writer) -> dict[str, Any]:
        phase, coherence = self.samples.read(self.tile)
        start = (self.first, self.tile.top, self.tile.left)
        writer.write(f"{self.group}/phase", phase[list(self.order)], start)
        writer.write(f"{self.group}/coherence", coherence[list(self.order)], start)
        return {"pairs": len(phase)}


def group(burst: str) -> str:
    """Path of the burst stack in the run store."""
    return f"bursts/{burst}/{STAGE}"


def template(selection: Selection, static: Mapping[str, Float32]) -> dict[str, bytes]:
    """Objects of the empty burst stack; ``static`` are maps of the multilooked grid."""
    pairs = [selection.pairs[k] for k in _arrival(selection)]
    burst = selection.header
    return stack_template(burst, pairs, static, chunks=selection.chunks, path=group(burst.id))


def stored(run: Location, selection: Selection, everything: Selection) -> Selection:
    """A selection of what `plan` stores of ``everything``, read from there instead of formed again."""
    place = {everything.pairs[k].key: number for number, k in enumerate(_arrival(everything))}
    indices = np.array([place[pair.key] for pair in selection.pairs], np.intp)
    location = run / group(selection.header.id)
    return dataclasses.replace(selection, location=location, indices=indices, forming=None)


def plan(selection: Selection, *, memory: int, tile: tuple[int, int] | None) -> list[Unit]:
    """Units of one burst: each batch of pairs and tile."""
    order = _arrival(selection)
    batches = [order[first : first + selection.chunks[0]] for first in range(0, len(order), selection.chunks[0])]
    members = [selection.subset(np.array(sorted(batch), np.intp)) for batch in batches]
    needs = [samples_of(chosen) for chosen in members]
    tiles = cut(
        selection.header.shape,
        selection.chunks[1:],
        read_per_pixel=max(samples.read_per_pixel for samples in needs),
        memory_per_pixel=max(samples.memory_per_pixel for samples in needs),
        memory=memory,
        tile=tile,
    )
    return [
        _unit(number, chosen, samples, part)
        for number, (chosen, samples) in enumerate(zip(members, needs, strict=True))
        for part in tiles
    ]


def _unit(number: int, chosen: Selection, samples: PairSamples, tile: Tile) -> Unit:
    header, pairs = chosen.header, len(chosen.pairs)
    work = FormWork(samples, group(header.id), number * chosen.chunks[0], tuple(_arrival(chosen)), tile)
    parts = ["interferograms/1", chosen.signature, str(tile), chosen.place]
    return Unit(
        records.Key(STAGE, f"{header.id}/batch{number:05d}/{tile}", records.digest(parts)),
        work,
        bytes_read=samples.read_per_pixel * tile.pixels,
        bytes_written=3 * pairs * tile.pixels,
        peak_memory=BASE_MEMORY + tile.pixels * (samples.memory_per_pixel + 6 * pairs),
        kernel="gradients",
        samples=samples.forming_per_pixel * tile.pixels,
    )


def _arrival(selection: Selection) -> list[int]:
    """The order in which pairs are stored: by the later date, so that new acquisitions come at the end."""
    pairs = selection.pairs
    return sorted(range(len(pairs)), key=lambda k: (pairs[k].secondary, pairs[k].reference))
