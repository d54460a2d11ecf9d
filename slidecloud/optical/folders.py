"""Folders of images beside folders of masks, as public sets are laid out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from slidecloud.types import DataError

IMAGES: Final = ("image", "images", "img", "imgs")
MASKS: Final = ("mask", "masks", "label", "labels")


class Pair(NamedTuple):
    """Files of a patch: its `image`, its `mask` or None, and the path `below` the root that names tell from."""

    image: Path
    mask: Path | None
    below: str


def find(root: Path, endings: tuple[str, ...]) -> Iterator[tuple[Path, Path | None]]:
    """Folders of images below a root, each with the folder of masks beside it, where there is one.

    Raises
    ------
    FileNotFoundError
        If the root is no folder.
    """
    if not root.is_dir():
        raise FileNotFoundError(f"There is no folder {str(root)!r}; expected one with images and masks of landslides.")
    for folder in [root, *sorted(path for path in root.rglob("*") if path.is_dir())]:
        beside = {path.name.lower(): path for path in sorted(folder.iterdir()) if path.is_dir()}
        masks = next((beside[name] for name in MASKS if name in beside), None)
        for name in IMAGES:
            if name in beside and _files(beside[name], endings):
                yield beside[name], masks


def pairs(
    root: Path, *, endings: tuple[str, ...], key: Callable[[Path], str], empty_without_mask: bool
) -> Iterator[Pair]:
    """Images with their masks.

    Parameters
    ----------
    root
        Folder above.
    endings
        Of the files' names, in lower case.
    key
        What an image and its mask have in common.
    empty_without_mask
        Whether an image without a mask shows no landslide; else it is an error.

    Raises
    ------
    DataError
        If an image has no mask or a mask no image, or two files have the same key.
    """
    for images, masks in find(root, endings):
        marked = {} if masks is None else _by_key(_files(masks, endings), key)
        shown = _by_key(_files(images, endings), key)
        lonely = sorted(marked.keys() - shown.keys())
        if lonely:
            raise DataError(f"{marked[lonely[0]]} has no image in {images}: add the image, or remove the mask")
        if not empty_without_mask and (bare := sorted(shown.keys() - marked.keys())):
            where = "there is no folder of masks beside it" if masks is None else f"there is none in {masks}"
            raise DataError(
                f"{shown[bare[0]]} has no mask ({where}), and so have {len(bare) - 1} more. Add them, or say that "
                "images without a mask show no landslide (empty_without_mask)"
            )
        for name, image in shown.items():
            yield Pair(image, marked.get(name), image.relative_to(root).as_posix())


def _by_key(files: list[Path], key: Callable[[Path], str]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in files:
        name = key(path)
        if name in found:
            raise DataError(f"{found[name]} and {path} are both called {name!r}: keep one of them")
        found[name] = path
    return found


def _files(folder: Path, endings: tuple[str, ...]) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in endings and path.is_file())
