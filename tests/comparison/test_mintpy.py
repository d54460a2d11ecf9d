"""MintPy beside slidecloud, on the same pairs: where the methods coincide, so do the results.

Runs where ``SLIDECLOUD_MINTPY`` names a Python that has MintPy 1.6.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from slidecloud.kernels.sbas import invert
from slidecloud.kernels.trajectory import fit
from slidecloud.kernels.weights import weight_table

pytestmark = pytest.mark.long
ROWS, COLUMNS = 40, 50


@pytest.fixture(scope="module")
def both(tmp_path_factory, scene, interferograms):
    """The small scene's first 2,000 valid pixels, laid out as a rectangle whose first pixel is the reference; what
    MintPy makes of them; and the arguments of our inversion."""
    python = os.environ.get("SLIDECLOUD_MINTPY")
    if not python:
        pytest.skip("SLIDECLOUD_MINTPY is not set: let it name a Python that has MintPy")
    folder = tmp_path_factory.mktemp("mintpy")
    chosen = np.flatnonzero(scene.valid & (interferograms.coherence > 0).all(0))[: ROWS * COLUMNS]
    phase, coherence = (a.reshape(len(a), -1)[:, chosen] for a in (interferograms.unwrapped, interferograms.coherence))
    phase = phase - phase[:, :1]
    coherence = (coherence / np.float32(255)).astype(np.float32)
    days = [np.datetime_as_string(d, "D").replace("-", "") for d in scene.dates]
    ends = np.array(
        [[np.searchsorted(scene.dates, end) for end in (p.reference, p.secondary)] for p in interferograms.pairs]
    )
    np.savez(
        folder / "pairs.npz",
        phase=phase.reshape(-1, ROWS, COLUMNS),
        coherence=coherence.reshape(-1, ROWS, COLUMNS),
        date=np.array([[days[i], days[j]] for i, j in ends], "S8"),
        wavelength=scene.header.wavelength,
        looks=scene.header.effective_looks,
    )
    program = [python, str(Path(__file__).with_name("mintpy_stack.py")), str(folder)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": "agg"}
    finished = subprocess.run(program, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    year = scene.dates.astype("datetime64[Y]")
    years = 1970 + year.astype(int) + (scene.dates.astype("datetime64[D]") - year).astype(int) / 365.25
    return np.load(folder / "result.npz"), (phase, coherence, ends[:, 0], ends[:, 1]), years, scene.header


@pytest.mark.parametrize("weighting", ["no", "coh", "var"])
def test_series_velocities_and_temporal_coherence_agree(both, weighting):
    """Unweighted and weighted by coherence, no gaps: to 1e-3 of the scatter of each. By inverse phase variance: 3 %.

    Velocities are compared by the plain line through the series that MintPy fits, at its decimal years. It takes
    coherence below 0.05 for 0.05, and its phase variance comes from a table in steps of coherence.
    """
    theirs, (phase, coherence, reference, secondary), years, header = both
    floored = np.maximum(coherence, np.float32(0.05))
    variance = weight_table(looks=round(header.effective_looks))[np.rint(255 * floored).astype(np.uint8)]
    weight = {"no": np.ones_like(coherence), "coh": floored, "var": variance}[weighting]
    found = invert(phase, weight, reference, secondary, time=years)
    metres = np.float32(-header.wavelength / (4 * np.pi))
    series = theirs[f"timeseries_{weighting}"].reshape(len(years), -1)
    rate = fit(metres * found.series, np.ones(years.size), years).of("rate")
    velocity = theirs[f"velocity_{weighting}"].reshape(-1)
    coherent = theirs[f"temporalCoherence_{weighting}"].reshape(-1)
    pairs = [(metres * found.series, series), (rate, velocity), (found.temporal_coherence[1:], coherent[1:])]
    apart = [np.abs(own - other).max() / other.std() for own, other in pairs]
    assert max(apart) < (0.03 if weighting == "var" else 1e-3), apart
