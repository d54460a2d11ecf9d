"""``slidecloud train`` from a user's seat."""

from __future__ import annotations

import json
import subprocess
import sys

import dipoles
import pytest

from slidecloud.cli import main
from slidecloud.cli.errors import explain

pytest.importorskip("torch")


@pytest.fixture
def recipe(tmp_path):
    """A recipe of a few steps, and its tiles."""
    for name, seed in (("train", 1), ("validation", 2)):
        dipoles.dipole_set(tmp_path / name, seed=seed, count=4)
    path = tmp_path / "recipe.yaml"
    path.write_text(
        "tiles: {train: [train], validation: [validation]}\nwidth: 0.125\nbatch: 2\ntile_steps: 8\nthreads: 1\n"
    )
    return path


def test_from_the_template_to_weights_in_pieces(recipe, tmp_path, capsys):
    assert main(["train", "--print-recipe"]) == 0
    assert "tile_steps: 30000" in capsys.readouterr().out
    out = tmp_path / "out"
    command = ["train", str(recipe), "--out", str(out)]
    assert main([*command, "--minutes", "1e-9"]) == 0
    assert "Stopped after 2 of 8 tile steps; the same command goes on" in " ".join(capsys.readouterr().err.split())
    assert main(command) == 0
    said = capsys.readouterr()
    assert "AP50" in said.out
    assert "false/1000 km²" in said.out
    assert "weights.safetensors" in "".join(said.err.split())
    assert [json.loads(row)["tile_steps"] for row in (out / "record.jsonl").read_text().splitlines()] == [2, 4, 6, 8]
    for picture in ("curves", "precision", "gallery"):
        assert (out / f"{picture}.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ([], 2, "needs a RECIPE.yaml and --out"),
        (["recipe.yaml"], 2, "needs a RECIPE.yaml and --out"),
        (["nowhere.yaml", "--out", "out"], 1, "There is no recipe"),
        (["recipe.yaml", "--out", "out", "--minutes", "0"], 2, "Must be > 0"),
        (["recipe.yaml", "--out", "out", "--device", "tpu"], 2, "gpu"),
    ],
)
def test_wrong_use_is_told(recipe, monkeypatch, capsys, words, code, message):
    monkeypatch.chdir(recipe.parent)
    assert main(["train", *words]) == code
    assert message in " ".join(capsys.readouterr().err.split())


def test_a_key_that_is_not_known_names_the_nearest(recipe, capsys):
    recipe.write_text(recipe.read_text() + "tile_step: 3\n")
    assert main(["train", str(recipe), "--out", str(recipe.parent / "out")]) == 1
    assert "did you mean 'tile_steps'?" in " ".join(capsys.readouterr().err.split())


def test_help_needs_no_torch():
    code = (
        "import sys\nsys.modules['torch'] = None\nfrom slidecloud.cli import main\n"
        "print(main(['train', '--help']), main(['train', '--print-recipe']))"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert finished.stdout.endswith("0 0\n")


def test_a_module_of_the_extra_that_is_missing_names_the_extra():
    assert explain(ModuleNotFoundError("no torch", name="torch")).endswith("pip install 'slidecloud[detect]'")
