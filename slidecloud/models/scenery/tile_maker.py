"""Tiles of truth: what a stack would show of a simulated world, and boxes around its slides."""

from __future__ import annotations

import dataclasses
import hashlib
import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels.regrid import DetectorGrid, detector_grid, to_detector
from slidecloud.kernels.views import GradientView
from slidecloud.models.scenery.blocks import blocks_on
from slidecloud.models.scenery.eroded import TILES_PER_TERRAIN, eroded_world
from slidecloud.models.scenery.ground import random_ground
from slidecloud.models.scenery.observation import Observation, observe
from slidecloud.models.scenery.pair_weights import Estimator
from slidecloud.models.scenery.ridged import ridged_world
from slidecloud.models.scenery.survey import random_survey
from slidecloud.models.scenery.truth import VISIBLE_SIGMAS, boxes_of, visible
from slidecloud.models.scenery.world import Kind, World
from slidecloud.models.tile_sets import SIDE, TileSet, open_tiles, write
from slidecloud.models.tiles import Tile
from slidecloud.types import Float32, Geometry

Family = Literal["eroded", "ridged"]
Split = Literal["train", "validation", "test"]
_WORLDS = {"eroded": eroded_world, "ridged": ridged_world}
GENERATOR = 2
"""Raised when the same plan gives another tile."""
_SPLITS: tuple[Split, ...] = ("train", "validation", "test")

_INSIDE = 0.5
"""Share of a slide that a tile must hold for its box to be asked for."""


@dataclass(frozen=True)
class Plan:
    """What one tile is to be.

    Attributes
    ----------
    family, split, number
        Name the tile: no two of them share a random number.
    kind
        See `eroded.eroded_world`.
    level
        Factor on the velocity of slides.
    geometry
        Of the stack: radar at 40 m, or a map at 20 to 100 m.
    pairs
        Pairs of the survey.
    estimator
        Of the stack.
    dem
        Elevations to take the mountains of the family ``eroded`` from, a raster; None simulates them.
    coherence
        Coherence of the pairs in turn, from the first on and again, in place of the world's; empty: the world's.
    """

    family: Family
    split: Split
    number: int
    kind: Kind
    level: float
    geometry: Geometry
    pairs: int
    estimator: Estimator = "coherent"
    dem: str | None = None
    coherence: tuple[float, ...] = ()

    @property
    def seed(self) -> int:
        """A seed of its own: splits and families take different ranges."""
        return _seed(self.family, self.split, self.number)


def plans(family: Family, split: Split, count: int, **fixed: Any) -> list[Plan]:
    """Plans of tiles 0 to `count`, each drawn from its seed but for what is `fixed`.

    Two in three have slides, one in five also subsidence and creeping faults, the rest nothing; velocities are those of
    the families times 10^(-1.3 u), u uniform; six in ten come from radar geometry; pairs are log-uniform, 20 to 420.
    """
    made = []
    for number in range(count):
        rng = np.random.default_rng(np.random.SeedSequence(_seed(family, split, number), spawn_key=(0,)))
        drawn = {
            "kind": str(rng.choice(["slides", "hard", "empty"], p=[0.68, 0.2, 0.12])),
            "level": float(10.0 ** (-1.3 * rng.random())),
            "geometry": "radar" if rng.random() < 0.6 else "map",
            "pairs": round(float(np.exp(rng.uniform(*np.log([20, 420]))))),
        }
        made.append(Plan(family, split, number, **{**drawn, **fixed}))
    return made


def make(plan: Plan) -> Tile:
    """The tile of a plan: one random stack, over all seasons or one of them."""
    rng = np.random.default_rng(np.random.SeedSequence(plan.seed, spawn_key=(1,)))
    ground = random_ground(rng, plan.geometry, side=SIDE)
    survey = random_survey(rng, pairs=plan.pairs)
    if plan.coherence:
        given = np.resize(np.array(plan.coherence, dtype=np.float32), len(survey.first))
        survey = dataclasses.replace(survey, coherence=given)
    world = _WORLDS[plan.family](rng, ground, seed=plan.seed, kind=plan.kind, level=plan.level, dem=plan.dem)
    choices = [None, None, *np.unique(survey.season[np.unique(survey.bin)])]
    season = choices[int(rng.integers(len(choices)))]
    return tile_of(world, observe(world, survey, rng, estimator=plan.estimator, season=season))


