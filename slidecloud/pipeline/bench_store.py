"""How fast arrays of a store are written and read, beside plain objects of the same bytes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slidecloud.pipeline.bench_networks import interferograms
from slidecloud.pipeline.bench_timing import race
from slidecloud.pipeline.rates import READ, WRITE, Measurement
from slidecloud.pipeline.typical import typical_header, typical_pairs
from slidecloud.store.arrays import Writer, read_pairs, reader
from slidecloud.store.location import Location
from slidecloud.store.schema import PAIR_BATCH, SPATIAL_CHUNK
from slidecloud.store.stacks import stack_template

_NAMES = "phase", "coherence"
_WAYS = "arrays", "plain objects"


def measure_store(seconds: float, folder: Location, *, objects: int) -> list[Measurement]:
    """Arrays of a burst stack through Zarr, coded and checked as the pipeline does, and plain objects; one stream each.

    Parameters
    ----------
    seconds
        For writing, and as much again for reading.
    folder
        Where they are written and read; the caller removes it.
    objects
        Blocks of 12.6 MB, a chunk of phase and a chunk of coherence each.

    Raises
    ------
    OSError
        If what is read is not what was written.
    """
    data = typical_arrays(objects)
    noise = [values[:, :, : SPATIAL_CHUNK[1]] for values in data.values()]
    blocks = {f"{name}{k}": noise[n].tobytes() for n, name in enumerate(_NAMES) for k in range(objects)}
    arrays, plain = folder / "typical.zarr", folder / "objects"
    arrays.write_many(template(objects))
    ways = partial(write_arrays, arrays, data), partial(_write_objects, plain, blocks)
    writing = race(dict(zip(_WAYS, ways, strict=True)), seconds)
    ways = partial(read_arrays, arrays, data), partial(_read_objects, plain, blocks)
    reading = race(dict(zip(_WAYS, ways, strict=True)), seconds)
    size = sum(values.nbytes for values in data.values()) / 1e6
    return [
        Measurement(name, "MB/s", size / best[_WAYS[0]], _WAYS[1], size / best[_WAYS[1]])
        for name, best in ((READ, reading), (WRITE, writing))
    ]


def typical_arrays(objects: int) -> dict[str, NDArray[Any]]:
    """Phase and coherence of one batch of pairs and a row of chunks."""
    noise: tuple[NDArray[Any], ...] = interferograms(PAIR_BATCH, SPATIAL_CHUNK)
    return {name: np.tile(block, (1, 1, objects)) for name, block in zip(_NAMES, noise, strict=True)}


def template(blocks: int) -> dict[str, bytes]:
    """An empty stack of one batch of pairs and a row of chunks."""
    shape = SPATIAL_CHUNK[0], SPATIAL_CHUNK[1] * blocks
    pairs = typical_pairs(images=PAIR_BATCH, pairs=PAIR_BATCH)
    return stack_template(typical_header(shape), pairs, {}, chunks=(PAIR_BATCH, *SPATIAL_CHUNK))


def write_arrays(folder: Location, data: Mapping[str, NDArray[Any]]) -> None:
    """Write them and, to a disk, wait until they are there."""
    writer = Writer(folder)
    for name, values in data.items():
        writer.write(name, values, (0, 0, 0))
    _to_disk(folder)


def read_arrays(folder: Location, data: Mapping[str, NDArray[Any]]) -> None:
    """Read them back, from the disk rather than from memory, and compare."""
    _to_disk(folder)
    root = reader(folder)
    for name, values in data.items():
        found = read_pairs(root[name], np.arange(len(values)), slice(0, values.shape[1]), slice(0, values.shape[2]))  # type: ignore[arg-type]
        if not np.array_equal(found, values):
            raise _lost(folder, name)


def _write_objects(folder: Location, data: Mapping[str, bytes]) -> None:
    for name, values in data.items():
        folder.write(name, values)
    _to_disk(folder)


def _read_objects(folder: Location, data: Mapping[str, bytes]) -> None:
    _to_disk(folder)
    for name, values in data.items():
        if folder.read(name) != values:
            raise _lost(folder, name)


def _lost(folder: Location, name: str) -> OSError:
    return OSError(f"{folder}/{name} does not give back what was written; check the disk or the bucket")


def _to_disk(folder: Location) -> None:
    """Have local files written out and dropped from memory, so that reading them back measures the disk."""
    if not folder.is_local:
        return
    for path in Path(folder.url).rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
                if hasattr(os, "posix_fadvise"):
                    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def remove(folder: Location) -> None:
    """Remove all below a folder, and the folder."""
    keys = folder.keys()
    for key in keys:
        folder.delete(key)
    if folder.is_local and Path(folder.url).is_dir():
        for path in sorted(Path(folder.url).rglob("*"), reverse=True):
            path.rmdir()
        Path(folder.url).rmdir()
