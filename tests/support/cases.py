"""One case of the fault campaign: a run that a user starts, is disturbed, and is started again until it is done."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import runs
from processes import Cluster, Process
from stores import ENDPOINT, Bucket, until

from slidecloud.pipeline import plan as planning
from slidecloud.pipeline.orphans import collect
from slidecloud.pipeline.verify import verify
from slidecloud.store import lease
from slidecloud.store.location import Location

ATTEMPTS = 6
TILES = {"folder": (32, 64), "bucket": (96, 64)}
"""Rows and columns of a unit; simulated buckets take milliseconds for each of a run's many small objects."""
UNITS = {"folder": 22, "bucket": 10}
"""Units of a run."""
PACE = 0.05


@dataclass
class Case:
    """A run of its own store on a shared cluster.

    Parameters
    ----------
    cluster, bucket
        Where it computes, and the store it may be in.
    name, folder
        Of the case; the folder holds its configuration and, where it is not in the bucket, its store.
    place
        ``folder`` or ``bucket``.
    stacks
        Folder or URL of the stacks.
    executor
        ``dask`` (the cluster) or ``serial`` (the driver itself).
    lines
        Of its configuration, in place of the usual ones.
    tile
        Rows and columns of a unit, in place of `TILES`.
    """

    cluster: Cluster
    bucket: Bucket | None
    name: str
    folder: Path
    place: str
    stacks: str
    executor: str = "dask"
    lines: tuple[str, ...] = ()
    tile: tuple[int, int] | None = None
    driver: Process | None = None
    attempts: int = 0
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.prepare()

    def prepare(self) -> None:
        """Take back all orders, and write the configuration."""
        self.withdraw_all()
        lines = [f"run: {self.url}", f"stacks: {self.stacks}", "resources: " + json.dumps(self._resources())]
        if self.place == "bucket":
            lines.append("storage_options: " + json.dumps(OPTIONS))
        lines += self.lines
        (self.folder / "region.yaml").write_text(runs.yaml_text(self.folder, *lines))

    def withdraw_all(self) -> None:
        """Make the folder, and take back all orders but the pace."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for order in self.cluster.folder.glob("*"):
            if order.is_file() and order.suffix != ".log":
                order.unlink()
        self.order("pace", PACE)

    @property
    def url(self) -> str:
        """Of the run store."""
        return f"s3://slides/{self.name}/run.zarr" if self.place == "bucket" else str(self.folder / "run.zarr")

    @property
    def location(self) -> Location:
        """The run store as seen by the test."""
        if self.place == "folder":
            return runs.locate(self.url)
        assert self.bucket is not None
        return self.bucket.locate(f"{self.name}/run.zarr")

    def moment(self, choice: random.Random, *, first: int = 0) -> int:
        """A number of records after which there still is something to disturb."""
        return choice.randrange(first, UNITS[self.place] * 2 // 3)

    def order(self, name: str, value: object = "") -> None:
        """Tell the processes inside something."""
        partial = self.cluster.folder / f"{name}.partial"
        partial.write_text(str(value))
        partial.rename(self.cluster.folder / name)

    def withdraw(self, name: str) -> None:
        """Take an order back."""
        (self.cluster.folder / name).unlink(missing_ok=True)

    def start(self, *words: str, role: str = "driver", **environment: str) -> Process:
        """Give the command."""
        return self.cluster.run("run", str(self.folder / "region.yaml"), *words, role=role, **environment)

    def wait_for_records(self, wanted: int) -> bool:
        """Wait until so many records of units are written; False where the driver ended before."""
        assert self.driver is not None
        until(lambda: self.driver.poll() is not None or len(self.recorded()) >= wanted)
        return self.driver.poll() is None

    def recorded(self) -> set[str]:
        """Units with a record, as the processes noted it."""
        return {unit for what, unit in self.notes() if what == "recorded"}

    def notes(self) -> list[tuple[str, str]]:
        """What happened to units: (what, stage and unit)."""
        return [(what, unit) for what, _, unit in self._noted()]

    def at_work(self, stage: str) -> dict[str, int]:
        """Units of a stage that were begun and have no record yet, and the process that does each."""
        found: dict[str, int] = {}
        for what, process, unit in self._noted():
            if what == "began":
                found[unit] = process
            else:
                found.pop(unit, None)
        return {unit: process for unit, process in found.items() if unit.split()[0] == stage}

    def _noted(self) -> list[tuple[str, int, str]]:
        try:
            lines = (self.cluster.folder / "units").read_text().splitlines()
        except FileNotFoundError:
            return []
        split = [line.split("|") for line in lines]
        return [(what, int(process), f"{stage} {unit}") for what, process, stage, unit in split if stage != "template"]

    def finish(self) -> None:
        """Wait for the driver, and give the same command again until it ends with 0."""
        while True:
            if self.driver is None:
                self.cluster.heal()
                self.driver = self.start()
            code = self.driver.wait(300)
            words = self.cluster.log(self.driver)
            self.said.append(words)
            self.driver, self.attempts = None, self.attempts + 1
            if code == 0:
                return
            assert "Traceback" not in words, words
            assert code in (1, 3, -9), words
            assert self.attempts < ATTEMPTS, "\n".join(self.said)

    def planned(self) -> set[runs.records.Key]:
        """Keys of all its units."""
        units = {unit.key for unit in planning.make(self._settings()).units}
        assert self.lines or len(units) == UNITS[self.place]
        return units

    def check(self, expected: dict[str, bytes]) -> None:
        """What holds after every fault: results, counts, records and objects are those of an undisturbed run."""
        location = self.location
        units = self.planned()
        recorded = {key for key in runs.records.done(location) if key.stage != "template"}
        assert recorded == units
        computed, before = (int(number) for number in _COUNTS.search(self.said[-1]).groups())
        assert computed + before == len(units)
        if self.place == "folder":  # a bucket counts the same bytes as written where its first answer was lost
            writers = Counter(unit for what, unit in self.notes() if what == "recorded")
            assert set(writers.values()) == {1}, writers
        assert lease.holder(location) is None
        options = dict(location.options)
        assert collect(str(location), options, remove=True).foreign == ()
        again = collect(str(location), options)
        assert (again.orphans, again.foreign) == ((), ())
        assert objects(location) == expected
        assert verify(str(location), options).damaged == ()

    @property
    def begun_again(self) -> int:
        """Units that were begun once more."""
        begun = [unit for what, unit in self.notes() if what == "began"]
        return len(begun) - len(set(begun))

    @property
    def repeated(self) -> set[str]:
        """Units that were begun although they had a record."""
        recorded: set[str] = set()
        found: set[str] = set()
        for what, unit in self.notes():
            (recorded if what == "recorded" else found).update({unit} if what == "recorded" else {unit} & recorded)
        return found

    def _settings(self) -> runs.config.RunConfig:
        settings = runs.config.load(self.folder / "region.yaml")
        options = dict(self.location.options)
        return settings.model_copy(update={"storage_options": options})

    def _resources(self) -> dict[str, object]:
        chosen = {"executor": self.executor, "memory": "2 GiB", "tile": self.tile or TILES[self.place]}
        return chosen | ({"scheduler": self.cluster.address} if self.executor == "dask" else {})


OPTIONS = {"endpoint_url": f"env:{ENDPOINT}", "config_kwargs": {"connect_timeout": 5, "read_timeout": 5}}
_COUNTS = re.compile(r"(\d+) units done, (\d+) were done before")


def objects(location: Location) -> dict[str, bytes]:
    """Digest of every object but our own book-keeping, by key."""
    keys = [key for key in location.keys("") if not key.startswith(".slidecloud/")]
    return {key: runs.records.checksum(data).encode() for key, data in location.read_many(keys).items()}


def choices(kind: str, seed: int) -> random.Random:
    """The choices of a case."""
    return random.Random(f"{kind} {seed}")
