"""Slides that susceptibility learns from: of a file, or the inventory of a run."""

from __future__ import annotations

from slidecloud.config_hazard import HazardConfig
from slidecloud.config_susceptibility import SusceptibilityConfig
from slidecloud.config_yaml import ConfigError
from slidecloud.hazard.gathering import gathered
from slidecloud.hazard.slides import SlideCells, slide_cells
from slidecloud.stack.point_tables import read_points
from slidecloud.stack.shapes import open_shapes
from slidecloud.store import open_run
from slidecloud.store.location import Location
from slidecloud.types import DataError, Grid


def slides_of(config: HazardConfig, settings: SusceptibilityConfig, location: Location, grid: Grid) -> SlideCells:
    """Cells of the slides that a configuration names, or of the inventory of its run.

    Raises
    ------
    ConfigError
        If they are in another CRS and it is not said to reproject them, or a column is missing or cannot be read.
    DataError, FileNotFoundError, ConnectionError
        If they cannot be read, there are none, or none lies on the grid.
    """
    options = config.storage_options
    if settings.slides is None:
        frame, name, turn = open_run(location).inventory, "the run's inventory", True
        if frame.empty:
            raise DataError("The run's inventory holds no landslide; give susceptibility.slides.")
    elif settings.slides.lower().endswith(".csv"):
        if settings.coordinates is None or settings.crs is None:
            raise ConfigError(
                f"susceptibility.slides is {settings.slides}, which has no geometries; name its columns of x and y "
                "with coordinates, and say their crs."
            )
        frame = read_points(settings.slides, coordinates=settings.coordinates, crs=settings.crs, options=options)
        name, turn = settings.slides, settings.reproject
    else:
        shapes = open_shapes(settings.slides, layer=settings.layer, options=options)
        frame, name, turn = shapes.read(), shapes.name, settings.reproject
    here = gathered("susceptibility.slides", frame, name, grid, reproject=turn)
    return slide_cells(here, grid, polygons=settings.polygons, date=settings.date, column=settings.absences.column)
