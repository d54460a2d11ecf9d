"""``slidecloud optical map`` from a user's seat."""

from __future__ import annotations

import geopandas
import mapped
import pytest
import yaml

from slidecloud.cli import main
from slidecloud.config_optical import OpticalConfig, SceneConfig, parse
from slidecloud.pipeline import optical_map
from slidecloud.store import locate, records

pytest.importorskip("torch")


@pytest.fixture
def config(tmp_path):
    """The YAML of a scene that lies beside it."""
    mapped.bright_network(tmp_path / "weights.safetensors")
    mapped.scene(tmp_path / "scene.tif", mapped.slides((300, 600)))
    path = tmp_path / "optical.yaml"
    content = {
        "store": "optical.zarr", "weights": "weights.safetensors",
        "scenes": {"valley": {"image": "scene.tif", "date": "2023-08-14"}}, "map": {"tile": 128},
        "resources": {"executor": "serial"},
    }  # fmt: skip
    path.write_text(yaml.safe_dump(content))
    return path


def test_a_scene_is_mapped_and_drawn(config, tmp_path, capsys):
    assert main(["optical", "map", str(config), "--plot", str(tmp_path / "pictures")]) == 0
    said = capsys.readouterr()
    assert "valley: 1 outlines, 0.2" in "".join(said.out)
    assert "from a score of 0.5" in said.out
    assert (tmp_path / "pictures" / "valley.png").read_bytes().startswith(b"\x89PNG")
    found = geopandas.read_parquet(tmp_path / "optical.zarr" / "optical" / "valley.parquet")
    assert found["date"].tolist() == ["2023-08-14"]
    assert found["open"].all()  # the ring is cut by the end of the scene
    assert main(["optical", "map", str(config), "--least-area", "1000000"]) == 0
    assert "valley: 0 outlines" in capsys.readouterr().out


def test_records_are_listed_once_however_many_scenes_there_are(config, tmp_path, monkeypatch, capsys):
    content = yaml.safe_load(config.read_text())
    content["scenes"] = {name: {"image": "scene.tif"} for name in ("one", "two", "three")}
    config.write_text(yaml.safe_dump(content))
    assert main(["optical", "map", str(config)]) == 0
    assert capsys.readouterr().out.count(": 1 outlines, 0.2") == 3
    listed, plain = [], records.done
    monkeypatch.setattr(records, "done", lambda *about, **more: listed.append(1) or plain(*about, **more))
    found = optical_map.results(locate(tmp_path / "optical.zarr"))
    assert len(listed) == 1
    assert {name: facts["outlines"] for name, facts in found.items()} == {"one": 1, "two": 1, "three": 1}


def test_the_configuration_that_is_printed_can_be_used(capsys):
    assert main(["optical", "map", "--print-config"]) == 0
    text = capsys.readouterr().out
    found = parse(text)
    assert set(yaml.safe_load(text)) == set(OpticalConfig.model_fields)
    assert set(yaml.safe_load(text)["scenes"]["valley"]) == set(SceneConfig.model_fields)
    assert found.change is not None
    assert found.change.after in found.scenes


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ([], 2, "needs the YAML of scenes"),
        (["nowhere.yaml"], 1, "There is no configuration"),
        (["optical.yaml", "--threshold", "2"], 2, "Must be <= 1"),
    ],
)
def test_wrong_use_is_told(config, monkeypatch, capsys, words, code, message):
    monkeypatch.chdir(config.parent)
    assert main(["optical", "map", *words]) == code
    assert message in " ".join(capsys.readouterr().err.split())
