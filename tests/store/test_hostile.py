"""Stores made by others, to do harm: names that climb out, secrets asked for, code in data, stacks swapped."""

from __future__ import annotations

import json
import random
import re
import shutil
from pathlib import Path

import pytest
import runs
import zarr

import slidecloud
from slidecloud.config_yaml import ConfigError
from slidecloud.pipeline.status import status
from slidecloud.pipeline.verify import verify
from slidecloud.stack.arrays import ArraySource
from slidecloud.store import lease, records
from slidecloud.types import DataError

HOSTILE = (
    "s3://AKIA:wJalrXUtn@bucket/run.zarr",
    "https://store/run.zarr?X-Amz-Signature=abcdef",
    "az://container/run.zarr?sv=2024&sig=abcdef",
)


@pytest.mark.parametrize("url", HOSTILE)
def test_secrets_in_a_url(url):
    with pytest.raises(ValueError, match="secret in clear"):
        runs.locate(url)


@pytest.mark.parametrize(
    "options",
    [
        {"connection_string": "AccountKey=abc"},
        {"client_kwargs": {"aws_session_token": "abc"}},
        {"endpoint_url": "https://user:abc@store"},
    ],
)
def test_secrets_in_options(options):
    with pytest.raises(ValueError, match="secret in clear") as caught:
        runs.locate("s3://bucket/run.zarr", options)
    assert "abc" not in str(caught.value)


@pytest.mark.parametrize("url", ["s3://bucket/../other/run.zarr", "gs://bucket/a/./run.zarr"])
def test_urls_that_climb(url):
    with pytest.raises(ValueError, match=re.escape("part '.' or '..'")):
        runs.locate(url)


PARTS = ("..", ".", "", " ", "a", "Z", "ä", "a\u0308", "山崩", "\u202e", "%2e", "%2F", "\\", "\0", "\n", *"*?#~'\"")


@pytest.mark.parametrize("place", ["folder", "bucket"])
@pytest.mark.parametrize("seed", range(3))
def test_keys_of_any_kind(request, tmp_path, place, seed):
    """A key is refused, or its object is read, listed and removed under that very name, inside its store."""
    choice = random.Random(seed)
    if place == "folder":
        location = runs.locate(str(tmp_path / "around" / "store"))
    else:
        location = runs.locate("s3://slides/around/store", {"endpoint_url": request.getfixturevalue("endpoint")})
    kept = {}
    for number in range(120):
        names = ["".join(choice.choices(PARTS, k=choice.randint(1, 3))) for _ in range(choice.randint(1, 3))]
        key = f"{number}/" + "/".join(names)  # no key lies below another
        if any(name in ("", ".", "..") or set("\0\n\\") & set(name) for name in key.split("/")):
            with pytest.raises(ValueError, match="leaves its store"):
                location.write(key, b"")
        else:
            kept[key] = key.encode()
            location.write(key, kept[key])
    assert len(kept) > 20
    assert location.keys() == sorted(kept)
    assert location.read_many(kept) == kept
    outside = [path for path in tmp_path.rglob("*") if not path.is_relative_to(tmp_path / "around" / "store")]
    assert outside == ([tmp_path / "around"] if place == "folder" else [])
    for key in kept:
        location.delete(key)
    assert location.keys() == []


VALUES = (None, True, -1, 1e308, float("nan"), 10**400, "", "ä", [], {"token": "x"}, "../..", 10**9)


@pytest.mark.parametrize("seed", range(5))
def test_leases_of_any_kind(tmp_path, seed):
    """What somebody left in place of a lease is a lease or is not, and a takeover always ends it."""
    choice = random.Random(seed)
    location = runs.locate(str(tmp_path))
    for _ in range(60):
        made = json.loads(lease._encode("theirs"))
        for name in choice.sample(sorted(made), choice.randint(1, 4)):
            made[name] = choice.choice(VALUES)
        text = json.dumps(made).encode()
        location.write(lease.LEASE, text if choice.random() < 0.8 else text[: choice.randrange(len(text))])
        assert lease.holder(location) is None or "process" in lease.holder(location)
        try:
            with lease.hold(location):
                pass
        except lease.LeaseError:
            with lease.hold(location, takeover=True) as token:
                assert lease.is_held(location, token)
        assert lease.holder(location) is None


@pytest.mark.parametrize("name", ["Bergsturz ä 山崩", "a b#c%20d", "x;y'z"])
def test_runs_under_odd_names(tmp_path, source, interferograms, scene, finished_run, name):
    folder = tmp_path / name
    folder.mkdir()
    for part in ("run.zarr", "stacks"):
        shutil.copytree(finished_run / part, folder / part)
    assert verify(str(folder / "run.zarr")).damaged == ()
    run = slidecloud.open_run(str(folder / "run.zarr"))
    assert run.bursts == ("sim_small",)


