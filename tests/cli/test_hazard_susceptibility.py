"""``slidecloud hazard susceptibility``."""

from __future__ import annotations

from pathlib import Path

import ecuador_files
import pytest
import susceptible
import yaml
import zarr

from slidecloud.cli import main

PICTURES = [
    "susceptibility-calibration.png", "susceptibility-importance.png", "susceptibility-map-lightgbm.png",
    "susceptibility-map-lightgbm_insar.png", "susceptibility-prediction.png", "susceptibility-roc.png",
    "susceptibility-success.png", "susceptibility.html",
]  # fmt: skip


@pytest.fixture
def hazard(tmp_path: Path) -> Path:
    susceptible.write(tmp_path, side=120, mean=-4)
    section = {
        "factors": [], "deformation": ["rate"], "series_end": "2020-12-31", "models": ["lightgbm"],
        "splits": {"number": 3, "repeats": 1},
    }  # fmt: skip
    settings = susceptible.config(tmp_path, Path("hazard.zarr"), side=120, section=section)
    file = tmp_path / "hazard.yaml"
    file.write_text(yaml.safe_dump(settings.model_dump(mode="json", exclude_unset=True)))
    return file


def test_maps_are_made_told_and_drawn(
    hazard: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("lightgbm")
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["hazard", "susceptibility", str(hazard), "--executor", "serial"]) == 1
    assert "make them with 'slidecloud hazard factors'" in capsys.readouterr().err
    assert main(["hazard", "factors", str(hazard), "--executor", "serial"]) == 0
    pictures = tmp_path / "pictures"
    assert main(["hazard", "susceptibility", str(hazard), "--executor", "serial", "--report", str(pictures)]) == 0
    told = capsys.readouterr()
    assert "in space, apparent" in told.out
    assert "gain with deformation" in told.out
    assert "slides that nobody mapped may be among the absences" in told.err
    assert "hazard.zarr/hazard/susceptibility" in told.err
    assert sorted(path.name for path in pictures.iterdir()) == PICTURES
    page = (pictures / "susceptibility.html").read_text()
    for text in ("Before you use these maps", "lightgbm + deformation", "over folds", "of the slides, unseen"):
        assert text in page


def test_old_slides_are_an_error_of_one_sentence(hazard: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("lightgbm")
    hazard.write_text(hazard.read_text().replace("2020-12-31", "2021-12-31"))
    assert main(["hazard", "factors", str(hazard), "--executor", "serial"]) == 0
    assert main(["hazard", "susceptibility", str(hazard), "--executor", "serial"]) == 1
    told = " ".join(capsys.readouterr().err.split())
    assert "would learn what the slide did, not what announced it" in told
    assert "Traceback" not in told


def test_the_valley_in_ecuador_is_as_published(tmp_path: Path) -> None:
    """Through the command, from the set's own places: apparent .822, spatial .772 (papers: .82, .773)."""
    file = ecuador_files.write(tmp_path, models=["logistic"])
    assert main(["hazard", "factors", str(file), "--executor", "serial"]) == 0
    assert main(["hazard", "susceptibility", str(file), "--executor", "serial"]) == 0
    told = zarr.open_group(tmp_path / "hazard.zarr", path="hazard/susceptibility_report", mode="r").attrs
    logistic = told["models"]["logistic"]
    assert logistic["apparent_auc"] == pytest.approx(0.822, abs=0.005)
    assert logistic["auc"] == pytest.approx(0.772, abs=0.005)
    assert logistic["optimistic_auc"] - logistic["auc"] > 0.02
    assert any("split of chance would have promised logistic" in text for text in told["caveats"])
