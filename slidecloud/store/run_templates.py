"""Templates of a run store: of its root, its bursts and their stages."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from slidecloud import config as configuration
from slidecloud.config import RunConfig
from slidecloud.store import templates
from slidecloud.store.inventory_specs import DENSITY_GROUP
from slidecloud.store.schema import GROUPS, SCHEMA_VERSION
from slidecloud.store.stacks import header_attributes
from slidecloud.types import Grid, StackHeader

RUN_YAML = ".slidecloud/run.yaml"


def root_template(config: RunConfig) -> dict[str, bytes]:
    """Objects of an empty run store: root metadata and the configuration."""
    attributes = {"kind": "run", "schema_version": SCHEMA_VERSION, "software": templates.SOFTWARE}
    objects = templates.group((), {}, path="", attributes=attributes, coordinates={}, grid=None)
    objects |= templates.group((), {}, path="bursts", attributes={}, coordinates={}, grid=None)
    objects[RUN_YAML] = configuration.dump(config).encode()
    return objects


def burst_template(header: StackHeader) -> dict[str, bytes]:
    """Objects of a burst's group."""
    attributes = header_attributes(header, kind="burst")
    del attributes["kind"]
    return templates.group((), {}, path=f"bursts/{header.id}", attributes=attributes, coordinates={}, grid=None)


def stage_template(
    header: StackHeader,
    name: str,
    sizes: Mapping[str, int],
    coordinates: Mapping[str, Any],
    attributes: Mapping[str, Any],
    *,
    chunks: tuple[int, int],
    optional: Collection[str] = (),
    path: str | None = None,
    pairs: int | None = None,
) -> dict[str, bytes]:
    """Objects of an empty ``gradients`` or ``timeseries`` group of a burst, with some of the ``optional`` arrays.

    ``path`` is that of the group where it is not right below the burst, ``pairs`` the pairs of a chunk where they are
    not the schema's.
    """
    wanted = {*coordinates, *optional}
    specs = tuple(spec for spec in GROUPS[name] if not spec.optional or spec.name in wanted)
    height, width = header.shape
    return templates.group(
        specs,
        {**sizes, "y": height, "x": width},
        path=path or f"bursts/{header.id}/{name}",
        attributes=attributes,
        coordinates=coordinates,
        grid=header.grid,
        chunks={"y": chunks[0], "x": chunks[1], **({} if pairs is None else {"pair": pairs})},
    )


def products_templates(grid: Grid, radius: float) -> dict[str, dict[str, bytes]]:
    """Objects of the empty group of products and of the density maps in it, by the path of their group."""
    nothing: dict[str, Any] = {"path": "products", "attributes": {}, "coordinates": {}, "grid": None}
    maps = templates.group(
        GROUPS["density"],
        {"y": grid.height, "x": grid.width},
        path=DENSITY_GROUP,
        attributes={"radius": radius},
        coordinates={},
        grid=grid,
    )
    return {"products": templates.group((), {}, **nothing), DENSITY_GROUP: maps}
