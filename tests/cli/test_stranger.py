"""A stranger with xarray and no slidecloud opens a run store and draws a velocity map with units and coordinates."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import small

from slidecloud.store import open_run

PACKAGES = ("xarray>=2026.4", "zarr>=3.1.6", "matplotlib>=3.10")

STRANGER = """
import importlib.util, json, sys
import matplotlib
matplotlib.use("Agg")
import xarray

assert importlib.util.find_spec("slidecloud") is None, "slidecloud must not be importable here"
store, burst, picture = sys.argv[1:]
tree = xarray.open_datatree(store, engine="zarr", decode_coords="all")
dataset = xarray.open_zarr(store, group=f"bursts/{burst}/timeseries", decode_coords="all")
velocity = dataset.velocity
drawn = velocity.plot()
drawn.figure.savefig(picture)
print(json.dumps({
    "x_label": drawn.axes.get_xlabel(),
    "y_label": drawn.axes.get_ylabel(),
    "bar": drawn.colorbar.ax.get_ylabel(),
    "units": velocity.attrs["units"],
    "x": velocity.x.values[[0, -1]].tolist(),
    "y": velocity.y.values[[0, -1]].tolist(),
    "crs": dataset.spatial_ref.attrs["crs_wkt"][:6],
    "first": str(dataset.time.values[0]),
    "mean": float(velocity.mean()),
    "in_tree": float(tree[f"bursts/{burst}/timeseries"].velocity.mean()),
    "gradients": sorted(xarray.open_zarr(store, group=f"bursts/{burst}/gradients").dims),
}))
"""


@pytest.mark.long
def test_xarray_alone_reads_and_draws_a_run(region: Path, tmp_path: Path) -> None:
    """Installs xarray, zarr and matplotlib in a bare virtual environment (about a minute, from the package index)."""
    home = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", str(home)], check=True, timeout=120)
    python = home / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES]
    done = subprocess.run(install, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr
    picture = tmp_path / "velocity.png"
    words = [str(python), "-I", "-W", "error", "-c", STRANGER, str(region / "run.zarr"), small.BURST, str(picture)]
    seen = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False, cwd=tmp_path)
    assert seen.returncode == 0, seen.stderr
    found = json.loads(seen.stdout)
    ours = open_run(str(region / "run.zarr")).timeseries(small.BURST)
    assert found["units"] == "m year-1"
    assert "m year-1" in found["bar"]
    assert "[m]" in found["x_label"]
    assert "[m]" in found["y_label"]
    assert found["x"] == ours.x.values[[0, -1]].tolist()
    assert found["y"] == ours.y.values[[0, -1]].tolist()
    assert found["crs"] == "PROJCR"
    assert found["first"].startswith("2019-01-04T11:12:00")
    assert found["mean"] == found["in_tree"] == pytest.approx(float(ours.velocity.mean()), rel=1e-6)
    assert found["gradients"] == ["bin", "season", "x", "y"]
    assert picture.read_bytes().startswith(b"\x89PNG")
