"""What a run takes besides kernels and store: its start and end, each unit, each task of Dask's scheduler."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from slidecloud.config import RunConfig, dump
from slidecloud.pipeline import executors
from slidecloud.pipeline.bench_networks import interferograms
from slidecloud.pipeline.drive import WINDOW
from slidecloud.pipeline.executors import Executor
from slidecloud.pipeline.ingest import ingest
from slidecloud.pipeline.rates import START, TASK, UNIT, Measurement
from slidecloud.pipeline.run import run
from slidecloud.pipeline.typical import typical_header, typical_pairs
from slidecloud.stack.arrays import ArraySource
from slidecloud.store.location import Location

_SHAPE = 64, 64
_DATES = 40


def measure_runs(folder: Location, *, storage_options: Mapping[str, Any], repeats: int) -> list[Measurement]:
    """Run something so small that all its time is what every run and every unit takes.

    Parameters
    ----------
    folder
        Where the tiny stack and the runs are made; the caller removes it.
    storage_options
        How another process reaches it.
    repeats
        Runs of each kind; the shortest counts.

    Raises
    ------
    RuntimeError
        If the run in a process of its own fails.
    """
    _make_stack(folder / "stacks")
    config = RunConfig(
        run=str(folder / "first.zarr"),
        stacks=str(folder / "stacks"),
        stages=("gradients", "timeseries"),
        storage_options=dict(storage_options),
    )
    units = run(config, executor=executors.serial()).done  # loads or compiles the kernels
    each = min(_timed_run(config, folder / f"here{k}.zarr") for k in range(repeats)) / units
    whole = min(_timed_command(config, folder / f"apart{k}.zarr") for k in range(repeats))
    return [
        Measurement(UNIT, "s", each),
        Measurement(START, "s", max(whole - units * each, 0.1)),
    ]


def measure_tasks(executor: Executor, *, tasks: int) -> list[Measurement]:
    """Send tasks that do nothing through a cluster as a run sends its units; one that fails is raised."""
    for number in range(WINDOW * executor.workers):
        executor.submit(number, int)
    began = time.perf_counter()
    for number in range(tasks):
        _, result = executor.take()
        if isinstance(result, BaseException):
            raise result
        executor.submit(number, int)
    seconds = time.perf_counter() - began
    executor.close()
    return [Measurement(TASK, "s", seconds / tasks)]


def _make_stack(stacks: Location) -> None:
    pairs = typical_pairs(images=_DATES, pairs=_DATES)
    phase, coherence = interferograms(len(pairs), _SHAPE)
    header = dataclasses.replace(typical_header(_SHAPE), has_unwrapped=True)
    unwrapped = (phase * np.float32(np.pi / 32768)).astype(np.float32)
    ingest(ArraySource(header, pairs, phase, coherence, unwrapped, {}), stacks)


def _timed_run(config: RunConfig, store: Location) -> float:
    began = time.perf_counter()
    run(config.model_copy(update={"run": str(store)}), executor=executors.serial())
    return time.perf_counter() - began


def _timed_command(config: RunConfig, store: Location) -> float:
    with tempfile.TemporaryDirectory() as own:
        file = Path(own) / "region.yaml"
        file.write_text(dump(config.model_copy(update={"run": str(store)})))
        began = time.perf_counter()
        ended = subprocess.run(
            [sys.executable, "-m", "slidecloud", "run", str(file)], capture_output=True, text=True, check=False
        )
        seconds = time.perf_counter() - began
    if ended.returncode:
        raise RuntimeError(f"A run of a tiny stack in {store} ended with {ended.returncode}: {ended.stderr[-500:]}")
    return seconds
