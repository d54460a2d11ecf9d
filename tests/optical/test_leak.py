"""What it does to divide images into parts after they were augmented, as was published: two numbers."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from slidecloud.kernels.normalisation import learn
from slidecloud.models.unet_batches import Example, augmented
from slidecloud.models.unet_recipe import AugmentConfig, UnetRecipe
from slidecloud.optical.patches import Patch, Sample
from slidecloud.optical.preparing import Prepared
from slidecloud.optical.sets import PatchSet
from slidecloud.optical.splits import Split, split
from slidecloud.optical.training import train
from slidecloud.simulate.optical import optical_scene

COPIES = 6


def copies(seed):
    """An image of 96 x 96 pixels and two dates, and its augmented copies, all of one source and place."""
    scene = optical_scene(seed, family=("humid", "dry", "terraces")[seed % 3], shape=(96, 96), slides=6)
    image, mask = scene.images.reshape(-1, 96, 96), scene.mask(1)
    scale = image.std((1, 2), keepdims=True)
    example = Example(image / scale, mask, np.ones_like(mask))
    for number in range(COPIES):
        found = augmented(example, AugmentConfig(), np.random.default_rng([seed, number]))
        sample = Sample((found.image * scale).astype(np.float32), found.truth)
        yield Patch(f"{seed:03}_{number}", str(seed), str(seed), None, sample.image.shape, lambda sample=sample: sample)


def leaky(patches, seed):
    """8:1:1 at random, whatever the sources."""
    order = np.random.default_rng(seed).permutation(len(patches))
    first, second = round(0.8 * len(order)), round(0.9 * len(order))
    return Split(*(patches.chosen(part.tolist()) for part in np.split(order, [first, second])))


@pytest.mark.long
def test_a_split_after_augmentation_flatters(tmp_path):
    """Thirty images, six copies each. The same network, trained alike, scores higher where copies of its training
    images are in the test part."""
    patches = PatchSet(tuple(patch for seed in range(30) for patch in copies(seed)), 8)
    recipe = UnetRecipe.model_validate(
        {
            "width": 0.125,
            "depth": 3,
            "side": 96,
            "batch": 6,
            "patch_steps": 4800,
            "rate": 3e-3,
            "threads": 1,
            "validate_every": 100_000,
            "data": {"train": ["unused"]},
        }
    )
    found = {}
    for name, parts in (("after", leaky(patches, 0)), ("before", split(patches, seed=0))):
        normalisation = learn(patch.read().image for patch in parts.train)
        found[name] = train(recipe, tmp_path / name, Prepared(parts, normalisation, name)).test
    iou = {name: judged.counts.iou for name, judged in found.items()}
    print(f"IoU of the test part: split after augmentation {iou['after']:.3f}, before {iou['before']:.3f}")  # noqa: T201
    assert iou["after"] > iou["before"] + 0.1
