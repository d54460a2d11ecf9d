"""The stage ``optical_change``: what changed between outlines of two dates, and what the radar says inside them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from slidecloud.config_optical import OpticalConfig
from slidecloud.config_optical_change import ChangeConfig
from slidecloud.config_yaml import ConfigError
from slidecloud.kernels.places import EARTH_RADIUS
from slidecloud.pipeline import classify, optical_histograms, timeseries
from slidecloud.pipeline.drive import drive
from slidecloud.pipeline.executors import Executor
from slidecloud.pipeline.optical_change_result import ChangeResult, report
from slidecloud.pipeline.optical_change_work import ChangeWork, Radar
from slidecloud.pipeline.optical_outlines import Outlines, outlines_of
from slidecloud.pipeline.progress import Progress
from slidecloud.pipeline.side_store import check_store, ensure_store, withdraw_report, withdraw_stale
from slidecloud.pipeline.summary import Summary
from slidecloud.pipeline.tiles import BASE_MEMORY
from slidecloud.pipeline.units import Unit
from slidecloud.products.density import density_grid
from slidecloud.stack import rain
from slidecloud.store import lease, open_run, records, templates
from slidecloud.store.location import Location, locate
from slidecloud.store.optical_change_specs import DENSITY, DENSITY_GROUP, folder
from slidecloud.store.optical_specs import OPTICAL
from slidecloud.store.stacks import kind_of
from slidecloud.types import Grid

if TYPE_CHECKING:
    from slidecloud.store import Run

STAGE: Final = "optical_change"
TABLES: Final = "tables"
_OUTLINE_BYTES: Final = 20_000
_CELL_BYTES: Final = 60
_PIXEL_BYTES: Final = 120


def compute(
    whole: OpticalConfig,
    *,
    executor: Executor,
    progress: Progress | None = None,
    retry_quarantined: bool = False,
    takeover: bool = False,
) -> tuple[Summary, ChangeResult | None]:
    """Compare two dates and join them with the radar, in the group ``optical/change-<before>-<after>``.

    Parameters
    ----------
    whole
        With a section ``change``; velocities are read where the store is that of a run.
    executor, progress, retry_quarantined, takeover
        As for `slidecloud.pipeline.hazard_factors.compute`.

    Returns
    -------
    The summary, and what was found; None where bad data kept it from being made.

    Raises
    ------
    ConfigError
        If there is no section ``change``, a scene is not mapped, or a file, a factor or the section radar does not go
        with the rest; names the key.
    DataError, FileNotFoundError, ConnectionError
        If something cannot be read.
    LeaseError, MemoryError
        As for the factors of hazard.
    """
    config, resources, options = whole.change, whole.resources, whole.storage_options
    if config is None:
        raise ConfigError("change is missing; add the section, at least 'change: {before: old, after: young}'.")
    location = locate(whole.place, options)
    check_store(location, OPTICAL, in_run=whole.run is not None)
    before, after = outlines_of(config, location, options)
    pair, place = f"{before.date}-{after.date}", folder(before.date, after.date)
    ground, tiles = optical_histograms.plan(
        config, location, before, after, tables_unit=(STAGE, f"{pair}/{TABLES}"), memory=resources.memory_bytes,
        tile=resources.tile, options=options,
    )  # fmt: skip
    run = _moving(location, config)
    grid = _grid(before, after, config.radius)
    units = [_unit(location, config, pair, (before, after), grid, run), *tiles]
    with lease.hold(location, takeover=takeover) as token:
        withdraw_stale(location, STAGE, units, within=f"{pair}/")
        withdraw_report(location, STAGE, units, path=place)
        ensure_store(location, OPTICAL, in_run=whole.run is not None)
        if grid is not None:
            path = f"{place}/{DENSITY_GROUP}"
            size = {"y": grid.height, "x": grid.width}
            arrays = templates.group(DENSITY, size, path=path, attributes={}, coordinates={}, grid=grid)
            templates.ensure(location, path, arrays)
        summary = drive(
            units, location=location, token=token, executor=executor, memory=resources.memory_bytes,
            retries=resources.retries, retry_quarantined=retry_quarantined, progress=progress, label="change",
        )  # fmt: skip
        if summary.exit_code:
            return summary, None
        found = [dict(one.facts) for unit in units if (one := records.read(location, unit.key)) is not None]
        histograms = None if ground is None else optical_histograms.gather(ground, found[1:])
        result = ChangeResult(location, (before.date, after.date), found[0], histograms, _radar_of(config, run))
        templates.ensure(location, place, _group(place, report(result, config)))
        return summary, result


def _group(path: str, attributes: Mapping[str, Any]) -> dict[str, bytes]:
    return templates.group((), {}, path=path, attributes=attributes, coordinates={}, grid=None)


def _moving(location: Location, config: ChangeConfig) -> Run | None:
    """The run whose velocities are read; None where the store has none.

    Raises
    ------
    ConfigError
        If the configuration says how to sort outlines by motion, and there is none.
    """
    is_run = kind_of(location) == "run"
    if is_run and records.done(location, stage=timeseries.STAGE):
        return open_run(location)
    if config.radar is not None:
        lacks = "no displacement; add the stage 'timeseries' and run again" if is_run else "no run"
        raise ConfigError(
            f"change.radar says how outlines are sorted by motion, and {location} holds {lacks}, or leave it out."
        )
    return None


def _radar_of(config: ChangeConfig, run: Run | None) -> Any:
    return None if run is None else config.radar or run.config.classify


def _grid(before: Outlines, after: Outlines, radius: float) -> Grid | None:
    """Whole cells in longitude and latitude around all outlines and as far as they are spread; None without any."""
    boxes = [one.bounds for one in (before, after) if one.bounds is not None]
    if not boxes:
        return None
    return density_grid(_widened(box, radius) for box in boxes)


def _widened(box: tuple[float, float, float, float], radius: float) -> tuple[float, float, float, float]:
    """West, south, east and north so many metres further out, where a degree of longitude is shortest."""
    west, south, east, north = box
    high = math.degrees(radius / EARTH_RADIUS)
    wide = high / max(math.cos(math.radians(max(abs(south), abs(north)) + high)), 0.1)
    return west - wide, south - high, east + wide, north + high


def _unit(
    location: Location,
    config: ChangeConfig,
    pair: str,
    dates: tuple[Outlines, Outlines],
    grid: Grid | None,
    run: Run | None,
) -> Unit:
    """The one unit that compares and asks the radar."""
    settings = config.model_dump(mode="json", include={"least_overlap", "least_growth", "most_unmapped", "radius"})
    parts: list[Any] = ["change/1", [[one.date, one.fingerprint] for one in dates], settings]
    radar, pixels = None, 0
    if run is not None:
        asked = _radar_of(config, run)
        read = [key for key in records.done(location) if key.stage in classify.SOURCES]
        bursts = sorted(classify.bursts_of(read))
        pixels = max(math.prod(run.header(burst).shape) for burst in bursts)
        radar = Radar(asked, tuple(bursts))
        parts += [sorted([key.stage, key.unit, key.digest] for key in read), *_told(asked)]
    count = sum(one.count for one in dates)
    cells = 0 if grid is None else grid.height * grid.width
    return Unit(
        records.Key(STAGE, f"{pair}/{TABLES}", records.digest(parts)),
        ChangeWork(location, *dates, config, grid, radar),
        bytes_written=12 * cells,
        peak_memory=BASE_MEMORY + _OUTLINE_BYTES * count + _CELL_BYTES * cells + _PIXEL_BYTES * pixels,
    )


def _told(radar: Any) -> Sequence[Any]:
    """What of its settings makes a difference to outlines: points and masks are of the inventory alone."""
    settings = radar.model_dump(mode="json", exclude={"rain", "masks", "least_slope", "least_speed"})
    return settings, None if radar.rain is None else rain.fingerprint(radar.rain)
