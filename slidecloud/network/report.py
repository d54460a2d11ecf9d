"""A network of pairs in words."""

from __future__ import annotations

import numpy as np

from slidecloud.network.acquisitions import DateArray, Network


def report(network: Network, *, max_names: int = 8) -> str:
    """Lines of text about a network: its size, limits, subsets, weak and isolated dates, longest chain.

    Parameters
    ----------
    network
        The network.
    max_names
        Dates named in a list before the rest is only counted.
    """
    if not network.dates.size:
        return "0 dates, 0 pairs"
    first, last = _days(network.dates[[0, -1]])
    lines = [f"{network.dates.size} dates from {first} to {last}, {network.reference.size} pairs"]
    if not network.reference.size:
        return lines[0]
    days = np.rint(network.days).astype(int)
    lines.append(f"pairs: {days.min()} to {days.max()} days, half-width {network.half_width}{_baselines(network)}")
    lines.append(
        f"redundancy {network.redundancy}: {int(network.pair_redundant.sum())} pairs on loops, "
        f"{int((~network.pair_redundant).sum())} without which the network splits"
    )
    lines += _subsets(network)
    weak = network.dates[~network.date_redundant]
    if weak.size:
        lines.append(f"dates without which the network splits: {_named(weak, max_names)}")
    if network.isolated.size:
        lines.append(f"isolated dates, in no pair: {_named(network.dates[network.isolated], max_names)}")
    begin, end = _days(network.dates[network.longest_chain[[0, -1]]])
    lines.append(f"longest chain: {network.longest_chain.size - 1} pairs end to end, {begin} to {end}")
    return "\n".join(lines)


def _subsets(network: Network) -> list[str]:
    if network.subset_count == 1:
        return ["1 subset: all dates in pairs are connected"]
    lines = [f"{network.subset_count} subsets that share no pair:"]
    for number in range(network.subset_count):
        members = network.dates[network.subset == number]
        first, last = _days(members[[0, -1]])
        lines.append(f"  {members.size} dates from {first} to {last}")
    return lines


def _baselines(network: Network) -> str:
    known = network.perpendicular_baseline[np.isfinite(network.perpendicular_baseline)]
    missing = network.reference.size - known.size
    if not known.size:
        return ", perpendicular baselines unknown"
    unknown = f" ({missing} unknown)" if missing else ""
    return f", perpendicular baselines up to {np.abs(known).max():.0f} m{unknown}"


def _named(dates: DateArray, limit: int) -> str:
    rest = f" and {dates.size - limit} more" if dates.size > limit else ""
    return ", ".join(_days(dates[:limit])) + rest


def _days(dates: DateArray) -> list[str]:
    return [str(day) for day in dates.astype("datetime64[D]")]
