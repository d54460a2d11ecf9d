"""Spoiled sources of every kind: nothing hangs, nothing is written beside the target, every error names its file."""

from __future__ import annotations

import itertools
import os
import re
import tempfile
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from bounds import bounded, read_all
from spoiled_archives import ARCHIVE_SPOILS
from spoiling import SPOILS
from subjects import ARCHIVES, SUBJECTS

from slidecloud.pipeline.folders import ingest_folder
from slidecloud.stack import SourceWarning
from slidecloud.stack.names import printable

SEEDS = 5
CASES = [
    *itertools.product(("files",), SUBJECTS, SPOILS, range(SEEDS)),
    *itertools.product(("archives",), ARCHIVES, ARCHIVE_SPOILS, range(SEEDS)),
]


def chosen(case) -> bool:
    """A sample that is run by default: one seed of every way to spoil archives, and of a third of those for files."""
    where, kind, spoil, seed = case
    number = zlib.crc32(f"{where} {kind} {spoil}".encode())
    wanted = spoil != "bomb" or kind == "hyp3" if where == "archives" else kind != "snap" and number % 3 == 0
    return wanted and seed == number % SEEDS


def parameters(cases):
    return [
        pytest.param(*case, id="-".join(map(str, case)), marks=() if chosen(case) else pytest.mark.long)
        for case in cases
    ]


def everything_below(folder: Path) -> dict[str, tuple]:
    found = {}
    for path in folder.rglob("*"):
        state = path.lstat()
        found[str(path)] = (state.st_mode, state.st_size, state.st_mtime_ns)
    return found


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
    subject = SUBJECTS[kind] if where == "files" else ARCHIVES[kind]
    root = subject.build(tmp_path)
    options = subject.options(root)
    if where == "files":
        names = SPOILS[spoil](root, random)
    else:
        archives = sorted(root.glob("*.zip"))
        names = ARCHIVE_SPOILS[spoil](archives[random.integers(len(archives))], random)
    before = everything_below(tmp_path)
    with warnings.catch_warnings(), bounded():
        warnings.simplefilter("ignore", SourceWarning)
        said = read_all(root, options)
    assert everything_below(tmp_path) == before
    assert_named(said, names, root)


@pytest.mark.parametrize("kind", ARCHIVES)
@pytest.mark.parametrize("spoil", ["one_climbing", "linking"])
def test_ingest_of_a_spoiled_archive_writes_in_its_target_alone(tmp_path, kind, spoil):
    root = ARCHIVES[kind].build(tmp_path / "in")
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
        subject = ARCHIVES["hyp3"] if kind == "archives" else SUBJECTS[kind]
        root = subject.build(Path(folder))
        options = subject.options(root)
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
                said = read_all(root, options)
        finally:
            os.seteuid(me)
        assert_named(said, names, root)
        assert any("permission" in text.lower() for text in said)


def test_there_are_enough_cases():
    assert len(CASES) >= 200
    assert sum(map(chosen, CASES)) >= 60
