"""Run stores: their templates, and the object a user opens to read results."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from slidecloud import config as configuration
from slidecloud.config import RunConfig
from slidecloud.secrets import variables
from slidecloud.store import records, tables, templates
from slidecloud.store.arrays import zarr_store
from slidecloud.store.decomposition_specs import AREA, FOLDER, area_group
from slidecloud.store.inventory_specs import DENSITY_GROUP, INVENTORY, detections
from slidecloud.store.location import Location, locate
from slidecloud.store.mosaic import mosaic
from slidecloud.store.patch_specs import NAME, Window, patch_group, patches_group, window_header
from slidecloud.store.points import series_at
from slidecloud.store.referencing import Reference, shift_to, shifted
from slidecloud.store.schema import GROUPS, SCHEMA_VERSION, SPATIAL_CHUNK
from slidecloud.store.stability_specs import POINTS, RAIN, STABILITY
from slidecloud.store.stacks import header_attributes, header_from, open_dataset, open_group
from slidecloud.types import DataError, Grid, StackHeader, track_of

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

RUN_YAML = ".slidecloud/run.yaml"
REPORTS = ".slidecloud/reports"
"""Folder of performance reports, which no record owns."""
_REMEDY = "slidecloud run region.yaml"


def root_template(config: RunConfig) -> dict[str, bytes]:
    """Objects of an empty run store: root metadata and the configuration."""
    attributes = {"kind": "run", "schema_version": SCHEMA_VERSION, "software": templates.SOFTWARE}
    objects = templates.group((), {}, path="", attributes=attributes, coordinates={}, grid=None)
    objects |= templates.group((), {}, path="bursts", attributes={}, coordinates={}, grid=None)
    objects[RUN_YAML] = configuration.dump(config).encode()
    return objects


def burst_template(header: StackHeader) -> dict[str, bytes]:
    """Objects of a burst's group."""
    attributes = header_attributes(header, kind="burst")
    del attributes["kind"]
    return templates.group((), {}, path=f"bursts/{header.id}", attributes=attributes, coordinates={}, grid=None)


def stage_template(
    header: StackHeader,
    name: str,
    sizes: Mapping[str, int],
    coordinates: Mapping[str, Any],
    attributes: Mapping[str, Any],
    *,
    chunks: tuple[int, int],
    optional: Collection[str] = (),
    path: str | None = None,
    pairs: int | None = None,
) -> dict[str, bytes]:
    """Objects of an empty ``gradients`` or ``timeseries`` group of a burst, with some of the ``optional`` arrays.

    ``path`` is that of the group where it is not right below the burst, ``pairs`` the pairs of a chunk where they are
    not the schema's.
    """
    wanted = {*coordinates, *optional}
    specs = tuple(spec for spec in GROUPS[name] if not spec.optional or spec.name in wanted)
    height, width = header.shape
    return templates.group(
        specs,
        {**sizes, "y": height, "x": width},
        path=path or f"bursts/{header.id}/{name}",
        attributes=attributes,
        coordinates=coordinates,
        grid=header.grid,
        chunks={"y": chunks[0], "x": chunks[1], **({} if pairs is None else {"pair": pairs})},
    )


def products_templates(grid: Grid, radius: float) -> dict[str, dict[str, bytes]]:
    """Objects of the empty group of products and of the density maps in it, by the path of their group."""
    nothing: dict[str, Any] = {"path": "products", "attributes": {}, "coordinates": {}, "grid": None}
    maps = templates.group(
        GROUPS["density"],
        {"y": grid.height, "x": grid.width},
        path=DENSITY_GROUP,
        attributes={"radius": radius},
        coordinates={},
        grid=grid,
    )
    return {"products": templates.group((), {}, **nothing), DENSITY_GROUP: maps}


