"""Sets of patches from folders of any layout, with the places that they come from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from slidecloud.kernels.places import same_slides
from slidecloud.optical import hdf5_patches, image_pairs, pictures
from slidecloud.optical.folders import IMAGES, MASKS, find
from slidecloud.optical.naming import Naming
from slidecloud.optical.patches import Patch, check_bands
from slidecloud.types import DataError

NEAR: Final = 2000.0
"""Metres between the middles of patches up to which they are of one place."""

_LAYOUTS: Final = {pictures.ENDINGS: image_pairs.patches, hdf5_patches.ENDINGS: hdf5_patches.patches}


@dataclass(frozen=True)
class PatchSet(Sequence[Patch]):
    """Patches with the same bands.

    Attributes
    ----------
    patches
        In the order of their names.
    bands
        How many.
    """

    patches: tuple[Patch, ...]
    bands: int

    def __len__(self) -> int:
        return len(self.patches)

    def __getitem__(self, index: int) -> Patch:  # type: ignore[override]  # no slices: a part is `chosen`
        return self.patches[index]

    def __iter__(self) -> Iterator[Patch]:
        return iter(self.patches)

    def chosen(self, numbers: Sequence[int]) -> PatchSet:
        """Some of them, in the order given."""
        return PatchSet(tuple(self.patches[number] for number in numbers), self.bands)


def open_sets(
    folders: Sequence[str | Path],
    *,
    bands: tuple[str, ...] | None = None,
    naming: Naming | None = None,
    empty_without_mask: bool = False,
    near: float = NEAR,
) -> PatchSet:
    """Patches of several folders; what kind of files they hold shows.

    Where neither names nor coordinates tell the place of a patch, it is the source, so that augmented copies of one
    image stay together at least.

    Parameters
    ----------
    folders
        Each with folders of images (image, images, img, imgs) and of masks (mask, masks, label, labels) at any depth.
    bands
        Names of the bands that every patch has; None: as many as the first.
    naming
        How sources and places are told from names; None: they are not.
    empty_without_mask
        Whether an image without a mask shows no landslide; else it is an error.
    near
        Metres between the middles of patches up to which they are of one place, where they have coordinates and names
        do not tell.

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or none with images.
    DataError
        If files do not belong together, or bands differ.
    """
    found: list[Patch] = []
    for folder in folders:
        found += _of(Path(folder), naming or Naming(), empty_without_mask)
    ordered = tuple(sorted(found, key=lambda patch: patch.name))
    return PatchSet(_placed(ordered, near), check_bands(ordered, bands))


def _of(root: Path, naming: Naming, empty_without_mask: bool) -> tuple[Patch, ...]:
    kinds = [endings for endings in _LAYOUTS if next(find(root, endings), None) is not None]
    if not kinds:
        wanted = ", ".join(ending for endings in _LAYOUTS for ending in endings)
        raise FileNotFoundError(
            f"There are no images below {str(root)!r}; expected files {wanted} in a folder {' or '.join(IMAGES)} "
            f"beside a folder {' or '.join(MASKS)}."
        )
    if len(kinds) > 1:
        raise DataError(f"{root} holds pictures and HDF5 files: give folders that hold one kind each")
    return _LAYOUTS[kinds[0]](root, naming=naming, empty_without_mask=empty_without_mask)


def _placed(patches: tuple[Patch, ...], near: float) -> tuple[Patch, ...]:
    """Patches with their places: as names tell, else as coordinates do, else their sources."""
    located = [patch for patch in patches if patch.place is None and patch.footprint is not None]
    groups = same_slides(
        np.array([patch.footprint for patch in located], np.float64).reshape(-1, 4),
        np.arange(len(located)),
        distance=near,
    )
    members = defaultdict(list)
    for patch, group in zip(located, groups.tolist(), strict=True):
        members[group].append(patch.name)
    where = {name: f"near {min(names)}" for names in members.values() for name in names}
    return tuple(
        patch if patch.place is not None else replace(patch, place=where.get(patch.name, patch.source))
        for patch in patches
    )
