"""The network of a patch after editing: pairs that took part, and those that were left out, by their reason."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.network import Network, from_pairs
from slidecloud.plots.network import network_figure
from slidecloud.store.patch_specs import REASONS
from slidecloud.types import Pair

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

    from slidecloud.store import Run

IN_WORDS: Final = dict(
    zip(
        REASONS,
        (
            "",
            "no data on stable ground",
            "few pixels",
            "low coherence",
            "contradicted by other pairs",
            "loops do not close",
        ),
        strict=True,
    )
)


def edited_pairs(run: Run, burst: str) -> dict[str, Counter[str]]:
    """How many pairs each patch of a burst leaves out, by reason; patches that use all of them are left out."""
    found = {}
    for patch in run.patches(burst):
        series = run.timeseries(burst, patch)
        if "pair_reason" not in series:
            continue
        gone = series["pair_reason"].values[series["pair_used"].values == 0]
        if gone.size:
            found[patch] = Counter(IN_WORDS[REASONS[code]] for code in gone)
    return found


def patch_network_figure(run: Run, burst: str, patch: str) -> Figure:
    """Draw the network of a patch, coloured by coherence where it moves; what was left out is drawn apart by reason.

    Parameters
    ----------
    run
        An open run store.
    burst, patch
        The patch.

    Raises
    ------
    KeyError
        If there is no such patch with a series.
    """
    series = run.timeseries(burst, patch)
    network, order = _network(series)
    used, reason = (series[name].values[order] for name in ("pair_used", "pair_reason"))
    apart = {name: (used == 0) & (reason == code) for code, name in enumerate(IN_WORDS.values())}
    apart["needed by the network, though doubtful"] = used == 2
    return network_figure(
        network,
        coherence=series["pair_coherence"].values[order].astype(np.float64),
        apart={name: chosen for name, chosen in apart.items() if chosen.any()},
        title=f"{burst} {patch}: {(used > 0).sum()} of {used.size} pairs take part",
    )


def _network(series: xr.Dataset) -> tuple[Network, NDArray[np.intp]]:
    first, second = (series[f"pair_{end}_time"].values.astype("datetime64[s]") for end in ("reference", "secondary"))
    order = np.lexsort((second, first))
    pairs = [Pair(first[k], second[k]) for k in order]
    return from_pairs(pairs, dates=series["time"].values.astype("datetime64[s]")), order
