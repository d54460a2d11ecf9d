"""Rates of a machine, as ``slidecloud bench`` measures and ``slidecloud estimate`` uses them."""

from __future__ import annotations

import json
import math
import os
import sys
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

CPU = "cpu"
GRADIENTS, SERIES, ROBUST, MAPS, LEVELS = "gradients", "sbas", "sbas, robust", "gradient maps", "levels"
NET, BLOBS, UNWRAP = "detect, net", "detect, classical", "unwrapping"
"""Names of the kernels' measurements that estimates use. On a GPU they include the copies from and to the host."""
READ, WRITE, READ_TOGETHER, WRITE_TOGETHER = "read", "write", "read, all cores", "write, all cores"
UNIT, TASK, START = "each unit", "each task of Dask", "start and end of a run"
"""Names of measurements in seconds: they come on top of what a kernel and the store take."""

_FORMAT = 3
_BUILT_IN = {
    GRADIENTS: 80e6, SERIES: 60e6, ROBUST: 20e6, MAPS: 5e6, LEVELS: 30e6,
    NET: 5e6, BLOBS: 3e6, UNWRAP: 0.1e6,
    READ: 100.0, WRITE: 60.0, READ_TOGETHER: 200.0, WRITE_TOGETHER: 120.0,
    UNIT: 0.1, TASK: 0.002, START: 15.0,
}  # fmt: skip
_SHOWN = {
    "pair-pixels/s": (1e6, "million pair-pixels/s"),
    "bin-pixels/s": (1e6, "million bin-pixels/s"),
    "view-pixels/s": (1e6, "million view-pixels/s"),
    "pixels/s": (1e3, "thousand pixels/s"),
}
_REMEDY = "write it again with 'slidecloud bench'"


@dataclass(frozen=True, slots=True)
class Measurement:
    """One kernel on one device, beside another way to do the same work.

    Attributes
    ----------
    name
        What was measured. A kernel that is compared with several alternatives has a measurement for each.
    unit
        Of the rates: ``pair-pixels/s`` (pixels times pairs), ``bin-pixels/s``, ``view-pixels/s``, ``pixels/s``,
        ``MB/s`` (1e6 bytes), or ``s`` where the time itself was measured.
    rate
        Of one core, one GPU or one store location, unless the name says otherwise.
    alternative
        The other way; empty where there is none.
    alternative_rate
        Its rate in the same unit, from the same run; NaN where there is none.
    device
        ``cpu``, or the name of a GPU.
    dates, pairs
        Size of the network where the rate depends on it, else 0.
    """

    name: str
    unit: str
    rate: float
    alternative: str = ""
    alternative_rate: float = math.nan
    device: str = CPU
    dates: int = 0
    pairs: int = 0

    @property
    def ratio(self) -> float:
        """How many times the rate of the alternative; NaN where there is none."""
        return self.rate / self.alternative_rate

    @property
    def label(self) -> str:
        """Name, network and device."""
        network = f", {self.dates} dates x {self.pairs} pairs" if self.pairs else ""
        device = "" if self.device == CPU else f", {self.device}"
        return self.name + network + device


