"""Where and how work is done."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, field_validator

from slidecloud.config_yaml import Section

_SIZE = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*([kMGT]i?)?B?\s*$")
_SCALE = {None: 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_SCALE |= {"Ki": 2**10, "ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}

Device = Literal["cpu", "gpu"]


class ResourcesConfig(Section):
    """Where and how the work is done; has no influence on results, but for their last digits on a GPU."""

    executor: Literal["dask", "threads", "serial"] = Field(
        "dask", description="dask (processes of this machine, or a scheduler), threads or serial."
    )
    device: Device = Field(
        "cpu",
        description="cpu, or gpu for gradients on one NVIDIA GPU a worker; its results differ in their last digits "
        "and are computed again.",
    )
    scheduler: str | None = Field(None, description="Address of a running Dask scheduler, tcp://host:port.")
    workers: int | None = Field(None, ge=1, description="Workers; null takes the cores of this machine.")
    memory: str = Field("4 GiB", description="Memory of one worker; no unit may need more.")
    tile: tuple[int, int] | None = Field(
        None,
        description="Rows and columns of a unit, multiples of the chunks (256, 512); null chooses by memory. "
        "Other tiles give the same results and are computed again.",
    )
    retries: int = Field(2, ge=0, description="Times a failed unit is tried again before quarantine.")
    performance_report: bool = Field(
        False, description="Store Dask's performance report of each run in the run store (executor dask)."
    )

    @field_validator("tile")
    @classmethod
    def _positive(cls, tile: tuple[int, int] | None) -> tuple[int, int] | None:
        if tile is not None and min(tile) < 1:
            raise ValueError(f"tile is {list(tile)}; expected rows and columns above 0")
        return tile

    @field_validator("memory")
    @classmethod
    def _size(cls, text: str) -> str:
        parse_bytes(text)
        return text

    @property
    def memory_bytes(self) -> int:
        """Memory of one worker in bytes."""
        return parse_bytes(self.memory)


def parse_bytes(text: str) -> int:
    """Bytes of a size such as ``4 GiB`` or ``500MB``; raises ValueError with the form expected."""
    match = _SIZE.match(text)
    if not match:
        raise ValueError(f"size is {text!r}; expected a number and a unit such as '4 GiB' or '500 MB'")
    return int(float(match[1]) * _SCALE[match[2]])
