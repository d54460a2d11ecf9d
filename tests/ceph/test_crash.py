"""A real Ceph whose gateway and OSD are killed in the middle of runs: each ends in the same bits, and nothing is lost.

One seed a kind is run by default; all of them, 24 faults, with ``run.sh DIR -m 'not gpu'``.
"""

from __future__ import annotations

import os
import random
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

import boto3
import pytest
import runs
import wholeness
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

CEPH = os.environ.get("SLIDECLOUD_CEPH", "")
CLUSTER = Path(__file__).with_name("cluster.sh")
BUCKET = "crash"
FAULTS = 2
"""In each run."""
PATIENCE = 300.0
"""Seconds that a run on a busy machine may take to finish its next units."""

pytestmark = pytest.mark.skipif(not CEPH, reason="no Ceph: tests/ceph/run.sh starts one and runs this")


class Peace(NamedTuple):
    """The undisturbed run: folder of its configuration, its objects, and its seconds on this Ceph."""

    folder: Path
    objects: dict[str, bytes]
    seconds: float


@pytest.fixture(scope="module")
def peace(tmp_path_factory, source):
    """The run in a folder for its bits, and in the bucket for its time; the stack is in the bucket afterwards."""
    folder = tmp_path_factory.mktemp("peace")
    runs.compute(folder, source)
    boto3.client("s3", endpoint_url=os.environ["SLIDECLOUD_S3"]).create_bucket(Bucket=BUCKET)
    settings = configure(folder, "peace")
    runs.ingest(source, runs.locate(settings.stacks, settings.storage_options), chunks=runs.CHUNKS)
    began = time.monotonic()
    assert finish(start(folder, "peace")) == 0
    return Peace(folder, runs.objects(folder / "run.zarr"), time.monotonic() - began)


def configure(folder, name):
    """A configuration, and its file for the command line."""
    text = runs.yaml_text(
        folder,
        f"run: s3://{BUCKET}/{name}/run.zarr",
        f"stacks: s3://{BUCKET}/stacks",
        f"storage_options: {{endpoint_url: '{os.environ['SLIDECLOUD_S3']}'}}",
        "resources: {executor: threads, workers: 2, memory: 2 GiB, tile: [32, 64]}",
    )
    (folder / f"{name}.yaml").write_text(text)
    return runs.config.parse(text)


def start(folder, name):
    """The command that a user gives, again and again if need be."""
    return subprocess.Popen(
        runs.command("run", str(folder / f"{name}.yaml")), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finish(process):
    """Exit code of the command: done, or an error in a line."""
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode in (0, 1), errors
    assert "Traceback" not in errors
    return process.returncode


def until_done(location, count, process):
    """Wait until so many units are done while the command is at work."""
    limit = time.monotonic() + PATIENCE
    while sum(key.stage != "template" for key in runs.records.done(location)) < count:
        assert process.poll() is None, "the run ended before its fault"
        assert time.monotonic() < limit, "the run does not go on"
        time.sleep(0.05)


def crash(victims, pause):
    """Kill, wait, start again; returns the seconds until the store took an object again."""
    began = time.monotonic()
    subprocess.run([CLUSTER, "crash", CEPH, *victims], check=True)
    time.sleep(pause)
    subprocess.run([CLUSTER, "up", CEPH], check=True, stdout=subprocess.DEVNULL)
    patience = Config(connect_timeout=2, read_timeout=2, retries={"total_max_attempts": 1})
    client = boto3.client("s3", endpoint_url=os.environ["SLIDECLOUD_S3"], config=patience)
    while time.monotonic() < began + PATIENCE:
        try:
            client.put_object(Bucket=BUCKET, Key="awake", Body=b"awake")
            return time.monotonic() - began
        except (BotoCoreError, ClientError):
            time.sleep(0.1)
    raise TimeoutError("Ceph did not come back")


@pytest.mark.parametrize("victims", [("gateway",), ("osd",), ("gateway", "osd")], ids="+".join)
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in (1, 2, 3))])
def test_killed_in_the_middle_of_a_run(peace, seed, victims, record_property, capsys):
    name = f"{'-'.join(victims)}-{seed}"
    settings, draw = configure(peace.folder, name), random.Random(f"{seed} {victims}")
    location = runs.locate(settings.run, settings.storage_options)
    units = len(runs.planning.make(settings).units)
    moments = sorted(draw.sample(range(1, units * 3 // 4), FAULTS))
    began, process, commands, away = time.monotonic(), start(peace.folder, name), 1, []
    for done in moments:
        until_done(location, done, process)
        time.sleep(draw.uniform(0, 0.3))
        away.append(crash(victims, draw.uniform(0, 3)))
    while finish(process) != 0:
        assert commands < 5, "not finished by the same command given five times"
        process, commands = start(peace.folder, name), commands + 1
    lost = time.monotonic() - began - peace.seconds
    found = wholeness.check(settings, peace.objects)
    record_property("seconds_lost_per_fault", lost / FAULTS)
    with capsys.disabled():
        print(  # noqa: T201
            f"\nkill -9 of {' and '.join(victims)}, seed {seed}: {FAULTS} faults after {moments} of {units} units, "
            f"store away for {' and '.join(f'{seconds:.0f}' for seconds in away)} s, {lost / FAULTS:.0f} s lost per "
            f"fault of a run of {peace.seconds:.0f} s, {commands} commands, {found.orphans} orphans removed"
        )
