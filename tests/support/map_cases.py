"""Cases of the fault campaign in which a scene is mapped."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import boto3
import mapped
import yaml
from cases import OPTIONS, Case, objects
from injuries import PACE
from processes import Cluster, Process
from stores import Bucket

from slidecloud.pipeline import optical_map
from slidecloud.pipeline.executors import serial
from slidecloud.store import records
from slidecloud.store.location import Location

SHAPE, TILE = (600, 1100), (256, 512)
UNITS = 10
"""Nine tiles and the outlines."""


@dataclass
class MapCase(Case):
    """A scene that a user has mapped: ``stacks`` is its image, ``lines`` the folder of the weights."""

    keys: set[records.Key] = field(default_factory=set)
    pace: float = PACE

    def prepare(self) -> None:
        """Take back all orders, and write the configuration."""
        self.withdraw_all()
        self.order("pace", self.pace)
        about = {"storage_options": OPTIONS} if self.place == "bucket" else {}
        content = settings(self.url, self.stacks, Path(self.lines[0]), self._resources(), **about)
        (self.folder / "optical.yaml").write_text(yaml.safe_dump(content))

    @property
    def url(self) -> str:
        """Of the store."""
        return super().url.replace("run.zarr", "optical.zarr")

    @property
    def location(self) -> Location:
        """The store as seen by the test."""
        if self.place == "folder":
            return Location(self.url)
        assert self.bucket is not None
        return self.bucket.locate(f"{self.name}/optical.zarr")

    def moment(self, choice: random.Random, *, first: int = 0) -> int:
        """A number of records after which there still is something to disturb."""
        return choice.randrange(first, UNITS * 2 // 3)

    def start(self, *words: str, role: str = "driver", **environment: str) -> Process:
        """Give the command."""
        return self.cluster.run("optical", "map", str(self.folder / "optical.yaml"), *words, role=role, **environment)

    def planned(self) -> set[records.Key]:
        """Keys of all its units."""
        assert len(self.keys) == UNITS
        return self.keys


class Scenery:
    """A scene in a folder and in a bucket, a network that finds shapes everywhere in it, and what they give.

    Attributes
    ----------
    expected
        Objects of the mapping in one process, by place.
    """

    def __init__(self, folder: Path, cluster: Cluster, bucket: Bucket) -> None:
        self.folder, self.cluster, self.bucket = folder, cluster, bucket
        mapped.wild_network(folder / "weights.safetensors")
        image = mapped.scene(folder / "scene.tif", mapped.noise((4, *SHAPE)))
        options = dict(bucket.locate("scene").options)
        client = boto3.client("s3", **options)
        client.upload_file(str(image), "slides", "scene.tif")
        self._images = {"folder": str(image), "bucket": "s3://slides/scene.tif"}
        self.expected: dict[str, dict[str, bytes]] = {}
        self._keys: dict[str, set[records.Key]] = {}
        self._number = 0
        for place, path in self._images.items():
            store = str(folder / f"{place}.zarr")
            about = {"storage_options": options} if place == "bucket" else {}
            resources = {"executor": "serial", "memory": "2 GiB"}
            self._map(store, place, settings(store, path, folder, resources, **about))

    @contextmanager
    def case(self, place: str, *, pace: float = PACE) -> Iterator[MapCase]:
        """A new one."""
        self.cluster.heal()
        self._number += 1
        name = f"map{self._number}"
        case = MapCase(
            self.cluster, self.bucket, name, self.folder / name, place, self._images[place],
            lines=(str(self.folder),), tile=TILE, keys=self._keys[place], pace=pace,
        )  # fmt: skip
        try:
            yield case
        finally:
            if case.driver is not None:
                self.cluster.end(case.driver)

    def _map(self, store: str, place: str, content: dict[str, object]) -> None:
        config = mapped.OpticalConfig.model_validate(content)
        assert optical_map.compute(config, executor=serial()).exit_code == 0
        self.expected[place] = objects(Location(store))
        self._keys[place] = {key for key in records.done(Location(store)) if key.stage != "template"}


def settings(store: str, image: str, weights: Path, resources: dict[str, object], **about: object) -> dict[str, object]:
    """A configuration as it stands in a YAML."""
    plain = resources | {"tile": list(TILE)}
    return {
        "store": store, "weights": str(weights / "weights.safetensors"), "scenes": {"valley": {"image": image}},
        "map": {"tile": 128, "least_area": 0.0, "simplify": 1.0}, "resources": plain, **about,
    }  # fmt: skip