def test_a_stack_whose_id_climbs(run_copy):
    path = run_copy / "stacks/sim_small.zarr/zarr.json"
    path.write_text(path.read_text().replace('"id": "sim_small"', '"id": "../../../escaped"'))
    found = runs.rerun(run_copy)
    assert found.exit_code == 3
    assert "its id is '../../../escaped'" in found.quarantined[0].reason
    assert not list(run_copy.parent.rglob("escaped*"))


def test_a_record_that_names_objects_elsewhere(run_copy):
    location = runs.locate(str(run_copy / "run.zarr"))
    key = records.Key("gradients", "sim_small/hostile", "0" * 32)
    location.write(key.path(), records.Record(key, {"../../secret.txt": "0" * 64}, "evil").encode())
    (damage,) = verify(str(location)).damaged
    assert damage.key == key.path()


def test_a_configuration_that_asks_for_variables(run_copy, monkeypatch):
    """The store of another person names one of our variables as the key to send to that person's endpoint."""
    monkeypatch.setenv("MY_SECRET", "abc")
    path = run_copy / "run.zarr/.slidecloud/run.yaml"
    path.write_text(path.read_text().replace("storage_options: {}", "storage_options: {key: 'env:MY_SECRET'}"))
    with pytest.raises(DataError, match="asks for the environment variable MY_SECRET"):
        status(str(run_copy / "run.zarr"))
    named = slidecloud.open_run(str(run_copy / "run.zarr"), {"key": "env:MY_SECRET"})
    assert named.config.storage_options == {"key": "env:MY_SECRET"}


def test_a_run_store_that_is_someone_elses(run_copy, finished_run):
    shutil.rmtree(run_copy / "run.zarr")
    zarr.create_group(str(run_copy / "run.zarr"), attributes={"title": "theirs"})
    before = runs.objects(run_copy / "run.zarr")
    with pytest.raises(ConfigError, match="not a run of slidecloud"):
        runs.rerun(run_copy)
    assert runs.objects(run_copy / "run.zarr") == before
    assert not (run_copy / "run.zarr/.slidecloud").exists()


def test_a_stack_replaced_under_a_running_run(run_copy, source, interferograms, scene, monkeypatch):
    """Another stack of the same name appears while units are at work: none records what it did with it."""
    from slidecloud.pipeline import units

    shutil.rmtree(run_copy / "run.zarr")
    i = interferograms
    other = ArraySource(scene.header, i.pairs[:24], i.phase[24:48], i.coherence[:24], i.unwrapped[:24], scene.static())
    runs.ingest(other, str(run_copy / "other"), chunks=runs.CHUNKS)
    original, count = units.perform, []

    def perform(location, unit, token):
        count.append(unit)
        if len(count) == 3:
            shutil.rmtree(run_copy / "stacks/sim_small.zarr")
            shutil.move(run_copy / "other/sim_small.zarr", run_copy / "stacks/sim_small.zarr")
        return original(location, unit, token)

    monkeypatch.setattr("slidecloud.pipeline.drive.perform", perform)
    found = runs.rerun(run_copy)
    assert found.done == 3  # and the inventory, which says what it lacks
    assert found.quarantined
    assert all("was replaced while the run was going on" in item.reason for item in found.quarantined)
    monkeypatch.undo()
    assert runs.rerun(run_copy).exit_code == 0
    shutil.move(run_copy / "run.zarr", run_copy / "after.zarr")
    runs.rerun(run_copy)
    assert runs.objects(run_copy / "run.zarr") == runs.objects(run_copy / "after.zarr")


def test_pairs_added_under_a_running_run_do_not_matter(run_copy, source, monkeypatch):
    from slidecloud.pipeline import plan as planning

    plan = planning.make(runs.configure(run_copy))
    runs.ingest(source, str(run_copy / "stacks"))
    plan.units[0].inputs.check()


def test_no_pickle_is_ever_loaded():
    """Neither by us, nor by Zarr for an array that says it was pickled; what Dask sends is all that is unpacked."""
    package = Path(slidecloud.__file__).parent
    parcels = package / "pipeline/executors.py"
    banned = re.compile(
        r"pickle\.loads?\(|allow_pickle\s*=\s*True|joblib|dill|marshal\.load|(?<![.\w])eval\(|yaml\.(unsafe_)?load\("
    )
    assert [path for path in package.rglob("*.py") if banned.search(path.read_text())] == [parcels]
    assert "slidecloud.store" not in parcels.read_text()


def test_an_array_that_says_it_was_pickled(run_copy):
    path = run_copy / "stacks/sim_small.zarr/zarr.json"
    for codec in ("numcodecs.pickle", "pickle"):
        metadata = json.loads(path.read_text())
        metadata["consolidated_metadata"]["metadata"]["phase"]["codecs"] = [{"name": codec, "configuration": {}}]
        path.write_text(json.dumps(metadata))
        with pytest.raises((DataError, ValueError, KeyError)):
            runs.Stack(runs.locate(str(run_copy / "stacks/sim_small.zarr"))).pair_rows(range(1), slice(0, 32))
