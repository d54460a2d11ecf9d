"""Run stores: the object a user opens to read results."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import xarray as xr

from slidecloud import config as configuration
from slidecloud.config import RunConfig
from slidecloud.secrets import variables
from slidecloud.store import forecasts, records, templates
from slidecloud.store.arrays import zarr_store
from slidecloud.store.decomposition_specs import AREA, FOLDER, area_group
from slidecloud.store.location import Location, locate
from slidecloud.store.run_series import RunSeries
from slidecloud.store.run_templates import RUN_YAML, burst_template, products_templates, root_template, stage_template
from slidecloud.store.stacks import open_dataset
from slidecloud.types import DataError

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

__all__ = [
    "REPORTS",
    "RUN_YAML",
    "Run",
    "burst_template",
    "open_run",
    "products_templates",
    "root_template",
    "stage_template",
]

REPORTS = ".slidecloud/reports"
"""Folder of performance reports, which no record owns."""


class Run(RunSeries):
    """A run store, opened lazily.

    Parameters
    ----------
    location
        The store.
    reference
        What displacement is read relative to, in place of what is stored; see `referenced`.
    level
        Whether bursts of a track are read levelled; see `levelled`.
    """

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
    def tree(self) -> xr.DataTree:
        """The whole store but for patches and areas as a lazy DataTree, in one request; `burst_tree` has patches."""
        store = zarr_store(self.location, read_only=True)
        return xr.open_datatree(
            store,  # type: ignore[arg-type]  # xarray takes a Zarr store, its annotation does not say so
            engine="zarr",
            decode_coords="all",
            zarr_format=3,
            chunks={},
        )

    def burst_tree(self, burst: str) -> xr.DataTree:
        """All groups of a burst as a lazy DataTree: ``gradients``, ``timeseries``, and ``patches/<name>`` below it.

        The metadata of patches lie with each of them, since a nation has ten thousand: this reads those of one burst
        alone, and `tree` none. What is read is what is stored, whatever the reference of this run.

        Raises
        ------
        KeyError
            If there is no such burst.
        """
        if burst not in self.bursts:
            raise KeyError(f"{self.location} has no burst {burst!r}; bursts are {', '.join(self.bursts) or 'none'}.")
        root = f"bursts/{burst}"
        groups = [name for name in (self.location / root).folders() if name != "patches"]
        groups += [f"patches/{name}/{part}" for name in self.patches(burst) for part in ("timeseries", "unwrapped")]
        found = {"/": xr.Dataset(attrs=dict(self._root[root].attrs))}
        for name in self.patches(burst):
            found[f"/patches/{name}"] = xr.Dataset(attrs=dict(self._root[f"{root}/patches/{name}"].attrs))
        for name in groups:
            if f"{root}/{name}" in self._root:
                found[f"/{name}"] = open_dataset(self.location / root / name)
        return xr.DataTree.from_dict(found, name=burst)

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
    def forecasts(self) -> tuple[str, ...]:
        """Names of the tracks whose landslides are forecast, such as ``ascending_026``."""
        return forecasts.names(self.location)

    def forecast(self, name: str) -> xr.Dataset:
        """Daily forecasts of one of the `forecasts`, dims (time, point), with what was known of the points."""
        return forecasts.dataset(self.location, name)

    def forecast_points(self, name: str) -> GeoDataFrame:
        """The points of one of the `forecasts`, in order of its dimension ``point``."""
        return forecasts.points(self.location, name)


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
