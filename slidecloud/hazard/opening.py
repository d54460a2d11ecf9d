"""From the configuration of factors to their sources, opened and checked before anything is computed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slidecloud.config_factors import FactorConfig
from slidecloud.config_yaml import ConfigError
from slidecloud.hazard import factors, laying
from slidecloud.hazard.gathering import gathered, points_of
from slidecloud.hazard.shape_sources import CategoryShapes, Distances
from slidecloud.hazard.sources import CategoryMap, Densities, Ground, Source
from slidecloud.stack.map_files import open_map
from slidecloud.stack.shapes import ShapeFile, open_shapes
from slidecloud.types import Float64, Grid

_MAPS = (".tif", ".tiff", ".zarr")


def opened(
    configs: Mapping[str, FactorConfig],
    grid: Grid,
    *,
    options: Mapping[str, Any] | None = None,
    inventory: Float64 | None = None,
) -> list[Source]:
    """Sources of all factors that come from files, in the order of their names; terrain goes with its elevation.

    Parameters
    ----------
    configs
        Factors by name; those of a run's deformation are left out.
    grid
        The one grid.
    options
        Storage options of URLs.
    inventory
        (n, 2) places of a run's landslides in the grid's CRS, for densities without a path.

    Raises
    ------
    ConfigError
        If a source is in another CRS or on another grid and it is not said to bring it over; names key and CRS.
    DataError, FileNotFoundError, ConnectionError
        If a source cannot be read.
    """
    found: list[Source] = []
    for name, one in sorted(configs.items()):
        if one.kind == "raster":
            terrain = tuple((key, other) for key, other in sorted(configs.items()) if _of(other) == name)
            found.append(Ground(name, grid, *_map(name, one, grid, options), terrain))
        elif one.kind == "category":
            found.append(_category(name, one, grid, options))
        elif one.kind == "distance":
            lines = Distances(name, grid, _shapes(one, options), one)
            lines.frame()
            found.append(lines)
        elif one.kind == "density":
            found.append(_density(name, one, grid, options, inventory))
    return found


def _of(config: FactorConfig) -> str | None:
    return config.of if factors.is_terrain(config) else None


def _map(name: str, config: FactorConfig, grid: Grid, options: Mapping[str, Any] | None) -> tuple[Any, FactorConfig]:
    assert config.path is not None
    source = open_map(config.path, variable=config.variable, options=options)
    laying.check_map(f"factors.{name}", source, grid, config.resampling)
    return source, config


def _shapes(config: FactorConfig, options: Mapping[str, Any] | None) -> ShapeFile:
    assert config.path is not None
    return open_shapes(config.path, layer=config.layer, options=options)


def _category(name: str, config: FactorConfig, grid: Grid, options: Mapping[str, Any] | None) -> Source:
    if (config.path or "").rstrip("/").lower().endswith(_MAPS):
        for key in ("layer", "column", "reproject"):
            if key in config.model_fields_set:
                raise ConfigError(f"factors.{name}.{key} is for polygons, and {config.path} is a map; leave it out.")
        return CategoryMap(name, grid, *_map(name, config, grid, options))
    for key in ("variable", "resampling", "classes"):
        if key in config.model_fields_set:
            raise ConfigError(f"factors.{name}.{key} is for maps, and {config.path} holds polygons; leave it out.")
    source = CategoryShapes(name, grid, _shapes(config, options), config)
    source.classes()
    return source


def _density(
    name: str, config: FactorConfig, grid: Grid, options: Mapping[str, Any] | None, inventory: Float64 | None
) -> Source:
    assert config.radius is not None
    if config.path is None:
        if inventory is None:
            raise ConfigError(f"factors.{name} has no path to points, and there is no run with an inventory; give one.")
        points = inventory
    else:
        shapes = _shapes(config, options)
        frame = gathered(f"factors.{name}", shapes.read(), shapes.name, grid, reproject=config.reproject)
        points = points_of(frame)
    return Densities(name, grid, tuple((float(x), float(y)) for x, y in points), config.radius)
