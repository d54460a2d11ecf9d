"""``slidecloud classify`` from a user's seat."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import small

from slidecloud.cli import main
from slidecloud.store import open_run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that has found landslides and how they move, not to be changed but by this command."""
    made = tmp_path_factory.mktemp("moved")
    small.stack(made, small.scene())
    settings = small.settings(made)
    settings.write_text(settings.read_text() + "timeseries: {where: everywhere}\nclassify: {least_points: 1}\n")
    assert main(["run", str(settings)]) == 0
    return made


def test_counts_tables_and_pictures(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = open_run(str(folder / "run.zarr"))
    first = run.timeseries(small.BURST).time.values[0].astype("datetime64[D]") - np.timedelta64(100, "D")
    rows = [f"{first + day},{(day * 7) % 23}" for day in range(400)]
    (tmp_path / "rain.csv").write_text("\n".join(["date,rain", *rows]) + "\n")
    words = [
        "classify",
        str(folder / "run.zarr"),
        "--rain",
        str(tmp_path / "rain.csv"),
        "--plot",
        str(tmp_path / "made"),
    ]
    assert main(words) == 0
    printed = capsys.readouterr().out
    total = len(run.inventory)
    assert f"landslides {total:>18}".split()[-1] in printed
    lines = {line.rsplit(maxsplit=2)[0].strip() for line in printed.splitlines()[:6]}
    assert lines == {"rapid", "active", "potentially unstable", "stable", "uplift", "unknown"}
    assert "landslides follow rain" in printed
    pictures = sorted(path.name for path in (tmp_path / "made").iterdir())
    assert pictures == [*(f"rain_{name}.png" for name in sorted(run.rain["id"])), "stability.png"]
    assert all(str(tmp_path / "made" / name) in printed for name in pictures)


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--rain", "nowhere.csv"], 1, "There is no rain"),
        (["--least-speed", "25"], 2, "expected metres a year"),
        (["--uplift", "-1"], 2, "uplift"),
        (["--rain-missing", "perhaps"], 2, "perhaps"),
        (["--masks", "nowhere.tif"], 1, "There is no raster"),
    ],
)
def test_options_that_cannot_be_end_in_a_sentence(
    folder: Path, words: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["classify", str(folder / "run.zarr"), *words]) == code
    assert message in capsys.readouterr().err


def test_a_store_without_what_it_needs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["classify", str(tmp_path / "run.zarr")]) == 1
    assert "There is no run" in capsys.readouterr().err
    small.stack(tmp_path, small.scene())
    settings = small.settings(tmp_path)
    settings.write_text(settings.read_text() + "stages: [gradients, detect]\n")
    assert main(["run", str(settings)]) == 0
    capsys.readouterr()
    assert main(["classify", str(tmp_path / "run.zarr")]) == 1
    assert "add the stage 'timeseries'" in capsys.readouterr().err