def build(
    folder: Path, wanted: Sequence[Plan], *, workers: int = 1, tell: Callable[[int], None] | None = None
) -> TileSet:
    """Make the tiles of all plans into a folder; one that holds them already is opened.

    The digest of the plans and of this version of the generator is kept beside the tiles.

    Parameters
    ----------
    folder
        Is made.
    wanted
        The plans.
    workers
        Processes.
    tell
        Is told how many tiles are made.
    """
    told = ("level", "family", "kind", "geometry")
    name = hashlib.sha256(repr([GENERATOR, told, *wanted]).encode()).hexdigest()
    note = folder / "plans.sha256"
    if note.is_file() and note.read_text() == name:
        return open_tiles(folder)
    note.unlink(missing_ok=True)
    about = {key: [getattr(plan, key) for plan in wanted] for key in told}
    if workers == 1:
        made = write(folder, _counted(map(make, wanted), tell), **about)
    else:
        with multiprocessing.get_context("spawn").Pool(workers) as pool:
            tiles = pool.imap(make, wanted, chunksize=TILES_PER_TERRAIN)
            made = write(folder, _counted(tiles, tell), **about)
    note.write_text(name)
    return made


def _counted(tiles: Iterable[Tile], tell: Callable[[int], None] | None) -> Iterator[Tile]:
    for count, tile in enumerate(tiles, start=1):
        yield tile
        if tell is not None:
            tell(count)


def _seed(family: Family, split: Split, number: int) -> int:
    return ((tuple(_WORLDS).index(family) * len(_SPLITS) + _SPLITS.index(split)) << 32) + number


def tile_of(world: World, seen: Observation) -> Tile:
    """A world as observed, in the middle of the detectors' grid, with boxes around its slides."""
    grid = _grid(world)
    view = _cropped(_on_detector(grid, world.geometry, seen.view))
    return Tile(view, *_into_tile(*slides_of(world, seen), grid))


def slides_of(world: World, seen: Observation) -> tuple[Float32, NDArray[np.bool_]]:
    """Boxes (n, 4) of the slides of a world on the detectors' grid, and which of them are visible."""
    window = blocks_on(world.spacing, "coherent").window
    boxes = boxes_of(_grid(world), world.los_rate, world.labels, window=window)
    shown = np.array([*boxes.values()], dtype=np.float32).reshape(-1, 4)
    return shown, visible_slides(world, seen)[np.array([*boxes], dtype=np.intp) - 1]


def visible_slides(world: World, seen: Observation) -> NDArray[np.bool_]:
    """For each slide: whether its motion stands out of the noise on enough of its unmasked pixels."""
    strong = (np.abs(seen.motion_x) > VISIBLE_SIGMAS * seen.noise_x) | (
        np.abs(seen.motion_y) > VISIBLE_SIGMAS * seen.noise_y
    )
    return visible(world.labels, strong, np.isfinite(seen.view.x), count=len(world.slides))


def _grid(world: World) -> DetectorGrid:
    return detector_grid(world.valid.shape, spacing=world.spacing, heading=world.heading, geometry=world.geometry)


def _on_detector(grid: DetectorGrid, geometry: Geometry, view: GradientView) -> GradientView:
    # Rows of a map run south, its gradients are given northward.
    y = -view.y if geometry == "map" else view.y
    return to_detector(grid, view.x, y, view.x_sigma, view.y_sigma, view.coherence, view.span)


def _start(grid: DetectorGrid) -> tuple[int, int]:
    return (grid.shape[0] - SIDE) // 2, (grid.shape[1] - SIDE) // 2


def _cropped(view: GradientView) -> GradientView:
    rows, columns = view.x.shape
    top, left = (rows - SIDE) // 2, (columns - SIDE) // 2
    x, y, x_sigma, y_sigma, coherence = (
        np.ascontiguousarray(part[top : top + SIDE, left : left + SIDE]) for part in view[:5]
    )
    return GradientView(x, y, x_sigma, y_sigma, coherence, view.span)


def _into_tile(boxes: Float32, visible: NDArray[np.bool_], grid: DetectorGrid) -> tuple[Float32, NDArray[np.bool_]]:
    """Boxes cut at the borders of the tile; those mostly outside are not asked for."""
    top, left = _start(grid)
    moved = boxes - np.array([top, left, top, left], dtype=np.float32)
    cut = np.clip(moved, 0, SIDE)
    share = _areas(cut) / np.maximum(_areas(moved), 1.0)
    kept = _areas(cut) > 0.0
    return cut[kept], (visible & (share >= _INSIDE))[kept]


def _areas(boxes: Float32) -> Float32:
    areas: Float32 = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return areas
