"""Zip archives: members are listed with size and checksum, and what no honest archive holds is refused by name."""

from __future__ import annotations

import stat
import zipfile
import zlib

import numpy as np
import pytest
import spoiled_archives as spoiled

from slidecloud.stack import archives
from slidecloud.stack.files import gdal_name, read_text, size, state
from slidecloud.stack.names import list_files
from slidecloud.types import DataError

RANDOM = np.random.default_rng(0)


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "a b{c}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("in/one.txt", b"one\n")
        opened.writestr("in/two ñ.txt", b"two\n" * 100)
    return path


def test_members_are_paths_through_the_archive(archive):
    listing = list_files(archive)
    assert [listing.name(path) for path in listing.files] == ["in/one.txt", "in/two ñ.txt"]
    assert listing.files == list_files(archive.parent).files
    one, two = listing.files
    assert read_text(one) == "one\n"
    assert (size(one), size(two)) == (4, 400)
    assert state(one) == f"4\0{zlib.crc32(b'one' + bytes([10])):08x}"
    assert gdal_name(one) == f"/vsizip/{{{archive}}}/in/one.txt"


def test_a_changed_archive_is_listed_anew(archive):
    before = list_files(archive).files
    spoiled.add(archive, "in/three.txt", b"3\n")
    after = list_files(archive).files
    assert [path.name for path in after if path not in before] == ["three.txt"]


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("../up.txt", {}, "leads out of the archive"),
        ("/etc/up.txt", {}, "leads out of the archive"),
        ("in/../../up.txt", {}, "leads out of the archive"),
        ("C:/up.txt", {}, "leads out of the archive"),
        ("in//up.txt", {}, "no plain path"),
        ("in/link", {"external_attr": (stat.S_IFLNK | 0o777) << 16, "create_system": 3}, "a link or a device"),
        ("in/odd", {"compress_type": zipfile.ZIP_LZMA}, "other than deflate"),
    ],
)
def test_a_member_that_cannot_be_trusted_is_refused_and_the_rest_is_read(archive, name, values, said):
    spoiled.add(archive, name, **values)
    listing = list_files(archive.parent)
    assert [path.name for path in listing.files] == ["one.txt", "two ñ.txt"]
    (refused,) = listing.refused
    assert refused.key == archive.name
    assert said in refused.reason
    assert repr(name) in refused.reason


def test_a_bomb_is_refused_by_what_it_claims(archive):
    spoiled.add(archive, "in/bomb.txt", b"\0" * 40_000_000)
    (refused,) = list_files(archive).refused
    assert "claims to grow from" in refused.reason
    assert "to 40000000 bytes" in refused.reason


@pytest.mark.parametrize("spoil", [spoiled.crowded, spoiled.cut, spoiled.emptied])
def test_an_archive_that_cannot_be_listed_is_named(archive, spoil):
    spoil(archive, RANDOM)
    assert [item.key for item in list_files(archive.parent).refused] == [archive.name]
    with pytest.raises(DataError, match=r"a b\{c\}.zip (claims 60000 members|is no readable zip archive)"):
        list_files(archive)


def test_only_the_beginning_of_a_long_text_is_unpacked(archive):
    assert archives.read(archive / "in/two ñ.txt", 7) == b"two\ntwo"
    spoiled.add(archive, "in/long.txt", bytes(RANDOM.integers(32, 127, 5_000_000, dtype=np.uint8)))
    with pytest.raises(DataError, match=r"long.txt is longer than 4194304 bytes, expected a short text"):
        read_text(archive / "in/long.txt")
