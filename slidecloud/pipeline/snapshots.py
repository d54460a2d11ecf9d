"""What a run reads of a stack, as it was when the run was planned: a stack may be replaced while units are at work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from slidecloud.pipeline.inputs import Selection
from slidecloud.store import records
from slidecloud.store.location import Location
from slidecloud.store.slc import SlcStack, image_digests
from slidecloud.store.stacks import INGEST, Stack, batch_records
from slidecloud.types import DataError


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Pairs of a burst stack, or images of an SLC stack.

    Attributes
    ----------
    location
        The stack.
    content
        What it holds of each day or pair of days.
    generation
        Digest of the names of its records.
    parts
        Digest of the stored pixels of each pair or image that takes part, by its key.
    """

    location: Location
    content: Literal["image", "pair"]
    generation: str
    parts: tuple[tuple[str, str | None], ...]

    def check(self) -> None:
        """Raise DataError where the stack no longer holds these parts; what was added since does not matter."""
        if generation(self.location) == self.generation:
            return
        try:
            now = image_digests(self.location) if self.content == "image" else _pair_digests(self.location)
        except records.DamagedRecordError as error:
            raise DataError(str(error)) from None
        changed = next((key for key, digest in self.parts if now.get(key) != digest), None)
        if changed is not None:
            raise DataError(
                f"{self.location} was replaced while the run was going on: {self.content} {changed} is not what it was "
                "when the run began. Give the same command again; it takes the stack as it is then."
            )


def snapshot(stack: Stack | SlcStack, generation: str, *selections: Selection) -> Snapshot:
    """What any of these selections takes of a stack.

    ``generation`` is that of the stack before anything was read of it: a stack that is replaced while it is read has
    another one afterwards, and is looked at pair by pair.
    """
    known: dict[str, str | None] = {}
    for chosen in selections:
        if isinstance(stack, SlcStack) and chosen.forming is not None:
            days = {day for pair in chosen.pairs for day in pair.key.split("_")}
            known |= {day: stack.digests[chosen.forming.place[day]] for day in days}
        else:
            known |= {pair.key: digest for pair, digest in zip(chosen.pairs, chosen.digests, strict=True)}
    content: Literal["image", "pair"] = "image" if isinstance(stack, SlcStack) else "pair"
    return Snapshot(stack.location, content, generation, tuple(sorted(known.items())))


def _pair_digests(location: Location) -> Mapping[str, str]:
    return {key: digest for record in batch_records(location) for key, digest in record.facts["pairs"].items()}


def generation(location: Location) -> str:
    """Digest of the names of a stack's records: another one as soon as anything is ingested, appended or replaced."""
    return records.digest(sorted(key.path() for key in records.done(location, stage=INGEST)))
