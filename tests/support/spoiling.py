"""Ways to spoil a folder of source files, by name. Each takes the folder and a random generator, changes something in
it, and returns the names that an error about it may give."""

from __future__ import annotations

import os
import re
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import rasterio

Spoil = Callable[[Path, np.random.Generator], list[str]]

HOSTILE = (
    "a\nb{}", "-rf{}", "{}; touch spoiled", "$(touch spoiled){}", "%s%n{}", "\u202e{}", "ñ 'and' \"more\"{}", "..{}",
    "\udcff{}", "{}" * 1 + "?x=1#y", "zip!{}", "{{{}}}", "a" * 180 + "{}",
)  # fmt: skip
NUMBERS = ("nan", "inf", "-inf", "1e400", "-1", "0", "9" * 400, "0x10", "1,5", "", "--", "١٢", "\0", "1" * 9)


def files(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink())


def names_of(path: Path) -> list[str]:
    """The name; of a piece of a Zarr array, that of the array."""
    return [path.parent.name if re.fullmatch(r"\.z\w+|[\d.]+|zarr\.json", path.name) else path.name]


def one(root: Path, random: np.random.Generator, *, suffix: str = "") -> Path | None:
    found = [path for path in files(root) if path.name.lower().endswith(suffix)]
    return found[random.integers(len(found))] if found else None


def truncated(root: Path, random: np.random.Generator) -> list[str]:
    path = one(root, random)
    data = path.read_bytes()
    path.write_bytes(data[: random.integers(len(data) + 1)])
    return names_of(path)


def emptied(root: Path, random: np.random.Generator) -> list[str]:
    path = one(root, random)
    path.write_bytes(b"")
    return names_of(path)


def overwritten(root: Path, random: np.random.Generator) -> list[str]:
    """A few bytes, anywhere or in the first 500."""
    path = one(root, random)
    data = bytearray(path.read_bytes())
    reach = len(data) if random.random() < 0.5 else min(len(data), 500)
    for _ in range(random.integers(1, 20) if reach else 0):
        data[random.integers(reach)] = random.integers(256)
    path.write_bytes(data)
    return names_of(path)


def replaced(root: Path, random: np.random.Generator) -> list[str]:
    """Another thing under the name: a page of an error, noise, a TIFF's first bytes, JSON."""
    path = one(root, random)
    noise = random.integers(0, 256, 4000).astype(np.uint8).tobytes()
    things = (b"<html>404</html>", noise, b"II*\0\x08\0\0\0", b"{}", b"PK\x05\x06" + b"\0" * 18, b"\x89HDF\r\n\x1a\n")
    path.write_bytes(things[random.integers(len(things))])
    return names_of(path)


def exchanged(root: Path, random: np.random.Generator) -> list[str]:
    """Two files with each other's contents."""
    path, other = one(root, random), one(root, random)
    data = path.read_bytes()
    path.write_bytes(other.read_bytes())
    other.write_bytes(data)
    return names_of(path) + names_of(other)


def removed(root: Path, random: np.random.Generator) -> list[str]:
    path = one(root, random)
    path.unlink()
    return names_of(path)


def grown(root: Path, random: np.random.Generator) -> list[str]:
    """A text, or anything, with megabytes behind it."""
    path = one(root, random, suffix=("txt", "par", "json", "")[random.integers(4)]) or one(root, random)
    with path.open("ab") as file:
        file.write(b"0 " * 4_000_000)
    return names_of(path)


def swapped_dates(root: Path, random: np.random.Generator) -> list[str]:
    path = one(root, random)
    name = re.sub(r"(\d{8})([-_])(\d{8})", r"\3\2\1", path.name)
    path.rename(path.with_name(name))
    return [*names_of(path), name, *re.findall(r"\d{8}_\d{8}", name)]


def other_dates(root: Path, random: np.random.Generator) -> list[str]:
    """Days that are none, long ago, or to come."""
    path = one(root, random)
    day = ("20180231", "00000000", "19000101", "29991231", "99999999")[random.integers(5)]
    name = re.sub(r"\d{8}", day, path.name, count=1)
    path.rename(path.with_name(name))
    return [*names_of(path), name]


