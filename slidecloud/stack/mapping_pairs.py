"""The pairs of a plain stack: dates as times, numbers or texts, in two variables or in names of pairs."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slidecloud.config_mapping import MappingConfig
from slidecloud.stack.mapping_data import PlainData
from slidecloud.stack.names import SENTINEL1_LAUNCH, date_problem, parse_day, parse_pair, printable
from slidecloud.types import DataError, Pair, Rejected, SourcePair


def mapped_pairs(
    data: PlainData, chosen: MappingConfig
) -> tuple[tuple[SourcePair, ...], dict[str, int], list[Rejected]]:
    """Pairs sorted by time, their places along the axis of pairs by key, and those that cannot be used.

    Raises
    ------
    DataError
        If a variable is missing or has another number of pairs.
    """
    columns = _columns(data, chosen)
    baselines = _baselines(data, chosen, len(columns))
    pairs: list[SourcePair] = []
    layers: dict[str, int] = {}
    rejected: list[Rejected] = []
    for layer, (texts, baseline) in enumerate(zip(columns, baselines, strict=True)):
        key, problem = "_".join(printable(str(text)) for text in texts), ""
        try:
            reference, secondary = _times(texts, chosen)
            found = Pair(reference, secondary, float(baseline))
            key = found.key
            days = (time.astype("datetime64[D]") for time in (reference, secondary))
            problem = date_problem(*days, earliest=SENTINEL1_LAUNCH)
        except ValueError as error:
            problem = f"has dates that are no two days ({error}), expected such as 20180106: correct them"
        if not problem and key in layers:
            problem = "comes twice, expected each pair once: leave one out"
        if problem:
            rejected.append(Rejected(key, f"{data.name}: pair {layer} ({key}) {problem}", data.mark))
            continue
        pairs.append(SourcePair(found, (data.place.url,), f"{data.mark}-{layer}"))
        layers[key] = layer
    ordered = sorted(pairs, key=lambda item: (item.pair.reference, item.pair.secondary))
    return tuple(ordered), layers, rejected


def _columns(data: PlainData, chosen: MappingConfig) -> list[tuple[Any, ...]]:
    """Of each pair its two dates, or its name."""
    two = chosen.pairs.reference, chosen.pairs.secondary
    names = two if chosen.pairs.names is None else (chosen.pairs.names,)
    return list(zip(*(data.values(str(name), "pair", "dates of pairs") for name in names), strict=True))


def _baselines(data: PlainData, chosen: MappingConfig, count: int) -> NDArray[np.float64]:
    name = chosen.pairs.perpendicular_baseline
    if name is None:
        return np.full(count, np.nan)
    values = data.values(name, "pair", "perpendicular baselines")
    if values.dtype.kind not in "fiu":
        raise DataError(f"{data.name}: {name} holds {values.dtype}, expected metres: write numbers")
    return values.astype(np.float64)


def _times(texts: tuple[Any, ...], chosen: MappingConfig) -> tuple[np.datetime64, np.datetime64]:
    if len(texts) == 1:
        reference, secondary = (day.astype("datetime64[s]") for day in parse_pair(_text(texts[0])))
    else:
        reference, secondary = (_time(text) for text in texts)
    clock = chosen.pairs.time_of_day
    if clock is not None:
        hours, minutes, seconds = (int(part) for part in clock.split(":"))
        late = np.timedelta64(3600 * hours + 60 * minutes + seconds, "s")
        reference, secondary = (
            time + late if time == time.astype("datetime64[D]") else time for time in (reference, secondary)
        )
    return reference, secondary


def _time(value: Any) -> np.datetime64:
    """A time to the second, of a time, of digits YYYYMMDD, or of a text such as 2018-01-06T11:22:33."""
    found: np.datetime64
    if isinstance(value, np.datetime64):
        found = value.astype("datetime64[s]")
    else:
        text = _text(value)
        day = re.fullmatch(r"\d{8}", text)
        found = (parse_day(text) if day else np.datetime64(text.removesuffix("Z"))).astype("datetime64[s]")
    if np.isnat(found):
        raise ValueError("no date")
    return found


def _text(value: Any) -> str:
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    return text.strip().removesuffix(".0")
