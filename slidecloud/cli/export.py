"""``slidecloud export``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from slidecloud.cli.console import say, show
from slidecloud.cli.errors import UsageError
from slidecloud.cli.options import Storage, degrees, storage_options

if TYPE_CHECKING:
    from slidecloud.store import Run


def export(
    run: str,
    /,
    *,
    format: Literal["cog", "geojson", "kmz"] = "cog",
    out: Path | None = None,
    bursts: Annotated[tuple[str, ...], Parameter(consume_multiple=True, show_default=False)] = (),
    names: Annotated[tuple[str, ...], Parameter(consume_multiple=True, show_default=False)] = (),
    point: str | None = None,
    storage: Storage = (),
) -> int:
    """Write the maps of a run as cloud-optimised GeoTIFFs, its landslides as GeoJSON or KMZ, or the series of a point.

    cog: one file a burst and map, for QGIS, ArcGIS or GDAL, with the store's values unchanged: velocity in m/year
    positive towards the satellite, its standard error, models of motion, velocity gradients, coherence; and one an area
    that two passes see: velocity east, up and down the slope. geojson and kmz: one file with the outlines of all
    landslides and what is known of each; KMZ opens in Google Earth, coloured by probability. With --point, a table
    (CSV) of the displacement there from every burst, and a picture of it: series, pairs, residuals. A file appears only
    when it is whole. Prints the files it wrote.

    For example:

        slidecloud export run.zarr --out maps
        slidecloud export run.zarr --names velocity velocity_sigma --bursts t026_052713_iw2
        slidecloud export run.zarr --names east up downslope
        slidecloud export run.zarr --format kmz
        slidecloud export run.zarr --point 102.35,31.02 --out points

    Exit codes: 0 done; 1 error; 2 wrong usage.

    Parameters
    ----------
    run
        Folder or URL of the run store.
    format
        cog, geojson or kmz.
    out
        Folder to write into; by default the run's name with the format in the current folder.
    bursts
        Bursts whose maps to export; by default all.
    names
        Maps to export; by default the usual ones.
    point
        Longitude,latitude in degrees: the displacement of this point.
    """
    place = degrees(point, 2, "--point", "lon,lat")
    if place is not None and (format != "cog" or bursts or names):
        raise UsageError("--point writes one series; give neither --format, --bursts nor --names with it.")
    from slidecloud.store import open_run

    opened = open_run(run, storage_options(storage))
    if place is not None:
        return _point(opened, place[0], place[1], out)
    if format != "cog":
        return _landslides(opened, format, out, chosen=bool(bursts or names))
    from slidecloud.products import decomposition
    from slidecloud.products.cog import export as export_cog

    folder = out or Path(f"{opened.location.name.removesuffix('.zarr')}-{format}")
    of_areas = [name for name in names if name in decomposition.MAPS]
    if of_areas and bursts:
        raise UsageError(f"{of_areas[0]} is a map of areas that several bursts see; leave out --bursts.")
    of_bursts = [name for name in names if name not in of_areas]
    written = []
    if of_bursts or not of_areas:
        written += export_cog(opened, folder, bursts=bursts or None, names=of_bursts or None)
    if of_areas or not (names or bursts):
        written += decomposition.export(opened, folder, names=of_areas or None)
    show(str(path) for path in written)
    say(f"{len(written)} files in {folder}")
    return 0


def _landslides(run: Run, form: Literal["geojson", "kmz"], out: Path | None, *, chosen: bool) -> int:
    """Write the inventory into one file."""
    if chosen:
        raise UsageError(f"--bursts and --names choose maps, and --format {form} writes the landslides of all bursts.")
    from slidecloud.products import geojson, kmz

    name = run.location.name.removesuffix(".zarr")
    file = (out or Path(f"{name}-{form}")) / f"landslides.{form}"
    inventory = run.inventory
    written = kmz.write(inventory, file, name=name) if form == "kmz" else geojson.write(inventory, file)
    show([str(written)])
    say(f"{len(inventory)} landslides in {written}")
    return 0


def _point(run: Run, lon: float, lat: float, out: Path | None) -> int:
    """Write the series of a point and its picture."""
    from slidecloud.plots.figures import save
    from slidecloud.plots.point import point_figure
    from slidecloud.products import series_table

    folder = out or Path(f"{run.location.name.removesuffix('.zarr')}-points")
    name = f"{lon:.5f}_{lat:.5f}"
    table = series_table.write(run.at(lon, lat), folder / f"{name}.csv")
    show([str(table), str(save(point_figure(run, lon, lat), folder / f"{name}.png"))])
    return 0
