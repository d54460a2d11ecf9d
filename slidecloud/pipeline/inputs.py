"""What a stage reads of a burst stack: the pairs that take part, in one fixed order, with their dates and digests."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slidecloud.store import records
from slidecloud.store.location import Location
from slidecloud.store.stacks import INGEST, Stack, batch_records
from slidecloud.types import DataError, Float64, Pair, StackHeader

DAYS_PER_YEAR = 365.25


@dataclass(frozen=True)
class Selection:
    """Pairs of one stack, sorted by (reference, secondary) time.

    Attributes
    ----------
    location, header, chunks
        The stack.
    indices
        (pair,) positions in the stack.
    pairs
        The pairs.
    digests
        Digest of each pair's stored pixels.
    dates
        (date,) acquisition times, ascending.
    reference, secondary
        (pair,) indices into ``dates``.
    """

    location: Location
    header: StackHeader
    chunks: tuple[int, int, int]
    indices: NDArray[np.intp]
    pairs: tuple[Pair, ...]
    digests: tuple[str, ...]
    dates: NDArray[np.datetime64]
    reference: NDArray[np.int64]
    secondary: NDArray[np.int64]

    @property
    def years(self) -> Float64:
        """(date,) years since the first date."""
        years: Float64 = (self.dates - self.dates[:1]) / np.timedelta64(1, "s") / (86400 * DAYS_PER_YEAR)
        return years

    @property
    def spans(self) -> Float64:
        """(pair,) years between the images of each pair."""
        years = self.years
        spans: Float64 = years[self.secondary] - years[self.reference]
        return spans

    @property
    def signature(self) -> list[list[str]]:
        """Times and digests of the pairs: what results depend on."""
        return [[str(p.reference), str(p.secondary), d] for p, d in zip(self.pairs, self.digests, strict=True)]

    @property
    def place(self) -> list[Any]:
        """Where the pixels lie and how the radar saw them: what results depend on beside the pairs."""
        header = self.header
        grid = None if header.grid is None else dataclasses.astuple(header.grid)
        return [header.geometry, header.shape, header.spacing, header.wavelength, grid, self.chunks[1:]]

    def subset(self, chosen: NDArray[np.intp]) -> Selection:
        """The same with only some of the pairs."""
        return _build(
            self.location,
            self.header,
            self.chunks,
            self.indices[chosen],
            [self.pairs[i] for i in chosen],
            [self.digests[i] for i in chosen],
        )


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The pairs of a stack as they were when a run was planned.

    Attributes
    ----------
    location
        The stack.
    generation
        Digest of the names of its records.
    pairs
        Digest of the stored pixels of each pair that takes part, by the pair's key.
    """

    location: Location
    generation: str
    pairs: tuple[tuple[str, str], ...]

    def check(self) -> None:
        """Raise DataError where the stack no longer holds these pairs; pairs that were added since do not matter."""
        if _generation(self.location) == self.generation:
            return
        try:
            now = {
                key: digest for record in batch_records(self.location) for key, digest in record.facts["pairs"].items()
            }
        except records.DamagedRecordError as error:
            raise DataError(str(error)) from None
        changed = next((key for key, digest in self.pairs if now.get(key) != digest), None)
        if changed is not None:
            raise DataError(
                f"{self.location} was replaced while the run was going on: pair {changed} is not what it was when the "
                "run began. Give the same command again; it takes the stack as it is then."
            )


def snapshot(*selections: Selection) -> Snapshot:
    """The pairs of one stack that any of these selections takes."""
    known = {p.key: digest for chosen in selections for p, digest in zip(chosen.pairs, chosen.digests, strict=True)}
    location = selections[0].location
    return Snapshot(location, _generation(location), tuple(sorted(known.items())))


def _generation(location: Location) -> str:
    return records.digest(sorted(key.path() for key in records.done(location, stage=INGEST)))


def select(stack: Stack, *, max_days: float | None = None, max_baseline: float | None = None) -> Selection:
    """The usable pairs of a stack within temporal and spatial limits.

    Raises
    ------
    DataError
        If ingest has not finished, no pair is left, or a baseline limit is asked of a stack without baselines.
    """
    digests = stack.pair_digests
    if max_baseline is not None and all(np.isnan(pair.perpendicular_baseline) for pair in stack.pairs):
        raise DataError(
            f"{stack.location} has no perpendicular baselines, and network.max_baseline is {max_baseline} m. "
            "Leave the limit out, or ingest the stack with its baselines file."
        )
    chosen = [
        index
        for index, (pair, digest) in enumerate(zip(stack.pairs, digests, strict=True))
        if digest is not None and _within(pair, max_days, max_baseline)
    ]
    if not chosen:
        raise DataError(
            f"{stack.location} has {len(stack.pairs)} pairs and none of them is usable within max_days {max_days} and "
            f"max_baseline {max_baseline}. Raise the limits, or look at what ingest set aside."
        )
    pairs, known = [stack.pairs[i] for i in chosen], [str(digests[i]) for i in chosen]
    return _build(stack.location, stack.header, stack.chunks, np.array(chosen, np.intp), pairs, known)


def select_offered(
    header: StackHeader,
    offered: Sequence[Pair],
    chunks: tuple[int, int, int],
    *,
    max_days: float | None = None,
    max_baseline: float | None = None,
) -> Selection:
    """The pairs of a source that is not ingested yet, for estimates; it cannot be read from."""
    chosen = [index for index, pair in enumerate(offered) if _within(pair, max_days, max_baseline)]
    if not chosen:
        raise DataError(
            f"Source {header.source} has no pair within max_days {max_days} and max_baseline {max_baseline}."
        )
    pairs = [offered[index] for index in chosen]
    return _build(Location(""), header, chunks, np.array(chosen, np.intp), pairs, [""] * len(pairs))


def _within(pair: Pair, max_days: float | None, max_baseline: float | None) -> bool:
    days = (pair.secondary - pair.reference) / np.timedelta64(1, "D")
    near = max_baseline is None or abs(pair.perpendicular_baseline) <= max_baseline
    # Times of day of two passes differ by seconds: a limit of 12 days means 12 revisits of a day, not 12.0 days.
    return near and (max_days is None or round(days) <= max_days)


def _build(
    location: Location,
    header: StackHeader,
    chunks: tuple[int, int, int],
    indices: NDArray[np.intp],
    pairs: list[Pair],
    digests: list[str],
) -> Selection:
    order = sorted(range(len(pairs)), key=lambda i: (pairs[i].reference, pairs[i].secondary))
    pairs, digests = [pairs[i] for i in order], [digests[i] for i in order]
    times = np.array([[p.reference, p.secondary] for p in pairs], "datetime64[s]").reshape(-1, 2)
    # One acquisition is one day: products of one image may disagree about its second.
    days, first = np.unique(times.astype("datetime64[D]"), return_index=True)
    dates = np.sort(times.ravel()[first])
    reference, secondary = (np.searchsorted(days, column.astype("datetime64[D]")) for column in times.T)
    return Selection(
        location, header, chunks, indices[order], tuple(pairs), tuple(digests), dates,
        reference.astype(np.int64), secondary.astype(np.int64),
    )  # fmt: skip
