"""The arrays of a run store as a user reads them: relative to another place, or levelled, where that is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Self

import numpy as np
import xarray as xr

from slidecloud.store import records, templates
from slidecloud.store.given_series import GivenSeries, read_series
from slidecloud.store.location import Location
from slidecloud.store.mosaic import mosaic
from slidecloud.store.patch_specs import NAME, Window, patch_group, patches_group, window_header
from slidecloud.store.points import series_at
from slidecloud.store.referencing import Reference, shift_to, shifted
from slidecloud.store.run_tables import RunTables
from slidecloud.store.schema import SPATIAL_CHUNK
from slidecloud.store.seams import Level, levelled, read_levels, read_table
from slidecloud.store.stacks import header_from, open_dataset, open_group
from slidecloud.types import StackHeader, track_of

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

REMEDY = "slidecloud run region.yaml"


class RunSeries(RunTables):
    """The arrays of a run: gradients, series and velocities by burst, patch and point."""

    def __init__(self, location: Location, reference: Reference | None = None, *, level: bool = False) -> None:
        self.location, self._reference, self._level = location, reference, level
        self._levels: dict[str, dict[tuple[str, str], Level]] = {}
        self._root = open_group(location, kind="run", remedy=REMEDY, consolidated=False)

    @property
    def bursts(self) -> tuple[str, ...]:
        """Ids of the bursts in the store."""
        return tuple((self.location / "bursts").folders())

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
        self,
        *,
        point: tuple[float, float] | None = None,
        area: tuple[float, float, float, float] | None = None,
        series: str | GivenSeries | None = None,
    ) -> Self:
        """The same run, whose displacement and velocity are read relative to another place.

        Parameters
        ----------
        point
            Longitude and latitude, degrees.
        area
            West, south, east, north, degrees. With neither, the stable areas that pairs were levelled over.
        series
            How the point really moves, such as GNSS projected to the line of sight: a table as
            `slidecloud.store.given_series.read_series` reads it. Displacement at the point becomes this series, and
            its velocity that of the line that fits it best at the acquisitions.

        Returns
        -------
        Run
            Bursts and patches that do not cover the place are read as they are stored; of the others the attribute
            ``reference`` tells the place. A place inside a detection, or without data at a date, raises DataError when
            it is read, and so does a series that does not reach to all dates; a place whose pairs do not close within
            0.3 rad warns. Models of motion stay those of what is stored.
        """
        given = read_series(series) if isinstance(series, str) else series
        return type(self)(self.location, Reference(point, area, given), level=self._level)

    def levelled(self) -> Self:
        """The same run, whose bursts and patches of one track are read levelled where they overlap.

        Each is relative to ground of its own, so that they differ by an offset, which was measured date by date in the
        overlap of two bursts. It is taken off all but the largest of those that hang together; what is stored stays as
        it is. A series has the attribute ``part``: those of one part can be compared, those of part -1 overlap none.
        Dates that no overlap shares are NaN. `seams` has the offsets with their standard errors.
        """
        return type(self)(self.location, self._reference, level=True)

    def seams(self, track: str) -> GeoDataFrame:
        """Offsets between the bursts of a track, such as ``ascending 026``, where they overlap.

        Raises
        ------
        KeyError
            If the track has not several bursts with displacement.
        """
        found = read_table(self.location, track)
        if found is None:
            raise KeyError(
                f"{self.location} has no seams of track {track!r}: they are made where a run has displacement of "
                "several of its bursts."
            )
        return found

    def series_groups(self) -> Iterator[tuple[str, str, StackHeader, xr.Dataset]]:
        """Every group of series: its path, its name for people, its header, and the series as they are read."""
        for burst, _, patch, header, series in self._places():
            if patch:
                yield f"{patch_group(burst, patch)}/timeseries", f"{burst} {patch}", header, series
            else:
                yield f"bursts/{burst}/timeseries", burst, header, series

    def series_places(self) -> Iterator[tuple[str, str | None, StackHeader]]:
        """Every group of series without opening it: burst, patch (None for a whole burst), and its header."""
        for burst in self.bursts:
            header = self.header(burst)
            if f"bursts/{burst}/timeseries" in self._root:
                yield burst, None, header
                continue
            for name, window in self.patches(burst).items():
                yield burst, name, window_header(header, window)

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
        """Time series of a point from the burst whose best velocity has the smallest sigma, dim (time,); see `at`.

        Points that different bursts of a track give can be compared: they are `levelled`.
        """
        found = self.levelled().at(lon, lat)
        sigma = found["velocity_best_sigma"].values
        return found.isel(burst=int(np.argmin(np.where(np.isfinite(sigma), sigma, np.inf))))

    def _open(self, burst: str, name: str) -> xr.Dataset:
        if burst not in self.bursts:
            raise KeyError(f"{self.location} has no burst {burst!r}; bursts are {', '.join(self.bursts) or 'none'}.")
        if f"bursts/{burst}/{name}" not in self._root:
            raise KeyError(f"Burst {burst} of {self.location} has no {name}; add the stage {name!r} and run again.")
        found = open_dataset(self.location, f"bursts/{burst}/{name}")
        return found if name != "timeseries" else self._moved(found, self.header(burst), burst)

    def _moved(self, series: xr.Dataset, header: StackHeader, burst: str, patch: str = "") -> xr.Dataset:
        """Series levelled where that is asked for, and relative to the place asked for where they cover it."""
        name = f"{burst} {patch}".rstrip()
        if self._level:
            track = track_of(header)
            if track not in self._levels:
                self._levels[track] = read_levels(self.location, track)
            series = levelled(series, self._levels[track].get((burst, patch)))
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
        return self._moved(found, window_header(self.header(burst), known[patch]), burst, patch)

    def _places(self) -> Iterator[tuple[str, str, str, StackHeader, xr.Dataset]]:
        """What may cover a point: whole bursts, and patches of the others."""
        for burst, patch, header in self.series_places():
            yield burst, track_of(header), patch or "", header, self.timeseries(burst, patch)
