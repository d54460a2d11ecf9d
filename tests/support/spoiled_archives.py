"""Zip archives that no honest program writes, made from an honest one. Each function takes an archive and a random
generator, rewrites it, and returns the names that an error about it may give."""

from __future__ import annotations

import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

Spoil = Callable[[Path, np.random.Generator], list[str]]


def add(path: Path, name: str, data: bytes = b"climbed\n", **values: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.compress_type = zipfile.ZIP_DEFLATED
    for key, value in values.items():
        setattr(info, key, value)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(info, data)
    return info


def members(path: Path) -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(path) as archive:
        return [(info.filename, archive.read(info)) for info in archive.infolist() if not info.is_dir()]


def rewrite(path: Path, parts: list[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> None:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in parts:
            archive.writestr(name, data)


def climbing(path: Path, random: np.random.Generator) -> list[str]:
    """All members below ``..``, an absolute path, a drive, or with the separators of another system."""
    lead = ("../", "../../", "a/../../", f"{path.parent}/outside/", "C:\\", "..\\", "./", "a//")[random.integers(8)]
    rewrite(path, [(lead + name, data) for name, data in members(path)])
    return [path.name]


def one_climbing(path: Path, random: np.random.Generator) -> list[str]:
    add(path, ("../climbed.txt", "/tmp/../climbed.txt", f"{path.parent}/climbed.txt")[random.integers(3)])
    return [path.name]


def linking(path: Path, random: np.random.Generator) -> list[str]:
    """Members that are links, out of the archive or to a folder."""
    parts = members(path)
    rewrite(path, parts[1:])
    add(path, parts[0][0], b"/etc/passwd", external_attr=(stat.S_IFLNK | 0o777) << 16, create_system=3)
    return [path.name, Path(parts[0][0]).name]


def bomb(path: Path, random: np.random.Generator) -> list[str]:
    """A raster that unpacks to a hundred megabytes of zeros."""
    parts = members(path)
    place = random.integers(len(parts))
    parts[place] = (parts[place][0], parts[place][1] + b"\0" * 100_000_000)
    rewrite(path, parts)
    return [path.name, Path(parts[place][0]).name]


def claiming(path: Path, random: np.random.Generator) -> list[str]:
    """Sizes in the list of members that are not theirs."""
    data = bytearray(path.read_bytes())
    places = [i for i in range(len(data) - 4) if data[i : i + 4] == b"PK\x01\x02"]
    place = places[random.integers(len(places))]
    struct.pack_into("<I", data, place + 24, int(random.choice([0, 1, 2**20, 2**31, 2**32 - 2])))
    path.write_bytes(data)
    return [path.name, ".tif", ".txt", ".par"]


def crowded(path: Path, random: np.random.Generator) -> list[str]:
    """An end that claims ten thousands of members."""
    data = bytearray(path.read_bytes())
    struct.pack_into("<HH", data, data.rfind(b"PK\x05\x06") + 8, 60_000, 60_000)
    path.write_bytes(data)
    return [path.name]


def encrypted(path: Path, random: np.random.Generator) -> list[str]:
    data = bytearray(path.read_bytes())
    for i in range(len(data) - 4):
        if data[i : i + 4] == b"PK\x01\x02":
            data[i + 8] |= 1
    path.write_bytes(data)
    return [path.name]


def packed_otherwise(path: Path, random: np.random.Generator) -> list[str]:
    rewrite(path, members(path), (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)[random.integers(2)])
    return [path.name]


def cut(path: Path, random: np.random.Generator) -> list[str]:
    data = path.read_bytes()
    path.write_bytes(data[: random.integers(len(data))])
    return [path.name]


def overwritten(path: Path, random: np.random.Generator) -> list[str]:
    data = bytearray(path.read_bytes())
    start = 0 if random.random() < 0.5 else max(0, len(data) - 1500)
    for _ in range(random.integers(1, 20)):
        data[random.integers(start, len(data))] = random.integers(256)
    path.write_bytes(data)
    return [path.name, ".tif", ".txt", ".par"]


def nested(path: Path, random: np.random.Generator) -> list[str]:
    """Archives in an archive, which are not looked into."""
    inner = path.read_bytes()
    rewrite(path, [("inner.zip", inner), ("again/inner.zip", inner)])
    return [path.name]


def folder_named_zip(path: Path, random: np.random.Generator) -> list[str]:
    path.unlink()
    path.mkdir()
    (path / "a.txt").write_text("a folder\n")
    return [path.name]


def emptied(path: Path, random: np.random.Generator) -> list[str]:
    path.write_bytes(b"")
    return [path.name]


ARCHIVE_SPOILS: dict[str, Spoil] = {
    spoil.__name__: spoil
    for spoil in (
        climbing, one_climbing, linking, bomb, claiming, crowded, encrypted, packed_otherwise, cut, overwritten, nested,
        folder_named_zip, emptied,
    )
}  # fmt: skip
