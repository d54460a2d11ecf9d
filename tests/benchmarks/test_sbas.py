"""Inversion beside the unweighted shared pseudo-inverse as one matrix product, on one core, and on two threads."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

PROGRAM = """
import json, sys, time
from concurrent.futures import ThreadPoolExecutor
import numpy as np
from slidecloud.kernels import _sbas_robust, sbas
from slidecloud.kernels._sbas_blocks import solve_blocks
from slidecloud.kernels._sbas_check import observe, sort_network
from slidecloud.kernels._sbas_increments import diagonals
from slidecloud.kernels._sbas_stage import arrivals

dates, reach, pixels, repeats = (int(word) for word in sys.argv[1:])
pairs = np.array([(i, j) for i in range(dates) for j in range(i + 1, min(dates, i + reach + 1))])
reference, secondary = pairs.T.copy()
rng = np.random.default_rng(0)
truth = np.cumsum(rng.normal(size=(dates, pixels)), axis=0, dtype=np.float32)
phase = truth[secondary] - truth[reference] + np.float32(0.3) * rng.normal(size=(len(pairs), pixels)).astype(np.float32)
coherence = rng.integers(26, 250, phase.shape).astype(np.uint8)
weight = coherence.astype(np.float32)
steps = np.arange(dates - 1)
design = ((steps >= reference[:, None]) & (steps < secondary[:, None])).astype(float)
inverse = np.linalg.pinv(design).astype(np.float32)
product = np.empty((dates - 1, pixels), np.float32)
time_of = {"time": np.arange(dates) * 12 / 365.25}
network = sort_network(reference, secondary, time_of["time"], len(pairs))

def blocks(steps, columns):
    observed = observe(phase, weight, None, None)
    series, sound = np.empty((dates, phase.shape[1]), np.float32), np.empty(phase.shape[1], bool)
    solve_blocks(observed, 0, columns, arrivals(network), diagonals(reach - 1), steps, series, 0, sound, None)

def halves(work):
    middle = pixels // 2
    parts = [[np.ascontiguousarray(array[:, part]) for array in (phase, weight)]
             for part in (slice(0, middle), slice(middle, None))]
    with ThreadPoolExecutor(2) as pool:
        def both():
            list(pool.map(lambda part: work(*part, reference, secondary, **time_of), parts))
        def one_by_one():
            for part in parts:
                work(*part, reference, secondary, **time_of)
        works = {"one": one_by_one, "two": both}
        return best(works, time.perf_counter), best(works)

def best(works, clock=time.process_time):
    for work in works.values():
        work()
    found = dict.fromkeys(works, 1e9)
    for _ in range(repeats):
        for name, work in works.items():
            began = clock()
            work()
            found[name] = min(found[name], clock() - began)
    return found

few = min(pixels, 4096)
times = best({
    "product": lambda: np.matmul(inverse, phase, out=product),
    "solve": lambda: sbas.solve(phase, weight, reference, secondary, **time_of),
    "solve_table": lambda: sbas.solve(phase, coherence, reference, secondary, **time_of),
    "invert": lambda: sbas.invert(phase, weight, reference, secondary, **time_of),
    "plain_few": lambda: blocks(0, few),
    "robust_few_10": lambda: blocks(10, few),
    "robust_few": lambda: blocks(_sbas_robust.MOST_STEPS, few),
})
out = {name + "_kpx_s": pixels / times[name] / 1e3 for name in ("product", "solve", "solve_table", "invert")}
out |= {name + "_ratio": times["product"] / times[name] for name in ("solve", "solve_table", "invert")}
out |= {name + "_over_plain": times[name] / times["plain_few"] for name in ("robust_few_10", "robust_few")}
for name in ("solve", "invert"):
    taken, used = halves(getattr(sbas, name))
    out[name + "_two_threads"] = taken["one"] / taken["two"]
    out[name + "_two_threads_if_cores_are_free"] = 2 * used["one"] / used["two"]
print(json.dumps(out))
"""


@pytest.mark.long
@pytest.mark.parametrize(("dates", "reach"), [(145, 3), (62, 5), (98, 3)])
def test_rates_of_inversion(dates, reach, record_property, capsys):
    """In processor time, reported and not asserted: rates of a machine that others use are no fact about the code."""
    one = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    finished = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(dates), str(reach), "16384", "9"],
        capture_output=True,
        text=True,
        check=False,
        timeout=1200,
        env=os.environ | one,
    )
    assert finished.returncode == 0, finished.stderr
    found = json.loads(finished.stdout)
    for name, value in found.items():
        record_property(name, value)
    with capsys.disabled():
        print(f"\n{dates} dates, each with the next {reach}:", ", ".join(f"{k} {v:.4g}" for k, v in found.items()))  # noqa: T201
    assert min(found.values()) > 0
