"""Spoiled HDF5 sources and plain stores: nothing hangs or takes memory without bound, every error names its file."""

from __future__ import annotations

import itertools
import warnings
import zlib

import cslc
import numpy as np
import plain
import pytest
import smallbaseline
from bounds import bounded, read_all
from spoiled_hdf5 import SPOILS

from slidecloud.stack import SourceWarning

SEEDS = 6


def opera(folder):
    root = cslc.folder(folder / "burst", cslc.DAYS[:2])
    return root, {}


def mintpy(folder):
    return smallbaseline.geocoded(folder / "field"), {}


def mintpy_radar(folder):
    return smallbaseline.radar(folder / "field"), {}


def netcdf(folder):
    return plain.write(folder / "my_stack", plain.dataset(), "netcdf4"), {"mapping_file": plain.mapping(folder)}


SUBJECTS = {subject.__name__: subject for subject in (opera, mintpy, mintpy_radar, netcdf)}
CASES = list(itertools.product(SUBJECTS, SPOILS, range(SEEDS)))


def chosen(case) -> bool:
    """One seed of most spoils by default, another one for each kind."""
    kind, spoil, seed = case
    return seed == zlib.crc32(f"{kind} {spoil}".encode()) % SEEDS


@pytest.mark.parametrize(
    ("kind", "spoil", "seed"),
    [
        pytest.param(*case, id="-".join(map(str, case)), marks=() if chosen(case) else pytest.mark.long)
        for case in CASES
    ],
)
def test_a_spoiled_file_is_named_or_read(tmp_path, kind, spoil, seed):
    random = np.random.default_rng([seed, zlib.crc32(f"{kind} {spoil}".encode())])
    root, options = SUBJECTS[kind](tmp_path)
    files = sorted(root.rglob("*.h5")) if root.is_dir() else [root]
    path = files[random.integers(len(files))]
    SPOILS[spoil](path, random)
    before = {file: file.stat() for file in tmp_path.rglob("*")}
    with warnings.catch_warnings(), bounded():
        warnings.simplefilter("ignore", SourceWarning)
        said = read_all(root, options)
    assert {file: file.stat() for file in tmp_path.rglob("*")}.keys() == before.keys()
    for text in said:
        assert path.name in text or root.name in text, text
        assert ":" in text
        assert "Traceback" not in text


def test_there_are_enough_cases():
    assert len(CASES) >= 300
    assert sum(map(chosen, CASES)) >= 50
