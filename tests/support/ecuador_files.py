"""The valley in Ecuador as the files of a hazard configuration: one map for each factor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rasterio
import terrain_files as files
import yaml
from ecuador import FACTORS, ecuador

CRS = "EPSG:32717"


def write(folder: Path, *, models: list[str], repeats: int = 10) -> Path:
    """Maps of the five factors, and the YAML; the slides and the other places stay where the set lies."""
    places = ecuador()
    with rasterio.open(places.raster) as raster:
        bounds, step = raster.bounds, raster.transform.a
        for band, name in enumerate(FACTORS, start=1):
            files.write_map(
                folder / f"{name}.tif", raster.read(band), crs=CRS, left=bounds.left, top=bounds.top, step=step,
                nodata=float("nan"),
            )  # fmt: skip
    content: dict[str, Any] = {
        "store": "hazard.zarr",
        "grid": {"crs": CRS, "spacing": step, "bounds": [bounds.left, bounds.bottom, bounds.right, bounds.top]},
        "factors": {name: {"kind": "raster", "path": f"{name}.tif"} for name in FACTORS},
        "units": {"elevation": "elev"},
        "susceptibility": {
            "slides": str(places.raster.with_name("lsl.csv")),
            "coordinates": ["x", "y"],
            "crs": CRS,
            "absences": {"method": "given", "column": "lslpts"},
            "true_share": 0.5,
            "models": models,
            "splits": {"repeats": repeats},
        },
    }
    file = folder / "hazard.yaml"
    file.write_text(yaml.safe_dump(content, sort_keys=False))
    return file
