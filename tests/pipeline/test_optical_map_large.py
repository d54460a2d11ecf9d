"""A scene of 20,000 x 20,000 pixels of four bands is mapped within 3 GiB, and what is in it comes back."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import geopandas
import mapped
import numpy as np
import pytest
import rasterio
import yaml
from affine import Affine
from rasterio.windows import Window

pytest.importorskip("torch")
BLOCK = 1000


def write_scene(path: Path, blocks: int) -> None:
    """So many blocks along each side, each with a bright ring, and with a bar that goes on into the next block."""
    rng = np.random.default_rng(0)
    block = rng.integers(-5, 6, (4, BLOCK, BLOCK)) + mapped.DARK
    block[:, 100:220, 300:390] += mapped.BRIGHT - mapped.DARK
    block[:, 140:170, 330:360] -= mapped.BRIGHT - mapped.DARK
    block[:, 600:620, [*range(50), *range(950, BLOCK)]] += mapped.BRIGHT - mapped.DARK
    row = np.tile(block.astype(np.uint8), (1, 1, blocks))
    about = {
        "driver": "GTiff", "count": 4, "height": BLOCK * blocks, "width": BLOCK * blocks, "dtype": "uint8",
        "crs": mapped.CRS, "transform": Affine(2.0, 0.0, 400_000.0, 0.0, -2.0, 3_400_000.0), "tiled": True,
        "blockxsize": 512, "blockysize": 512, "compress": "deflate", "zlevel": 1, "bigtiff": "yes", "nodata": 0,
    }  # fmt: skip
    with rasterio.open(path, "w", **about) as file:
        for number in range(blocks):
            file.write(row, window=Window(0, BLOCK * number, BLOCK * blocks, BLOCK))


def mapped_in(folder: Path, blocks: int) -> tuple[float, float, float]:
    """Seconds, seconds of CPU and bytes of memory of a command that maps a scene, in a process of its own."""
    write_scene(folder / "scene.tif", blocks)
    mapped.bright_network(folder / "weights.safetensors", depth=3)
    content = {
        "store": "optical.zarr", "weights": "weights.safetensors", "scenes": {"valley": {"image": "scene.tif"}},
        "resources": {"executor": "serial", "memory": "3 GiB"},
    }  # fmt: skip
    (folder / "optical.yaml").write_text(yaml.safe_dump(content))
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "slidecloud", "optical", "map", str(folder / "optical.yaml")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    assert before.ru_maxrss <= used.ru_maxrss
    return time.monotonic() - began, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024


def check(folder: Path, blocks: int) -> None:
    found = geopandas.read_parquet(folder / "optical.zarr" / "optical" / "valley.parquet")
    assert len(found) == blocks * (blocks + blocks + 1)
    rings = found[found["pixels"] == 120 * 90 - 900]
    assert len(rings) == blocks**2
    assert set(rings.geometry.map(lambda ring: len(ring.interiors))) == {1}
    assert found["open"].sum() == 2 * blocks  # half a bar at each end of a row


def test_blocks_come_back(tmp_path: Path) -> None:
    mapped_in(tmp_path, 1)
    check(tmp_path, 1)


@pytest.mark.long
def test_memory_is_bounded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seconds, worked, memory = mapped_in(tmp_path, 20)
    check(tmp_path, 20)
    with capsys.disabled():
        rate = (20 * BLOCK) ** 2 / worked / 1e6
        sys.stdout.write(f"\n{seconds:.0f} s, {rate:.2f} million pixels a second of CPU, {memory / 2**30:.2f} GiB\n")
    assert memory < 3 * 2**30
