"""Rates of a machine, as ``slidecloud bench`` measures and ``slidecloud estimate`` uses them."""

from __future__ import annotations

import json
import os
import sys
import uuid
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Rates:
    """Rates of one core and one store location.

    Attributes
    ----------
    gradients
        Gradient stacking, pair-pixels per second and core.
    sbas
        SBAS inversion, pixels times pairs per second and core.
    read, write
        Store location, MB/s (1e6 bytes) of one stream.
    gradients_ratio, sbas_ratio
        How many times faster than plain NumPy and SciPy on the same machine; NaN where not measured.
    location
        The store location that was read and written.
    machine
        Processor, cores, system.
    date
        Day of the measurement (UTC), ISO format; empty where nothing was measured.
    versions
        Versions of what was measured.
    """

    gradients: float = 80e6
    sbas: float = 300e6
    read: float = 100.0
    write: float = 60.0
    gradients_ratio: float = float("nan")
    sbas_ratio: float = float("nan")
    location: str = ""
    machine: str = ""
    date: str = ""
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def measured(self) -> bool:
        """True where the rates were measured, False for the built-in guess."""
        return bool(self.date)

    def save(self, path: str | os.PathLike[str] | None = None) -> Path:
        """Write the rates as JSON, whole or not at all; returns the file (by default `default_path`)."""
        target = default_path() if path is None else Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
        values = {name: None if value != value else value for name, value in asdict(self).items()}
        partial.write_text(json.dumps(values, indent=2) + "\n")
        partial.replace(target)
        return target

    @classmethod
    def load(cls, path: str | os.PathLike[str] | None = None) -> Rates:
        """Rates from a JSON file.

        Without a path, the file that ``slidecloud bench`` left for this user; where there is none, the built-in rates.

        Raises
        ------
        FileNotFoundError
            If a path is given and there is no such file.
        ValueError
            If the file is not one that `save` wrote.
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
        """The rates as lines of a table."""
        if not self.measured:
            head = ["Built-in rates, not measured on this machine; 'slidecloud bench' measures them."]
        else:
            stack = ", ".join(f"{name} {number}" for name, number in self.versions.items())
            head = [f"Measured {self.date} on {self.machine}", stack]
        rows = [
            (
                "gradients",
                f"{self.gradients / 1e6:.4g}",
                "million pair-pixels/s per core",
                _times(self.gradients_ratio),
            ),
            ("sbas", f"{self.sbas / 1e6:.4g}", "million pixel-pairs/s per core", _times(self.sbas_ratio)),
            ("read", f"{self.read:.4g}", "MB/s", self.location),
            ("write", f"{self.write:.4g}", "MB/s", self.location),
        ]
        return head + [f"{name:<10} {value:>8} {unit:<31} {note}".rstrip() for name, value, unit, note in rows]


def default_path() -> Path:
    """Where the rates of this machine are kept: the user's cache folder."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "slidecloud" / "rates.json"


def _parse(path: Path) -> Rates:
    remedy = "write it again with 'slidecloud bench'"
    try:
        values = json.loads(path.read_text())
    except ValueError:
        raise ValueError(f"{path} is not JSON; {remedy}.") from None
    known = set(Rates.__dataclass_fields__)
    if not isinstance(values, dict) or set(values) != known:
        raise ValueError(f"{path} does not hold the rates of a machine; {remedy}.")
    values = {name: float("nan") if value is None else value for name, value in values.items()}
    for name in ("gradients", "sbas", "read", "write"):
        if not isinstance(values[name], int | float) or not values[name] > 0:
            raise ValueError(f"{path}: {name} is {values[name]!r}; expected a positive number. {remedy.capitalize()}.")
    return Rates(**values)


def _times(ratio: float) -> str:
    return "" if ratio != ratio else f"{ratio:.3g} x plain NumPy/SciPy"
