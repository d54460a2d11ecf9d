"""``slidecloud optical train`` from a user's seat."""

from __future__ import annotations

import json
import subprocess
import sys

import pictured
import pytest

from slidecloud.cli import main

pytest.importorskip("torch")


@pytest.fixture
def recipe(tmp_path):
    """A recipe of a few steps, and its patches."""
    pictured.tiffs(tmp_path / "set", 6)
    path = tmp_path / "recipe.yaml"
    path.write_text(
        "data: {train: [set], bands: [blue, green, red, nir]}\n"
        "width: 0.125\ndepth: 1\nside: 32\nbatch: 2\npatch_steps: 8\nthreads: 1\n"
    )
    return path


def test_from_the_template_to_weights_in_pieces(recipe, tmp_path, capsys):
    assert main(["optical", "train", "--print-recipe"]) == 0
    assert "patch_steps: 20000" in capsys.readouterr().out
    out = tmp_path / "out"
    command = ["optical", "train", str(recipe), "--out", str(out)]
    assert main([*command, "--minutes", "1e-9"]) == 0
    said = " ".join(capsys.readouterr().err.split())
    assert "Patches: 4 to train, 1 to validation, 1 to test." in said
    assert "Stopped after 2 of 8 patch steps; the same command goes on" in said
    assert main(command) == 0
    said = capsys.readouterr()
    assert "test patches:" in said.out
    assert "boundary F" in said.out
    assert "weights.safetensors" in "".join(said.err.split())
    assert [json.loads(row)["patch_steps"] for row in (out / "record.jsonl").read_text().splitlines()] == [2, 4, 6, 8]
    for picture in ("curves", "precision", "gallery", "reliability"):
        assert (out / f"{picture}.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ([], 2, "needs RECIPE.yaml and --out"),
        (["recipe.yaml"], 2, "needs RECIPE.yaml and --out"),
        (["nowhere.yaml", "--out", "out"], 1, "There is no recipe"),
        (["recipe.yaml", "--out", "out", "--minutes", "0"], 2, "Must be > 0"),
    ],
)
def test_wrong_use_is_told(recipe, monkeypatch, capsys, words, code, message):
    monkeypatch.chdir(recipe.parent)
    assert main(["optical", "train", *words]) == code
    assert message in " ".join(capsys.readouterr().err.split())


def test_a_set_that_cannot_be_used_ends_with_a_sentence_and_leaves_nothing(recipe, tmp_path, capsys):
    (tmp_path / "set/mask/p2.tif").unlink()
    assert main(["optical", "train", str(recipe), "--out", str(tmp_path / "out")]) == 1
    assert "p2.tif has no mask" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out").exists()


def test_help_needs_no_torch():
    code = (
        "import sys\nsys.modules['torch'] = None\nfrom slidecloud.cli import main\n"
        "print(main(['optical', 'train', '--help']), main(['optical', 'train', '--print-recipe']))"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert finished.stdout.endswith("0 0\n")
