"""Thirty sound pairs of a real stack, unwrapped here: editing leaves out none of them."""

from __future__ import annotations

import numpy as np
import pytest
import runs

from slidecloud.stack.source import WavelengthWarning
from slidecloud.store import open_run

BURST = "mexico_city"


def test_a_good_stack_loses_nothing(real_data, tmp_path):
    source = real_data("mexico_city_s1")
    with pytest.warns(WavelengthWarning, match="WAVELENGTH_METRES"):
        summary = runs.rerun(
            tmp_path,
            f"sources: [{{path: '{source}', id: {BURST}}}]",
            "stages: [timeseries]",
            "timeseries: {where: everywhere, phase: unwrap, integrate: false, recovered: false}",
            "resources: {executor: serial}",
        )
    assert summary.exit_code == 0, summary.lines()
    run = open_run(str(tmp_path / "run.zarr"))
    (patch,) = run.patches(BURST)
    series = run.timeseries(BURST, patch)
    assert (series["pair_used"].values == 1).all()
    assert not series["pair_reason"].values.any()
    assert series["pair_contradicted"].values.max() < 0.02
    # Decorrelation of a date, a few millimetres at most.
    assert 0.0001 < np.nanmedian(series["date_noise"].values) < 0.005
