"""Scenes mapped from a bucket into a bucket (a simulated one) through faults: tried again, told, and gone on from."""

from __future__ import annotations

import boto3
import faults
import mapped
import pytest
import runs

from slidecloud.cli import main
from slidecloud.pipeline import optical_map
from slidecloud.pipeline.executors import SerialExecutor, serial
from slidecloud.pipeline.orphans import collect
from slidecloud.pipeline.verify import verify
from slidecloud.stack import remote
from slidecloud.store import aws, records

pytest.importorskip("torch")

UNITS = 5
"""Four tiles and the outlines."""


@pytest.fixture
def place(tmp_path, endpoint, quick):
    """An image in the bucket, and the folder of what is mapped of it in peace."""
    mapped.wild_network(tmp_path / "weights.safetensors")
    image = mapped.scene(tmp_path / "scene.tif", mapped.noise((4, 300, 600)))
    boto3.client("s3", endpoint_url=endpoint).upload_file(str(image), "slides", "images/scene.tif")
    assert run(mapped.config(tmp_path, store="peace", map={"least_area": 0.0})).exit_code == 0
    return tmp_path


@pytest.fixture
def forgetful(monkeypatch):
    """Nothing that was fetched is kept, as of an image that is large."""
    monkeypatch.setattr(remote, "_kept", {True: remote._Kept(0), False: remote._Kept(0)})


def configure(folder, endpoint, **given):
    """From the bucket into the bucket, unless it is said otherwise."""
    return mapped.config(
        folder, {"valley": {"image": "s3://slides/images/scene.tif"}}, map={"least_area": 0.0},
        storage_options={"endpoint_url": endpoint}, **given,
    ).model_copy(update={} if "store" in given else {"store": "s3://slides/optical.zarr"})  # fmt: skip


def run(config, executor=None, **options):
    return optical_map.compute(config, executor=executor or serial(), **options)


def stored(endpoint):
    """Bytes of all that lies in the bucket's store besides records, by key."""
    location = runs.locate("s3://slides/optical.zarr", {"endpoint_url": endpoint})
    return location.read_many([key for key in location.keys("") if not key.startswith(".slidecloud/")])


class Spoiling(SerialExecutor):
    """Spoils answers from the third unit on."""

    def __init__(self, spoiler, rates):
        super().__init__()
        self._spoiler, self._rates, self._taken = spoiler, rates, 0

    def take(self):
        self._taken += 1
        if self._taken == 3:
            self._spoiler.rates = self._rates
        return super().take()


def test_faults_that_pass_are_outlasted(place, endpoint):
    spoiler = faults.Faults(3, dict.fromkeys(faults.KINDS, 0.03))
    spoiler.pause = 0.1
    with faults.between(endpoint, spoiler) as through:
        for attempt in range(20):
            # The lease of an attempt that was cut short is that of this process, which still lives.
            try:
                if run(configure(place, through), takeover=attempt > 0).exit_code == 0:
                    break
            except OSError as error:
                assert faults.SECRET not in str(error)  # noqa: PT017 - whether there is an error is up to the seed
        else:
            pytest.fail(f"not finished after 20 attempts and {dict(spoiler.injected)}")
    assert spoiler.injected.total() >= 5
    assert stored(endpoint) == mapped.objects(place, "peace")
    options = {"endpoint_url": endpoint}
    assert verify("s3://slides/optical.zarr", options).damaged == ()
    collect("s3://slides/optical.zarr", options, remove=True)
    assert stored(endpoint) == mapped.objects(place, "peace")


@pytest.mark.parametrize(("fault", "words"), [("403", "AccessDenied"), ("skewed", "and the clock")])
def test_a_store_that_denies_is_told_and_gone_on_with(place, endpoint, fault, words):
    spoiler = faults.Faults(0, {})
    with faults.between(endpoint, spoiler) as through:
        config = configure(place, through)
        with pytest.raises(PermissionError, match=rf"Access to s3://slides/.* was denied .*{words}"):
            run(config, Spoiling(spoiler, {fault: 1.0}))
        spoiler.rates = {}
        summary = run(config, takeover=True)
    assert (summary.exit_code, summary.done, summary.skipped) == (0, UNITS - 2, 2)
    assert stored(endpoint) == mapped.objects(place, "peace")


@pytest.mark.parametrize("fault", ["403", "short"])
def test_an_image_out_of_reach_fails_its_tiles_and_no_more(place, endpoint, fault, forgetful, monkeypatch):
    """The store is in a folder; what was not reached is tried again by the next command without being asked."""
    monkeypatch.setitem(aws._RETRY, "max_retries", 2)
    spoiler = faults.Faults(0, {})
    with faults.between(endpoint, spoiler) as through:
        config = configure(place, through, store="optical")
        summary = run(config, Spoiling(spoiler, {fault: 1.0}))
        assert summary.exit_code == 3
        assert (summary.done, {one.kind for one in summary.quarantined}) == (3, {"failed"})
        reasons = [one.reason for one in summary.quarantined]
        told = "was denied" if fault == "403" else "did not answer as it should"
        assert all(told in reason and "s3://slides/images" in reason for reason in reasons), reasons
        assert summary.notes == ("The outlines of valley lack 2 of 4 tiles, which were set aside.",)
        spoiler.rates = {}
        summary = run(config)
    assert (summary.exit_code, summary.done, summary.skipped) == (0, 3, 2)
    assert mapped.objects(place) == mapped.objects(place, "peace")


def test_an_image_that_is_replaced_meanwhile_is_mapped_by_the_next_command(place, endpoint, forgetful):
    class Replacing(SerialExecutor):
        """Puts another image into the place of the first before the third unit."""

        taken = 0

        def take(self):
            self.taken += 1
            if self.taken == 3:
                image = mapped.scene(place / "scene.tif", mapped.noise((4, 300, 600), seed=1))
                boto3.client("s3", endpoint_url=endpoint).upload_file(str(image), "slides", "images/scene.tif")
            return super().take()

    config = configure(place, endpoint)
    summary = run(config, Replacing())
    assert summary.exit_code == 3
    assert all("has changed since it was listed" in one.reason for one in summary.quarantined)
    assert (len(summary.quarantined), run(config).done) == (2, UNITS)
    run(mapped.config(place, store="other", map={"least_area": 0.0}))
    assert stored(endpoint) == mapped.objects(place, "other") != mapped.objects(place, "peace")
    location = runs.locate(config.store, {"endpoint_url": endpoint})
    assert records.quarantined(location) == {}


def test_a_bucket_that_is_none_is_a_sentence(place, endpoint, tmp_path, capsys):
    text = configure(place, endpoint).model_dump_json(exclude_none=True)
    for old, new, words in (
        ("slides/images", "nowhere", "There is no bucket for s3://nowhere"),
        ("scene.tif", "other.tif", "There is no object s3://slides/images/other.tif"),
    ):
        (tmp_path / "optical.yaml").write_text(text.replace(old, new))
        assert main(["optical", "map", str(tmp_path / "optical.yaml")]) == 1
        assert words in " ".join(capsys.readouterr().err.split())
    assert stored(endpoint) == {}
