"""Tile sets that a recipe names and that are not there yet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from slidecloud.models.scenery.tile_maker import Plan, Split, plans
from slidecloud.types import DataError

if TYPE_CHECKING:
    from slidecloud.models.recipes import TilesConfig

_SPLITS: tuple[Split, ...] = ("train", "validation")


def missing(tiles: TilesConfig) -> Iterator[tuple[Path, list[Plan]]]:
    """Folders without a tile set, and the plans that ``make`` has for them.

    Raises
    ------
    DataError
        If a set of several folders is not complete: there is one plan for each set, not for each folder.
    """
    for split in _SPLITS:
        folders = [Path(folder) for folder in getattr(tiles, split)]
        absent = [folder for folder in folders if not (folder / "truth.npz").is_file()]
        if absent and len(folders) > 1:
            raise DataError(
                f"There is no tile set in {str(absent[0])!r}. The recipe names {len(folders)} folders to {split} with, "
                "and slidecloud makes the tiles of one; make the others first, or name one."
            )
        for folder in absent:
            yield (
                folder,
                plans("eroded", split, getattr(tiles.make, split), estimator=tiles.make.estimator, dem=tiles.make.dem),
            )
