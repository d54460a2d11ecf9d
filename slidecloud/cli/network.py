"""``slidecloud network``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter, validators

from slidecloud.cli.console import say, show
from slidecloud.cli.errors import UsageError
from slidecloud.cli.options import Storage, storage_options

if TYPE_CHECKING:
    import xarray as xr

    from slidecloud.network import Network
    from slidecloud.types import Float64

Limit = Annotated[float | None, Parameter(validator=validators.Number(gt=0))]


def network(
    stack: str,
    /,
    *,
    max_days: Limit = None,
    max_baseline: Limit = None,
    plot: Path | None = None,
    coherence: bool = False,
    storage: Storage = (),
) -> int:
    """Report the network of a stack: subsets, isolated dates, weak links, longest chain.

    Shows what the limits of a run (`network:` in its YAML) would leave of the pairs of a burst stack, or form of the
    images of an SLC stack, before it runs.

    For example:

        slidecloud network stacks/t026_052713_iw2.zarr
        slidecloud network stacks/t026_052713_iw2.zarr --max-days 36 --plot network.png --coherence

    Exit codes: 0 done; 1 error; 2 wrong usage.

    Parameters
    ----------
    stack
        Folder or URL of a burst stack or an SLC stack.
    max_days
        Longest pair in days; an SLC stack needs it.
    max_baseline
        Largest perpendicular baseline in metres; a pair of unknown baseline is left out.
    plot
        Picture of the network; the ending of the name (png, pdf, svg) gives the format.
    coherence
        Colour the pairs of the picture by their mean coherence, which reads the stack's coherence.
    """
    if coherence and plot is None:
        raise UsageError("--coherence colours the picture; give --plot FILE with it.")
    if plot is not None and plot.suffix not in (".png", ".pdf", ".svg"):
        raise UsageError(f"--plot is {str(plot)!r}; expected a name that ends in .png, .pdf or .svg.")
    from slidecloud.network import report
    from slidecloud.store import open_stack

    opened = open_stack(stack, storage_options(storage))
    if "pair" in opened.dims:
        found, kept = _network(opened, max_days, max_baseline)
    elif coherence or max_days is None:
        raise UsageError("an SLC stack holds images, not pairs: give --max-days, and no --coherence.")
    else:
        found, kept = _network_of_images(opened, max_days, max_baseline), []
    show(report(found).splitlines())
    if plot is not None:
        from slidecloud.plots.figures import save
        from slidecloud.plots.network import network_figure

        title = f"{opened.attrs['id']}: {found.dates.size} dates, {found.reference.size} pairs"
        means = _mean_coherence(opened, kept) if coherence else None
        say(f"Picture: {save(network_figure(found, coherence=means, title=title), plot)}")
    return 0


def _network(stack: xr.Dataset, max_days: float | None, max_baseline: float | None) -> tuple[Network, list[int]]:
    """The network within limits, with all dates of the stack, and the stored index of each of its pairs."""
    import numpy as np

    from slidecloud.network import from_pairs, select
    from slidecloud.types import Pair

    first, second = (stack[name].values.astype("datetime64[s]") for name in ("reference_time", "secondary_time"))
    baselines = stack["perpendicular_baseline"].values
    stored = [Pair(*pair) for pair in zip(first, second, map(float, baselines), strict=True)]
    index = {pair.key: number for number, pair in enumerate(stored)}
    kept = select(stored, max_days=max_days, max_baseline=max_baseline)
    return from_pairs(kept, dates=np.unique(np.concatenate([first, second]))), [index[pair.key] for pair in kept]


def _network_of_images(stack: xr.Dataset, max_days: float, max_baseline: float | None) -> Network:
    """The network that limits would form of the images of an SLC stack."""
    from slidecloud.network import pairs

    ordered = stack[["time", "perpendicular_baseline"]].sortby("time")
    return pairs(
        ordered["time"].values,
        max_days=max_days,
        perpendicular_baseline=ordered["perpendicular_baseline"].values,
        max_baseline=max_baseline,
    )


def _mean_coherence(stack: xr.Dataset, pairs: list[int]) -> Float64:
    """Mean coherence of pixels with data, (pair,), a batch of pairs at a time."""
    import numpy as np

    means = np.full(stack.sizes["pair"], np.nan)
    for start in range(0, stack.sizes["pair"], 32):
        batch = stack["coherence"].isel(pair=slice(start, start + 32))
        means[start : start + 32] = batch.mean(dim=("y", "x")).values
    return means[pairs]
