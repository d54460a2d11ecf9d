"""``slidecloud detect`` and what it leaves, from a user's seat."""

from __future__ import annotations

import importlib.util
import json
import zipfile
from pathlib import Path

import pytest
import small

from slidecloud.cli import main
from slidecloud.store import open_run


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose stack was searched by the command; read it only."""
    folder = tmp_path_factory.mktemp("found")
    small.stack(folder, small.scene())
    assert main(["detect", str(small.settings(folder))]) == 0
    return folder


def test_it_does_gradients_and_detection_alone_and_says_what_it_found(
    found: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["detect", str(found / "region.yaml")]) == 0
    lines = capsys.readouterr().out.splitlines()
    run = open_run(str(found / "run.zarr"))
    assert lines[0].startswith("0 units done")
    assert lines[-1].startswith(f"{len(run.inventory)} landslides, ")
    assert lines[-1].endswith("products/inventory.parquet")
    assert len(run.inventory) >= 1
    with pytest.raises(KeyError, match="timeseries"):
        run.timeseries(small.BURST)


def test_options_take_the_place_of_the_file(found: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (found / "region.yaml").read_text()
    text = text.replace("stacks: stacks", f"stacks: {found / 'stacks'}").replace("method: classical", "method: net")
    (tmp_path / "region.yaml").write_text(text)
    words = ["detect", str(tmp_path / "region.yaml"), "--method", "classical", "--threshold", "1000"]
    assert main(words) == 0
    assert "0 landslides, 0.00 km2" in capsys.readouterr().out
    assert open_run(str(tmp_path / "run.zarr")).config.detect.threshold == 1000
    # One store, one detector.
    assert main([*words[:-1], "5"]) == 1
    assert "detect.threshold was 1000.0 and is now 5.0" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--threshold", "2", "--method", "net"], "expected a score below 1"),
        (["--threshold", "-1"], "greater than 0"),
        (["--weights", "w.safetensors"], "method is 'classical', which has none"),
        (["--method", "magic"], "magic"),
    ],
)
def test_options_that_cannot_be_end_in_a_sentence(
    found: Path, words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["detect", str(found / "region.yaml"), *words]) == 2
    assert message in capsys.readouterr().err


def test_without_its_extra_the_net_says_how_to_get_it(
    found: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (found / "region.yaml").read_text().replace("method: classical", "method: net")
    (tmp_path / "region.yaml").write_text(text.replace("stacks: stacks", f"stacks: {found / 'stacks'}"))
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "torch" else find(name, *rest))
    assert main(["detect", str(tmp_path / "region.yaml")]) == 1
    assert "pip install 'slidecloud[detect]'" in capsys.readouterr().err
    assert not (tmp_path / "run.zarr").exists()


def test_export_writes_kmz_and_geojson(found: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    count = len(open_run(str(found / "run.zarr")).inventory)
    for form in ("kmz", "geojson"):
        assert main(["export", str(found / "run.zarr"), "--format", form, "--out", str(tmp_path)]) == 0
        printed = capsys.readouterr()
        assert printed.out.strip() == str(tmp_path / f"landslides.{form}")
        assert f"{count} landslides" in printed.err
    with zipfile.ZipFile(tmp_path / "landslides.kmz") as archive:
        assert archive.read("doc.kml").count(b"<Placemark>") == count
    assert len(json.loads((tmp_path / "landslides.geojson").read_text())["features"]) == count
    assert main(["export", str(found / "run.zarr"), "--format", "kmz", "--names", "velocity"]) == 2
    assert "--names choose maps" in capsys.readouterr().err


def test_export_of_a_run_that_has_not_looked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small.stack(tmp_path, small.scene())
    settings = small.settings(tmp_path)
    settings.write_text(settings.read_text() + "stages: [gradients]\n")
    assert main(["run", str(settings)]) == 0
    assert main(["export", str(tmp_path / "run.zarr"), "--format", "kmz"]) == 1
    assert "add the stage 'detect' and run again" in capsys.readouterr().err
