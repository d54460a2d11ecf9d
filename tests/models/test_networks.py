"""The networks: shapes, the same function after folding, and what each brick promises."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import binary_opening

from slidecloud.models.architecture import STRIDES, Architecture
from slidecloud.models.attention import Attention
from slidecloud.models.blocks import folded, scaled
from slidecloud.models.dropblock import DropBlock
from slidecloud.models.yolo import Yolo, boxes

SIZES = ((8.0, 8.0), (14.0, 10.0), (10.0, 18.0))
NETWORKS = tuple(STRIDES)


def build(network, *, width=0.125, channels=3, attention=None):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        has = network != "yolov3" if attention is None else attention
        return Yolo(
            Architecture(network, width, channels, has, network == "a-yolov3-r", (SIZES,) * len(STRIDES[network]))
        )


def noise(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("network", NETWORKS)
def test_heads_lie_at_their_strides(network):
    raw = build(network).eval()(noise(2, 3, 64, 96))
    assert [tuple(head.shape) for head in raw] == [(2, 3, 64 // s, 96 // s, 5) for s in STRIDES[network]]


@pytest.mark.parametrize("network", NETWORKS)
def test_an_untrained_network_believes_in_little(network):
    """Objectness starts near 0.003 everywhere."""
    raw = build(network).eval()(noise(1, 3, 64, 64))
    for head in raw:
        assert torch.sigmoid(head.detach()[..., 4]).mean().item() == pytest.approx(0.003, rel=0.5)


def test_full_width_is_the_publications():
    """Darknet-53 with heads for one class: 61.5 million weights (61,523,734 with 3 channels and 6 numbers an anchor;
    we keep 5: 3 times (1024 + 512 + 256 weights + 1 bias a head) fewer)."""
    with torch.device("meta"):
        network = Yolo(Architecture("yolov3", 1.0, 3, False, False, (SIZES,) * 3))
    assert sum(value.numel() for value in network.parameters()) == 61_523_734 - 3 * (1024 + 512 + 256 + 3)


@pytest.mark.parametrize("network", NETWORKS)
def test_folding_changes_nothing_but_time(network):
    """Normalisation with statistics of its own, put into the convolutions: equal to single precision, relative to the
    spread of the answers."""
    trained = build(network)
    trained.train()
    for seed in range(3):
        trained(noise(2, 3, 64, 64) * (seed + 1))
    trained.eval()
    ready = folded(trained)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in ready.modules())
    maps = noise(1, 3, 64, 64)
    for before, after in zip(trained(maps), ready(maps), strict=True):
        torch.testing.assert_close(after, before, atol=1e-4 * before.std().item() + 1e-6, rtol=1e-4)


@pytest.mark.parametrize("network", ["a-yolov3-t", "yolov3"])
def test_moving_by_whole_cells_moves_the_answers(network):
    """Shifted by the coarsest stride, 32 pixels, far from the borders the answers are the same (no attention, which
    looks at the whole map)."""
    tiny = build(network, attention=False).eval()
    maps = torch.zeros(1, 3, 768, 64)
    maps[:, :, 352:384] = noise(1, 3, 32, 64)
    here, there = tiny(maps), tiny(maps.roll(32, 2))
    for before, after, stride in zip(here, there, STRIDES[network], strict=True):
        step, rows = 32 // stride, slice(352 // stride, 384 // stride)
        moved = slice(rows.start + step, rows.stop + step)
        torch.testing.assert_close(after[:, :, moved], before[:, :, rows], atol=1e-4, rtol=1e-3)


def test_attention_weighs_and_lets_pass():
    """Weights in (0, 1) on top of a shortcut: every number keeps its sign and grows by less than its own size."""
    maps = noise(2, 16, 9, 11)
    ratio = Attention(16)(maps) / maps
    assert (ratio > 1).all()
    assert (ratio < 2).all()


def test_attention_is_one_factor_a_channel_times_one_a_place():
    maps = noise(1, 16, 9, 11).abs() + 0.1
    extra = (Attention(16)(maps) / maps - 1).detach().numpy()[0]
    by_channel, by_place = extra[:, :1, :1], extra[:1]
    np.testing.assert_allclose(extra, by_channel * by_place / extra[0, 0, 0], rtol=1e-4)


def test_dropblock_drops_squares_of_the_share_asked_for():
    """Over 200 maps a little less than asked for, as patches overlap; the rest is scaled to the same sum."""
    block = DropBlock().train()
    block.share = 0.1
    with torch.random.fork_rng():
        torch.manual_seed(3)
        maps = block(torch.ones(200, 2, 52, 52))
    dropped = maps == 0
    assert 0.08 < float(dropped.float().mean()) < 0.1
    assert float(maps.mean()) == pytest.approx(1, abs=1e-5)
    assert (dropped[:, 0] == dropped[:, 1]).all()
    for patches in dropped[:, 0].numpy():
        np.testing.assert_array_equal(binary_opening(patches, np.ones((7, 7))), patches)


def test_dropblock_does_nothing_outside_training():
    block, maps = DropBlock(), noise(1, 2, 26, 26)
    assert block(maps) is maps
    block.share = 0.5
    assert block.eval()(maps) is maps


@pytest.mark.parametrize("side", [1, 2, 13, 26])
def test_dropblock_fits_small_maps(side):
    block = DropBlock().train()
    block.share = 0.3
    assert torch.isfinite(block(torch.ones(4, 1, side, side))).all()


def test_boxes_by_hand():
    """Raw zeros: the middle of the cell, and the anchor's own size."""
    found = boxes(torch.zeros(1, 5), torch.tensor([[2, 3]]), torch.tensor([[8.0, 20.0]]), 16)
    torch.testing.assert_close(found, torch.tensor([[40 - 4.0, 56 - 10, 40 + 4, 56 + 10]]))


def test_width_scales_channels_to_multiples_of_eight():
    assert [scaled(channels, 0.25) for channels in (16, 32, 64, 1024)] == [8, 8, 16, 256]


WRONG = {
    "network is 'yolov9'; expected yolov3": {"network": "yolov9"},
    "width is 0; expected a factor above 0": {"width": 0},
    r"anchors are \[3, 3\] a head; expected 3 for each of the 3 heads of yolov3": {"anchors": (SIZES, SIZES)},
}


@pytest.mark.parametrize("message", WRONG)
def test_impossible_architectures_are_refused(message):
    right = {"network": "yolov3", "width": 1.0, "channels": 1, "attention": False, "dropblock": False}
    right |= {"anchors": (SIZES,) * 3}
    with pytest.raises(ValueError, match=message):
        Architecture(**right | WRONG[message])


def test_an_architecture_survives_json():
    import json

    one = build("a-yolov3-r").architecture
    assert Architecture.from_plain(json.loads(json.dumps(one.plain()))) == one
