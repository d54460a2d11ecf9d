"""Spoiled sources of every kind: nothing hangs, nothing is written beside the target, every error names its file."""

from __future__ import annotations

import itertools
import os
import re
import resource
import signal
import tempfile
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from spoiled_archives import ARCHIVE_SPOILS
from spoiling import SPOILS
from subjects import ARCHIVES, SUBJECTS

from slidecloud.pipeline.folders import ingest_folder
from slidecloud.stack import SlcSource, SourceWarning, open_source
from slidecloud.stack.names import printable

LIMIT = 120
"""Seconds after which a case counts as hanging; they take fractions of one."""
MEMORY = 4 * 2**30
"""Bytes of address space that a case may add: what a damaged header claims is far more."""

SEEDS = 5
CASES = [
    *itertools.product(("files",), SUBJECTS, SPOILS, range(SEEDS)),
    *itertools.product(("archives",), ARCHIVES, ARCHIVE_SPOILS, range(SEEDS)),
]


def chosen(case) -> bool:
    """A sample that is run by default: one seed for most spoils, another one for each kind."""
    where, kind, spoil, seed = case
    number = zlib.crc32(f"{where} {kind} {spoil}".encode())
    return kind != "snap" and seed == number % SEEDS and (where == "archives" or number % 4 > 0)


def parameters(cases):
    return [
        pytest.param(*case, id="-".join(map(str, case)), marks=() if chosen(case) else pytest.mark.long)
        for case in cases
    ]


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


def everything_below(folder: Path) -> dict[str, tuple]:
    found = {}
    for path in folder.rglob("*"):
        state = path.lstat()
        found[str(path)] = (state.st_mode, state.st_size, state.st_mtime_ns)
    return found


def read_all(root: Path) -> list[str]:
    """Open, read maps and pixels; returns the messages of all that went wrong."""
    said = []
    try:
        source = open_source(root)
        said += [item.reason for item in source.rejected]
        try:
            source.static()
        except (ValueError, OSError) as error:
            said.append(str(error))
        is_slc = isinstance(source, SlcSource)
        for item in source.images if is_slc else source.pairs:
            try:
                block = (source.read_image if is_slc else source.read)(item, slice(None))
            except (ValueError, OSError) as error:
                said.append(str(error))
            else:
                assert block[0].shape[:2] == source.header.shape
    except (ValueError, OSError) as error:
        said.append(str(error))
    return said


def assert_named(said: list[str], names: list[str], root: Path) -> None:
    """Each message names a spoiled file, its pair or product, or the source, and is no bare text of a library."""
    pairs = ["_".join(days) for days in re.findall(r"(\d{8})[-_](\d{8})", " ".join(names))]
    products = re.findall(r"S1_\w+?_INT80_10C1", " ".join(names))
    names = [printable(name) for name in (*names, *pairs, *products, root.name)]
    for text in said:
        assert any(name in text for name in names) or str(root) in text, text
        assert "Traceback" not in text
        assert ":" in text


@pytest.mark.parametrize(("where", "kind", "spoil", "seed"), parameters(CASES))
def test_a_spoiled_source_is_named_or_read(tmp_path, where, kind, spoil, seed):
    random = np.random.default_rng([seed, zlib.crc32(f"{kind} {spoil}".encode())])
    if where == "files":
        root = SUBJECTS[kind](tmp_path)
        names = SPOILS[spoil](root, random)
    else:
        root = ARCHIVES[kind](tmp_path)
        archives = sorted(root.glob("*.zip"))
        names = ARCHIVE_SPOILS[spoil](archives[random.integers(len(archives))], random)
    before = everything_below(tmp_path)
    with warnings.catch_warnings(), bounded():
        warnings.simplefilter("ignore", SourceWarning)
        said = read_all(root)
    assert everything_below(tmp_path) == before
    assert_named(said, names, root)


@pytest.mark.parametrize("kind", ARCHIVES)
@pytest.mark.parametrize("spoil", ["one_climbing", "linking"])
def test_ingest_of_a_spoiled_archive_writes_in_its_target_alone(tmp_path, kind, spoil):
    root = ARCHIVES[kind](tmp_path / "in")
    names = ARCHIVE_SPOILS[spoil](min(root.glob("*.zip")), np.random.default_rng(0))
    before = everything_below(tmp_path)
    (tmp_path / "out").mkdir()
    with warnings.catch_warnings(), bounded():
        warnings.simplefilter("ignore", SourceWarning)
        _, summary = ingest_folder(str(root), str(tmp_path / "out"))
    after = everything_below(tmp_path)
    out = str(tmp_path / "out")
    assert {name: state for name, state in after.items() if not name.startswith(out)} == before
    reasons = [item.reason for item in summary.quarantined]
    assert any(part in text for text in reasons for part in names), reasons


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
@pytest.mark.parametrize("kind", [*(name for name in SUBJECTS if name != "snap"), "archives"])
def test_files_without_permission_are_named(kind):
    """Without the rights of root, for which no file is unreadable."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        build = ARCHIVES["hyp3"] if kind == "archives" else SUBJECTS[kind]
        root = build(Path(folder))
        files = sorted(path for path in root.rglob("*") if path.is_file())
        names = [path.name for path in files[:: max(1, len(files) // 3)]]
        for path in files[:: max(1, len(files) // 3)]:
            path.chmod(0)
        me = os.geteuid()
        if me == 0:
            os.seteuid(65534)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SourceWarning)
                said = read_all(root)
        finally:
            os.seteuid(me)
        assert_named(said, names, root)
        assert any("permission" in text.lower() for text in said)


def test_there_are_enough_cases():
    assert len(CASES) >= 200
    assert sum(map(chosen, CASES)) >= 60
