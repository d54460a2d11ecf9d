"""Ways to spoil an HDF5 file, by name. Each takes the file and a random generator, and changes something in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

Spoil = Callable[[Path, np.random.Generator], None]
TEXTS = (
    "nan",
    "inf",
    "-1",
    "0",
    "1e400",
    "",
    "\x01\x02",
    "\u202e",
    "ascending",
    "20180231",
    "x" * 60_000,
    "None",
    "5.5",
)


def datasets(file: h5py.File) -> list[str]:
    found: list[str] = []
    file.visititems(lambda name, item: found.append(name) if isinstance(item, h5py.Dataset) else None)
    return sorted(found)


def one(file: h5py.File, random: np.random.Generator) -> str:
    names = datasets(file)
    return names[random.integers(len(names))]


def truncated(path: Path, random: np.random.Generator) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: random.integers(len(data))])


def overwritten(path: Path, random: np.random.Generator) -> None:
    """A few bytes, anywhere or in the first kilobytes, where the metadata begin."""
    data = bytearray(path.read_bytes())
    reach = len(data) if random.random() < 0.5 else min(len(data), 4000)
    for _ in range(random.integers(1, 20)):
        data[random.integers(reach)] = random.integers(256)
    path.write_bytes(data)


def holed(path: Path, random: np.random.Generator) -> None:
    """Kilobytes of zeros somewhere."""
    data = bytearray(path.read_bytes())
    start = random.integers(len(data))
    data[start : start + 3000] = bytes(len(data[start : start + 3000]))
    path.write_bytes(data)


def removed(path: Path, random: np.random.Generator) -> None:
    with h5py.File(path, "r+") as file:
        del file[one(file, random)]


def group_instead(path: Path, random: np.random.Generator) -> None:
    with h5py.File(path, "r+") as file:
        name = one(file, random)
        del file[name]
        file.create_group(name)


def other_dtype(path: Path, random: np.random.Generator) -> None:
    with h5py.File(path, "r+") as file:
        name = one(file, random)
        shape = file[name].shape
        del file[name]
        kinds = (
            "i1",
            "u2",
            "f2",
            "f8",
            "c16",
            "S5",
            h5py.string_dtype(),
            [("a", "f4"), ("b", "i2")],
            bool,
            h5py.ref_dtype,
        )
        file.create_dataset(name, shape=shape, dtype=kinds[random.integers(len(kinds))])


def other_shape(path: Path, random: np.random.Generator) -> None:
    """More or fewer axes, longer or shorter ones, none, or empty."""
    with h5py.File(path, "r+") as file:
        name = one(file, random)
        shape, dtype = file[name].shape, file[name].dtype
        shapes = [
            (0,),
            (1,),
            (*shape, 2),
            shape[1:],
            tuple(side + 1 for side in shape),
            tuple(side // 2 for side in shape),
            (),
        ]
        del file[name]
        file.create_dataset(name, shape=shapes[random.integers(len(shapes))], dtype=dtype)


def absurd_shape(path: Path, random: np.random.Generator) -> None:
    """10^9 elements along an axis, or 10^11 in all, none of which is stored."""
    with h5py.File(path, "r+") as file:
        name = one(file, random)
        ndim, dtype = max(1, len(file[name].shape)), file[name].dtype
        side = (10**9, 190_000)[random.integers(2)]
        del file[name]
        file.create_dataset(name, shape=(side,) * ndim, dtype=dtype, chunks=(64,) * ndim)


def giant_chunk(path: Path, random: np.random.Generator) -> None:
    """One chunk of gigabytes, of zeros that take no place."""
    with h5py.File(path, "r+") as file:
        name = one(file, random)
        ndim, dtype = max(1, len(file[name].shape)), file[name].dtype
        side = (3 * 10**8, 17_000, 660)[min(ndim, 3) - 1]
        del file[name]
        file.create_dataset(name, shape=(side,) * ndim, dtype=dtype, chunks=(side,) * ndim, compression="gzip")


def absurd_values(path: Path, random: np.random.Generator) -> None:
    with h5py.File(path, "r+") as file:
        name = one(file, random)
        if file[name].dtype.kind in "fc":
            file[name][...] = (np.nan, np.inf, -np.inf, 1e30, -1e-30)[random.integers(5)]
        elif file[name].dtype.kind in "iu":
            file[name][...] = np.iinfo(file[name].dtype).max
        elif file[name].dtype.kind == "S":
            file[name][...] = TEXTS[random.integers(len(TEXTS))].encode()[:8]


def linked(path: Path, random: np.random.Generator) -> None:
    """To nothing, in a circle, to another file, to a file that is none."""
    with h5py.File(path, "r+") as file:
        name = one(file, random)
        del file[name]
        file[name] = (
            h5py.SoftLink("/nowhere"), h5py.SoftLink(f"/{name}"), h5py.ExternalLink("gone.h5", "/data"),
            h5py.ExternalLink("/etc/passwd", "/"),
        )[random.integers(4)]  # fmt: skip


def virtual(path: Path, random: np.random.Generator) -> None:
    """A dataset whose values lie in another file, which is not there."""
    with h5py.File(path, "r+") as file:
        name = one(file, random)
        shape, dtype = file[name].shape or (4,), file[name].dtype
        layout = h5py.VirtualLayout(shape=shape, dtype=dtype)
        layout[...] = h5py.VirtualSource("elsewhere.h5", "data", shape=shape)
        del file[name]
        file.create_virtual_dataset(name, layout)


def unknown_filter(path: Path, random: np.random.Generator) -> None:
    """Values packed in a way that only this process could know."""
    with h5py.File(path, "r+") as file:
        names = [name for name in datasets(file) if file[name].ndim >= 2] or datasets(file)
        name = names[random.integers(len(names))]
        shape, dtype = file[name].shape or (4,), file[name].dtype
        del file[name]
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_chunk(shape)
        plist.set_filter(32_123, h5py.h5z.FLAG_OPTIONAL, (1, 2))
        space, kind = h5py.h5s.create_simple(shape), h5py.h5t.py_create(dtype, logical=True)
        parent, _, last = name.rpartition("/")
        made = h5py.h5d.create((file[parent] if parent else file).id, last.encode(), kind, space, plist)
        made.write_direct_chunk((0,) * len(shape), b"packed" * 50)


def other_attribute(path: Path, random: np.random.Generator) -> None:
    with h5py.File(path, "r+") as file:
        places = [place for place in ("/", *datasets(file)) if len(file[place].attrs)]
        if not places:
            return
        place = places[random.integers(len(places))]
        names = sorted(file[place].attrs)
        text = TEXTS[random.integers(len(TEXTS))]
        file[place].attrs[names[random.integers(len(names))]] = text.encode()[:60_000]


SPOILS: dict[str, Spoil] = {
    spoil.__name__: spoil
    for spoil in (
        truncated, overwritten, holed, removed, group_instead, other_dtype, other_shape, absurd_shape, giant_chunk,
        absurd_values, linked, virtual, unknown_filter, other_attribute,
    )
}  # fmt: skip
