"""Networks in the stage of forecasts: a kill while they learn, and afterwards, costs nothing that was learnt."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import forecasting
import numpy as np
import pytest
import runs

from slidecloud.config_yaml import ConfigError
from slidecloud.pipeline import forecast
from slidecloud.pipeline.forecast_work import DaysWork

checkpoint = pytest.importorskip("slidecloud.models.checkpoint")
QUICK = {"members": 1, "steps": 101}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    forecasting.write(tmp_path, forecasting.slides(points=3), until="2019-02-20")
    return tmp_path


def killed(folder: Path, until: str) -> None:
    """Run the command in another process, and kill it as soon as a file is there."""
    with subprocess.Popen(runs.command("forecast", str(folder / "forecast.yaml")), stderr=subprocess.DEVNULL) as child:
        end = time.monotonic() + 300
        while not any(folder.glob(until)):
            assert child.poll() is None, "it ended before it was killed"
            assert time.monotonic() < end
            time.sleep(0.02)
        os.kill(child.pid, signal.SIGKILL)


def test_what_is_half_learnt_is_gone_on_with(folder, tmp_path, monkeypatch):
    options = {"members": 1, "steps": 6}
    config = forecasting.settings(folder, method="musenet", options=options)
    monkeypatch.setattr("slidecloud.models.fitting._KEEP_EVERY", 3)
    kept, keep = [], checkpoint.keep

    def interrupted(path, state):
        keep(path, state)
        kept.append(state["step"])
        if len(kept) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint, "keep", interrupted)
    with pytest.raises(KeyboardInterrupt):
        forecasting.compute(config)
    assert list(folder.glob("forecast.zarr/.slidecloud/checkpoints/forecast/*member-0*"))
    forecasting.compute(config)
    assert kept == [3, 6, 3, 6]  # of the member that goes on, and of the one whose errors make the intervals
    assert not list(folder.glob("forecast.zarr/.slidecloud/checkpoints/*"))
    whole = forecasting.settings(forecasting.inputs_of(folder, tmp_path / "whole"), method="musenet", options=options)
    forecasting.compute(whole)
    assert runs.whole(Path(config.place)) == runs.objects(Path(whole.place))
    assert np.isfinite(forecasting.opened(config).displacement.values).any()


@pytest.mark.long
def test_a_kill_while_it_learns_changes_nothing(folder, tmp_path):
    config = forecasting.settings(folder, method="musenet", options=QUICK)
    killed(folder, "forecast.zarr/.slidecloud/checkpoints/forecast/*member-0*")
    assert not list(folder.glob("forecast.zarr/forecast/points/models/*"))
    forecasting.compute(config, takeover=True)
    assert not list(folder.glob("forecast.zarr/.slidecloud/checkpoints/*"))
    whole = forecasting.settings(forecasting.inputs_of(folder, tmp_path / "whole"), method="musenet", options=QUICK)
    forecasting.compute(whole)
    assert runs.whole(Path(config.place)) == runs.objects(Path(whole.place))


def test_what_was_learnt_is_not_learnt_again(folder, monkeypatch):
    config = forecasting.settings(folder, method="kf_lstm", options={"steps": 20})

    def fails(self, writer):
        raise KeyboardInterrupt

    monkeypatch.setattr(DaysWork, "__call__", fails)
    with pytest.raises(KeyboardInterrupt):
        forecasting.compute(config)
    monkeypatch.undo()
    (model,) = folder.glob("forecast.zarr/forecast/points/models/*")
    before = model.stat().st_mtime_ns, model.read_bytes()
    assert forecasting.compute(config).skipped == 1
    forecasting.write(folder, forecasting.slides(points=3), until="2019-02-24")
    assert forecasting.compute(config, nightly=True).done == 1
    assert (model.stat().st_mtime_ns, model.read_bytes()) == before


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"method": "musenet", "options": {"membrs": 3}}, "has no 'membrs'; it has batch, members"),
        ({"method": "ridge", "options": {"steps": 3}}, "the method 'ridge' has no 'steps'; it has none"),
        ({"method": "musenet", "options": {"members": 0}}, "members .* is 0; expected a whole number of at least 1"),
        ({"method": "kf_lstm", "options": {"steps": 1.5}}, "steps .* is 1.5; expected a whole number"),
        ({"method": "musenet", "options": {"batch": True}}, "batch .* is True; expected a whole number"),
        ({"method": "musenet", "options": {"rate": 0}}, "rate .* is 0; expected a number above 0"),
        ({"method": "musenet_published", "options": {"apart": 1}}, "apart .* is 1; expected true or false"),
        ({"method": "ridge", "resources": {"executor": "serial", "device": "gpu"}}, "has no use for one"),
    ],
)
def test_options_that_a_method_cannot_use_are_refused(folder, changes, says):
    with pytest.raises(ConfigError, match=says):
        forecast.compute(forecasting.settings(folder, **changes), executor=forecasting.serial())
