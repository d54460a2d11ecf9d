"""``slidecloud classify``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from slidecloud.cli.console import progress, say, show
from slidecloud.cli.options import Storage, storage_options

if TYPE_CHECKING:
    from slidecloud.config_classify import ClassifyConfig
    from slidecloud.store import Run


def classify(
    run: str,
    /,
    *,
    absolute: bool | None = None,
    remove_median: bool | None = None,
    uplift: float | None = None,
    least_points: int | None = None,
    least_slope: float | None = None,
    least_speed: float | None = None,
    masks: Annotated[tuple[Path, ...], Parameter(consume_multiple=True, show_default=False)] = (),
    rain: str | None = None,
    rain_units: Literal["mm", "cm", "m", "in"] | None = None,
    rain_utc_offset: float | None = None,
    rain_missing: Literal["refuse", "unknown", "dry"] | None = None,
    max_lag: int | None = None,
    antecedent: int | None = None,
    plot: Path | None = None,
    takeover: bool = False,
    storage: Storage = (),
) -> int:
    """Sort the landslides of a run by their motion, and hold rain against it.

    Reads the inventory and the displacement that the run has, and writes three tables into its store:
    products/stability.parquet (each landslide and track: mean velocity along the line of sight with its standard error,
    class, confidence), products/points.parquet (pixels that are seen well, on slopes and fast, where the stage
    visibility was run) and products/rain.parquet (each landslide: lag, correlation with its interval, accelerations
    after wet days). Classes in mm/yr towards the satellite: rapid up to -20, active up to -10, potentially unstable up
    to -5, stable up to +5, uplift above. Options take the place of the configuration's section `classify`. Prints the
    table of counts.

    For example:

        slidecloud classify run.zarr
        slidecloud classify run.zarr --absolute --remove-median
        slidecloud classify run.zarr --rain station.csv --rain-utc-offset 8 --plot pictures

    Exit codes: 0 all done; 1 error; 2 wrong usage; 3 finished, but the unit is in quarantine; 130 interrupted.

    Parameters
    ----------
    run
        Folder or URL of the run store.
    absolute
        Sort by speed alone: motion towards the satellite counts like motion away from it.
    remove_median
        Subtract the median velocity of each burst outside all landslides first.
    uplift
        m/yr towards the satellite above which the class is uplift.
    least_points
        Pixels with a velocity below which a landslide has no class.
    least_slope
        Degrees; flatter ground holds no potential points.
    least_speed
        m/yr; slower pixels are no potential points.
    masks
        Rasters, above 0 where no potential points are: water, buildings, dumps, tailings.
    rain
        Table of a station (date and rain, or year month day hour minute rain), or a NetCDF or Zarr grid.
    rain_units
        What a value of the rain is.
    rain_utc_offset
        Hours by which the rain's clock is ahead of UTC, where its times do not say.
    rain_missing
        Days without rain's value: refuse, unknown or dry.
    max_lag
        Days after the rain up to which motion is compared with it.
    antecedent
        Days of rain before an acceleration that are added up.
    plot
        Folder for pictures: a map of the classes, and rain and motion of each landslide.
    takeover
        Take the store from another driver that may still be at work.
    """
    from slidecloud.cli.run import replaced
    from slidecloud.pipeline.classify_alone import classify_store
    from slidecloud.store import open_run

    options = storage_options(storage)
    opened = open_run(run, options)
    given = {
        "absolute": absolute, "remove_median": remove_median, "uplift": uplift, "least_points": least_points,
        "least_slope": least_slope, "least_speed": least_speed, "rain_units": rain_units, "max_lag": max_lag,
        "rain_utc_offset": rain_utc_offset, "rain_missing": rain_missing, "antecedent": antecedent,
        "rain": None if rain is None else _whole(rain), "masks": tuple(str(path.absolute()) for path in masks) or None,
    }  # fmt: skip
    settings = replaced(opened.config.classify, given)
    summary = classify_store(run, settings, storage_options=options, progress=progress(), takeover=takeover)
    for line in summary.lines():
        say(line)
    if summary.exit_code:
        return summary.exit_code
    show(_lines(opened))
    if plot is not None:
        show(str(path) for path in _pictures(opened, settings, plot))
    return 0


def _whole(path: str) -> str:
    return path if "://" in path else str(Path(path).absolute())


def _lines(run: Run) -> list[str]:
    """The table of counts, and what rain says."""
    from slidecloud.products.stability import class_counts

    counts = class_counts(run.stability)
    total = sum(counts.values())
    lines = [f"{name:<22} {number:>6} {number / max(total, 1):>7.1%}" for name, number in counts.items()]
    lines.append(f"{'landslides':<22} {total:>6}")
    lines.append(f"{'potential points':<22} {len(run.points):>6}")
    rain = run.rain
    if len(rain):
        follow = int((rain["p_value"] <= 0.05).sum())
        after = int((rain["event_p_value"] <= 0.05).sum())
        lines.append(
            f"{follow} of {len(rain)} landslides follow rain, {after} accelerate after wet days (p <= 0.05 each)"
        )
    return lines


def _pictures(run: Run, settings: ClassifyConfig, folder: Path) -> list[Path]:
    from slidecloud.pipeline.landslide_rain import compare
    from slidecloud.plots.figures import save
    from slidecloud.plots.rain import rain_figure
    from slidecloud.plots.stability import stability_figure

    compared = compare(run, run.stability, settings)
    pictures = [save(rain_figure(one), folder / f"rain_{one.motion.landslide}.png") for one in compared]
    return [save(stability_figure(run), folder / "stability.png"), *pictures]
