"""``slidecloud forecast``."""

from __future__ import annotations

from pathlib import Path

import forecasting
import geopandas
import pytest

from slidecloud.cli import main


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A few points, with rain and level up to a day in March."""
    forecasting.write(tmp_path, forecasting.slides(points=2), until="2019-03-10")
    forecasting.settings(tmp_path, method="linear")
    return tmp_path


def test_forecasts_are_made_told_drawn_and_added_to(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    config, pictures = str(folder / "forecast.yaml"), folder / "pictures"
    assert main(["forecast", config, "--status"]) == 0
    assert "0 of 3 units done" in capsys.readouterr().out
    assert main(["forecast", config, "--nightly"]) == 1
    assert "no forecasts to add days to" in capsys.readouterr().err
    assert main(["forecast", config, "--report", str(pictures)]) == 0
    told = capsys.readouterr()
    assert "3 units done" in told.out
    assert "days forecast" in told.out
    assert "2019-01-01 to 2019-03-10" in told.out
    assert "within the interval of 90%" in told.out
    assert "forecast.zarr/forecast" in told.err
    names = sorted(path.name for path in pictures.iterdir())
    assert names == [
        "errors.parquet", *(f"forecast-{name}-points-of-the-table.png" for name in ("errors", "lags")),
        *(f"forecast-points-of-the-table-p00{n}.png" for n in range(2)), "forecast.html",
    ]  # fmt: skip
    page = (pictures / "forecast.html").read_text()
    assert page.count("<img") == 4
    for told_of in ("How good they were", "Heavy rain and drawdown", "days since the last pass", "chi-square"):
        assert told_of in page
    assert geopandas.read_parquet(pictures / "errors.parquet")["id"].tolist() == ["p000", "p001"]
    assert "They replace no warning of an authority" in page
    forecasting.write(folder, forecasting.slides(points=2), until="2019-03-12")
    assert main(["forecast", config, "--nightly"]) == 0
    told = capsys.readouterr()
    assert "2019-01-01 to 2019-03-12" in told.out
    assert "1 units done, 1 were done before" in told.out
    assert main(["forecast", config, "--nightly", "--status"]) == 0
    assert "2 of 2 units done" in capsys.readouterr().out


def test_what_there_is_is_told_also_where_points_are_in_quarantine(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("slidecloud.store.forecast_specs", "slidecloud.pipeline.forecast_plan"):
        monkeypatch.setattr(f"{module}.points_chunk", lambda _: 1)
    slides = forecasting.slides(points=2)
    slides.observed[1, 20:] = float("nan")
    forecasting.write(folder, slides, until="2019-03-10")
    config, pictures = str(folder / "forecast.yaml"), folder / "pictures"
    assert main(["forecast", config, "--report", str(pictures), "--permutation"]) == 3
    assert "2019-01-01 to 2019-03-10" in capsys.readouterr().out
    assert (pictures / "forecast.html").exists()
    assert main(["forecast", config, "--nightly"]) == 0
    told = capsys.readouterr()
    assert "2019-01-01 to 2019-03-10" in told.out
    assert "points of the table: Nothing was learnt of 1 of 2 points" in " ".join(told.err.split())


def test_a_template_and_the_methods_are_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["forecast", "--print-config"]) == 0
    text = capsys.readouterr().out
    (tmp_path / "forecast.yaml").write_text(text)
    assert main(["forecast", "--methods"]) == 0
    assert "persistence" in capsys.readouterr().out.split()
    assert main(["forecast", str(tmp_path / "forecast.yaml"), "--executor", "serial"]) == 1
    assert "There is no run at" in capsys.readouterr().err


def test_wrong_usage_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["forecast"]) == 2
    assert "--print-config" in capsys.readouterr().err
    assert main(["forecast", str(folder / "forecast.yaml"), "--status", "--report", "x"]) == 2
    assert main(["forecast", str(folder / "forecast.yaml"), "--permutation"]) == 2
    assert "give --report" in " ".join(capsys.readouterr().err.split())
    assert main(["forecast", str(folder / "none.yaml")]) == 1
    assert "write one with 'slidecloud forecast --print-config" in " ".join(capsys.readouterr().err.split())
