"""HyP3 burst products in a folder: their files by layer, their parameters, and the stack they belong to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from slidecloud.stack.hyp3_names import PARAMETERS, Product, parse
from slidecloud.stack.hyp3_parameters import Parameters, read_parameters
from slidecloud.stack.names import SENTINEL1_LAUNCH, Listing, SourcePath, date_problem, one_of, printable
from slidecloud.stack.source import check_id
from slidecloud.types import DataError, Pair, Rejected


class Found(NamedTuple):
    """A product: its name, its parameters and its files by layer."""

    product: Product
    parameters: Parameters
    files: Mapping[str, SourcePath]

    @property
    def key(self) -> str:
        """Name of the pair."""
        return Pair(self.product.reference, self.product.secondary).key

    @property
    def bursts(self) -> str:
        """Name of the stack that it belongs to."""
        return self.product.bursts or self.parameters.bursts


def is_hyp3(path: SourcePath) -> bool:
    """Whether a file is named as one of a HyP3 burst product."""
    try:
        return parse(path.name) is not None
    except ValueError:
        return True


def find_products(listing: Listing, layers: Iterable[str]) -> tuple[list[Found], list[Rejected]]:
    """Products whose name, parameters and choice of files make sense, and the others."""
    wanted = {*layers, PARAMETERS}
    files: dict[Product, dict[str, list[SourcePath]]] = {}
    refused: list[Rejected] = []
    for path in listing.files:
        try:
            parsed = parse(path.name)
        except ValueError as error:
            refused.append(Rejected(listing.name(path), f"{listing.name(path)} {error}: correct the name"))
            continue
        if parsed is not None and parsed[1] in wanted:
            files.setdefault(parsed[0], {}).setdefault(parsed[1], []).append(path)
    products: list[Found] = []
    for product, found in files.items():
        if set(found) == {PARAMETERS}:
            continue
        problem = date_problem(product.reference, product.secondary, earliest=SENTINEL1_LAUNCH)
        if problem:
            refused.append(Rejected(product.name, f"{product.name} {problem}"))
            continue
        try:
            products.append(_found(product, found))
        except ValueError as error:
            refused.append(Rejected(Pair(product.reference, product.secondary).key, f"{product.name}: {error}"))
    return products, refused


def _found(product: Product, files: Mapping[str, list[SourcePath]]) -> Found:
    single = {layer: path for layer, paths in files.items() for path in [one_of(paths)] if path is not None}
    if PARAMETERS not in single:
        raise DataError(f"no {product.name}.txt, expected it beside the rasters for times and baseline: fetch it")
    return Found(product, read_parameters(single[PARAMETERS], product), single)


def choose_stack(listing: Listing, products: list[Found], id: str | None) -> tuple[str, list[Found]]:
    """Id of the stack, and its products.

    Raises
    ------
    ValueError
        If there are several stacks and `id` names none of them, or it cannot name a stack.
    """
    stacks: dict[str, list[Found]] = {}
    for item in products:
        stacks.setdefault(item.bursts, []).append(item)
    if id is not None and id in stacks:
        return check_id(id, origin="id"), stacks[id]
    if len(stacks) > 1:
        named = ", ".join(f"{name or 'no burst'} ({len(items)} products)" for name, items in sorted(stacks.items()))
        raise ValueError(
            f"{printable(listing.root)} holds HyP3 products of {len(stacks)} stacks: {named}; expected one. "
            f"Choose one with id={max(stacks, key=lambda name: len(stacks[name]))!r} (--id), or give its folder"
        )
    ((name, members),) = stacks.items()
    if id is None and not name:
        raise ValueError(
            f"{printable(listing.root)}: {members[0].product.name} names no burst, nor does its text file, "
            "expected one for the id of the stack: pass id=..."
        )
    return check_id(name if id is None else id, origin="id"), members


def pair_of(parameters: Parameters) -> Pair:
    """Times and baseline of a pair."""
    return Pair(parameters.reference_time, parameters.secondary_time, parameters.perpendicular_baseline)
