"""What a training learns from and is judged by: parts that share nothing, and normalised bands."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from itertools import permutations
from pathlib import Path
from typing import NamedTuple

import numpy as np

from slidecloud.kernels.normalisation import Normalisation, learn
from slidecloud.models.unet_batches import Example
from slidecloud.models.unet_recipe import PARTS, DataConfig
from slidecloud.optical.likeness import check_unlike, sketch
from slidecloud.optical.naming import Naming
from slidecloud.optical.sets import PatchSet, open_sets
from slidecloud.optical.splits import Split, check_apart, split
from slidecloud.types import DataError, Float32


class Prepared(NamedTuple):
    """Patches in parts that share nothing, how their bands are normalised, and a digest of all that was read."""

    parts: Split
    normalisation: Normalisation
    digest: str


class Normalised:
    """Patches as a network learns from them: read when they are asked for."""

    def __init__(self, patches: PatchSet, normalisation: Normalisation) -> None:
        self._patches, self._normalisation = patches, normalisation

    def __len__(self) -> int:
        return len(self._patches)

    def __getitem__(self, index: int) -> Example:
        sample = self._patches[index].read()
        return Example(self._normalisation.apply(sample.image), sample.mask, sample.valid)


def divided(data: DataConfig, *, seed: int) -> Split:
    """The parts of a recipe's patches, refused where they share a source or a place.

    Raises
    ------
    FileNotFoundError
        If a folder is missing or holds no images.
    DataError
        If one folder lies in another, files cannot be used, bands differ, or parts share something.
    """
    _check_beside([folder for part in PARTS for folder in getattr(data, part) or ()])

    def opened(folders: tuple[str, ...]) -> PatchSet:
        return open_sets(
            folders,
            bands=data.names,
            naming=Naming(data.source, data.place),
            empty_without_mask=data.empty_without_mask,
            near=data.near,
        )

    if data.validation is None or data.test is None:
        parts = split(opened(data.train), shares=data.shares, seed=seed)
        check_apart(parts._asdict())
        return parts
    # Opened together, so that places are told across the parts.
    folders = [getattr(data, part) for part in PARTS]
    whole = opened(tuple(folder for part in folders for folder in part))
    roots = [[Path(folder) for folder in part] for part in folders]
    owner = [_owner(Path(patch.name), roots) for patch in whole]
    parts = Split(*(whole.chosen([k for k, one in enumerate(owner) if one == n]) for n in range(len(PARTS))))
    check_apart(parts._asdict())
    return parts


def prepare(data: DataConfig, *, seed: int, tell: Callable[[int, int], None] | None = None) -> Prepared:
    """Read every patch once: parts that hold copies are refused, and bands are normalised by the training part alone.

    Parameters
    ----------
    data
        Where they are.
    seed
        Of the split.
    tell
        Is told how many patches are read, of how many.

    Raises
    ------
    FileNotFoundError, DataError
        As in `divided`; or if a patch cannot be read, or parts hold copies of an image.
    """
    parts = divided(data, seed=seed)
    sketches: dict[str, list[Float32]] = {part: [] for part in PARTS}
    total = sum(map(len, parts))
    content = hashlib.sha256()

    def images(part: str) -> Iterator[Float32]:
        for patch in getattr(parts, part):
            image, mask = patch.read()
            sketches[part].append(sketch(image))
            content.update(f"{part} {image.shape}".encode())
            content.update(image.tobytes())
            content.update(mask.tobytes())
            if tell is not None:
                tell(sum(map(len, sketches.values())), total)
            yield image

    normalisation = learn(images("train"))
    for part in PARTS[1:]:
        for _ in images(part):
            pass
    check_unlike(
        {part: np.stack(found) for part, found in sketches.items()},
        {part: [patch.name for patch in getattr(parts, part)] for part in PARTS},
    )
    return Prepared(parts, normalisation, content.hexdigest())


def _check_beside(folders: list[str]) -> None:
    """Refuse folders of which one holds another: its images would be there twice."""
    for one, other in permutations(folders, 2):
        if Path(one).resolve().is_relative_to(Path(other).resolve()):
            raise DataError(f"{one} is {other} or lies in it: give folders beside each other")


def _owner(name: Path, roots: list[list[Path]]) -> int:
    return next(number for number, part in enumerate(roots) if any(name.is_relative_to(root) for root in part))
