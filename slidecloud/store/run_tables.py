"""The tables of a run store, and its density maps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import xarray as xr
import zarr

from slidecloud.store import tables
from slidecloud.store.inventory_specs import DENSITY_GROUP, INVENTORY, detections
from slidecloud.store.location import Location
from slidecloud.store.stability_specs import POINTS, RAIN, STABILITY
from slidecloud.store.stacks import open_dataset

if TYPE_CHECKING:
    from geopandas import GeoDataFrame


class RunTables:
    """What a run found, as tables: read anew whenever they are asked for."""

    location: Location
    _root: zarr.Group

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

    def _table(self, name: str) -> GeoDataFrame:
        data = self.location.read(name)
        if data is None:
            raise KeyError(f"{self.location} has no {name}; make it with 'slidecloud classify {self.location}'.")
        return tables.decode((f"{self.location}/{name}", data))
