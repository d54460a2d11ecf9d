"""Spoiled HDF5 sources and plain stores: nothing hangs or takes memory without bound, every error names its file."""

from __future__ import annotations

import itertools
import resource
import signal
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cslc
import numpy as np
import plain
import pytest
import smallbaseline
from spoiled_hdf5 import SPOILS

from slidecloud.stack import SlcSource, SourceWarning, open_source

LIMIT = 120
"""Seconds after which a case counts as hanging; they take fractions of one."""
MEMORY = 4 * 2**30
"""Bytes of address space that a case may add."""
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


@contextmanager
def bounded() -> Iterator[None]:
    """Limits of time and memory around a case."""

    def too_long(*_):
        raise AssertionError(f"still at work after {LIMIT} s")

    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    handler = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(LIMIT)
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
        signal.alarm(0)
        signal.signal(signal.SIGALRM, handler)


def read_all(root, options) -> list[str]:
    """Open, read maps and pixels; returns the messages of all that went wrong."""
    said = []
    try:
        source = open_source(root, **options)
        said += [item.reason for item in source.rejected]
        try:
            source.static()
        except (ValueError, OSError) as error:
            said.append(str(error))
        images = isinstance(source, SlcSource)
        for item in source.images if images else source.pairs:
            try:
                block = (source.read_image if images else source.read)(item, slice(0, min(256, source.header.shape[0])))
            except (ValueError, OSError) as error:
                said.append(str(error))
            else:
                assert block[0].shape[1] == source.header.shape[1]
    except (ValueError, OSError) as error:
        said.append(str(error))
    return said


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