@dataclass(frozen=True, slots=True)
class Rates:
    """What was measured on one machine and one store location.

    Attributes
    ----------
    measurements
        In the order they were taken; none for the built-in guess.
    location
        The store location that was read and written.
    machine
        Processor, cores, system.
    date
        Day of the measurement (UTC), ISO format; empty where nothing was measured.
    seconds
        Time all measurements took together.
    versions
        Versions of what was measured.
    """

    measurements: tuple[Measurement, ...] = ()
    location: str = ""
    machine: str = ""
    date: str = ""
    seconds: float = 0.0
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def measured(self) -> bool:
        """True where the rates were measured, False for the built-in guess."""
        return bool(self.date)

    @property
    def gradients(self) -> float:
        """Gradient stacking, pair-pixels per second and core."""
        return self.of(GRADIENTS)

    @property
    def series(self) -> float:
        """SBAS inversion with all outputs, pixels times pairs per second and core."""
        return self.of(SERIES)

    @property
    def read(self) -> float:
        """Reading arrays of a store, MB/s (1e6 uncompressed bytes)."""
        return self.of(READ)

    @property
    def write(self) -> float:
        """Writing arrays of a store, MB/s (1e6 uncompressed bytes)."""
        return self.of(WRITE)

    def on_gpu(self, name: str) -> Measurement | None:
        """The first measurement of a kernel on a GPU, or None."""
        return next((m for m in self.measurements if m.name == name and m.device != CPU), None)

    def of(self, name: str) -> float:
        """What was measured on the CPU under a name, or the built-in guess; series count pixels times pairs."""
        found = next((m for m in self.measurements if m.name == name and m.device == CPU), None)
        if found is None:
            return _BUILT_IN[name]
        return found.rate * (found.pairs if found.unit == "pixels/s" else 1)

    def save(self, path: str | os.PathLike[str] | None = None) -> Path:
        """Write the rates as JSON, whole or not at all; returns the file (by default `default_path`)."""
        target = default_path() if path is None else Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
        partial.write_text(self.json() + "\n")
        partial.replace(target)
        return target

    def json(self) -> str:
        """The rates as JSON; every measurement has its ratio beside it."""
        values = asdict(self)
        values["measurements"] = [_plain(asdict(m) | {"ratio": m.ratio}) for m in self.measurements]
        return json.dumps({"format": _FORMAT} | values, indent=2)

    @classmethod
    def load(cls, path: str | os.PathLike[str] | None = None) -> Rates:
        """Rates from a JSON file.

        Without a path, the file that ``slidecloud bench`` left for this user; where there is none, the built-in rates.

        Raises
        ------
        FileNotFoundError
            If a path is given and there is no such file.
        ValueError
            If the file is not one that `save` of this version wrote.
        """
        source = default_path() if path is None else Path(path)
        if not source.is_file():
            if path is None:
                return cls()
            raise FileNotFoundError(
                f"There is no file of rates {str(source)!r}; 'slidecloud bench --out FILE' writes one."
            )
        return _parse(source)

    def lines(self) -> list[str]:
        """The measurements as lines of a table."""
        if not self.measured:
            return ["Built-in rates, not measured on this machine; 'slidecloud bench' measures them."]
        stack = ", ".join(f"{name} {number}" for name, number in self.versions.items())
        rows = [["one core, unless said otherwise", "rate", "unit", "beside", "rate", "ratio"]]
        rows += [_row(m) for m in self.measurements]
        columns = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
        return [
            f"Measured {self.date} on {self.machine}, store {self.location}, in {self.seconds:.0f} s",
            stack,
            *("  ".join(_align(text, size, k) for k, (text, size) in enumerate(zip(row, columns, strict=True))).rstrip()
              for row in rows),
        ]  # fmt: skip


def default_path() -> Path:
    """Where the rates of this machine are kept: the user's cache folder."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "slidecloud" / "rates.json"


def _row(measurement: Measurement) -> list[str]:
    scale, unit = _SHOWN.get(measurement.unit, (1.0, measurement.unit))
    other = measurement.alternative_rate
    beside = ("", "") if math.isnan(other) else (_number(other / scale), _number(measurement.ratio))
    return [measurement.label, _number(measurement.rate / scale), unit, measurement.alternative, *beside]


def _number(value: float) -> str:
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def _align(text: str, size: int, column: int) -> str:
    return text.rjust(size) if column in (1, 4, 5) else text.ljust(size)


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: None if value != value else value for name, value in values.items()}


def _parse(path: Path) -> Rates:
    try:
        values = json.loads(path.read_text())
    except ValueError:
        raise ValueError(f"{path} is not JSON; {_REMEDY}.") from None
    if not isinstance(values, dict) or not ({"format", "gradients"} & set(values)):
        raise ValueError(f"{path} does not hold the rates of a machine; {_REMEDY}.")
    version = values.pop("format", 1)
    if version != _FORMAT:
        raise ValueError(
            f"{path} was written by another version of slidecloud (format {version}, expected {_FORMAT}); {_REMEDY}."
        )
    try:
        found = tuple(_measurement(item) for item in values.pop("measurements"))
        rates = Rates(found, **values)
    except (KeyError, TypeError, AttributeError):
        raise ValueError(f"{path} does not hold the rates of a machine; {_REMEDY}.") from None
    for m in rates.measurements:
        if not isinstance(m.rate, int | float) or not m.rate > 0:
            raise ValueError(f"{path}: {m.name} is {m.rate!r}; expected a positive number. {_REMEDY.capitalize()}.")
    return rates


def _measurement(values: Mapping[str, Any]) -> Measurement:
    fields: dict[str, Any] = {
        name: math.nan if value is None else value for name, value in values.items() if name != "ratio"
    }
    return Measurement(**fields)
