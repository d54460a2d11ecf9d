"""``slidecloud demo``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from slidecloud.cli.console import progress, say, show
from slidecloud.cli.errors import UsageError
from slidecloud.cli.options import Executor, Workers

if TYPE_CHECKING:
    from slidecloud.pipeline.summary import Summary
    from slidecloud.plots.accuracy import Truth
    from slidecloud.simulate import Scene

_SHAPE = (256, 256)
_DATES = 60
_BURST = "demo"
_YAML = """\
# Written by: slidecloud demo --seed {seed} --size {size} --dates {dates}
# 'slidecloud run --print-config' shows every key there is.
run: ./run.zarr
stacks: ./stacks
bursts: [demo]
detect:
  method: {method}
"""


def demo(
    folder: Path = Path("slidecloud-demo"),
    /,
    *,
    executor: Executor = "dask",
    workers: Workers = None,
    seed: int = 0,
    size: int = _SHAPE[0],
    dates: int = _DATES,
) -> int:
    """Simulate a small mountain region with known landslides, find them, and write a report.

    Needs no data and about two minutes. Leaves the burst stack, region.yaml, the run store and report.html in the
    folder; given again, it goes on where it stopped. Says how many of the landslides that stand out of the noise were
    found, and how many finds are none.

    For example:

        slidecloud demo
        slidecloud demo other-region --seed 7 --executor threads

    Exit codes: 0 done; 1 error; 2 wrong usage; 130 interrupted.

    Parameters
    ----------
    folder
        Where everything goes; made if needed.
    executor
        dask (processes of this machine), threads or serial.
    seed
        Another seed is another region.
    size
        Rows and columns of the region, in pixels of 40 m.
    dates
        Number of acquisitions, 12 days apart.
    """
    if size < 64 or dates < 6 or seed < 0:
        raise UsageError(
            f"--size {size}, --dates {dates}, --seed {seed}: expected at least 64 pixels, 6 dates and a seed from 0."
        )
    from slidecloud import simulate
    from slidecloud.pipeline.finders import usual_method
    from slidecloud.plots.figures import new_figure
    from slidecloud.plots.report import burst_accuracy, burst_findings, report
    from slidecloud.store import open_run

    new_figure(1, 1)  # better to miss matplotlib now than after the work
    method = usual_method()
    _settle(folder, _YAML.format(seed=seed, size=size, dates=dates, method=method))
    if method == "classical":
        say("Landslides are looked for by the classical method; the net needs: pip install 'slidecloud[detect]'")
    say(f"Simulating {dates} acquisitions of a region of {size * 40 / 1000:.0f} km with landslides...")
    scene = simulate.scene(seed, shape=(size, size), dates=dates, id=_BURST)
    summary = _run(scene, folder, executor, workers)
    show(summary.lines())
    if summary.exit_code:
        return summary.exit_code
    run = open_run(str(folder / "run.zarr"))
    known = _truth(scene)
    say("Drawing the report...")
    page = report(run, folder, truth={_BURST: known})
    reached = burst_accuracy(run, _BURST, known)
    show(reached.lines() if reached is not None else ["no displacement series, as nothing was found"])
    show(burst_findings(run, _BURST, known).lines())
    show(_what_next(folder, page))
    return 0


def _settle(folder: Path, settings: str) -> None:
    """Write region.yaml, or see that the one there is from the same demonstration."""
    file = folder / "region.yaml"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        file.write_text(settings)
    elif file.read_text().splitlines()[:1] != settings.splitlines()[:1]:
        raise UsageError(f"{folder} holds another region.yaml than this demo writes; give it another folder.")


def _run(scene: Scene, folder: Path, executor: Executor, workers: int | None) -> Summary:
    """Ingest the scene and run the folder's region.yaml."""
    from slidecloud.cli.run import perform, with_resources
    from slidecloud.config import load

    config = with_resources(load(folder / "region.yaml"), {"executor": executor, "workers": workers})
    ingested = _ingest(scene, config.stacks)
    return ingested + perform(config)


def _ingest(scene: Scene, stacks: str) -> Summary:
    from slidecloud import simulate
    from slidecloud.pipeline.ingest import ingest
    from slidecloud.stack import ArraySource

    made = simulate.interferograms(scene)
    source = ArraySource(scene.header, made.pairs, made.phase, made.coherence, made.unwrapped, scene.static())
    return ingest(source, stacks, progress=progress())


def _truth(scene: Scene) -> Truth:
    from slidecloud.plots.accuracy import Truth

    return Truth(scene.dates, scene.displacement(scene.dates), scene.velocity, scene.labels)


def _what_next(folder: Path, page: Path) -> list[str]:
    store = folder / "run.zarr"
    return [
        "",
        f"Report:   {page.absolute()}   (picture: {folder / 'report.png'})",
        f"Results:  {store}",
        "",
        "Open them in Python:",
        "    import slidecloud",
        f'    run = slidecloud.open_run("{store}")',
        f'    run.timeseries("{_BURST}").velocity.plot()     # patches around the landslides',
        "",
        "Try next:",
        f"    slidecloud network {folder / 'stacks' / (_BURST + '.zarr')} --plot network.png",
        f"    slidecloud estimate {folder / 'region.yaml'}",
        f"    slidecloud export {store} --out maps",
        f"    slidecloud export {store} --format kmz     # the landslides in Google Earth",
        "    slidecloud run --print-config > region.yaml     # then put in your own folders",
    ]
