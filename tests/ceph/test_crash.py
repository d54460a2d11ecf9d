"""A real Ceph whose gateway and OSD are killed in the middle of a run: the run goes on and ends in the same bits."""

from __future__ import annotations

import hashlib
import os
import subprocess
import threading
import time
from pathlib import Path

import pytest
import runs

from slidecloud.pipeline.orphans import collect
from slidecloud.pipeline.verify import verify

CEPH = os.environ.get("SLIDECLOUD_CEPH")
CLUSTER = Path(__file__).with_name("cluster.sh")

pytestmark = pytest.mark.skipif(not CEPH, reason="no Ceph: tests/ceph/run.sh starts one and runs this")


@pytest.mark.parametrize("pause", [0.3, 1.5])
def test_killed_gateway_and_osd(tmp_path, source, pause):
    options = {"endpoint_url": os.environ["SLIDECLOUD_S3"]}
    base = f"s3://slides/crash{pause}"
    runs.compute(tmp_path, source)
    runs.ingest(source, runs.locate(f"{base}/stacks", options), chunks=runs.CHUNKS)
    text = runs.yaml_text(tmp_path, f"run: {base}/run.zarr", f"stacks: {base}/stacks", f"storage_options: {options}")
    (tmp_path / "region.yaml").write_text(text)

    def crash():
        time.sleep(pause)
        subprocess.run([CLUSTER, "crash", CEPH], check=True)
        time.sleep(2)
        subprocess.run([CLUSTER, "up", CEPH], check=True, stdout=subprocess.DEVNULL)

    location = runs.locate(f"{base}/run.zarr", options)
    killer = threading.Thread(target=crash)
    killer.start()
    summary = runs.run(runs.config.load(tmp_path / "region.yaml"), executor=runs.serial())
    killer.join()
    assert summary.exit_code == 0
    keys = [key for key in location.keys("") if not key.startswith(".slidecloud/")]
    data = location.read_many(keys)
    assert {k: hashlib.sha256(v).digest() for k, v in data.items()} == runs.objects(tmp_path / "run.zarr")
    assert verify(str(location), options).damaged == ()
    collect(str(location), options, remove=True)
    assert collect(str(location), options).orphans == ()
