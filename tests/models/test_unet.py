"""U-Net: shapes, how far a pixel sees, its loss, and batches."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import binary_cross_entropy_with_logits

from slidecloud.models.fitting import seeded
from slidecloud.models.unet import Unet
from slidecloud.models.unet_batches import Example, augmented, cut, unet_batch
from slidecloud.models.unet_losses import unet_loss
from slidecloud.models.unet_recipe import AugmentConfig
from slidecloud.models.unet_shape import UnetShape

CPU = torch.device("cpu")
STILL = AugmentConfig(turn=False, share=0.0)
STILL_BUT = {"turn": False, "share": 1.0} | dict.fromkeys(("brightness", "contrast", "blur", "noise"), 0.0)


def unet(bands=2, *, width=0.125, depth=2, seed=0):
    return seeded(lambda: Unet(UnetShape(bands, width, depth)), seed, CPU).eval()


@pytest.mark.parametrize(("bands", "depth", "shape"), [(1, 1, (8, 6)), (4, 3, (16, 40)), (14, 4, (64, 32))])
def test_logits_have_the_shape_of_the_image(bands, depth, shape):
    with torch.inference_mode():
        assert unet(bands, depth=depth)(torch.randn(3, bands, *shape)).shape == (3, *shape)


def test_width_and_depth_set_the_channels():
    """As published at width 1 and depth 4: 64 channels, doubled four times, 31 million parameters in all."""
    published = Unet(UnetShape(1, 1.0, 4))
    assert [block[0][0].out_channels for block in published.down] == [64, 128, 256, 512, 1024]
    assert sum(weights.numel() for weights in published.parameters()) == pytest.approx(31.04e6, rel=0.01)
    assert [block[0][0].out_channels for block in Unet(UnetShape(1, 0.25, 2)).down] == [16, 32, 64]


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_pixel_sees_as_far_as_its_reach_and_no_further(depth):
    """Whatever is changed beyond the reach changes nothing, to the last bit; within it, something changes. Positive
    weights let everything through."""
    network = unet(1, depth=depth)
    for weights in network.parameters():
        weights.data.abs_()
    reach, stride = network.shape.reach, network.shape.stride
    side = -(-(2 * reach + 4 * stride) // stride) * stride
    image = torch.rand(1, 1, side, 2 * stride)
    with torch.inference_mode():
        before = network(image)[0, :, 0]
        farthest = []
        for row in range(side // 2 - stride, side // 2):
            changed = image.clone()
            changed[0, 0, row] += 100.0
            seen = torch.nonzero(network(changed)[0, :, 0] != before).flatten()
            farthest += [int(seen.max()) - row, row - int(seen.min())]
    assert max(farthest) <= reach
    assert max(farthest) > reach - 2 * stride


def test_a_shift_by_the_stride_shifts_the_result():
    network = unet(2, depth=2)
    reach, stride = network.shape.reach, network.shape.stride
    image = torch.randn(1, 2, 4 * reach, 4 * reach)
    with torch.inference_mode():
        whole = network(image)[0]
        part = network(image[:, :, stride:, stride:])[0]
    inner = slice(reach, -reach)
    np.testing.assert_allclose(part[inner, inner], whole[stride:, stride:][inner, inner], atol=2e-6)


@pytest.mark.parametrize(
    ("shape", "words"),
    [((1, 3, 8, 8), "expected 2 bands"), ((1, 2, 8, 10), "multiples of 4")],
)
def test_images_that_do_not_fit_are_refused(shape, words):
    with pytest.raises(ValueError, match=words):
        unet(2, depth=2)(torch.zeros(shape))


@pytest.mark.parametrize(
    ("asked", "words"),
    [((0, 1.0, 4), "bands is 0"), ((3, 0.0, 4), "width is 0"), ((3, 1.0, 7), "depth is 7; expected 1 to 6")],
)
def test_shapes_that_make_no_sense_are_refused(asked, words):
    with pytest.raises(ValueError, match=words):
        UnetShape(*asked)


def test_the_loss_is_that_of_its_formula_over_known_pixels_alone():
    random = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 6, 5, generator=random)
    truth, known = (torch.rand(2, 6, 5, generator=random) < share for share in (0.3, 0.7))
    found = unet_loss(logits, truth.float(), known.float(), dice=0.25)
    p, t = logits[known].sigmoid(), truth[known].float()
    entropy = binary_cross_entropy_with_logits(logits[known], t)
    dice = 1 - (2 * (p * t).sum() + 1) / (p.sum() + t.sum() + 1)
    torch.testing.assert_close(found.entropy, entropy)
    torch.testing.assert_close(found.dice, dice)
    torch.testing.assert_close(found.total, 0.75 * entropy + 0.25 * dice)


def test_the_loss_of_nothing_known_is_finite_and_teaches_nothing():
    logits = torch.randn(1, 4, 4, requires_grad=True)
    total = unet_loss(logits, torch.zeros(1, 4, 4), torch.zeros(1, 4, 4)).total
    total.backward()
    assert float(total.detach()) == 0.0
    assert not logits.grad.any()


def test_the_loss_falls_towards_the_truth():
    truth = torch.zeros(1, 8, 8)
    truth[0, 2:5, 2:5] = 1
    known = torch.ones_like(truth)
    sure, unsure, wrong = (unet_loss(sign * (2 * truth - 1), truth, known).total for sign in (20.0, 0.5, -20.0))
    assert sure < 0.01 < unsure < wrong


class Marked:
    """Twelve examples of 20 x 24 whose first band says which they are, and whose second band is their truth."""

    def __len__(self):
        return 12

    def __getitem__(self, index):
        truth = np.random.default_rng(index).random((20, 24)) < 0.3
        image = np.stack([np.full(truth.shape, 1.0 + index), 1.0 + truth]).astype(np.float32)
        return Example(image, truth, np.ones(truth.shape, bool))


def test_every_example_is_seen_once_before_any_is_seen_again():
    seen = []
    for step in range(6):
        batch = unet_batch(Marked(), size=4, side=16, seed=3, step=step, augment=STILL)
        seen += (batch.images[:, 0, 0, 0] - 1).astype(int).tolist()
    assert sorted(seen[:12]) == sorted(seen[12:]) == list(range(12))
    assert seen[:12] != seen[12:]


def test_batches_depend_on_seed_and_step_and_not_on_threads():
    made = [
        unet_batch(Marked(), size=4, side=16, seed=seed, step=step, augment=AugmentConfig(), threads=threads)
        for seed, step, threads in ((1, 5, 1), (1, 5, 3), (1, 6, 1), (2, 5, 1))
    ]
    for one, other in zip(made[0], made[1], strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(made[0].images, made[2].images)
    assert not np.array_equal(made[0].images, made[3].images)


@given(seed=st.integers(0, 500))
@settings(max_examples=30, deadline=None)
def test_truth_stays_on_its_image_however_it_is_turned(seed):
    augment = AugmentConfig(share=0.0)
    changed = augmented(cut(Marked()[1], 16, np.random.default_rng(seed)), augment, np.random.default_rng(seed))
    assert changed.image.shape == (2, 16, 16)
    np.testing.assert_array_equal(changed.image[1] == 2.0, changed.truth)


def test_what_lies_beyond_a_small_example_is_not_known():
    padded = cut(Marked()[0], 32, np.random.default_rng(0))
    assert padded.image.shape == (2, 32, 32)
    assert padded.known[:20, :24].all()
    assert padded.known.sum() == 480
    assert not padded.image[:, 20:].any()
    assert not padded.truth[:, 24:].any()


def changes(augment, *, draws=400):
    """Mean over pixels, and spread over them, of a flat image of ones with a corner without data, after each draw."""
    image = np.ones((3, 12, 12), np.float32)
    image[:, :4, :4] = 0.0
    example = Example(image, np.zeros((12, 12), bool), np.ones((12, 12), bool))
    values = []
    for seed in range(draws):
        found = augmented(example, augment, np.random.default_rng(seed)).image
        assert (found == 0.0).all(0).sum() >= 16
        inner = found[:, 6:10, 6:10] if not augment.turn else found[found != 0]
        values.append((inner.mean(), inner.std()))
    return np.array(values).T


def test_a_band_without_data_stays_0():
    """As in a network's use: noise and light would tell it of what is not there."""
    image = np.ones((3, 16, 16), np.float32)
    image[1, 4:9, :7] = 0.0
    example = Example(image, np.zeros((16, 16), bool), np.ones((16, 16), bool))
    augment = AugmentConfig(turn=False, share=1.0)
    found = augmented(example, augment, np.random.default_rng(0)).image
    np.testing.assert_array_equal(found == 0.0, image == 0.0)


def test_each_change_keeps_its_measure():
    means, spreads = changes(AugmentConfig(**STILL_BUT | {"brightness": 0.5}))
    assert np.abs(means - 1.0).max() == pytest.approx(0.5, abs=0.02)
    assert spreads.max() < 1e-6
    means, _ = changes(AugmentConfig(**STILL_BUT | {"contrast": 0.2}))
    assert np.abs(means - 1.0).max() == pytest.approx(0.2, abs=0.01)
    _, spreads = changes(AugmentConfig(**STILL_BUT | {"noise": 0.4}))
    assert spreads.mean() == pytest.approx(0.2, abs=0.02)
    assert spreads.max() < 0.55
    means, spreads = changes(AugmentConfig(**STILL_BUT | {"brightness": 0.5, "share": 0.25}))
    assert np.mean(means != 1.0) == pytest.approx(0.25, abs=0.07)
