"""Simulated scenes as patches in files, laid out as those of public sets."""

from __future__ import annotations

import json
import multiprocessing
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.transform import Affine

from slidecloud.models.unet_recipe import PARTS, DataConfig, SimulateConfig
from slidecloud.simulate.optical import Name, OpticalScene, optical_scene
from slidecloud.simulate.optical.sensor import UNIT
from slidecloud.types import DataError, Grid

_ABOUT: Final = "simulated.json"

_APART: Final = 4_000
"""Scenes of a part at most, so that no two of all parts lie in one place."""


def missing(data: DataConfig) -> Iterator[tuple[Path, list[tuple[int, Name]]]]:
    """Folders that are not there and are to be simulated, and seed and family of each of their scenes.

    Families take turns. No seed, and so no place, is in two parts; the part to test with is of the families held out.
    A folder that was not simulated is taken as it is.

    Raises
    ------
    DataError
        If a folder holds scenes that were simulated in another way.
    """
    for number, part in enumerate(PARTS if data.simulate.wanted else ()):
        (folder,) = (Path(name) for name in getattr(data, part))
        families = data.simulate.held_out if part == "test" else data.simulate.families
        count = getattr(data.simulate, part)
        plans = [(number * _APART + k, families[k % len(families)]) for k in range(count)]
        if not folder.exists():
            yield folder, plans
        elif (about := folder / _ABOUT).is_file() and about.read_text() != _about(plans, data.simulate):
            raise DataError(
                f"{folder} holds scenes that were simulated in another way than the recipe says now: remove it, and "
                "they are made anew, or name another folder"
            )


def make(
    folder: Path,
    wanted: Sequence[tuple[int, Name]],
    *,
    how: SimulateConfig,
    workers: int = 1,
    tell: Callable[[int], None] | None = None,
) -> None:
    """Simulate scenes into ``image`` and ``mask`` of a folder, which is there when all of them are.

    With both dates together the mask is that of the second. Images hold reflectance times 10,000.

    Parameters
    ----------
    folder
        Is made; must not be there.
    wanted
        Seed and family of each.
    how
        They are made.
    workers
        Processes.
    tell
        Is told how many scenes are made.
    """
    partial_folder = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}")
    try:
        for name in ("image", "mask"):
            (partial_folder / name).mkdir(parents=True)
        one = partial(_write_scene, folder=partial_folder, how=how)
        if workers == 1:
            _count(map(one, wanted), tell)
        else:
            with multiprocessing.get_context("spawn").Pool(workers) as pool:
                _count(pool.imap(one, wanted), tell)
        (partial_folder / _ABOUT).write_text(_about(wanted, how))
        partial_folder.replace(folder)
    finally:
        shutil.rmtree(partial_folder, ignore_errors=True)


def _about(scenes: Iterable[tuple[int, Name]], how: SimulateConfig) -> str:
    """Everything that the scenes of a folder depend on."""
    shared = how.model_dump(mode="json", include={"bands", "dates", "side", "spacing", "clouds"})
    return json.dumps(shared | {"scenes": [list(scene) for scene in scenes]}) + "\n"


def _count(made: Any, tell: Callable[[int], None] | None) -> None:
    for count, _ in enumerate(made, start=1):
        if tell is not None:
            tell(count)


def _write_scene(plan: tuple[int, Name], *, folder: Path, how: SimulateConfig) -> None:
    seed, family = plan
    side = (how.side, how.side)
    made = optical_scene(seed, family=family, shape=side, spacing=how.spacing, bands=how.bands, clouds=how.clouds)
    counts = _counts(made)
    if how.dates == "together":
        images = {f"{family}_{seed:05}": (counts.reshape(-1, *side), made.mask(1))}
    else:
        images = {f"{family}_{seed:05}_{date}": (counts[date], made.mask(date)) for date in range(len(counts))}
    for name, (image, mask) in images.items():
        _write(folder / "image" / f"{name}.tif", image, made.grid, how.names)
        _write(folder / "mask" / f"{name}.tif", mask[None].astype(np.uint8), made.grid, ("landslide",))


def write_images(folder: Path, scene: OpticalScene) -> None:
    """Write ``before.tif`` and ``after.tif`` of a scene into a folder, which is made; reflectance times 10,000."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, counts in zip(("before", "after"), _counts(scene), strict=True):
        _write(folder / f"{name}.tif", counts, scene.grid, scene.bands)


def _counts(scene: OpticalScene) -> NDArray[np.uint16]:
    counts: NDArray[np.uint16] = np.rint(scene.images / UNIT).astype(np.uint16)
    return counts


def _write(path: Path, values: NDArray[Any], grid: Grid, names: Sequence[str]) -> None:
    profile = {
        "driver": "GTiff",
        "height": grid.height,
        "width": grid.width,
        "count": len(values),
        "dtype": values.dtype.name,
        "crs": grid.crs,
        "transform": Affine(grid.dx, 0, grid.left, 0, grid.dy, grid.top),
        "compress": "DEFLATE",
        "predictor": 2,
        "photometric": "MINISBLACK",
    }
    with rasterio.open(path, "w", **profile) as file:
        file.write(values)
        for number, name in enumerate(names, start=1):
            file.set_band_description(number, name)
