"""How maps are coloured: ramps by their meaning, limits by their values, and the style files of QGIS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from xml.sax.saxutils import quoteattr

from slidecloud.kernels.colours import AWAY_TOWARDS, LOW_HIGH, Ramp, positive, steps, symmetric

_SIGNED: Final = (
    "velocity", "gradient", "displacement", "correction", "sensitivity", "trend", "acceleration", "step_size", "east",
    "downslope",
)  # fmt: skip
"""Words in names of maps in which the sign tells a direction."""
_SHARES: Final = ("coherence", "fraction", "coverage")
"""Words in names of maps that lie between 0 and 1."""
_CLASSES: Final = ("#e0e0e0", "#2b8a6b", "#d9c24a", "#c8553d", "#3b4a6b", "#7d5ba6", "#8c8c8c")
"""Colours of classes, in order; the first stands for none."""


@dataclass(frozen=True)
class Style:
    """Colours of a map.

    Attributes
    ----------
    ramp
        Colours from the lowest to the highest value.
    limits
        Those values.
    classes
        Value, colour and meaning of each class, where the map holds classes; empty else.
    units
        Of the values, for legends.
    """

    ramp: Ramp
    limits: tuple[float, float]
    classes: tuple[tuple[int, str, str], ...]
    units: str


def style(name: str, attributes: Mapping[str, Any], sample: Any) -> Style:
    """Colours of a map, by its name and attributes, with limits that hold nearly all of some of its values.

    Parameters
    ----------
    name
        Of the map.
    attributes
        As stored: units, and flag_values with flag_meanings of classes.
    sample
        Any of its values, NaN where there are none.
    """
    units = str(attributes.get("units", "1"))
    if "flag_values" in attributes:
        meanings = str(attributes["flag_meanings"]).split()
        values = [int(one) for one in attributes["flag_values"]]
        told = ((value, _CLASSES[value % len(_CLASSES)], word) for value, word in zip(values, meanings, strict=True))
        return Style(LOW_HIGH, (0.0, 1.0), tuple(told), units)
    if (name == "up" or any(word in name for word in _SIGNED)) and not name.endswith("_sigma"):
        return Style(AWAY_TOWARDS, symmetric(sample), (), units)
    if any(word in name for word in _SHARES):
        return Style(LOW_HIGH, (0.0, 1.0), (), units)
    return Style(LOW_HIGH, positive(sample), (), units)


def qml(chosen: Style) -> str:
    """A style that QGIS 3 takes by itself for the raster beside it with the same name."""
    renderer = _classes(chosen) if chosen.classes else _ramp(chosen)
    return (
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
        '<qgis version="3.22" styleCategories="Symbology">\n<pipe>\n'
        f"{renderer}\n</pipe>\n<blendMode>0</blendMode>\n</qgis>\n"
    )


def _ramp(chosen: Style) -> str:
    low, high = chosen.limits
    items = "".join(
        f'<item value="{value:.12g}" color="{_hex(colour)}" alpha="255" '
        f"label={quoteattr(f'{value:.4g} {chosen.units}')}/>"
        for value, colour in steps(chosen.ramp, chosen.limits)
    )
    return (
        f'<rasterrenderer type="singlebandpseudocolor" band="1" opacity="1" alphaBand="-1" '
        f'classificationMin="{low:.12g}" classificationMax="{high:.12g}">\n<rastershader>'
        f'<colorrampshader colorRampType="INTERPOLATED" classificationMode="1" clip="0" '
        f'minimumValue="{low:.12g}" maximumValue="{high:.12g}">{items}</colorrampshader></rastershader>\n'
        "</rasterrenderer>"
    )


def _classes(chosen: Style) -> str:
    entries = "".join(
        f'<paletteEntry value="{value}" color="{colour}" alpha="{255 if value else 0}" label={quoteattr(meaning)}/>'
        for value, colour, meaning in chosen.classes
    )
    return (
        '<rasterrenderer type="paletted" band="1" opacity="1" alphaBand="-1">\n'
        f"<colorPalette>{entries}</colorPalette>\n</rasterrenderer>"
    )


def _hex(colour: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