def hostile_name(root: Path, random: np.random.Generator) -> list[str]:
    path = one(root, random)
    name = HOSTILE[random.integers(len(HOSTILE))].format(path.name)
    path.rename(path.with_name(os.fsdecode(os.fsencode(name)[:255])))
    return names_of(path)


def linked_out(root: Path, random: np.random.Generator) -> list[str]:
    path = one(root, random)
    target = root.parent / "outside.bin"
    path.rename(target)
    path.symlink_to(target)
    return names_of(path)


def linked_round(root: Path, random: np.random.Generator) -> list[str]:
    """Links to itself, to the root, and to each other."""
    path = one(root, random)
    path.with_name("round").symlink_to("round")
    path.with_name("up").symlink_to(root, target_is_directory=True)
    path.with_name("a").symlink_to("b")
    path.with_name("b").symlink_to("a")
    return [*names_of(path), "round is", "up is", "a is a link", "b is a link"]


def piped(root: Path, random: np.random.Generator) -> list[str]:
    """A pipe that nobody writes to: whoever opens it waits."""
    path = one(root, random)
    path.unlink()
    os.mkfifo(path)
    return names_of(path)


def folder_instead(root: Path, random: np.random.Generator) -> list[str]:
    path = one(root, random)
    path.unlink()
    path.mkdir()
    return names_of(path)


def doubled(root: Path, random: np.random.Generator) -> list[str]:
    path = one(root, random)
    (root / "again").mkdir()
    shutil.copy(path, root / "again")
    return names_of(path)


def other_numbers(root: Path, random: np.random.Generator) -> list[str]:
    """Numbers of a text that are none or absurd."""
    texts = [path for path in files(root) if b"\0" not in path.read_bytes()[:1000]]
    path = texts[random.integers(len(texts))] if texts else one(root, random)
    parts = re.split(rb"(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)", path.read_bytes())
    for _ in range(random.integers(1, 6) if len(parts) > 1 else 0):
        place = 1 + 2 * random.integers(len(parts) // 2)
        parts[place] = NUMBERS[random.integers(len(NUMBERS))].encode()
    path.write_bytes(b"".join(parts))
    return names_of(path)


def wrong_dtype(root: Path, random: np.random.Generator) -> list[str]:
    """A raster of another type or of several bands, on the same grid."""
    path = one(root, random, suffix=".tif")
    if path is None:
        return overwritten(root, random)
    with rasterio.open(path) as dataset:
        values, profile = dataset.read(1), dataset.profile
    dtype = ("int8", "uint16", "int32", "complex64", "float64")[random.integers(5)]
    bands = int(random.integers(1, 4))
    with np.errstate(invalid="ignore"):
        values = values.astype(dtype)
    profile = {name: profile[name] for name in ("driver", "height", "width", "crs", "transform")}
    with rasterio.open(path, "w", dtype=dtype, count=bands, **profile) as dataset:
        for band in range(1, bands + 1):
            dataset.write(values, band)
    return names_of(path)


def absurd_size(root: Path, random: np.random.Generator) -> list[str]:
    """A TIFF that claims 10^9 pixels or more; chunks of a Zarr array that claim as much."""
    path = one(root, random, suffix=".tif")
    if path is None:
        path = one(root, random, suffix=".zarray") or one(root, random)
        path.write_bytes(re.sub(rb"(\"(shape|chunks)\":\s*\[\s*)\d+", rb"\g<1>2000000000", path.read_bytes()))
        return names_of(path)
    data = bytearray(path.read_bytes())
    (start,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, start)
    side = int(random.choice([31_623, 100_000, 2**31 - 1, 2**32 - 1]))
    for entry in range(start + 2, start + 2 + 12 * count, 12):
        if struct.unpack_from("<H", data, entry)[0] in (256, 257):
            struct.pack_into("<HII", data, entry + 2, 4, 1, side)
    path.write_bytes(data)
    return names_of(path)


SPOILS: dict[str, Spoil] = {
    spoil.__name__: spoil
    for spoil in (
        truncated, emptied, overwritten, replaced, exchanged, removed, grown, swapped_dates, other_dates, hostile_name,
        linked_out, linked_round, piped, folder_instead, doubled, other_numbers, wrong_dtype, absurd_size,
    )
}  # fmt: skip
