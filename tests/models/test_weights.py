"""Weights keep what they are, and files that are no good are refused by name."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from slidecloud.kernels.calibration import Calibration
from slidecloud.models import weights
from slidecloud.models.features import Inputs
from slidecloud.types import DataError


@pytest.fixture
def stored(tmp_path, network, card):
    return weights.save(tmp_path / "net.safetensors", network, card)


def test_they_come_back(stored, network, card):
    """Convolutions to half precision (11 bits), statistics exactly, the card whole."""
    found, about = weights.load(stored)
    assert about == card
    assert not found.training
    for name, value in network.state_dict().items():
        back = found.state_dict()[name]
        if value.ndim > 1:
            torch.testing.assert_close(back, value, rtol=2**-11, atol=6e-8)
        elif not name.endswith("num_batches_tracked"):
            assert torch.equal(back, value)


def test_calibration_comes_back(tmp_path, network, card):
    line = Calibration(np.array([0.1, 0.7]), np.array([0.0, 1 / 3]))
    _, about = weights.load(weights.save(tmp_path / "net", network, replace(card, calibration=line, threshold=0.3)))
    assert about.threshold == 0.3
    for before, after in zip(line, about.calibration, strict=True):
        np.testing.assert_array_equal(after, before)


def test_they_hold_no_path_and_anyone_can_read_them(stored):
    """Plain safetensors: no program is run to read them."""
    with safe_open(stored, "np") as file:
        assert json.loads(file.metadata()["slidecloud"])["format"] == weights.FORMAT
        assert {file.get_tensor(name).dtype for name in file.keys()} == {np.dtype("float16"), np.dtype("float32")}  # noqa: SIM118
    assert list(stored.parent.iterdir()) == [stored]


def test_a_card_whose_inputs_do_not_fit_is_not_made(card):
    with pytest.raises(ValueError, match=r"takes 7 channels, but its inputs \(phase, range\) are 1"):
        replace(card, inputs=Inputs("phase", "range"))


def rewritten(path, *, tensors=None, about=None):
    with safe_open(path, "pt") as file:
        held = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        known = json.loads(file.metadata()["slidecloud"])
    held = {name: value for name, value in (held | (tensors or {})).items() if value is not None}
    save_file(held, path, {"slidecloud": json.dumps(known | (about or {}))})


def cut(path):
    path.write_bytes(path.read_bytes()[:-1000])


def picture(path):
    path.write_bytes(b"\x89PNG" * 100)


def spoilt(path):
    rewritten(path, tensors={"heads.0.bias": torch.full((15,), torch.nan)})


FAULTS = {
    "cannot be read .*expected a whole safetensors file": cut,
    "cannot be read .*expected a whole safetensors file.": picture,
    "does not say that they are a detector": lambda path: save_file({"a": torch.zeros(2)}, path),
    "are of format 'slidecloud detector 9'; expected 'slidecloud detector 1'": lambda path: rewritten(
        path, about={"format": "slidecloud detector 9"}
    ),
    r"takes 7 channels, but its inputs \(phase, both\) are 2": lambda path: rewritten(
        path, about={"inputs": {"scaling": "phase", "axes": "both"}}
    ),
    "contradicts itself: 'probability'": lambda path: rewritten(path, about={"calibration": {"score": [0.5]}}),
    r"heads.0.bias is \(3,\), expected \(15,\)": lambda path: rewritten(path, tensors={"heads.0.bias": torch.zeros(3)}),
    r"heads.0.bias is none, expected \(15,\)": lambda path: rewritten(path, tensors={"heads.0.bias": None}),
    r"nobody.asked is \(1,\), expected none": lambda path: rewritten(path, tensors={"nobody.asked": torch.zeros(1)}),
    "hold numbers that are not finite, in heads.0.bias": spoilt,
}


@pytest.mark.parametrize("message", FAULTS)
def test_faults_are_named(stored, message):
    FAULTS[message](stored)
    with pytest.raises(DataError, match=message) as error:
        weights.load(stored)
    assert stored.name in str(error.value)


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"There are no weights .*absent"):
        weights.load(tmp_path / "absent")
