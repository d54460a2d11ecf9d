"""``slidecloud export``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

from cyclopts import Parameter, validators

from slidecloud.cli.console import say, show
from slidecloud.cli.errors import UsageError
from slidecloud.cli.options import Storage, degrees, storage_options

if TYPE_CHECKING:
    from slidecloud.products.overlays import Overlay
    from slidecloud.products.vectors import Form as Table
    from slidecloud.store import Run

Form = Literal["cog", "gpkg", "geoparquet", "geojson", "kmz", "mintpy", "stac", "multiscales"]
_TAKES: Final[dict[Form, set[str]]] = {
    "cog": {"--bursts", "--names", "--by-track"},
    "gpkg": {"--names"},
    "geoparquet": {"--names"},
    "geojson": {"--names"},
    "kmz": {"--pictures"},
    "mintpy": {"--bursts"},
    "stac": {"--bursts"},
    "multiscales": {"--bursts", "--names", "--by-track"},
}
_WHY: Final = "--bursts and --names choose maps, and --names layers of tables"


@dataclass(frozen=True)
class _Choice:
    """What of a run goes where."""

    form: Form
    out: Path | None
    bursts: tuple[str, ...]
    names: tuple[str, ...]
    by_track: bool
    pictures: int | None

    def folder(self, name: str) -> Path:
        """Where to write; by default the run's name with the format, in the current folder."""
        return self.out or Path(f"{name}-{self.form}")

    def check(self) -> None:
        """An error where an option is given that the format has no use for."""
        given = {
            "--bursts": bool(self.bursts),
            "--names": bool(self.names),
            "--by-track": self.by_track,
            "--pictures": self.pictures is not None,
        }
        wrong = [option for option, is_given in given.items() if is_given and option not in _TAKES[self.form]]
        if wrong:
            takes = ", ".join(sorted(_TAKES[self.form]))
            raise UsageError(f"{_WHY}; --format {self.form} takes {takes}, but was given {', '.join(wrong)}.")


def export(
    run: str,
    /,
    *,
    format: Form = "cog",
    out: Path | None = None,
    bursts: Annotated[tuple[str, ...], Parameter(consume_multiple=True, show_default=False)] = (),
    names: Annotated[tuple[str, ...], Parameter(consume_multiple=True, show_default=False)] = (),
    by_track: bool = False,
    pictures: Annotated[int | None, Parameter(validator=validators.Number(gte=0), show_default=False)] = None,
    point: str | None = None,
    storage: Storage = (),
) -> int:
    """Write what a run has found for other software: maps, tables, series.

    | format | opens in | what is written |
    |---|---|---|
    | cog | QGIS, ArcGIS, GDAL | a GeoTIFF a burst and map, an area of two passes too, with overviews and a QGIS style |
    | gpkg | QGIS, ArcGIS | a GeoPackage: landslides, stability, points, rain |
    | geoparquet | Python, DuckDB, QGIS | the same, a file a table |
    | geojson | web maps | the same, a file a table |
    | kmz | Google Earth | landslides with their series, maps on the ground with legends |
    | mintpy | MintPy | a working folder a burst: timeseries.h5, velocity.h5, geometry and so on |
    | stac | STAC browsers, pystac | a static catalogue of the run, and of GeoTIFFs in the same folder |
    | multiscales | web viewers, xarray | a Zarr store of maps with coarser copies |

    Values are the store's: metres and metres a year, positive towards the satellite. A file appears only when it is
    whole. With --point, a table (CSV) of the displacement there from every burst, and a picture of it: series, pairs,
    residuals. Prints the files it wrote.

    For example:

        slidecloud export run.zarr --out maps
        slidecloud export run.zarr --names velocity velocity_sigma --bursts t026_052713_iw2
        slidecloud export run.zarr --names velocity --by-track
        slidecloud export run.zarr --names east up downslope
        slidecloud export run.zarr --format gpkg
        slidecloud export run.zarr --format stac --out maps
        slidecloud export run.zarr --point 102.35,31.02 --out points

    Exit codes: 0 done; 1 error; 2 wrong usage.

    Parameters
    ----------
    run
        Folder or URL of the run store.
    format
        See the table.
    out
        Folder to write into; by default the run's name with the format in the current folder.
    bursts
        Bursts to export; by default all.
    names
        Maps, or layers of tables, to export; by default the usual ones.
    by_track
        One map a track: where bursts overlap, the one with the smallest standard error.
    pictures
        Landslides, best first, whose series is drawn into the kmz; by default 200. With 0 there are no pictures.
    point
        Longitude,latitude in degrees: the displacement of this point.
    """
    place = degrees(point, 2, "--point", "lon,lat")
    choice = _Choice(format, out, bursts, names, by_track, pictures)
    if place is not None and (format != "cog" or bursts or names or by_track or pictures is not None):
        raise UsageError("--point writes one series; give no other option but --out and --storage with it.")
    choice.check()
    from slidecloud.store import open_run

    opened = open_run(run, storage_options(storage))
    name = opened.location.name.removesuffix(".zarr")
    if place is not None:
        return _point(opened, place[0], place[1], out or Path(f"{name}-points"))
    written = _WRITERS[format](opened, name, choice)
    show(str(path) for path in written)
    say(f"{len(written)} {'file' if len(written) == 1 else 'files'} in {written[0].parent}")
    return 0