class Run:
    """A run store, opened lazily.

    Parameters
    ----------
    location
        The store.
    reference
        What displacement is read relative to, in place of what is stored; see `referenced`.
    """

    def __init__(self, location: Location, reference: Reference | None = None) -> None:
        self.location, self._reference = location, reference
        self._root = open_group(location, kind="run", remedy=_REMEDY, consolidated=False)

    def __repr__(self) -> str:
        return f"Run({self.location}, bursts: {', '.join(self.bursts) or 'none'})"

    @cached_property
    def config(self) -> RunConfig:
        """The configuration the run was made with.

        Raises
        ------
        DataError
            If it is absent, or asks for environment variables that whoever opened the run did not name: a store made
            by others must not choose which variables of this process are sent where.
        """
        data = self.location.read(RUN_YAML)
        if data is None:
            raise DataError(f"{self.location} has no {RUN_YAML}. Run 'slidecloud run region.yaml' again to write it.")
        config = configuration.parse(data.decode(errors="replace"), name=f"{self.location}/{RUN_YAML}")
        unnamed = sorted(variables(config.storage_options) - variables(dict(self.location.options)))
        if unnamed:
            raise DataError(
                f"The configuration in {self.location} asks for the environment variable {unnamed[0]}. If the run is "
                f"yours, name it: --storage OPTION=env:{unnamed[0]}, or storage_options in open_run."
            )
        return config

    @property
    def bursts(self) -> tuple[str, ...]:
        """Ids of the bursts in the store."""
        return tuple((self.location / "bursts").folders())

    @property
    def tree(self) -> xr.DataTree:
        """The whole store as a lazy DataTree."""
        store = zarr_store(self.location, read_only=True)
        return xr.open_datatree(
            store,  # type: ignore[arg-type]  # xarray takes a Zarr store, its annotation does not say so
            engine="zarr",
            decode_coords="all",
            zarr_format=3,
            chunks={},
        )

    def header(self, burst: str) -> StackHeader:
        """Wavelength, heading, grid and the like of a burst."""
        return header_from(dict(self._root[f"bursts/{burst}"].attrs))

    def gradients(self, burst: str) -> xr.Dataset:
        """Phase gradients of a burst, dims (bin, season, y, x)."""
        return self._open(burst, "gradients")

    def timeseries(self, burst: str, patch: str | None = None) -> xr.Dataset:
        """Displacement series and velocity of a burst, dims (time, y, x).

        Parameters
        ----------
        burst
            Id of the burst.
        patch
            One of its `patches`, on a grid of its own. By default the whole burst; where only patches of it were made,
            they are laid out on its grid, lazily, with NaN (of whole numbers 0) between them. Each patch is relative to
            still ground of its own.

        Raises
        ------
        KeyError
            If there is none.
        """
        if patch is not None:
            return self._of_patch(burst, patch, "timeseries")
        known = self.patches(burst) if burst in self.bursts else {}
        if f"bursts/{burst}/timeseries" in self._root or not known:
            return self._open(burst, "timeseries")
        parts = {window: self._of_patch(burst, name, "timeseries") for name, window in known.items()}
        return mosaic(self.header(burst), parts, chunks=SPATIAL_CHUNK)

    def referenced(
        self, *, point: tuple[float, float] | None = None, area: tuple[float, float, float, float] | None = None
    ) -> Run:
        """The same run, whose displacement and velocity are read relative to another place.

        Parameters
        ----------
        point
            Longitude and latitude, degrees.
        area
            West, south, east, north, degrees. With neither, the stable areas that pairs were levelled over.

        Returns
        -------
        Run
            Bursts and patches that do not cover the place are read as they are stored; of the others the attribute
            ``reference`` tells the place. A place inside a detection, or without data at a date, raises DataError when
            it is read; one whose pairs do not close within 0.3 rad warns.
        """
        return Run(self.location, Reference(point, area))

    def series_groups(self) -> Iterator[tuple[str, str, StackHeader, xr.Dataset]]:
        """Every group of series: its path, its name for people, its header, and the series as they are read."""
        for burst, _, patch, header, series in self._places():
            if patch:
                yield f"{patch_group(burst, patch)}/timeseries", f"{burst} {patch}", header, series
            else:
                yield f"bursts/{burst}/timeseries", burst, header, series

    def unwrapped(self, burst: str, patch: str) -> xr.Dataset:
        """Unwrapped phase of a patch with its connected components, dims (pair, y, x)."""
        return self._of_patch(burst, patch, "unwrapped")

    def patches(self, burst: str) -> dict[str, Window]:
        """Patches of a burst by name, in order of their place: rows and columns of the burst that each covers."""
        planned = f"{records.DONE}/{templates.STAGE}/{patches_group(burst)}/"
        names = {key.removeprefix(planned).split("/")[0] for key in self.location.keys(planned.rstrip("/"))}
        found = sorted(name for name in names if NAME.fullmatch(name))
        return {name: Window(*dict(self._root[patch_group(burst, name)].attrs)["window"]) for name in found}  # type: ignore[misc]

    def visibility(self, burst: str) -> xr.Dataset:
        """What the radar sees of the slopes of a burst, dims (y, x)."""
        return self._open(burst, "visibility")

    @property
    def decompositions(self) -> tuple[str, ...]:
        """Names of the areas that ascending and descending passes see."""
        planned = f"{records.DONE}/{templates.STAGE}/{FOLDER}"
        names = {key.removeprefix(f"{planned}/").split("/")[0] for key in self.location.keys(planned)}
        return tuple(sorted(name for name in names if AREA.fullmatch(name)))

    def decomposition(self, area: str) -> xr.Dataset:
        """Motion east, up and down the slope of one of the `decompositions`, dims (y, x), on a metric grid."""
        known = self.decompositions
        if area not in known:
            raise KeyError(
                f"{self.location} has no area {area!r} that two passes see; areas are {', '.join(known) or 'none'}."
            )
        return open_dataset(self.location / area_group(area))

    @property
    def inventory(self) -> GeoDataFrame:
        """The landslides that were found, best score first: outlines in EPSG:4326 with the columns of the schema.

        Raises
        ------
        KeyError
            If the run has not looked for them, or not finished.
        DataError
            If the table cannot be read.
        """
        data = self.location.read(INVENTORY)
        if data is None:
            raise KeyError(f"{self.location} has no inventory; add the stage 'detect' and run again.")
        return tables.decode((f"{self.location}/{INVENTORY}", data))

    def detections(self, burst: str) -> GeoDataFrame:
        """What was found in one burst, before the finds of all bursts are merged; see `inventory`."""
        name = detections(burst)
        data = self.location.read(name)
        if data is None:
            raise KeyError(f"{self.location} has no {name}; add the stage 'detect' and run again.")
        return tables.decode((f"{self.location}/{name}", data))

    @property
    def stability(self) -> GeoDataFrame:
        """Class, velocity and confidence of each landslide and track; the rows that are ``deciding`` count."""
        return self._table(STABILITY)

    @property
    def points(self) -> GeoDataFrame:
        """Potential landslide points: pixels that are seen well, on slopes and fast."""
        return self._table(POINTS)

    @property
    def rain(self) -> GeoDataFrame:
        """Lag and correlation of each landslide with rain, and accelerations after wet days."""
        return self._table(RAIN)

    @property
    def density(self) -> xr.Dataset:
        """Landslides per square kilometre and the share of ground they cover, dims (y, x), degrees."""
        if DENSITY_GROUP not in self._root:
            raise KeyError(f"{self.location} has no density; add the stage 'detect' and run again.")
        return open_dataset(self.location, DENSITY_GROUP)

    def at(self, lon: float, lat: float) -> xr.Dataset:
        """Time series of a point from every burst, or patch of one, that covers it.

        Parameters
        ----------
        lon, lat
            Degrees, WGS 84.

        Returns
        -------
        xarray.Dataset
            Dims (burst, time) with displacement (m) and its sigma, velocity (m/yr) and its sigma, ``distance`` (m) from
            the point to the centre of the pixel, ``track``, and ``patch`` (empty for a whole burst). Dates that a burst
            lacks are NaN. Nothing is averaged: bursts and tracks look from elsewhere, and patches have grounds of their
            own to be relative to. ``velocity_best`` is the velocity of the smaller expected error, and ``preferred``
            tells which that is: 1 ``velocity``, 2 ``velocity_integrated``, 0 that nothing was compared and it is
            ``velocity``. The one from gradients is relative to still ground, whatever the reference. Models of motion
            come along where the run has them.

        Raises
        ------
        KeyError
            If no burst with a time series covers the point.
        """
        found = series_at(self._places(), lon, lat)
        if not found:
            raise KeyError(
                f"No burst of {self.location} with a time series covers longitude {lon}, latitude {lat}; "
                f"bursts are {', '.join(self.bursts) or 'none'}."
            )
        return xr.concat(found, dim="burst", join="outer", coords="minimal", compat="override")

    def best(self, lon: float, lat: float) -> xr.Dataset:
        """Time series of a point from the burst whose best velocity has the smallest sigma, dim (time,); see `at`."""
        found = self.at(lon, lat)
        sigma = found["velocity_best_sigma"].values
        return found.isel(burst=int(np.argmin(np.where(np.isfinite(sigma), sigma, np.inf))))

    def _table(self, name: str) -> GeoDataFrame:
        data = self.location.read(name)
        if data is None:
            raise KeyError(f"{self.location} has no {name}; make it with 'slidecloud classify {self.location}'.")
        return tables.decode((f"{self.location}/{name}", data))

    def _open(self, burst: str, name: str) -> xr.Dataset:
        if burst not in self.bursts:
            raise KeyError(f"{self.location} has no burst {burst!r}; bursts are {', '.join(self.bursts) or 'none'}.")
        if f"bursts/{burst}/{name}" not in self._root:
            raise KeyError(f"Burst {burst} of {self.location} has no {name}; add the stage {name!r} and run again.")
        found = open_dataset(self.location, f"bursts/{burst}/{name}")
        return found if name != "timeseries" else self._moved(found, self.header(burst), burst)

    def _moved(self, series: xr.Dataset, header: StackHeader, name: str) -> xr.Dataset:
        """Series relative to the place asked for, where they cover it."""
        if self._reference is None:
            return series
        shift = shift_to(self._reference, header, series, name=name)
        return series if shift is None else shifted(series, shift, self._reference)

    def _of_patch(self, burst: str, patch: str, name: str) -> xr.Dataset:
        known = self.patches(burst) if burst in self.bursts else {}
        if patch not in known:
            raise KeyError(
                f"Burst {burst} of {self.location} has no patch {patch!r}; patches are {', '.join(known) or 'none'}."
            )
        group = f"{patch_group(burst, patch)}/{name}"
        if group not in self._root:
            raise KeyError(f"Patch {patch} of burst {burst} in {self.location} has no {name}.")
        # By its own path: the metadata that the root repeats leave patches out.
        found = open_dataset(self.location / group)
        if name != "timeseries":
            return found
        return self._moved(found, window_header(self.header(burst), known[patch]), f"{burst} {patch}")

    def _places(self) -> Iterator[tuple[str, str, str, StackHeader, xr.Dataset]]:
        """What may cover a point: whole bursts, and patches of the others."""
        for burst in self.bursts:
            header = self.header(burst)
            if f"bursts/{burst}/timeseries" in self._root:
                yield burst, track_of(header), "", header, self.timeseries(burst)
                continue
            for name, window in self.patches(burst).items():
                yield burst, track_of(header), name, window_header(header, window), self.timeseries(burst, name)


def open_run(url: str | Location, storage_options: Mapping[str, Any] | None = None) -> Run:
    """Open a run store; nothing is read but its root.

    Parameters
    ----------
    url
        Folder or URL of ``<run>.zarr``.
    storage_options
        Options of the object store.
    """
    return Run(locate(url, storage_options))
