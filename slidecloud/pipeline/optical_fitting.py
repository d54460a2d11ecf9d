"""Whether a network goes with how scenes are cut and with their bands, and scenes with the memory of a worker."""

from __future__ import annotations

from collections.abc import Sequence

from slidecloud.config_optical import MapConfig
from slidecloud.config_yaml import ConfigError
from slidecloud.models.unet_weights import UnetCard
from slidecloud.optical.lattice import Lattice, lattice
from slidecloud.pipeline.optical_map_work import OutlinesWork
from slidecloud.pipeline.optical_scenes import Scene, band_of
from slidecloud.pipeline.tiles import BASE_MEMORY
from slidecloud.pipeline.units import Unit


def lattice_of(config: MapConfig, card: UnetCard) -> Lattice:
    """How scenes are cut for a network.

    Raises
    ------
    ConfigError
        If tile and overlap do not go with it; names the key.
    """
    try:
        return lattice(
            stride=card.shape.stride, reach=card.shape.reach, tile=config.tile, overlap=config.overlap,
            offset=config.offset,
        )  # fmt: skip
    except ValueError as error:
        raise ConfigError(f"map.{error}") from None


def cutting_notes(cutting: Lattice, card: UnetCard) -> tuple[str, ...]:
    """What a person should know of how scenes were cut: where it shows in the outlines."""
    notes = []
    if cutting.blended:
        notes.append(
            f"map.overlap is {cutting.overlap} and the network's sight reaches {card.shape.reach} pixels: tiles are "
            "blended, and outlines depend on where they were cut. Leave it out to make them independent of that."
        )
    if any(one % card.shape.stride for one in cutting.offset):
        notes.append(
            f"map.offset is {list(cutting.offset)}, no multiple of {card.shape.stride}: the network halves its images "
            "at other pixels, and outlines differ a little from those without an offset."
        )
    return tuple(notes)


def check_bands(scene: Scene, card: UnetCard) -> tuple[str, ...]:
    """What a person should know of the bands of a scene: where their names are not those that its network learnt.

    Raises
    ------
    ConfigError
        If their number or their order is not that which it learnt; names both.
    """
    learnt = card.shape.bands if card.bands is None else f"{card.shape.bands} ({', '.join(card.bands)})"
    has = f"{len(scene.bands)} bands ({', '.join(scene.bands)}), and the network learnt {learnt}"
    if len(scene.bands) != card.shape.bands:
        raise ConfigError(
            f"scenes.{scene.name} has {has}; choose them with the key bands, and give 'before' and 'after' to one that "
            "learnt two dates."
        )
    if card.bands is None or card.bands == scene.bands:
        return ()
    if set(card.bands) == set(scene.bands):
        of_a_date = dict.fromkeys(map(band_of, card.bands))
        raise ConfigError(f"scenes.{scene.name} has {has}, in another order; give 'bands: [{', '.join(of_a_date)}]'.")
    return (f"scenes.{scene.name} has {has}: they are taken for each other in this order.",)


def check_outlines(units: Sequence[Unit], memory: int) -> None:
    """Raise MemoryError where a scene has more outlines, drawn at once, than smaller tiles could make room for."""
    for unit in units:
        if isinstance(unit.work, OutlinesWork):
            name, grid = unit.work.scene, unit.work.grid
            needed = BASE_MEMORY + grid.height * grid.width
            if needed > memory:
                raise MemoryError(
                    f"The outlines of scenes.{name}, {grid.height} x {grid.width} pixels, are drawn all at once, for "
                    f"which {needed / 2**30:.2f} GiB are kept, and a worker has {memory / 2**30:.2f} GiB. Raise "
                    "resources.memory, or map the scene in parts."
                )
