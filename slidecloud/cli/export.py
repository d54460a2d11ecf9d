"""``slidecloud export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from slidecloud.cli.console import say, show
from slidecloud.cli.options import Storage, storage_options


def export(
    run: str,
    /,
    *,
    format: Literal["cog"] = "cog",
    out: Path | None = None,
    bursts: Annotated[tuple[str, ...], Parameter(consume_multiple=True, show_default=False)] = (),
    names: Annotated[tuple[str, ...], Parameter(consume_multiple=True, show_default=False)] = (),
    storage: Storage = (),
) -> int:
    """Write the maps of a run as cloud-optimised GeoTIFFs for QGIS, ArcGIS or GDAL.

    One file a burst and map, with the store's values unchanged: velocity in m/year positive towards the satellite, its
    standard error, velocity gradients, coherence. A file appears only when it is whole. Prints the files it wrote.

    For example:

        slidecloud export run.zarr --out maps
        slidecloud export run.zarr --names velocity velocity_sigma --bursts t026_052713_iw2

    Exit codes: 0 done; 1 error; 2 wrong usage.

    Parameters
    ----------
    run
        Folder or URL of the run store.
    format
        Only cog so far.
    out
        Folder to write into; by default the run's name with -cog in the current folder.
    bursts
        Bursts to export; by default all.
    names
        Maps to export; by default the usual ones.
    """
    from slidecloud.products.cog import export as export_cog
    from slidecloud.store import open_run

    opened = open_run(run, storage_options(storage))
    folder = out or Path(f"{opened.location.name.removesuffix('.zarr')}-{format}")
    written = export_cog(opened, folder, bursts=bursts or None, names=names or None)
    show(str(path) for path in written)
    say(f"{len(written)} files in {folder}")
    return 0
