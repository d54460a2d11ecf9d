"""Notebooks run from top to bottom, on simulated data, and each is the text file beside it."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import boto3
import jupytext
import nbclient
import nbformat
import pytest

FOLDER = Path(__file__).parent.parent / "notebooks"
NAMES = sorted(path.stem for path in FOLDER.glob("*.py"))


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """An empty folder to work in, where the command of this environment is found."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    return tmp_path


def pictures(name: str, folder: Path) -> int:
    """Run a notebook in a folder; the number of its pictures. An error in a cell is raised."""
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    client = nbclient.NotebookClient(notebook, timeout=900, resources={"metadata": {"path": str(folder)}})
    client.execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return sum("image/png" in output.get("data", {}) for output in outputs)


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_the_text_beside_it(name):
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    nbformat.validate(notebook)
    text = jupytext.read(FOLDER / f"{name}.py")
    assert [(c.cell_type, c.source) for c in notebook.cells] == [(c.cell_type, c.source) for c in text.cells]
    for cell in notebook.cells:
        assert not any(output.output_type == "error" for output in cell.get("outputs", []))


def test_every_notebook_is_run_here():
    assert sorted(path.stem for path in FOLDER.glob("*.ipynb")) == NAMES
    assert set(NAMES) == {*REGION, *ALONE}


REGION = ("quickstart", "from_inventory_to_series", "read_with_xarray")
ALONE = ("compare_estimators", "on_a_cluster", "outlines_in_images")


def test_the_notebooks_of_one_region(desk, endpoint, monkeypatch):
    assert pictures("quickstart", desk) == 4
    assert pictures("from_inventory_to_series", desk) == 3
    assert (desk / "files" / "landslides.kmz").exists()

    bucket = boto3.resource("s3", endpoint_url=endpoint).Bucket("slides")
    for path in (desk / "region" / "run.zarr").rglob("*"):
        if path.is_file():
            bucket.upload_file(str(path), str(path.relative_to(desk / "region")))
    shutil.rmtree(desk / "region")
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("SLIDECLOUD_RUN", "s3://slides/run.zarr")
    assert pictures("read_with_xarray", desk) == 2


@pytest.mark.parametrize(("name", "count"), [("compare_estimators", 1), ("on_a_cluster", 0), ("outlines_in_images", 1)])
def test_a_notebook_by_itself(desk, name, count):
    assert pictures(name, desk) == count
