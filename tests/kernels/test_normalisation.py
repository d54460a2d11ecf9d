"""Bands in standard deviations, learnt from given images and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from slidecloud.kernels.normalisation import LARGEST, Normalisation, learn
from slidecloud.types import DataError


def test_means_and_deviations_are_those_of_all_pixels_with_data():
    rng = np.random.default_rng(0)
    images = [
        (rng.normal(size=(3, *shape)) * [[[2.0]], [[30.0]], [[0.1]]] + [[[1e4]], [[-5.0]], [[0.3]]]).astype(np.float32)
        for shape in ((20, 30), (7, 9), (16, 16))
    ]
    images[1][0, :3] = np.nan
    found = learn(iter(images))
    for band in range(3):
        values = np.concatenate([image[band].ravel() for image in images]).astype(np.float64)
        assert found.mean[band] == pytest.approx(np.nanmean(values), rel=1e-9)
        assert found.deviation[band] == pytest.approx(np.nanstd(values), rel=1e-6)


def test_normalised_images_have_mean_0_and_deviation_1_and_no_holes():
    rng = np.random.default_rng(1)
    image = (rng.normal(size=(2, 60, 60)) * 5 + 100).astype(np.float32)
    image[:, :5] = np.nan
    image[0, 30, 30] = 1e6
    scaled = learn([image[:, :, :30], image[:, 40:, 30:]]).apply(image)
    assert scaled.dtype == np.float32
    assert not scaled[:, :5].any()
    assert scaled[0, 30, 30] == LARGEST
    assert scaled[1, 5:].mean() == pytest.approx(0.0, abs=0.05)
    assert scaled[1, 5:].std() == pytest.approx(1.0, abs=0.05)


def test_what_cannot_be_learnt_from_is_named():
    with pytest.raises(DataError, match="no training patches"):
        learn([])
    image = np.random.default_rng(0).normal(size=(2, 8, 8)).astype(np.float32)
    image[1] = 4.0
    with pytest.raises(DataError, match="band 2 is 4 in every training patch"):
        learn([image, image])
    image[1] = np.nan
    with pytest.raises(DataError, match="band 2 is 0"):
        learn([image])
    with pytest.raises(DataError, match="has 3 bands, expected the 2"):
        Normalisation((0.0, 0.0), (1.0, 1.0)).apply(np.zeros((3, 4, 4), np.float32))
    with pytest.raises(ValueError, match="deviations above 0"):
        Normalisation((0.0,), (0.0,))
