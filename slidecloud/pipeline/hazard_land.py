"""Land that susceptibility is learnt and mapped on: factors of a store as tables, tile by tile or unit by unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from slidecloud.config_factors import FactorConfig
from slidecloud.config_hazard import HazardConfig
from slidecloud.config_susceptibility import SusceptibilityConfig
from slidecloud.config_yaml import ConfigError
from slidecloud.hazard.ground import Ground
from slidecloud.pipeline.hazard_made import check_made
from slidecloud.pipeline.hazard_windows import read_window
from slidecloud.pipeline.tiles import Tile
from slidecloud.store import tables
from slidecloud.store.arrays import reader
from slidecloud.store.hazard_specs import FACTORS
from slidecloud.store.location import Location
from slidecloud.store.unit_specs import UNITS_TABLE
from slidecloud.types import DataError, Float64, Grid

_ANGLES: Final = {"rad": 1.0, "radian": 1.0, "radians": 1.0} | dict.fromkeys(
    ("deg", "degree", "degrees", "°"), np.pi / 180
)
_DEFORMATION: Final = ("los_rate", "los_displacement")


@dataclass(frozen=True, slots=True)
class FactorLayer:
    """A factor of the store; ``scale`` brings its angles to rad."""

    name: str
    units: str
    category: bool
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Land:
    """Factors of a store.

    Attributes
    ----------
    location, grid
        The store and its one grid.
    layers
        Factors that are read: those that are learnt from, and those that regions and absences follow.
    settings
        With all factors and all deformation named.
    series_end
        Last day of the deformation series; None where there is none or it is not known.
    """

    location: Location
    grid: Grid
    layers: tuple[FactorLayer, ...]
    settings: SusceptibilityConfig
    series_end: str | None

    @property
    def categories(self) -> tuple[str, ...]:
        """Factors that are codes."""
        return tuple(layer.name for layer in self.layers if layer.category)

    def table(self, tile: Tile) -> pd.DataFrame:
        """Factors of the cells of a tile, a row each, row by row."""
        read = {one.name: read_window(self.location, FACTORS, one.name, tile).ravel() for one in self.layers}
        return pd.DataFrame({one.name: _scaled(read[one.name], one) for one in self.layers}, copy=False)

    def centres(self, tile: Tile) -> tuple[Float64, Float64]:
        """x and y of these cells, m."""
        y, x = np.meshgrid(self.grid.y[tile.rows], self.grid.x[tile.columns], indexing="ij")
        return x.ravel(), y.ravel()

    def numbers(self, tile: Tile) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Flat indices of these cells on the grid."""
        rows, columns = np.arange(tile.top, tile.bottom), np.arange(tile.left, tile.right)
        return (rows[:, None] * self.grid.width + columns).ravel().astype(np.int64)

    def units(self) -> tuple[Any, pd.DataFrame]:
        """The table of mapping units, and their factors: means, and the commonest category.

        Raises
        ------
        DataError
            If it is missing or does not know a factor.
        """
        data = self.location.read(UNITS_TABLE)
        if data is None:
            raise DataError(f"{UNITS_TABLE} is missing from {self.location}; run 'slidecloud hazard units' first.")
        found = tables.decode((UNITS_TABLE, data))
        columns = {}
        for one in self.layers:
            name = f"{one.name}_majority" if one.category else f"{one.name}_mean"
            if name not in found:
                raise DataError(
                    f"{UNITS_TABLE} has no column {name}: the factor was made after the units. Run 'slidecloud hazard "
                    "units' again."
                )
            columns[one.name] = _scaled(found[name].to_numpy(), one)
        return found, pd.DataFrame(columns)

    def ground(self, table: pd.DataFrame, x: Float64, y: Float64, slid: Any, date: Any) -> Ground:
        """Cells or units with what is known of their slides."""
        end = None if self.series_end is None else np.array(self.series_end, "datetime64[s]")
        return Ground(table, x, y, slid, self.categories, date, end)


def land_of(config: HazardConfig, settings: SusceptibilityConfig, location: Location, grid: Grid) -> Land:
    """The land of a configuration.

    Raises
    ------
    ConfigError
        If factors are not made as the configuration has them, an angle has no unit of angles, or labels and factors
        are of one making.
    """
    factors = config.factors
    names = settings.names(factors)
    moving = {name for name in names if factors[name].kind in _DEFORMATION}
    deformation = tuple(name for name in names if name in moving or name in settings.deformation)
    _not_made_of_the_slides(settings, factors, names)
    absences = settings.absences
    others = [settings.splits.region, absences.effort, absences.slope if absences.method == "slope" else None]
    read = list(dict.fromkeys([*names, *(name for name in others if name is not None)]))
    check_made(location, config, read)
    group: Any = reader(location, FACTORS)
    circular = tuple(name for name in names if factors[name].kind == "aspect" or name in settings.circular)
    angles = {*circular, *others[2:]}
    layers = tuple(_layer(group, name, is_angle=name in angles) for name in read)
    ends = [group.attrs.get("deformation_ends", {}).get(name) for name in deformation]
    known = [str(end) for end in (*ends, settings.series_end) if end is not None]
    # Series whose end nobody knows might go on after the slides.
    end = max(known) if known and (settings.series_end is not None or None not in ends) else None
    resolved = settings.model_copy(update={"factors": names, "deformation": deformation, "circular": circular})
    if set(names) == set(deformation):
        raise ConfigError("susceptibility.factors are all deformation; expected some without, to learn a model of.")
    return Land(location, grid, layers, resolved, end)


def _layer(group: Any, name: str, *, is_angle: bool) -> FactorLayer:
    about = group[name].attrs
    units = str(about["units"])
    if is_angle and units not in _ANGLES:
        raise ConfigError(
            f"factors.{name} is taken for an angle and is in {units!r}; say 'units: degrees' or 'units: rad', or take "
            "it from susceptibility.circular."
        )
    return FactorLayer(name, units, str(about["kind"]) == "category", _ANGLES[units] if is_angle else 1.0)


def _not_made_of_the_slides(
    settings: SusceptibilityConfig, factors: Mapping[str, FactorConfig], names: tuple[str, ...]
) -> None:
    """Density, distance or outlines of the very slides that are labels give the answer away."""
    for name in names:
        if factors[name].is_made_of(settings.slides, layer=settings.layer):
            raise ConfigError(
                f"susceptibility.factors holds {name}, a {factors[name].kind} made of the very slides that are learnt "
                "from: it would tell a model the answer. Name factors without it, or make it of older slides."
            )


def _scaled(values: np.ndarray[Any, Any], layer: FactorLayer) -> np.ndarray[Any, Any]:
    return values if layer.scale == 1.0 else (values * layer.scale).astype(values.dtype)