def _maps(run: Run, name: str, choice: _Choice) -> list[Path]:
    from slidecloud.products import cog

    return cog.export(
        run, choice.folder(name), bursts=choice.bursts or None, names=choice.names or None, by_track=choice.by_track
    )


def _tables(run: Run, name: str, choice: _Choice) -> list[Path]:
    from slidecloud.products import vectors

    form: Table = choice.form  # type: ignore[assignment]  # only these formats come here
    found = vectors.read(run, choice.names or None)
    say(", ".join(f"{len(table)} {layer}" for layer, table in found.items()))
    return vectors.write(found, choice.folder(name), form, title=name)


def _kmz(run: Run, name: str, choice: _Choice) -> list[Path]:
    from slidecloud.plots.balloons import Balloons
    from slidecloud.products import kmz
    from slidecloud.products.overlays import overlays

    most = 200 if choice.pictures is None else choice.pictures
    inventory = run.inventory
    shown = [(one, _legend(one)) for one in (overlays(run) if most else ())]
    say(f"{len(inventory)} landslides, {len(shown)} maps")
    path = choice.folder(name) / "landslides.kmz"
    return [kmz.write(inventory, path, name=name, overlays=shown, picture=Balloons(run), most_pictures=most)]


def _legend(overlay: Overlay) -> bytes:
    from slidecloud.plots.balloons import legend

    low, high = overlay.style.limits
    label = "mm/yr, positive towards the satellite"
    return legend(overlay.title, label, overlay.style.ramp, (1000 * low, 1000 * high))


def _mintpy(run: Run, name: str, choice: _Choice) -> list[Path]:
    from slidecloud.products import mintpy

    return mintpy.export(run, choice.folder(name), bursts=choice.bursts or None)


def _stac(run: Run, name: str, choice: _Choice) -> list[Path]:
    from slidecloud.products import stac

    return stac.export(run, choice.folder(name), bursts=choice.bursts or None)


def _multiscales(run: Run, name: str, choice: _Choice) -> list[Path]:
    from slidecloud.products import multiscales

    path = choice.folder(name) / f"{name}-maps.zarr"
    return [
        multiscales.export(
            run, path, bursts=choice.bursts or None, names=choice.names or None, by_track=choice.by_track
        )
    ]


_WRITERS: Final[dict[Form, Callable[[Run, str, _Choice], list[Path]]]] = {
    "cog": _maps,
    "gpkg": _tables,
    "geoparquet": _tables,
    "geojson": _tables,
    "kmz": _kmz,
    "mintpy": _mintpy,
    "stac": _stac,
    "multiscales": _multiscales,
}


def _point(run: Run, lon: float, lat: float, folder: Path) -> int:
    """Write the series of a point and its picture."""
    from slidecloud.plots.figures import save
    from slidecloud.plots.point import point_figure
    from slidecloud.products import series_table

    name = f"{lon:.5f}_{lat:.5f}"
    table = series_table.write(run.at(lon, lat), folder / f"{name}.csv")
    show([str(table), str(save(point_figure(run, lon, lat), folder / f"{name}.png"))])
    return 0
