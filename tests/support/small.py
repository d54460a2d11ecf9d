"""A small simulated region, from interferograms to a finished run store, for tests of what users touch."""

from __future__ import annotations

from pathlib import Path

from slidecloud import simulate
from slidecloud.config import load
from slidecloud.pipeline.executors import serial
from slidecloud.pipeline.ingest import ingest
from slidecloud.pipeline.run import run
from slidecloud.simulate import Scene, Slide
from slidecloud.stack import ArraySource

BURST = "t001_000001_iw1"
SHAPE = (64, 80)
SLIDE = Slide(row=32, column=40, length=900, width=700, rate=0.2)


def scene(*, geometry: str = "map", dates: int = 10, burst: str = BURST) -> Scene:
    """A scene of 64 x 80 pixels with one fast slide."""
    return simulate.scene(3, shape=SHAPE, dates=dates, slides=[SLIDE], geometry=geometry, id=burst)  # type: ignore[arg-type]


def stack(folder: Path, made: Scene) -> Path:
    """Ingest a scene into ``folder/stacks``; returns the burst stack."""
    seen = simulate.interferograms(made)
    source = ArraySource(made.header, seen.pairs, seen.phase, seen.coherence, seen.unwrapped, made.static())
    summary = ingest(source, str(folder / "stacks"))
    assert summary.exit_code == 0, summary.lines()
    return folder / "stacks" / f"{made.header.id}.zarr"


def settings(folder: Path) -> Path:
    """Write ``folder/region.yaml`` for the stacks in the folder."""
    path = folder / "region.yaml"
    path.write_text(
        "run: run.zarr\nstacks: stacks\nresources: {executor: serial}\ndetect: {method: classical}\n"
        "timeseries: {where: everywhere}\n"
    )
    return path


def finished(folder: Path, made: Scene) -> Path:
    """Run a scene to its end; returns the run store."""
    stack(folder, made)
    summary = run(load(settings(folder)), executor=serial())
    assert summary.exit_code == 0, summary.lines()
    return folder / "run.zarr"
