"""The part of a burst's plan that gives displacement: where it is wanted, and the units that make it there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from slidecloud.config import RunConfig
from slidecloud.config_timeseries import TimeseriesConfig
from slidecloud.pipeline import delays, gradients, patch_series, patches, timeseries, trajectories, unwrap
from slidecloud.pipeline.ground import Ground
from slidecloud.pipeline.inputs import Selection
from slidecloud.pipeline.patch_atmosphere import Air
from slidecloud.pipeline.patches import Patch, Ring
from slidecloud.pipeline.units import Unit
from slidecloud.store import records
from slidecloud.store.given_series import GivenSeries, read_series
from slidecloud.store.location import Location
from slidecloud.store.patch_specs import Window
from slidecloud.types import StackHeader

DETECTIONS, EVERYWHERE = "detections", "everywhere"
_ASSUMED_SIDE = 100
"""Rows and columns of a patch that is only assumed: 4 km at 40 m."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where displacement of a burst is wanted.

    Attributes
    ----------
    whole
        True for the group of the whole burst.
    patches
        Or patches of it.
    known
        False while they follow from detections that are not known yet.
    """

    whole: bool = False
    patches: tuple[Patch, ...] = ()
    known: bool = True


@dataclass
class Series:
    """Plans displacement burst by burst.

    Attributes
    ----------
    config, run
        The run and its store.
    assumed
        Share of a burst taken to be in patches while its detections are not known, for estimates.
    notes
        What a person should know, after all bursts.
    """

    config: RunConfig
    run: Location
    assumed: float | None = None
    _nothing: list[str] = field(default_factory=list)
    _delays: str | None = field(default=None, init=False)
    _given: GivenSeries | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        if "timeseries" not in self.config.stages:
            return
        place = self.config.where
        if place not in TimeseriesConfig.WORDS and "://" not in place and not Path(place).is_file():
            raise FileNotFoundError(f"timeseries.where: there is no file {place!r}; check the path of the polygons.")
        folder = self.config.timeseries.atmosphere.gacos
        if folder is not None:
            self._delays = delays.fingerprint(folder)
        table = self.config.timeseries.reference.series
        if table is not None:
            self._given = read_series(table)

    @property
    def notes(self) -> tuple[str, ...]:
        """Bursts in which nothing was found, in one sentence."""
        if not self._nothing:
            return ()
        shown = ", ".join(self._nothing[:5]) + (", …" if len(self._nothing) > 5 else "")
        return (
            f"No displacement series where there is no {self._what}: {len(self._nothing)} bursts ({shown}). "
            "timeseries.where 'everywhere' makes them of whole bursts.",
        )

    @property
    def _what(self) -> str:
        return "detection" if self.config.where == DETECTIONS else "polygon"

    @cached_property
    def _done(self) -> set[records.Key]:
        return records.done(self.run)

    def places(self, selection: Selection, detected: Unit | None, static: Mapping[str, NDArray[np.float32]]) -> Places:
        """Where displacement of a burst is wanted.

        Parameters
        ----------
        selection
            The pairs of the stage timeseries.
        detected
            The unit that detects in the burst, where there is one.
        static
            Maps of the burst that do not change with time.
        """
        config, header = self.config.timeseries, selection.header
        if "timeseries" not in self.config.stages:
            return Places()
        stored = unwrap.method_of(selection, config) == "stored"
        # Corrections are made patch by patch; a whole burst is then one patch.
        if self.config.where == EVERYWHERE and stored and not config.atmosphere.wanted:
            return Places(whole=True)
        moving = self._moving(selection, detected)
        if moving is None:
            return Places(known=False, patches=self._guess(header))
        if self.config.where == EVERYWHERE:
            return Places(patches=(patches.whole(header, moving),))
        wanted = moving
        if self.config.where != DETECTIONS:
            position = {name: static.get(name) for name in ("latitude", "longitude")}
            wanted = patches.asked_for(self.config.where, header, **position)
        found = patches.around(header, wanted, halo=config.halo, moving=moving)
        if not found:
            self._nothing.append(header.id)
        return Places(patches=tuple(found))

    def _guess(self, header: StackHeader) -> tuple[Patch, ...]:
        """Patches that stand for those that are not known yet; none where nothing is assumed."""
        if self.assumed is None:
            return ()
        if self.config.where == EVERYWHERE:
            return (patches.whole(header),)
        shape = header.shape
        side = min(_ASSUMED_SIDE, *shape)
        across = shape[1] // side
        count = min(max(1, round(self.assumed * shape[0] * shape[1] / side**2)), across * (shape[0] // side))
        corners = ((number // across * side, number % across * side) for number in range(count))
        return tuple(Patch(Window(top, top + side, left, left + side), ()) for top, left in corners)

    def _moving(self, selection: Selection, detected: Unit | None) -> Sequence[Ring] | None:
        """Outlines of the detections, None while they are not known; without the stage detect there are none."""
        if detected is None:
            return []
        window = gradients.window_of(selection.header, self.config.gradients)
        shift = tuple(0.0 if size % 2 else 0.5 for size in window)
        return patches.found_in(self.run, selection.header, detected.key, self._done, shift=(shift[0], shift[1]))

    def units(
        self,
        selection: Selection,
        places: Places,
        *,
        after: Sequence[tuple[str, str]] = (),
        ground: Ground | None = None,
    ) -> list[Unit]:
        """Units of a burst: of the whole of it, or of its patches; ``after`` form its pairs, ``ground`` is its maps."""
        made = self._inverting(selection, places, after, ground)
        config = self.config.timeseries
        return made + trajectories.following(self.run, made, selection, config.trajectory, tied=config.minimum_norm)

    def _inverting(
        self, selection: Selection, places: Places, after: Sequence[tuple[str, str]], ground: Ground | None
    ) -> list[Unit]:
        config, resources = self.config.timeseries, self.config.resources
        given = None
        if self._given is not None and (places.whole or places.patches):
            given = tuple(self._given.at(selection.dates)[0].tolist())
        if places.whole:
            return timeseries.plan(
                self.run, selection, config, memory=resources.memory_bytes, tile=resources.tile,
                device=resources.device, given=given,
            )  # fmt: skip
        window = gradients.window_of(selection.header, self.config.gradients)
        gap = gradients.gap_of(selection.header, self.config.gradients)
        season = self._season(selection)
        air = None if ground is None else Air(ground, self._delays)
        return [
            unit
            for patch in places.patches
            for unit in patch_series.plan(
                self.run, selection, patch, config, memory=resources.memory_bytes, tile=resources.tile,
                window=window, gap=gap, season=season, device=resources.device, after=after, air=air,
                given=given,
            )
        ]  # fmt: skip

    def _season(self, selection: Selection) -> NDArray[np.intp]:
        """Pairs of the season that has most: their gradients are one common set."""
        bins = gradients.bins_of(selection, self.config.network)
        season = np.asarray(bins.season)[np.asarray(bins.bin)]
        return np.flatnonzero(season == np.bincount(season).argmax())
