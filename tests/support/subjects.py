"""Small good sources of every kind, for tests that spoil them. A new reader is added by an entry in `SUBJECTS`."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import cslc
import hyp3_files
import miniature
import numpy as np
import pytest
import smallbaseline
import xarray as xr


def hyp3_zips(folder: Path) -> Path:
    return hyp3_files.stack(folder / "hyp3_zips", zipped=True)


def gamma_zip(folder: Path) -> Path:
    """A whole GAMMA folder in one archive."""
    root = miniature.gamma(folder / "gamma_zip" / "field")
    with zipfile.ZipFile(root.with_suffix(".zip"), "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(root.rglob("*")):
            archive.write(path, path.relative_to(root.parent))
    shutil.rmtree(root)
    return root.parent


def slc_zarr(folder: Path) -> Path:
    """Three images as sarxarray writes them."""
    parts = np.random.default_rng(0).standard_normal((2, 12, 20, 3), dtype=np.float32)
    times = np.array(["2023-03-19T05:50:35", "2023-03-31T05:50:36", "2023-04-12T05:50:35"], "datetime64[s]")
    dims = ("azimuth", "range", "time")
    attributes = {"spacing": [14.0, 3.5], "heading": -170.0, "wavelength": 0.0555}
    dataset = xr.Dataset({"real": (dims, parts[0]), "imag": (dims, parts[1])}, {"time": times}, attributes)
    dataset.to_zarr(folder / "slc.zarr", zarr_format=2, consolidated=False)
    return folder / "slc.zarr"


def snap(folder: Path) -> Path:
    """The Amsterdam images, where the real data are."""
    data = os.environ.get("SLIDECLOUD_DATA")
    if not data or not (Path(data) / "amsterdam_slc").is_dir():
        pytest.skip("real data set 'amsterdam_slc' is absent: set SLIDECLOUD_DATA to the folder that holds it")
    return shutil.copytree(Path(data) / "amsterdam_slc", folder / "amsterdam_slc", copy_function=shutil.copyfile)


SUBJECTS: dict[str, Callable[[Path], Path]] = {
    "gamma": lambda folder: miniature.gamma(folder / "field"),
    "licsar": miniature.licsar,
    "hyp3": lambda folder: hyp3_files.stack(folder / "hyp3"),
    "mintpy": lambda folder: smallbaseline.geocoded(folder / "mintpy"),
    "opera": lambda folder: cslc.folder(folder / "opera", cslc.DAYS[:2]),
    "zarr": slc_zarr,
    "snap": snap,
}
"""By name what writes a source below a folder and returns it."""

ARCHIVES: dict[str, Callable[[Path], Path]] = {"hyp3": hyp3_zips, "gamma": gamma_zip}
"""The same for folders that hold zip archives and nothing else."""
