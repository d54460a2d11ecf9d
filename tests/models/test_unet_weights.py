"""Weights of outlines: whole, damaged, and those of something else; and scores of images of any size."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from slidecloud.kernels.calibration import Calibration
from slidecloud.kernels.normalisation import Normalisation
from slidecloud.models import predict, unet_predict, unet_weights
from slidecloud.models.fitting import seeded
from slidecloud.models.unet import Unet
from slidecloud.models.unet_predict import Segmenter
from slidecloud.models.unet_shape import UnetShape
from slidecloud.models.unet_weights import UnetCard
from slidecloud.types import DataError

SHAPE = UnetShape(3, 0.125, 2)
CARD = UnetCard(
    SHAPE,
    Normalisation((10.0, 20.0, 30.0), (1.0, 2.0, 3.0)),
    ("green", "red", "nir"),
    0.25,
    Calibration(np.array([0.1, 0.9]), np.array([0.0, 0.5])),
    {"version": "0"},
)


@pytest.fixture(scope="module")
def network():
    return seeded(lambda: Unet(SHAPE), 1, torch.device("cpu")).eval()


def test_what_is_saved_is_loaded(network, tmp_path):
    path = unet_weights.save(tmp_path / "deep/w.safetensors", network, CARD)
    found, card = unet_weights.load(path)
    assert card.shape == CARD.shape
    assert card.normalisation == CARD.normalisation
    assert card.bands == CARD.bands
    assert card.threshold == CARD.threshold
    assert card.record == CARD.record
    np.testing.assert_array_equal(card.calibration.probability, CARD.calibration.probability)
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            torch.testing.assert_close(found.state_dict()[name], value, atol=2e-3, rtol=1e-3)
    assert path.read_bytes() == unet_weights.save(tmp_path / "again", network, CARD).read_bytes()


def test_what_is_wrong_with_weights_is_named(network, tmp_path):
    with pytest.raises(FileNotFoundError, match="'slidecloud optical train' writes"):
        unet_predict.load(tmp_path / "nowhere")
    path = unet_weights.save(tmp_path / "w", network, CARD)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(DataError, match="cannot be read"):
        unet_predict.load(path)
    words = "are of format 'slidecloud detector 1'; expected 'slidecloud outlines 1'"
    with predict.as_file(predict.shipped()) as shipped, pytest.raises(DataError, match=words):
        unet_predict.load(shipped)
    save_file({"a": torch.zeros(2)}, tmp_path / "plain")
    with pytest.raises(DataError, match="does not say that they are a network of outlines"):
        unet_predict.load(tmp_path / "plain")
    other = seeded(lambda: Unet(UnetShape(3, 0.25, 2)), 1, torch.device("cpu"))
    with pytest.raises(DataError, match="do not fit the network they describe"):
        unet_predict.load(unet_weights.save(tmp_path / "other", other, CARD))


def test_a_card_whose_parts_disagree_is_refused():
    with pytest.raises(ValueError, match="takes 3 bands, but there are means of 1"):
        UnetCard(SHAPE, Normalisation((0.0,), (1.0,)))


def test_scores_have_the_shape_of_the_image_and_its_holes(network):
    rng = np.random.default_rng(0)
    image = (rng.normal(size=(3, 37, 50)) * 3 + 20).astype(np.float32)
    image[1, 5, 6] = np.nan
    found = Segmenter(network, CARD).scores(image, threads=1)
    assert found.shape == (37, 50)
    assert found.dtype == np.float32
    assert np.isnan(found).sum() == 1
    assert np.nanmin(found) >= 0.0
    assert np.nanmax(found) <= 1.0
    filled = np.pad(CARD.normalisation.apply(image), [(0, 0), (0, 3), (0, 2)])
    with torch.inference_mode():
        plain = torch.sigmoid(network(torch.from_numpy(filled)[None]))
    np.testing.assert_allclose(np.nan_to_num(found), np.where(np.isnan(found), 0, plain[0, :37, :50]), atol=1e-5)
    with pytest.raises(DataError, match="has 2 bands, expected the 3"):
        Segmenter(network, CARD).scores(image[:2])
