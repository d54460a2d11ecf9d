"""Small good sources of every kind, for tests that spoil them. A new reader is added by an entry in `SUBJECTS`."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import cslc
import hyp3_files
import miniature
import numpy as np
import plain
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


def hyp3_radar(folder: Path) -> Path:
    """Products of one burst with their files in radar geometry, of which a source is made when asked for."""
    root = hyp3_files.stack(folder / "hyp3_radar")
    for key in hyp3_files.KEYS:
        hyp3_files.add_radar(root / hyp3_files.single(key), key)
    return root


def plain_zarr(folder: Path) -> Path:
    """A store whose variables a mapping names; the mapping lies beside the store."""
    plain.mapping(folder)
    return plain.write(folder / "plain.zarr", plain.dataset())


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


class Subject(NamedTuple):
    """What writes a source below a folder and returns it, and with what it is opened."""

    build: Callable[[Path], Path]
    options: Callable[[Path], dict[str, Any]] = lambda _: {}


SUBJECTS: dict[str, Subject] = {
    "gamma": Subject(lambda folder: miniature.gamma(folder / "field")),
    "licsar": Subject(miniature.licsar),
    "hyp3": Subject(lambda folder: hyp3_files.stack(folder / "hyp3")),
    "hyp3_radar": Subject(hyp3_radar, lambda _: {"kind": "hyp3_radar"}),
    "opera": Subject(lambda folder: cslc.folder(folder / "opera", cslc.DAYS[:2])),
    "mintpy": Subject(lambda folder: smallbaseline.geocoded(folder / "mintpy")),
    "mapping": Subject(plain_zarr, lambda root: {"mapping_file": str(root.parent / "mapping.yaml")}),
    "zarr": Subject(slc_zarr),
    "snap": Subject(snap),
}

ARCHIVES: dict[str, Subject] = {"hyp3": Subject(hyp3_zips), "gamma": Subject(gamma_zip)}
"""The same for folders that hold zip archives and nothing else."""
