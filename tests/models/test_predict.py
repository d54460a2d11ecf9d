"""Prediction on maps of any size: the seams do not show, and nothing is found where nothing is known."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import dipoles
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from slidecloud.kernels.boxes import iou
from slidecloud.kernels.calibration import Calibration
from slidecloud.kernels.views import GradientView
from slidecloud.models import predict
from slidecloud.models.predict import Detector
from slidecloud.models.tile_sets import SIDE
from slidecloud.models.tiling import MARGIN, SLACK, STRIDE, own_boxes, places


@pytest.fixture
def detector(network, card):
    return Detector(network, card)


def view_of(shape, seed=0, slides=6):
    view, _ = dipoles.dipole_view(np.random.default_rng(seed), shape, slides)
    return view


class Finder(torch.nn.Module):
    """In place of a network: one box, of the first anchor, in each cell of the first head whose validity is whole."""

    def __init__(self, anchors):
        super().__init__()
        self.anchors = torch.tensor(anchors)

    def forward(self, maps):
        marked = torch.nn.functional.max_pool2d(maps[:, 2], 8) > 0.5
        raw = [torch.zeros(len(maps), 3, SIDE // s, SIDE // s, 5) for s in (8, 16)]
        for head in raw:
            head[..., 4] = -20.0
        raw[0][:, 0, ..., 4] = torch.where(marked, 2.0, -20.0)
        return raw


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 2000), st.integers(1, 900))
def test_every_place_of_a_map_belongs_to_a_tile_that_sees_around_it(height, width):
    """To one, but for the strips where neighbours reach over their common line."""
    owned = np.zeros((height, width), int)
    for place in places((height, width)):
        top, left, bottom, right = place.own
        owned[int(top) : int(bottom), int(left) : int(right)] += 1
        for start, first, last, size in (
            (place.row, top, bottom, height),
            (place.column, left, right, width),
        ):
            assert start % STRIDE == 0
            assert first == 0 or first >= start + MARGIN - SLACK
            assert last == size or last <= start + SIDE - MARGIN + SLACK
            assert last <= start + SIDE
    assert (owned >= 1).all()
    assert (owned > 1).sum() <= 2 * SLACK * (width * (height // STRIDE) + height * (width // STRIDE))


@settings(max_examples=200, deadline=None)
@given(st.floats(20, 880), st.integers(0, 2**32 - 1))
def test_neighbours_that_disagree_by_a_few_pixels_lose_nothing(row, seed):
    """Each tile that sees a slide puts its centre up to two pixels off; one of them at least gives the box."""
    random = np.random.default_rng(seed)
    given_by = []
    for place in places((900, 300)):
        if place.row <= row < place.row + SIDE:
            centre = row + random.uniform(-2, 2) - place.row
            box = np.array([[centre - 5, 140, centre + 5, 160]], np.float32)
            given_by.append(len(own_boxes(box, np.ones(1, np.float32), place)[0]))
    assert sum(given_by) >= 1


def test_each_slide_is_found_once_wherever_it_lies(card):
    """A stand-in for the network marks single pixels; across three by two tiles each comes back as one box."""
    shape = (900, 500)
    marks = np.array([(row, column) for row in range(12, 900, 40) for column in range(20, 500, 48)])
    steep = np.zeros(shape, np.float32)
    steep[tuple(marks.T)] = 1.0
    flat = np.zeros_like(steep)
    found = Detector(Finder(card.architecture.anchors), card).detect(GradientView(steep, flat, flat, flat, flat, 1.0))
    middles = (found.boxes[:, :2] + found.boxes[:, 2:]) / 2
    assert len(middles) == len(marks)
    expected = (marks // 8) * 8 + 4
    np.testing.assert_array_equal(middles[np.lexsort(middles.T[::-1])], expected)


def test_the_size_of_the_batch_does_not_show(detector):
    view = view_of((700, 800))
    found = [detector.detect(view, threshold=0.05, batch=size, threads=1) for size in (1, 3, 6)]
    assert len(found[0].boxes) > 20
    for other in found[1:]:
        np.testing.assert_allclose(other.scores, found[0].scores, atol=1e-5)
        np.testing.assert_allclose(other.boxes, found[0].boxes, atol=1e-2)


def test_detections_are_in_order_inside_the_map_and_apart(detector):
    found = detector.detect(view_of((430, 500)), threshold=0.05, threads=1)
    assert found.boxes.dtype == found.scores.dtype == np.float32
    assert (np.diff(found.scores) <= 0).all()
    assert (found.scores >= np.float32(0.05)).all()
    assert (found.boxes >= 0).all()
    assert (found.boxes <= [430, 500, 430, 500]).all()
    overlap = iou(found.boxes, found.boxes)
    np.fill_diagonal(overlap, 0)
    assert overlap.max() <= predict.OVERLAP + 1e-6


def test_a_small_map_is_a_tile_with_nothing_around(detector, monkeypatch):
    """The same answer as from a map with a border of NaN, before boxes out there take those inside away."""
    monkeypatch.setattr(predict, "OVERLAP", 1.0)
    view = view_of((100, 60))
    wide = GradientView(
        *(np.pad(maps, ((0, 300), (0, 200)), constant_values=np.nan) for maps in view[:5]), span=view.span
    )
    small, large = (detector.detect(maps, threshold=0.05, threads=1) for maps in (view, wide))
    inside = (large.boxes[:, 0] + large.boxes[:, 2] < 200) & (large.boxes[:, 1] + large.boxes[:, 3] < 120)
    np.testing.assert_allclose(small.scores, large.scores[inside], atol=1e-6)
    np.testing.assert_allclose(small.boxes, large.boxes[inside].clip(0, [100, 60, 100, 60]), atol=1e-3)


@pytest.mark.parametrize("shape", [(500, 90), (0, 0)])
def test_nothing_known_nothing_found(detector, shape):
    nothing = np.full(shape, np.nan, np.float32)
    found = detector.detect(GradientView(*[nothing] * 5, 3.0), threshold=0.0)
    assert found.boxes.shape == (0, 4)
    assert found.scores.shape == (0,)


def test_holes_are_no_harm(detector):
    view = view_of((300, 300))
    for maps in view[:5]:
        maps[50:90, :] = np.nan
        maps[200, 200] = np.inf
    found = detector.detect(view, threshold=0.01, threads=1)
    assert len(found.scores)
    assert np.isfinite(found.scores).all()
    assert np.isfinite(found.boxes).all()


def test_a_higher_threshold_takes_the_best(detector):
    view = view_of((300, 300))
    some = detector.detect(view, threshold=0.01, threads=1)
    few = detector.detect(view, threshold=float(some.scores[9]), threads=1)
    assert len(few.scores) == 10 < len(some.scores)
    np.testing.assert_array_equal(few.boxes, some.boxes[:10])


def test_the_network_it_was_made_from_still_learns(network, card):
    before = {name: value.clone() for name, value in network.state_dict().items()}
    Detector(network, card).detect(view_of((60, 60)))
    assert before.keys() == network.state_dict().keys()
    assert all(torch.equal(value, network.state_dict()[name]) for name, value in before.items())


def test_probabilities_are_those_of_the_calibration(network, card):
    line = Calibration(np.array([0.2, 0.6]), np.array([0.1, 0.9]))
    scores = np.array([0.0, 0.4, 1.0], np.float32)
    known, unknown = (Detector(network, replace(card, calibration=have)).probability(scores) for have in (line, None))
    np.testing.assert_allclose(known, [0.1, 0.5, 0.9], atol=1e-6)
    assert np.isnan(unknown).all()


WRONG = {
    "threshold: found 1.5": {"threshold": 1.5},
    "batch: found 0": {"batch": 0},
}


@pytest.mark.parametrize("message", WRONG)
def test_numbers_out_of_range_are_refused(detector, message):
    with pytest.raises(ValueError, match=message):
        detector.detect(view_of((50, 50)), **WRONG[message])


def test_maps_of_different_shapes_are_refused(detector):
    view = view_of((50, 60))
    with pytest.raises(ValueError, match=r"view: found maps of shapes \[\(40, 60\), \(50, 60\)\], expected one"):
        detector.detect(view._replace(y=view.y[:40]))


def test_threads_are_given_back(detector):
    before = torch.get_num_threads()
    detector.detect(view_of((50, 60)), threads=1 + before % 2)
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("absent", ["torch", "safetensors"])
def test_without_the_extra_the_remedy_is_named(absent):
    code = f"""
import importlib.util, sys
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == {absent!r} else find(name, *rest)
sys.modules[{absent!r}] = None
from slidecloud.models import predict
try:
    predict.load()
except ImportError as error:
    print(error)
"""
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert f"needs {absent}, which is not installed" in finished.stdout
    assert "pip install 'slidecloud[detect]'" in finished.stdout


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is an NVIDIA GPU")
def test_a_gpu_that_is_not_there_is_not_replaced(detector):
    with pytest.raises(RuntimeError, match=r"The device is gpu, but torch .* use the device cpu"):
        detector.detect(view_of((50, 60)), device="gpu")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no NVIDIA GPU")
def test_a_gpu_finds_what_a_cpu_finds(detector):
    """But for the last digits of its sums."""
    view = view_of((700, 800))
    here, there = (detector.detect(view, threshold=0.05, device=device) for device in ("cpu", "gpu"))
    np.testing.assert_allclose(there.scores, here.scores, atol=1e-3)
    np.testing.assert_allclose(there.boxes, here.boxes, atol=0.1)
