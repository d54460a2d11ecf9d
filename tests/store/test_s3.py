"""A run whose stacks and results are in an S3 bucket (a simulated one): in peace, through faults, without secrets."""

from __future__ import annotations

import hashlib
import logging
import pickle

import cloudpickle
import faults
import numpy as np
import pytest
import runs
from faults import SECRET, TOKEN

import slidecloud
from slidecloud.pipeline import plan as planning
from slidecloud.pipeline.orphans import collect
from slidecloud.pipeline.verify import verify
from slidecloud.store.arrays import reader


def configure(endpoint, *lines):
    return runs.config.parse(
        "run: s3://slides/run.zarr\nstacks: s3://slides/stacks\ngradients: {window_pixels: 8}\n"
        f"{runs.DETECT}\ntimeseries: {{where: everywhere}}\n"
        f"resources: {{executor: serial, memory: 2 GiB, retries: 4}}\nstorage_options: {{endpoint_url: '{endpoint}'}}\n"
        + "".join(f"{line}\n" for line in lines)
    )


SERIES = "stages: [timeseries]"


def objects(location):
    """Digest of every object but our own book-keeping, by key."""
    keys = [key for key in location.keys("") if not key.startswith(".slidecloud/")]
    return {key: hashlib.sha256(data).digest() for key, data in location.read_many(keys).items()}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, source, interferograms, scene):
    """Objects of the same run in a folder, of its stack, and of a run of the series alone."""
    folder = tmp_path_factory.mktemp("undisturbed")
    few = runs.subset(source, interferograms, scene, list(range(24)))
    runs.ingest(few, str(folder / "stacks"))
    resources = "resources: {executor: serial, memory: 2 GiB}"
    assert runs.rerun(folder, resources).exit_code == 0
    assert runs.rerun(folder, resources, f"run: {folder}/series.zarr", SERIES).exit_code == 0
    return tuple(runs.objects(folder / name) for name in ("run.zarr", "stacks/sim_small.zarr", "series.zarr"))


def test_run_in_a_bucket(endpoint, few, undisturbed, caplog):
    caplog.set_level(logging.DEBUG)
    options = {"endpoint_url": endpoint}
    runs.ingest(few, runs.locate("s3://slides/stacks", options))
    settings = configure(endpoint)
    assert runs.run(settings, executor=runs.serial()).exit_code == 0
    assert runs.run(settings, executor=runs.serial()).done == 0
    found = verify("s3://slides/run.zarr", options)
    assert found.damaged == ()
    assert "by the store (put-if-absent)" in "\n".join(found.lines())
    run, stack = (runs.locate(f"s3://slides/{name}", options) for name in ("run.zarr", "stacks/sim_small.zarr"))
    assert (objects(run), objects(stack)) == undisturbed[:2]
    for location in (run, stack):
        assert collect(str(location), options).orphans == collect(str(location), options).foreign == ()
    velocity = slidecloud.open_run("s3://slides/run.zarr", options).timeseries("sim_small").velocity
    assert np.isfinite(velocity.values).any()

    stored = b"".join(location.read(key) for location in (run, stack) for key in location.keys(".slidecloud"))
    units = planning.make(settings).units
    travelling = [
        run,
        units,
        reader(stack),
        velocity,
        velocity.chunk(),
        slidecloud.open_run(str(run), options).tree,
    ]
    for where in (stored, *(cloudpickle.dumps(item) for item in travelling), caplog.text.encode()):
        assert SECRET.encode() not in where
        assert TOKEN.encode() not in where
    arrived = pickle.loads(pickle.dumps(velocity))
    np.testing.assert_array_equal(arrived.values, velocity.values)


def perturbed(endpoint, few, expected, seed, rates, *lines):
    """Run through a proxy that spoils answers, as often as a user would give the command; compare with peace."""
    chosen = faults.Faults(seed, rates)
    with faults.between(endpoint, chosen) as through:
        for attempt in range(20):
            # The lease of an attempt that was cut short is that of this process, which still lives.
            again = {"takeover": attempt > 0, "executor": runs.serial()}
            try:
                runs.ingest(few, runs.locate("s3://slides/stacks", {"endpoint_url": through}), **again)
                if runs.run(configure(through, *lines), **again).exit_code == 0:
                    break
            except OSError as error:
                assert SECRET not in str(error)  # noqa: PT017 - whether there is an error is up to the seed
        else:
            pytest.fail(f"not finished after 20 attempts and {dict(chosen.injected)}")
    options = {"endpoint_url": endpoint}
    run, stack = (runs.locate(f"s3://slides/{name}", options) for name in ("run.zarr", "stacks/sim_small.zarr"))
    assert (objects(run), objects(stack)) == expected
    assert verify(str(run), options).damaged == verify(str(stack), options).damaged == ()
    assert sum(1 for key in runs.records.done(run) if key.stage != "template") == len(
        planning.make(configure(endpoint, *lines)).units
    )
    collect(str(run), options, remove=True)
    assert collect(str(run), options).orphans == ()
    return chosen


def test_through_faults(endpoint, few, undisturbed, quick):
    """The series alone; the gradients' many small objects take their time, and are in the long tests."""
    found = perturbed(endpoint, few, undisturbed[:0:-1], 0, dict.fromkeys(faults.KINDS, 0.015), SERIES)
    assert len(found.injected) == len(faults.KINDS)


@pytest.mark.long
def test_through_denials(endpoint, few, undisturbed, quick):
    found = perturbed(endpoint, few, undisturbed[:2], 1, {"403": 0.004})
    assert found.injected["403"] > 0


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 8))
def test_through_many_faults(endpoint, few, undisturbed, quick, seed):
    kinds = faults.KINDS if seed % 2 else (*faults.KINDS, "403")
    found = perturbed(endpoint, few, undisturbed[:2], seed, dict.fromkeys(kinds, 0.03))
    assert found.injected.total() > 20


def test_without_put_if_absent(endpoint, few, undisturbed, monkeypatch):
    """A store that answers 501 to conditions: looking first takes their place, and verify says so."""
    monkeypatch.setattr("slidecloud.store.lease.SETTLE", 0.0)
    chosen = faults.Faults(0, {})
    chosen.refuse_conditions = True
    with faults.between(endpoint, chosen) as through:
        options = {"endpoint_url": through}
        runs.ingest(few, runs.locate("s3://slides/stacks", options))
        stack = runs.locate("s3://slides/stacks/sim_small.zarr", options)
        assert objects(stack) == undisturbed[1]
        text = "\n".join(verify(str(stack), options).lines())
    assert "has no put-if-absent" in text
    assert "has no put-if-match" in text
