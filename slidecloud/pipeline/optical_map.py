"""The stage ``optical_map``: scenes are looked at tile by tile, and their outlines drawn from all tiles together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from slidecloud.config_optical import OpticalConfig, SceneConfig
from slidecloud.config_yaml import ConfigError
from slidecloud.models.unet_weights import UnetCard
from slidecloud.optical.lattice import Lattice
from slidecloud.pipeline.drive import check_memory, drive
from slidecloud.pipeline.executors import Executor
from slidecloud.pipeline.optical_fitting import check_bands, check_outlines, cutting_notes, lattice_of
from slidecloud.pipeline.optical_map_work import OutlinesWork, TileWork, level_values
from slidecloud.pipeline.optical_network import Network, network_of
from slidecloud.pipeline.optical_scenes import Scene, open_scene
from slidecloud.pipeline.progress import Progress
from slidecloud.pipeline.side_store import check_store, ensure_store, withdraw_stale
from slidecloud.pipeline.summary import Summary
from slidecloud.pipeline.tiles import BASE_MEMORY, cut
from slidecloud.pipeline.units import Unit
from slidecloud.store import lease, records, templates
from slidecloud.store.location import Location, locate
from slidecloud.store.optical_specs import MAP_STAGE, OPTICAL, SCENE, outlines_key, outlines_unit, scene_group
from slidecloud.store.specs import SPATIAL_CHUNK

STAGE: Final = MAP_STAGE
_UNIT: Final = 2048
"""Rows and columns of a unit: seconds of work, and little that tiles of two units see twice."""
_TORCH_BYTES: Final = 250_000_000
_PIXEL_BYTES: Final = 40
"""Bytes for a pixel of a unit, beside those of its bands."""
_FLOAT: Final = 4
_SIGHT: Final = 7
"""Maps of the first level's channels that are held at once while the network looks, measured to be 6 at most."""
_COPIES: Final = 6
"""Copies of an image on its way into the network."""
_OUTLINE_BYTES: Final = 16
"""Bytes for a pixel of a scene while its outlines are drawn: those of a tile, and all polygons."""


class Look(NamedTuple):
    """What all scenes share: the network, and the threshold that outlines are drawn at."""

    network: Network
    card: UnetCard
    threshold: float


def compute(
    config: OpticalConfig,
    *,
    executor: Executor,
    progress: Progress | None = None,
    retry_quarantined: bool = False,
    takeover: bool = False,
) -> Summary:
    """Map all scenes of a configuration, where that is not done yet.

    Parameters
    ----------
    config
        Scenes, the network, and the run or store that is written.
    executor
        Where tiles are mapped.
    progress
        Told about every tile.
    retry_quarantined
        Try tiles again whose data was bad.
    takeover
        Take the store from a driver that may still be at work.

    Returns
    -------
    Summary
        Its notes say where outlines depend on how scenes were cut into tiles, and where bands have names that the
        network does not know.

    Raises
    ------
    ConfigError
        If there is no scene, images and network do not go together, or the store holds something else.
    DataError, FileNotFoundError, ConnectionError
        If an image, a mask or the weights cannot be read.
    ImportError
        If torch is not installed.
    LeaseError
        If another process is writing the store, or takes it over.
    MemoryError
        If a tile needs more memory than a worker has.
    """
    location = locate(config.place, config.storage_options)
    check_store(location, OPTICAL, in_run=config.run is not None)
    if not config.scenes:
        raise ConfigError("scenes is empty; name at least one, such as 'scenes: {valley: {image: valley.tif}}'")
    network = network_of(config.weights, config.resources.device)
    card = network.card
    look = Look(network, card, card.threshold if config.map.threshold is None else config.map.threshold)
    cutting = lattice_of(config.map, card)
    units: list[Unit] = []
    groups: dict[str, Mapping[str, bytes]] = {}
    notes = cutting_notes(cutting, card)
    for name, scene in config.scenes.items():
        opened = open_scene(name, scene, config.storage_options)
        notes += check_bands(opened, card)
        units += plan(location, opened, scene, look, cutting, config)
        groups[scene_group(name)] = _template(opened, scene, look)
    done = records.done(location)
    ahead = [unit for unit in units if unit.key not in done]
    check_outlines(ahead, config.resources.memory_bytes)
    check_memory(ahead, config.resources.memory_bytes)
    with lease.hold(location, takeover=takeover) as token:
        for name in config.scenes:
            withdraw_stale(location, STAGE, units, within=f"{name}/")
        ensure_store(location, OPTICAL, in_run=config.run is not None)
        for path, objects in groups.items():
            templates.ensure(location, path, objects)
        _withdraw_outlines(location, units, retry_quarantined=retry_quarantined)
        summary = drive(
            units, location=location, token=token, executor=executor, memory=config.resources.memory_bytes,
            retries=config.resources.retries, retry_quarantined=retry_quarantined, progress=progress, label="tiles",
        )  # fmt: skip
    return summary + Summary(notes=notes)


