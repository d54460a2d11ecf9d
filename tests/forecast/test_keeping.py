"""What a method has learnt survives as bytes, and bytes of others run nothing."""

from __future__ import annotations

import io
import json
import pickle
from dataclasses import dataclass

import numpy as np
import pytest

from slidecloud.forecast import exceedance
from slidecloud.forecast.keeping import pack, unpack
from slidecloud.types import DataError


def learnt():
    base = exceedance.Base(np.arange(3.0), np.array([np.nan, np.inf, -0.0]))
    return {
        "base": base,
        "dates": np.array(["2020-01-01", "NaT"], "datetime64[D]"),
        "names": np.array(["one", "two"]),
        "function": exceedance.since_day,
        "numbers": [1, 2.5, np.nan, np.float32(3.0), True, None, "text", (1, (2,))],
        3: np.zeros((0, 2), np.int8),
    }


def test_what_comes_back_is_what_was_kept():
    found = unpack(pack(learnt()))
    assert list(found) == ["base", "dates", "names", "function", "numbers", 3]
    assert isinstance(found["base"], exceedance.Base)
    for name in ("base", "dates", "names", 3):
        for one, two in zip(np.atleast_1d(found[name]), np.atleast_1d(learnt()[name]), strict=True):
            np.testing.assert_array_equal(one, two)
    assert found[3].shape == (0, 2)
    assert found["function"] is exceedance.since_day
    numbers = found["numbers"]
    assert numbers[:2] == [1, 2.5]
    assert np.isnan(numbers[2])
    assert type(numbers[3]) is np.float32
    assert numbers[4:] == [True, None, "text", (1, (2,))]


def test_the_same_gives_the_same_bytes():
    assert pack(learnt()) == pack(learnt())


@dataclass
class Foreign:
    value: int


@pytest.mark.parametrize("value", [Foreign(1), np.array([object()]), len, lambda: 1, {1, 2}])
def test_what_cannot_be_kept_is_refused(value):
    with pytest.raises(TypeError, match="cannot be kept"):
        pack([value])


def archive(tree):
    buffer = io.BytesIO()
    np.savez(buffer, tree=np.frombuffer(json.dumps(tree).encode(), np.uint8))
    return buffer.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no archive",
        pickle.dumps(3),
        archive({"type": "os:system", "parts": {"dict": [["command", "true"]]}}),
        archive({"type": "slidecloud.forecast.keeping:pack", "parts": {"dict": [["fitted", 1]]}}),
        archive({"type": "slidecloud.forecast.keeping:importlib.import_module", "parts": {"dict": []}}),
        archive({"type": "slidecloud.forecast.exceedance:Base", "parts": {"dict": [["unknown", 1]]}}),
        archive({"function": "os:system"}),
        archive({"function": "slidecloud.forecast.keeping:json.loads"}),
        archive({"function": "slidecloud.forecast.exceedance:Base"}),
        archive({"array": "a0"}),
        archive({"what": 1}),
        pack(learnt())[:-60],
    ],
)
def test_strange_bytes_are_refused(data):
    with pytest.raises(DataError, match="cannot be read"):
        unpack(data)
