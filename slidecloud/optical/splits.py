"""Parts to learn from, to watch and to judge by, which share no source and no place."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from slidecloud.optical.patches import Patch
from slidecloud.optical.sets import PatchSet
from slidecloud.types import DataError

SHARES: Final = (0.8, 0.1, 0.1)


class Split(NamedTuple):
    """Parts of a set: to learn from, to choose thresholds and to stop by, and to judge by at the end."""

    train: PatchSet
    validation: PatchSet
    test: PatchSet


def split(patches: PatchSet, *, shares: tuple[float, float, float] = SHARES, seed: int = 0) -> Split:
    """Divide a set before anything is augmented; patches that share a source or a place stay together.

    Groups are dealt in an order that depends on the seed and on the names of their members, never on that of the files:
    each goes to the part that lacks most patches.

    Parameters
    ----------
    patches
        All of them.
    shares
        Of patches to train, to validate and to test with; they add up to 1.
    seed
        Of the order.

    Raises
    ------
    ValueError
        If shares are not positive or do not add up to 1.
    DataError
        If there are fewer than three groups.
    """
    if min(shares) <= 0.0 or abs(sum(shares) - 1.0) > 1e-9:
        raise ValueError(f"shares: found {shares}, expected three numbers above 0 that add up to 1")
    groups = _groups(patches)
    if len(groups) < len(shares):
        raise DataError(
            f"{len(patches)} patches come from {len(groups)} places, expected at least {len(shares)}, one for each "
            "part. Add places, or say what is a place (a pattern, or a smaller distance)"
        )
    dealt: list[list[int]] = [[] for _ in shares]
    for number, group in enumerate(sorted(groups, key=lambda members: _draw(patches, members, seed))):
        lacks = [share - len(part) / len(patches) for share, part in zip(shares, dealt, strict=True)]
        # The first groups go round, so that no part is empty, however unlike the groups are in size.
        empty = [place for place, part in enumerate(dealt) if not part]
        left = len(groups) - number
        dealt[empty[0] if len(empty) == left else int(np.argmax(lacks))] += group
    train, validation, test = (patches.chosen(sorted(part)) for part in dealt)
    return Split(train, validation, test)


def check_apart(parts: Mapping[str, Iterable[Patch]]) -> None:
    """Refuse parts that share a source or a place.

    Parameters
    ----------
    parts
        Patches of each part, by its name.

    Raises
    ------
    DataError
        If two parts do; names the first such pair and counts the others.
    """
    for what in ("source", "place"):
        owners: dict[str | None, tuple[str, Patch]] = {}
        shared = []
        for name, part in parts.items():
            for patch in part:
                owner, first = owners.setdefault(getattr(patch, what), (name, patch))
                if owner != name:
                    shared.append((first, owner, patch, name))
        if shared:
            first, owner, patch, name = shared[0]
            raise DataError(
                f"{first.name} ({owner}) and {patch.name} ({name}) are of the same {what}, "
                f"{getattr(patch, what)!r}, and so are {len(shared) - 1} more of {name}: what is learnt by heart from "
                "one would count as skill on the other. Put all patches of a source and of a place into one part"
            )


def _groups(patches: PatchSet) -> list[list[int]]:
    """Numbers of patches that are joined by sources and places, directly or through others."""
    first: dict[tuple[str, str | None], int] = {}
    one, other = [], []
    for number, patch in enumerate(patches):
        for key in (("source", patch.source), ("place", patch.place)):
            one.append(first.setdefault(key, number))
            other.append(number)
    links = coo_array((np.ones(len(one), bool), (one, other)), shape=(len(patches),) * 2)
    count, labels = connected_components(links, directed=False)
    return [np.flatnonzero(labels == label).tolist() for label in range(count)]


def _draw(patches: PatchSet, members: Sequence[int], seed: int) -> str:
    least = min(patches[number].name for number in members)
    return hashlib.sha256(f"{seed} {least}".encode()).hexdigest()
