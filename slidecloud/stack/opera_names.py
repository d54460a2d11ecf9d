"""Names of OPERA CSLC-S1 products and of those that COMPASS writes: which file is which burst, day and version."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from slidecloud.stack.names import Listing, SourcePath, parse_day, printable
from slidecloud.types import DataError, Rejected

_BURST = r"[Tt]\d{3}[-_]\d{6}[-_][Ii][Ww][1-3]"
_PRODUCT = re.compile(
    rf"OPERA_L2_CSLC-S1_({_BURST})_(\d{{8}})T\d{{6}}Z_(\d{{8}}T\d{{6}})Z_S1[A-Z]_(VV|HH|VH|HV)_v(\d+(?:\.\d+)*)\.h5"
)
_COMPASS = re.compile(rf"({_BURST})_(\d{{8}})\.h5")
_STATIC = re.compile(
    rf"(?:OPERA_L2_CSLC-S1-STATIC_({_BURST})_\d{{8}}_S1[A-Z]_v(\d+(?:\.\d+)*)|static_layers_({_BURST}))\.h5"
)
POLARISATIONS = ("VV", "HH", "VH", "HV")
"""Best first."""
_EXPECTED = "OPERA_L2_CSLC-S1_T027-056725-IW1_20170605T132754Z_20240626T090220Z_S1A_VV_v1.1.h5"


class Product(NamedTuple):
    """A file of one image; ``processed`` and ``version`` order those of one day, ``polarisation`` may be unknown."""

    path: SourcePath
    burst: str
    day: str
    processed: str
    version: tuple[int, ...]
    polarisation: str | None


class Chosen(NamedTuple):
    """The files of one burst: one image a day, sorted; the static layers if any; and what was left out."""

    burst: str
    products: tuple[Product, ...]
    static: SourcePath | None
    rejected: tuple[Rejected, ...]


def matches(listing: Listing) -> bool:
    """Whether a folder holds files named as OPERA or COMPASS name coregistered images."""
    return any(_is_ours(path.name) for path in listing.files)


def choose(listing: Listing, id: str | None) -> Chosen:
    """The files of the burst that `id` names, or of the only one.

    Raises
    ------
    DataError
        If there are several bursts and `id` is none of them, or no image.
    """
    products, static, rejected = _parse(listing)
    bursts = sorted({product.burst for product in products})
    if not bursts:
        first = f" The first: {rejected[0].reason}" if rejected else ""
        raise DataError(f"{printable(listing.root)} holds no image, expected files such as {_EXPECTED}.{first}")
    if len(bursts) > 1 and id not in bursts:
        raise DataError(
            f"{printable(listing.root)} holds {len(bursts)} bursts ({', '.join(bursts[:6])}), expected one for a "
            f"stack: pass id={bursts[0]!r} or another of them"
        )
    burst = id if id in bursts else bursts[0]
    kept, older = _newest([product for product in products if product.burst == burst], listing)
    layers = sorted(found for found in static if found[0] == burst)
    return Chosen(burst, kept, layers[-1][2] if layers else None, (*rejected, *older))


def _parse(listing: Listing) -> tuple[list[Product], list[tuple[str, tuple[int, ...], SourcePath]], list[Rejected]]:
    products: list[Product] = []
    static: list[tuple[str, tuple[int, ...], SourcePath]] = []
    rejected: list[Rejected] = list(listing.refused)
    for path in filter(lambda path: _is_ours(path.name), listing.files):
        name = listing.name(path)
        if match := _STATIC.fullmatch(path.name):
            static.append((_burst(match[1] or match[3]), _version(match[2] or "0"), path))
            continue
        if path.name.startswith("OPERA_L2_COMPRESSED-CSLC-S1_"):
            reason = "is a compressed image, made of many dates: leave it out, or fetch the images it was made of"
            rejected.append(Rejected(name, f"{name} {reason}"))
            continue
        found = _product(path)
        if found is None:
            rejected.append(Rejected(name, f"{name} has no name of an image, expected one like {_EXPECTED}: rename it"))
        else:
            products.append(found)
    return products, static, rejected


def _is_ours(name: str) -> bool:
    """Whether a file is a product, or means to be one."""
    opera = name.startswith(("OPERA_L2_CSLC-S1", "OPERA_L2_COMPRESSED-CSLC-S1")) and name.endswith(".h5")
    return opera or bool(_COMPASS.fullmatch(name) or _STATIC.fullmatch(name))


def _product(path: SourcePath) -> Product | None:
    if match := _PRODUCT.fullmatch(path.name):
        found = Product(path, _burst(match[1]), match[2], match[3], _version(match[5]), match[4])
    elif match := _COMPASS.fullmatch(path.name):
        found = Product(path, _burst(match[1]), match[2], "", (), None)
    else:
        return None
    try:
        parse_day(found.day)
    except ValueError:
        return None
    return found


def _newest(products: Iterable[Product], listing: Listing) -> tuple[tuple[Product, ...], list[Rejected]]:
    """Of each day the best polarisation, of that the latest processing; the others as left out."""
    by_day: dict[str, list[Product]] = {}
    for product in products:
        by_day.setdefault(product.day, []).append(product)
    wanted = min(
        (product.polarisation for group in by_day.values() for product in group if product.polarisation),
        key=POLARISATIONS.index,
        default=None,
    )
    kept: list[Product] = []
    rejected: list[Rejected] = []
    for _, group in sorted(by_day.items()):
        fitting = [product for product in group if product.polarisation in (wanted, None)]
        best = max(fitting, key=lambda product: (product.processed, product.version), default=None)
        rejected += [_left_out(product, best, wanted, listing) for product in group if product is not best]
        kept += [best] if best is not None else []
    return tuple(kept), rejected


def _left_out(product: Product, best: Product | None, wanted: str | None, listing: Listing) -> Rejected:
    name = listing.name(product.path)
    if best is None or product.polarisation != best.polarisation:
        text = f"has the polarisation {product.polarisation}, expected {wanted} like the others"
    else:
        text = f"was processed before {listing.name(best.path)} of the same acquisition, which is used"
    return Rejected(name, f"{name} {text}: leave it out")


def _burst(text: str) -> str:
    return text.lower().replace("-", "_")


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))