def _withdraw_outlines(location: Location, units: Sequence[Unit], *, retry_quarantined: bool) -> None:
    """Take tables of outlines away that are about to be drawn again, so that none outlives its maps when work stops."""
    done = records.done(location, stage=STAGE)
    notes = {} if retry_quarantined else records.quarantined(location, stage=STAGE)
    ended = done | {key for key, note in notes.items() if note["kind"] == "data"}
    ahead = {unit.name for unit in units if unit.key not in ended}
    for unit in units:
        if isinstance(unit.work, OutlinesWork) and not ahead.isdisjoint([unit.name, *unit.after]):
            records.withdraw(location, unit.key)
            location.delete(outlines_key(unit.work.scene))


def plan(
    location: Location, scene: Scene, config: SceneConfig, look: Look, cutting: Lattice, whole: OpticalConfig
) -> list[Unit]:
    """Units of a scene: its tiles, and its outlines after them."""
    resources, shape = whole.resources, (scene.grid.height, scene.grid.width)
    side = max(_UNIT, cutting.tile)
    usual = (_whole(side, SPATIAL_CHUNK[0]), _whole(side, SPATIAL_CHUNK[1]))
    tiles = cut(
        shape, SPATIAL_CHUNK, read_per_pixel=1, memory_per_pixel=1, memory=resources.memory_bytes,
        tile=resources.tile or usual,
    )  # fmt: skip
    made = [scene.fingerprint, look.network.digest, look.network.device]
    digest = records.digest(
        ["optical_map/1", made, cutting.tile, cutting.overlap, list(cutting.offset), cutting.blended]
    )
    bands = _FLOAT * len(scene.bands)
    mapped = [
        Unit(
            records.Key(STAGE, f"{scene.name}/{one}", digest),
            TileWork(scene, one, cutting, look.network),
            bytes_read=bands * one.pixels,
            bytes_written=2 * one.pixels,
            peak_memory=BASE_MEMORY + _TORCH_BYTES + (bands + _PIXEL_BYTES) * one.pixels + _sight(cutting, look.card),
            device=look.network.device,
        )
        for one in tiles
    ]
    drawn = whole.map
    parts = [
        "optical_outlines/1", digest, [str(one) for one in tiles], look.threshold, drawn.least_area, drawn.simplify,
        level_values(look.card.calibration).tolist(), str(config.date),
    ]  # fmt: skip
    outlines = Unit(
        records.Key(STAGE, outlines_unit(scene.name), records.digest(parts)),
        OutlinesWork(
            location, scene.name, config.date, scene.grid,
            tuple((unit.key, one) for unit, one in zip(mapped, tiles, strict=True)), look.threshold,
            look.card.calibration, drawn.least_area, drawn.simplify,
        ),
        after=tuple(unit.name for unit in mapped),
        bytes_read=shape[0] * shape[1],
        peak_memory=BASE_MEMORY + _OUTLINE_BYTES * max(one.pixels for one in tiles) + shape[0] * shape[1],
    )  # fmt: skip
    return [*mapped, outlines]


def results(location: Location) -> dict[str, Mapping[str, Any]]:
    """Number and area (m2) of the outlines of each scene that has them, with their threshold."""
    found = {}
    for key in records.done(location, stage=STAGE):
        scene = key.unit.partition("/")[0]
        if key.unit == outlines_unit(scene) and (record := records.read(location, key)) is not None:
            found[scene] = record.facts
    return found


def _whole(side: int, chunk: int) -> int:
    return -(-side // chunk) * chunk


def _sight(cutting: Lattice, card: UnetCard) -> int:
    """Bytes while the network looks at a tile: on a CPU, as on a GPU they are the card's."""
    channels = max(8.0, 64 * card.shape.width)
    per_pixel = _FLOAT * (_SIGHT * channels + _COPIES * card.shape.bands) + 64
    return int(per_pixel * cutting.side**2)


def _template(scene: Scene, config: SceneConfig, look: Look) -> dict[str, bytes]:
    about = {
        "bands": list(scene.bands),
        "weights": look.network.digest,
        "date": "" if config.date is None else config.date.isoformat(),
    }
    return templates.group(
        SCENE, {"y": scene.grid.height, "x": scene.grid.width}, path=scene_group(scene.name), attributes=about,
        coordinates={}, grid=scene.grid,
    )  # fmt: skip
