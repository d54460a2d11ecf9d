"""Metadata of a SNAP product in a ZNAP store: times, baselines, and how the radar saw the images."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, Literal

import numpy as np

from slidecloud.stack.geometry import flight_pass
from slidecloud.types import DataError, StackHeader

METADATA = "SNAP/product_metadata.json"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LIGHT = 299792458.0


class Product:
    """What the metadata of a ZNAP store say of it."""

    def __init__(self, path: Path) -> None:
        self._name = f"{path.parents[1].name}/{METADATA}"
        try:
            elements = {item["name"]: item for item in json.loads(path.read_text())}
            self._root = elements["Abstracted_Metadata"]
            self._values = {item["name"]: item["data"]["elems"] for item in self._root["attributes"]}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(f"{self._name} cannot be read ({error}): export the product again") from error
        self.shape = (int(self._number("num_output_lines")), int(self._number("num_samples_per_line")))
        _, seconds, _ = self._get("first_line_time")
        self.day_time = np.timedelta64(int(seconds), "s")

    def baseline(self, day: str) -> float:
        """Perpendicular baseline of a date (m) from the first reference the metadata name; NaN where they do not."""
        tables = [item for item in self._root.get("elements", []) if item["name"] == "Baselines"]
        for table in tables[:1]:
            for other in min(table["elements"], key=lambda item: day_of(item["name"].removeprefix("Ref_")))["elements"]:
                if other["name"].endswith(day):
                    values = {item["name"]: item["data"]["elems"] for item in other["attributes"]}
                    return float(values["Perp Baseline"][0])
        return float("nan")

    def header(self, stack_id: str) -> StackHeader:
        """Header of the stack: spacing of the samples on the ground, looks of a sample from the bandwidths."""
        from pyproj import Geod

        corner = {
            name: self._number(name)
            for name in ("first_near_lat", "first_near_long", "last_near_lat", "last_near_long")
        }
        heading = float(Geod(ellps="WGS84").inv(
            corner["first_near_long"], corner["first_near_lat"], corner["last_near_long"], corner["last_near_lat"]
        )[0])  # fmt: skip
        incidence = math.radians((self._number("incidence_near") + self._number("incidence_far")) / 2)
        across = self._number("range_spacing")
        share = self._number("range_bandwidth") / self._number("range_sampling_rate")
        share *= self._number("azimuth_bandwidth") * self._number("line_time_interval")
        pointing: Literal["right", "left"] = "left" if self._get("antenna_pointing") == "left" else "right"
        return StackHeader(
            id=stack_id,
            geometry="radar",
            shape=self.shape,
            spacing=(self._number("azimuth_spacing"), across / math.sin(incidence)),
            wavelength=_LIGHT / (self._number("radar_frequency") * 1e6),
            range_looks=1,
            azimuth_looks=1,
            effective_looks=share,
            heading=heading,
            look_direction=pointing,
            pass_=flight_pass(heading),
            slant_range=self._number("slant_range_to_first_pixel") + across * self.shape[1] / 2,
            source=str(self._get("PRODUCT")),
            processor="SNAP",
            filtered=False,
            has_unwrapped=False,
        )

    def _get(self, name: str) -> Any:
        if name not in self._values:
            raise DataError(
                f"{self._name} lacks {name}, expected it under Abstracted_Metadata: export the product again"
            )
        return self._values[name]

    def _number(self, name: str) -> float:
        value = float(np.ravel(self._get(name))[0])
        if not math.isfinite(value):
            raise DataError(f"{self._name} has {name} {value}, expected a number: export the product again")
        return value


def day_of(text: str) -> np.datetime64:
    """The day of ``31Mar2023``."""
    try:
        return np.datetime64(f"{text[5:]}-{_MONTHS.index(text[2:5]) + 1:02d}-{text[:2]}", "s")
    except ValueError:
        raise DataError(f"the date {text!r} is no day, expected one like 31Mar2023: correct the name") from None
