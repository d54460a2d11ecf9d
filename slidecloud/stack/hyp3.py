"""HyP3 burst InSAR products (ASF, processed with ISCE2): geocoded GeoTIFFs in UTM, one folder or zip archive a pair.

All files are told by their names, in any subfolder or archive; see `slidecloud.stack.hyp3_names`. Read are
``_wrapped_phase``, ``_unw_phase`` (rad, positive away from the satellite, 0 = no data), ``_corr`` (0..1), ``_conncomp``
(unwrapped phase is kept inside connected components only), ``_water_mask`` (no data on water), ``_dem`` (m),
``_lv_theta``, ``_lv_phi`` and the ``.txt`` beside them. Phase was filtered (adaptive filter, strength 0.5 by default)
before it was wrapped into these files, and its coherence is that of the filtered phase; both are recorded. Extents of
pairs differ by pixels: all are put on one grid.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from slidecloud.stack.geotiff import (
    ELEVATION_DTYPES,
    PairFiles,
    Survey,
    by_key,
    none_usable,
    placed,
    source_pairs,
    survey,
)
from slidecloud.stack.hyp3_header import map_header
from slidecloud.stack.hyp3_names import PARAMETERS, RASTERS
from slidecloud.stack.hyp3_products import Found, choose_stack, find_products, is_hyp3, pair_of
from slidecloud.stack.hyp3_source import Hyp3Source, covering
from slidecloud.stack.names import Listing, SourcePath, printable
from slidecloud.stack.rasters import FLOATS, Layer
from slidecloud.stack.remote import prefetch
from slidecloud.types import SENTINEL1_WAVELENGTH, DataError, Grid, Pass, Rejected, StackHeader

_MASKS = {"components": "conncomp", "land": "water_mask"}


def matches(listing: Listing) -> bool:
    """Whether a folder holds geocoded phase of HyP3 burst products."""
    return any(path.stem.endswith(("_wrapped_phase", "_unw_phase")) and is_hyp3(path) for path in listing.files)


def open_hyp3(listing: Listing, *, id: str | None = None, grid: Grid | None = None) -> Hyp3Source:
    """Open the HyP3 burst products of one stack.

    Parameters
    ----------
    listing
        Files of the folder or archive.
    id
        Name of the stack. By default that of its burst (``t064_136231_iw2``), or for products of several bursts that
        of orbit, first bursts and their numbers by swath (``t064_136231s2n02``), from the name of the product or the
        granules of its text file. If the folder holds products of several stacks, the id chooses one of them.
    grid
        Grid of the stack where that exists already; else the union of the grid most pairs share.

    Raises
    ------
    DataError
        If no pair can be used, or products contradict each other.
    ValueError
        If the id cannot name a stack, or products of several stacks are found and the id names none of them.
    """
    prefetch([path for path in listing.files if path.suffix == ".txt"])
    products, refused = find_products(listing, RASTERS)
    if not products:
        raise DataError(none_usable(listing, refused))
    stack_id, members = choose_stack(listing, products, id)
    files, twice = _pair_files(members)
    if not files:
        raise DataError(none_usable(listing, [*refused, *twice]))
    found = survey(listing, files, grid=grid)
    used = {item.key: item for item in members if item.key in found.layers}
    layers, no_masks = _whole_masks(found.layers)
    elevation, angles, no_maps = _maps(listing, used, found)
    return Hyp3Source(
        header=map_header(
            stack_id,
            [item.parameters for item in used.values()],
            found.grid,
            has_unwrapped=any("unwrapped" in layers for layers in found.layers.values()),
        ),
        pairs=source_pairs(listing, files, found.layers, lambda key: pair_of(used[key].parameters)),
        rejected=by_key(listing.refused, refused, twice, found.rejected, no_maps, no_masks),
        layers=layers,
        elevations=elevation,
        angles=angles,
    )


def _pair_files(products: list[Found]) -> tuple[dict[str, PairFiles], list[Rejected]]:
    """Files by pair key, and pairs without phase or coherence, or of several products."""
    pairs: dict[str, list[Found]] = {}
    for item in products:
        pairs.setdefault(item.key, []).append(item)
    files: dict[str, PairFiles] = {}
    refused: list[Rejected] = []
    for key, items in pairs.items():
        try:
            files[key] = _one_pair(items)
        except DataError as error:
            refused.append(Rejected(key, f"pair {key}: {error}"))
    return files, refused


def _one_pair(items: list[Found]) -> PairFiles:
    if len(items) > 1:
        named = ", ".join(sorted(item.product.name for item in items))
        raise DataError(f"{len(items)} products where one was expected: {named}. Keep one")
    files = items[0].files
    if "corr" not in files:
        raise DataError(f"no {items[0].product.name}_corr.tif, expected it beside the phase: fetch it")
    if not {"wrapped_phase", "unw_phase"} & set(files):
        raise DataError(f"no {items[0].product.name}_wrapped_phase.tif nor _unw_phase.tif, expected one: fetch it")
    masks = {
        name: files[layer] for name, layer in (("components", "conncomp"), ("land", "water_mask")) if layer in files
    }
    return PairFiles(
        files.get("wrapped_phase"), files.get("unw_phase"), files["corr"], (files[PARAMETERS],), masks
    )  # fmt: skip


def _whole_masks(
    layers: Mapping[str, Mapping[str, Layer]],
) -> tuple[dict[str, dict[str, Layer]], list[Rejected]]:
    """Layers of each pair without the masks that do not cover its coherence: what they lack would count as masked."""
    kept: dict[str, dict[str, Layer]] = {}
    refused: list[Rejected] = []
    for key, found in layers.items():
        kept[key] = dict(found)
        whole = found["coherence"]
        for name in _MASKS:
            mask = found.get(name)
            if mask is not None and not mask.covers(whole):
                del kept[key][name]
                reason = (
                    f"{printable(mask.path)} does not cover {printable(whole.path)}, expected it to: fetch it again"
                )
                refused.append(Rejected(f"{key}/{name}", reason))
    return kept, refused


def _maps(
    listing: Listing, used: Mapping[str, Found], found: Survey
) -> tuple[tuple[Layer, ...], tuple[tuple[Layer, Layer], ...], list[Rejected]]:
    """Elevations, look angles (theta, phi), each of as many products as cover the grid, and what cannot be used."""
    elevations: list[Layer] = []
    angles: list[tuple[Layer, Layer]] = []
    refused: list[Rejected] = []
    for names, dtypes in ((("dem",), ELEVATION_DTYPES), (("lv_theta", "lv_phi"), FLOATS)):
        having = {key: found.layers[key]["coherence"] for key, item in used.items() if {*names} <= {*item.files}}
        for key in covering(having, (found.grid.height, found.grid.width)):
            try:
                layers = [placed(listing, used[key].files[name], found.grid, dtypes) for name in names]
            except DataError as error:
                what = "elevation" if names == ("dem",) else "look vector"
                refused.append(Rejected(what.replace(" ", "_"), f"{what}: {error}"))
                continue
            if len(layers) == 1:
                elevations += layers
            else:
                angles.append((layers[0], layers[1]))
    return tuple(elevations), tuple(angles), refused
