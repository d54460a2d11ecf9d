"""Helpers of the pipeline tests: configurations, runs in this process and others, comparison of stores."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from slidecloud import config
from slidecloud.config import RunConfig
from slidecloud.pipeline import executors
from slidecloud.pipeline import plan as planning
from slidecloud.pipeline.executors import Executor, serial
from slidecloud.pipeline.ingest import ingest
from slidecloud.pipeline.orphans import collect
from slidecloud.pipeline.run import run
from slidecloud.pipeline.summary import Summary
from slidecloud.stack.arrays import ArraySource
from slidecloud.store import Stack, locate, records

__all__ = [
    "Stack",
    "arrays",
    "call",
    "command",
    "compute",
    "config",
    "configure",
    "executors",
    "ingest",
    "locate",
    "objects",
    "planning",
    "records",
    "rerun",
    "run",
    "serial",
    "subset",
    "whole",
    "yaml_text",
]

CHUNKS = (32, 32, 64)
DETECT = "detect: {method: classical}"
RESOURCES = "resources: {executor: serial, memory: 2 GiB, tile: [32, 64]}"


def configure(folder: Path, *lines: str) -> RunConfig:
    """A configuration with its stacks and run store in a folder."""
    return config.parse(yaml_text(folder, *lines))


def yaml_text(folder: Path, *lines: str) -> str:
    """The same as text; the first of two equal keys gives way."""
    base = [f"run: {folder}/run.zarr", f"stacks: {folder}/stacks", "gradients: {window_pixels: 8}"]
    base += [RESOURCES, DETECT, "timeseries: {where: everywhere}"]
    keys = {line.split(":")[0] for line in lines}
    return "\n".join([*(line for line in base if line.split(":")[0] not in keys), *lines]) + "\n"


def subset(source: ArraySource, interferograms: Any, scene: Any, order: list[int]) -> ArraySource:
    """A source with some pairs, or the same pairs in another order of arrival."""
    i = interferograms
    pairs = [i.pairs[k] for k in order]
    return ArraySource(scene.header, pairs, i.phase[order], i.coherence[order], i.unwrapped[order], scene.static())


def compute(
    folder: Path, source: ArraySource, *lines: str, chunks: tuple[int, int, int] = CHUNKS, **options: Any
) -> Summary:
    """Ingest a source and run."""
    ingest(source, str(folder / "stacks"), chunks=chunks)
    return rerun(folder, *lines, **options)


def rerun(folder: Path, *lines: str, executor: Executor | None = None, **options: Any) -> Summary:
    """Run what is ingested."""
    return run(configure(folder, *lines), executor=executor or serial(), **options)


def arrays(store: Path) -> dict[str, bytes]:
    """Digest of every array's values and shape, by path, whatever its chunks."""
    found = {}
    for path in sorted(store.rglob("zarr.json")):
        node = zarr.open(str(path.parent), mode="r")
        if isinstance(node, zarr.Array):
            values = np.asarray(node[...])
            name = str(path.parent.relative_to(store))
            found[name] = hashlib.sha256(repr((values.shape, values.dtype)).encode() + values.tobytes()).digest()
    return found


def objects(store: Path) -> dict[str, bytes]:
    """Digest of every stored object except records, by key."""
    return {
        str(path.relative_to(store)): hashlib.sha256(path.read_bytes()).digest()
        for path in sorted(store.rglob("*"))
        if path.is_file() and ".slidecloud" not in path.parts
    }


def whole(store: Path) -> dict[str, bytes]:
    """`objects` but for writes that a kill cut short, which nobody reads and ``verify --gc`` removes."""
    cut = {orphan.key for orphan in collect(str(store)).orphans if orphan.reason.endswith("cut short")}
    return {key: digest for key, digest in objects(store).items() if key not in cut}


def command(*arguments: str) -> list[str]:
    """The command line of this interpreter's slidecloud."""
    return [sys.executable, "-m", "slidecloud", *arguments]


def call(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run slidecloud in another process."""
    return subprocess.run(command(*arguments), capture_output=True, text=True, timeout=600, check=False, **options)
