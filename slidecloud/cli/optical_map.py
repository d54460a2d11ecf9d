"""``slidecloud optical map``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from slidecloud.cli.console import progress, say, show
from slidecloud.cli.errors import UsageError
from slidecloud.cli.options import Executor, Workers

if TYPE_CHECKING:
    from slidecloud.config_optical import OpticalConfig


def map_scenes(
    config: Path | None = None,
    /,
    *,
    plot: Path | None = None,
    threshold: Annotated[float | None, Parameter(validator=Number(gt=0, lte=1))] = None,
    least_area: Annotated[float | None, Parameter(validator=Number(gte=0))] = None,
    print_config: bool = False,
    executor: Executor | None = None,
    workers: Workers = None,
    memory: str | None = None,
    retry_quarantined: bool = False,
    takeover: bool = False,
) -> int:
    """Draw the outlines of landslides in scenes of any size, with a network that 'slidecloud optical train' made.

    A scene is an image of one date, or two images of one place, of the bands that the network learnt and in the units
    that it learnt them in. It is looked at tile by tile, each with so much of its surroundings that outlines do not
    depend on where it was cut. Writes scores and masks as maps into the group optical/SCENE of the store, and outlines
    with score and area into optical/SCENE.parquet. What is done is not done again, so a command that was stopped goes
    on where it was; tiles that cannot be read are set aside and named. The weights 'demo' come along to try it on
    simulated images; on real ones they mean nothing. In the configuration:

        store: ./optical.zarr                    # or run: ./run.zarr
        weights: trained/weights.safetensors     # or: demo
        scenes:
          valley:
            before: valley_2019.tif              # or image: of one date
            after: s3://bucket/valley_2023.tif   # or folder, .zarr, STAC item
            bands: [blue, green, red, nir]
            date: 2023-08-14
            masks:
              - {kind: cloud, path: clouds.tif}
              - {kind: water, path: classes.tif, values: [6]}
              - kind: snow
                green: green
                shortwave: B11.tif
                infrared: nir
                scale: 0.0001
        map: {least_area: 1000}

    For example:

        slidecloud optical map --print-config > optical.yaml
        slidecloud optical map optical.yaml --plot pictures
        slidecloud optical map optical.yaml --threshold 0.7

    Exit codes: 0 all done; 1 error; 2 wrong usage; 3 finished, but some tiles are in quarantine; 130 interrupted.

    Parameters
    ----------
    config
        The YAML that describes scenes.
    plot
        Folder to draw a picture of each scene into.
    threshold
        Score from which a pixel counts as landslide, in place of the file's. Only outlines are drawn again.
    least_area
        m2; smaller outlines are left out. Likewise.
    print_config
        Print a commented configuration with every key, and stop.
    executor
        dask (processes of this machine, or a scheduler), threads or serial.
    memory
        Memory of one worker, such as "4 GiB".
    retry_quarantined
        Try the tiles in quarantine again.
    takeover
        Take the store from another driver that may still be at work; what it has not finished it then cannot record.
    """
    if print_config:
        from slidecloud.config_optical import template

        show(template().splitlines())
        return 0
    if config is None:
        raise UsageError("'slidecloud optical map' needs the YAML of scenes; write one with --print-config.")
    from slidecloud.cli.run import on_executor, replaced, tell
    from slidecloud.config_optical import DEMO, load
    from slidecloud.pipeline.optical_map import compute

    loaded = load(config)
    if loaded.weights == DEMO:
        say(
            "The weights 'demo' learnt simulated images alone: what they find in real ones means nothing.",
            style="yellow",
        )
    resources = replaced(loaded.resources, {"executor": executor, "workers": workers, "memory": memory})
    drawn = replaced(loaded.map, {"threshold": threshold, "least_area": least_area})
    settings = loaded.model_copy(update={"resources": resources, "map": drawn})
    with on_executor(resources) as opened:
        summary = compute(
            settings, executor=opened, progress=progress(), retry_quarantined=retry_quarantined, takeover=takeover
        )
    tell(summary)
    show(_lines(settings))
    if plot is not None:
        _draw(settings, plot)
    return summary.exit_code


def _lines(config: OpticalConfig) -> list[str]:
    """What was found in each scene."""
    from slidecloud.pipeline.optical_map import results
    from slidecloud.store import locate
    from slidecloud.store.optical_specs import outlines_key

    lines, made = [], results(locate(config.place, config.storage_options))
    for scene in config.scenes:
        facts = made.get(scene)
        if facts is not None:
            found = f"{facts['outlines']} outlines, {facts['area'] / 1e6:.3f} km2"
            level = f"from a score of {facts['threshold']:g}"
            lines.append(f"{scene}: {found}, {level}: {config.place}/{outlines_key(scene)}")
    return lines


def _draw(config: OpticalConfig, folder: Path) -> None:
    from slidecloud.pipeline.optical_map_view import view
    from slidecloud.plots.figures import save
    from slidecloud.plots.optical_map import map_figure

    for name in config.scenes:
        seen = view(config, name)
        if seen is not None:
            figure = map_figure(seen.image, seen.scores, seen.outlines, seen.extent, title=name)
            say(f"Picture: {save(figure, folder / f'{name}.png')}")
