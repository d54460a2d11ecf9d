"""STAC items of images: which files they have, and which bands these hold."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from slidecloud.stack import files
from slidecloud.stack.map_files import find
from slidecloud.stack.names import printable
from slidecloud.types import DataError

_DATA: Final = "data"
_PLAIN: Final = ("file://",)


@dataclass(frozen=True)
class Asset:
    """A file of an item.

    Attributes
    ----------
    key
        Its name in the item.
    path
        Path or URL.
    is_data
        Whether its role is to hold data, or it says no role and is a GeoTIFF.
    bands
        For each of its bands the names that it goes by; one band that goes by none where the item does not say.
    """

    key: str
    path: str
    is_data: bool
    bands: tuple[tuple[str, ...], ...]

    @property
    def names(self) -> list[tuple[str, ...]]:
        """For each of its bands the names it may be wanted by, the first its own. A single band goes by the key."""
        if len(self.bands) == 1:
            return [(self.key, *self.bands[0])]
        return [names or (f"{self.key}_{place + 1}",) for place, names in enumerate(self.bands)]


def assets_of(path: str, options: Mapping[str, Any] | None = None) -> list[Asset]:
    """The GeoTIFFs of an item.

    Parameters
    ----------
    path
        The item, a file of this machine or a URL. Relative links in it are taken from its own place.
    options
        Storage options of a URL.

    Raises
    ------
    FileNotFoundError
        If there is none.
    DataError
        If it is no STAC item, or has no GeoTIFF.
    """
    name = printable(path)
    try:
        item = json.loads(files.read_text(find(path, options)))
        given = item["assets"].items() if item["type"] == "Feature" else None
    except (ValueError, KeyError, TypeError, AttributeError):
        given = None
    if given is None:
        raise DataError(f"{name} is no STAC item, expected JSON of the type Feature with assets: give the item itself")
    found = [_asset(str(key), asset, path) for key, asset in given if _is_tiff(asset)]
    if not found:
        raise DataError(f"{name} has no GeoTIFF among its assets, expected one for each band or one for all")
    return found


def chosen(assets: Sequence[Asset], wanted: Sequence[str] | None, *, item: str) -> list[tuple[Asset, dict[str, int]]]:
    """The assets that hold wanted bands, and for each of these names the place of the band.

    A name is taken from one asset: that of the key, else the one with data that has it, else any other, such as a
    picture made to look at. Without wishes all bands with data, by their own names. The item stands in messages.

    Raises
    ------
    DataError
        If several assets have an equal claim to a name.
    """
    if wanted is None:
        wanted = [names[0] for asset in assets if asset.is_data for names in asset.names]
    found: dict[str, tuple[Asset, dict[str, int]]] = {}
    for name in wanted:
        best = _best(assets, name)
        if len(best) > 1:
            keys = " and ".join(asset.key for asset, _ in best)
            raise DataError(
                f"{item}: the assets {keys} both hold a band {name}: name the bands that are wanted by the keys of "
                "their assets, or give a file instead of the item"
            )
        for asset, place in best:
            found.setdefault(asset.key, (asset, {}))[1][name] = place
    return list(found.values())


def _best(assets: Sequence[Asset], name: str) -> list[tuple[Asset, int]]:
    """Assets with the best claim to a name, and the place of the band; several where their claims are equal."""
    claims = [
        ((asset.key != name, not asset.is_data), asset, place)
        for asset in assets
        for place, names in enumerate(asset.names)
        if name in names
    ]
    first = min((claim for claim, *_ in claims), default=None)
    return [(asset, place) for claim, asset, place in claims if claim == first]


def _asset(key: str, asset: Mapping[str, Any], item: str) -> Asset:
    roles = asset.get("roles") or ()
    described = asset.get("eo:bands") or asset.get("bands") or [{}]
    bands = tuple(
        tuple(str(band[name]) for name in ("common_name", "eo:common_name", "name") if band.get(name))
        for band in described
    )
    return Asset(key, _resolved(str(asset["href"]), item), not roles or _DATA in roles, bands)


def _is_tiff(asset: Any) -> bool:
    if not isinstance(asset, dict) or "href" not in asset:
        return False
    return str(asset.get("type", "")).startswith("image/tiff") or str(asset["href"]).lower().endswith((".tif", ".tiff"))


def _resolved(href: str, item: str) -> str:
    """A link as a path or URL of its own."""
    for scheme in _PLAIN:
        href = href.removeprefix(scheme)
    if "://" in href or href.startswith("/"):
        return href
    scheme, separator, rest = item.rpartition("://")
    return scheme + separator + posixpath.normpath(posixpath.join(posixpath.dirname(rest), href))
