"""One table for every method."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from slidecloud.kernels.calibration import Calibration
from slidecloud.optical.assessment import assess, tallied
from slidecloud.optical.ndvi_change import NdviChange
from slidecloud.optical.patches import Patch, Sample
from slidecloud.types import DataError


def patches(count=4, holes=False):
    """Patches whose only band is 0.9 in a square and 0.1 elsewhere, and one without landslide."""
    made = []
    for number in range(count):
        mask = np.zeros((40, 40), bool)
        mask[5 + number : 15 + number, 8:20] = number < count - 1
        image = np.where(mask, 0.9, 0.1).astype(np.float32)[None]
        if holes:
            image[:, :, :10] = np.nan
        sample = Sample(image, mask)
        made.append(Patch(f"p{number}", f"p{number}", None, None, image.shape, lambda sample=sample: sample))
    return made


def truthful(image):
    return image[0]


def test_a_method_that_knows_everything():
    judged = assess(truthful, patches(), threshold=0.5)
    assert judged.counts.iou == judged.counts.mean_iou == judged.edges.f == 1.0
    assert judged.things.recall == judged.things.precision == 1.0
    assert len(judged.things.true_found) == 3
    # It promises 0.9 and 0.1 where it should promise 1 and 0.
    assert judged.calibration_error == pytest.approx(0.1, abs=0.015)
    sure = Calibration(np.array([0.2, 0.8]), np.array([0.0, 1.0]))
    assert assess(truthful, patches(), threshold=0.5, calibration=sure).calibration_error < 1e-9


def test_a_method_that_sees_nothing():
    judged = assess(lambda image: np.zeros(image.shape[1:], np.float32), patches(), threshold=0.5)
    assert judged.counts.iou == judged.things.recall == judged.edges.f == 0.0
    assert math.isnan(judged.things.precision)
    assert judged.as_json()["landslides"]["precision"] is None
    assert any("precision - of 0" in line for line in judged.lines())


def test_pixels_without_data_do_not_count():
    judged = assess(truthful, patches(holes=True), threshold=0.5)
    assert sum(judged.counts) == 4 * 40 * 30
    assert judged.counts.iou == 1.0


def test_figures_are_plain_json_and_a_table():
    judged = assess(truthful, patches(), threshold=0.5)
    told = json.loads(json.dumps(judged.as_json(), allow_nan=False))
    assert told["pixels"]["right"] == 3 * 120
    assert told["landslides"]["recall_by_size"][1] == {"pixels": "100 to 399", "true": 3, "recall": 1.0}
    text = "\n".join(judged.lines())
    assert "IoU 1.000" in text
    assert "4 patches" in text
    assert tallied(truthful, patches()).counts(0.5) == judged.counts


def test_no_patches_are_refused():
    with pytest.raises(ValueError, match="expected at least one"):
        assess(truthful, [], threshold=0.5)


def test_the_change_of_ndvi():
    """Vegetation (NDVI 0.8) becomes soil (NDVI 0.2) in one column, and the other way round in another."""
    bands = ("before_red", "before_nir", "after_red", "after_nir")
    green, bare = (0.05, 0.45), (0.2, 0.3)
    columns = [(*green, *bare), (*bare, *green), (*green, *green)]
    image = np.array(columns, np.float32).T[:, None]
    image = np.concatenate([image, np.full((4, 1, 1), np.nan, np.float32)], 2)
    found = NdviChange.of(bands)(image * 10_000)
    np.testing.assert_allclose(found[0, :3], [0.5 + 0.25 * 0.6, 0.5 - 0.25 * 0.6, 0.5], atol=1e-6)
    assert np.isnan(found[0, 3])
    with pytest.raises(DataError, match="the change of NDVI needs before_red, after_red as well"):
        NdviChange.of(("before_nir", "after_nir"))
