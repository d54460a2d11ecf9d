"""As many points as the publication has, in one store: time, memory and rate are printed; what is asserted is not."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from pathlib import Path

import forecasting
import numpy as np
import pandas
import pytest
import runs

from slidecloud.pipeline.forecast_judged import judged
from slidecloud.simulate.slides_daily import slides_daily
from slidecloud.store import locate

POINTS = 4905
MEMORY = "2 GiB"


def call(folder: Path) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, however long it takes."""
    words = runs.command("forecast", str(folder / "forecast.yaml"))
    return subprocess.run(words, capture_output=True, text=True, check=False)


@pytest.mark.long
@pytest.mark.parametrize("method", ["ridge", "kalman_driven", "musenet"])
def test_4905_points(tmp_path: Path, method: str, capsys: pytest.CaptureFixture[str]):
    """Four years are learnt from, and each day of the year after is forecast."""
    made = slides_daily(11, points=POINTS, passes=153, noise=1.0)
    forecasting.write(tmp_path, made._replace(observed=made.observed[:1]))
    ids = np.array([f"p{number:04d}" for number in range(POINTS)])
    point, passed = np.nonzero(np.isfinite(made.observed))
    rows = {"id": ids[point], "date": made.passes[passed], "displacement": made.observed[point, passed]}
    pandas.DataFrame(rows).to_parquet(tmp_path / "points.parquet")
    config = forecasting.settings(
        tmp_path, method=method, points={"path": "points.parquet"}, train_until="2019-12-31",
        resources={"executor": "dask", "workers": 2, "memory": MEMORY},
    )  # fmt: skip
    began = time.monotonic()
    first = call(tmp_path)
    seconds = time.monotonic() - began
    assert first.returncode == 0, first.stderr
    used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    (found,) = judged(locate(config.place))
    told = int(np.isfinite(found.found.displacement.values).sum())
    with capsys.disabled():
        rate = f"{seconds:.0f} s, {used:.2f} GiB of the largest process, {told / seconds:,.0f} forecasts a second"
        sys.stdout.write("\n".join([f"\n{method}: {rate}", *found.lines(), ""]))
    assert told > 0.9 * found.found.displacement.size
    assert found.scores.skill > 0.8
    assert 0.86 <= found.scores.coverage <= 0.97
    again = call(tmp_path)
    assert again.stdout.startswith("0 units done")
