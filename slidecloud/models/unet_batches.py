"""Batches of image patches: cut, turned, brightened, blurred, noisy; the same for the same seed and step."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from slidecloud.models.unet_recipe import AugmentConfig
from slidecloud.types import Float32


class Example(NamedTuple):
    """A patch to learn from.

    Attributes
    ----------
    image
        float32 (band, y, x), normalised; 0 without data.
    truth
        bool (y, x): landslides.
    known
        bool (y, x): where the truth counts.
    """

    image: Float32
    truth: NDArray[np.bool_]
    known: NDArray[np.bool_]


class Examples(Protocol):
    """Patches, read when they are asked for; asked by several threads at a time."""

    def __len__(self) -> int:
        """How many there are."""

    def __getitem__(self, index: int, /) -> Example:
        """One of them."""


class UnetBatch(NamedTuple):
    """Patches for one step: `images` float32 (image, band, y, x), `truth` and `known` bool (image, y, x)."""

    images: Float32
    truth: NDArray[np.bool_]
    known: NDArray[np.bool_]


def unet_batch(
    examples: Examples, *, size: int, side: int, seed: int, step: int, augment: AugmentConfig, threads: int = 1
) -> UnetBatch:
    """The patches of one training step; depends on nothing but what is given, and not on the number of threads.

    Parameters
    ----------
    examples
        Each is drawn once before any is drawn again.
    size
        Number of patches.
    side
        Pixels along each side; larger patches are cut anywhere, smaller ones are filled up with what is not known.
    seed, step
        Of the draw.
    augment
        How patches are changed.
    threads
        That read.
    """

    def make(number: int) -> Example:
        passage, place = divmod(step * size + number, len(examples))
        order = np.random.default_rng([seed, passage]).permutation(len(examples))
        rng = np.random.default_rng([seed, step, number])
        return augmented(cut(examples[int(order[place])], side, rng), augment, rng)

    with ThreadPoolExecutor(threads) as pool:
        made = list(pool.map(make, range(size)))
    return UnetBatch(*(np.stack(parts) for parts in zip(*made, strict=True)))


def cut(example: Example, side: int, rng: np.random.Generator) -> Example:
    """A square of an example, at a random place; what lies beyond the example is not known."""
    rows, columns = example.truth.shape
    top, left = (int(rng.integers(max(1, length - side + 1))) for length in (rows, columns))
    window = (slice(top, top + side), slice(left, left + side))
    part = Example(example.image[:, *window], example.truth[window], example.known[window])
    missing = [(0, side - length) for length in part.truth.shape]
    if not any(after for _, after in missing):
        return part
    return Example(np.pad(part.image, [(0, 0), *missing]), np.pad(part.truth, missing), np.pad(part.known, missing))


def augmented(example: Example, augment: AugmentConfig, rng: np.random.Generator) -> Example:
    """An example turned by quarters and mirrored, its light changed, blurred and made noisy, each in its own measure.

    What has no data stays 0. The draws are made whether they are used or not, so that one setting leaves the others'
    effects as they were.
    """
    quarters, mirrored = int(rng.integers(4)), bool(rng.integers(2))
    brightness, contrast = rng.uniform(-1.0, 1.0, 2)
    sigma, spread = rng.uniform(0.0, 1.0, 2)
    changed = rng.random(3) < augment.share
    image, truth, known = example
    if augment.turn:
        image, truth, known = (_turned(maps, quarters, mirrored) for maps in (image, truth, known))
    image = np.array(image, np.float32)
    empty = image == 0.0
    if changed[0]:
        image = image * np.float32(1.0 + augment.contrast * contrast) + np.float32(augment.brightness * brightness)
    if changed[1] and augment.blur:
        image = ndimage.gaussian_filter(image, (0.0, augment.blur * sigma, augment.blur * sigma))
    if changed[2] and augment.noise:
        image = image + np.float32(augment.noise * spread) * rng.standard_normal(image.shape, np.float32)
    image[empty] = 0.0
    return Example(image, np.ascontiguousarray(truth), np.ascontiguousarray(known))


def _turned(maps: NDArray[Any], quarters: int, mirrored: bool) -> NDArray[Any]:
    turned = np.rot90(maps, quarters, (-2, -1))
    return turned[..., ::-1] if mirrored else turned
