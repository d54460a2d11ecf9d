"""A unit records what its digest speaks of, or nothing: stacks that are replaced or grow while a run goes on."""

from __future__ import annotations

import shutil

import images
import numpy as np
import pytest
import runs
import zarr

from slidecloud.pipeline import plan, units
from slidecloud.pipeline.gradient_maps import View
from slidecloud.pipeline.ingest_slc import ingest_slc
from slidecloud.pipeline.orphans import collect
from slidecloud.store import lease, records
from slidecloud.types import DataError

LINES = ("stages: [gradients]", "network: {max_days: 36}")
REPLACED = "was replaced while the run was going on"


@pytest.fixture(scope="module")
def slc():
    return images.series()


@pytest.fixture
def folder(tmp_path, slc):
    images.stored(tmp_path, images.source(slc[:5]))
    return tmp_path


def meanwhile(monkeypatch, act, *, after):
    """Do something before a unit begins, after so many have ended."""
    original, count = units.perform, []

    def perform(location, unit, token):
        count.append(unit)
        if len(count) == after + 1:
            act()
        return original(location, unit, token)

    monkeypatch.setattr("slidecloud.pipeline.drive.perform", perform)


def replace(folder):
    shutil.rmtree(folder / "stacks/slc_small.zarr")
    shutil.move(folder / "other/stacks/slc_small.zarr", folder / "stacks/slc_small.zarr")


def test_images_replaced(folder, slc, monkeypatch):
    (folder / "other").mkdir()
    images.stored(folder / "other", images.source(np.ascontiguousarray(np.conj(slc[:5]))))
    meanwhile(monkeypatch, lambda: replace(folder), after=2)
    found = runs.rerun(folder, *LINES)
    assert found.done == 2
    reasons = [item.reason for item in found.quarantined if item.kind == "data"]
    assert reasons
    assert all("image 2020" in reason and REPLACED in reason for reason in reasons)
    monkeypatch.undo()
    assert runs.rerun(folder, *LINES).exit_code == 0
    after = runs.arrays(folder / "run.zarr")
    shutil.rmtree(folder / "run.zarr")
    assert runs.rerun(folder, *LINES).exit_code == 0
    assert runs.arrays(folder / "run.zarr") == after


def test_images_replaced_while_the_run_is_planned(folder, slc, monkeypatch):
    """Between the digests of the images and the names of their records."""
    (folder / "other").mkdir()
    images.stored(folder / "other", images.source(np.ascontiguousarray(np.conj(slc[:5]))))
    choose = plan.choose

    def choose_and_replace(config, stack):
        chosen = choose(config, stack)
        replace(folder)
        return chosen

    monkeypatch.setattr(plan, "choose", choose_and_replace)
    found = runs.rerun(folder, *LINES)
    assert found.done == 0
    assert found.quarantined
    assert all(item.kind == "data" and REPLACED in item.reason for item in found.quarantined)


def test_images_added(folder, slc, monkeypatch):
    meanwhile(monkeypatch, lambda: images.stored(folder, images.source(slc)), after=2)
    assert runs.rerun(folder, *LINES).exit_code == 0


def test_stored_interferograms_outlive_their_images(folder, monkeypatch):
    """Gradients of interferograms that the run has written do not read the images."""
    lines = (*LINES, "interferograms: {write: true}")
    runs.rerun(folder, *lines)
    expected = runs.arrays(folder / "run.zarr")
    formed = len(records.done(runs.locate(str(folder / "run.zarr")), stage="interferograms"))
    shutil.rmtree(folder / "run.zarr")
    meanwhile(monkeypatch, lambda: shutil.rmtree(folder / "stacks/slc_small.zarr"), after=formed)
    assert runs.rerun(folder, *lines).exit_code == 0
    assert runs.arrays(folder / "run.zarr") == expected


def test_incidence_replaced(tmp_path, slc):
    """The maps of rate read the incidence of the stack, which no record of an image speaks of."""
    angle = np.full(images.SHAPE, 0.7, np.float32)
    stack = images.stored(tmp_path, images.source(slc[:2], static={"incidence": angle}))
    view = View(runs.locate(str(stack)), None, records.checksum(angle.tobytes()))
    np.testing.assert_array_equal(view.incidence(), angle)
    zarr.open_array(str(stack / "incidence"), mode="r+")[3, 5] = 0.6
    with pytest.raises(DataError, match=REPLACED):
        view.incidence()


def test_left_overs_beside_images_and_interferograms(folder):
    runs.rerun(folder, *LINES, "interferograms: {write: true}")
    for store, key in (
        ("stacks/slc_small.zarr", "slc/c/9/9/9"),
        ("run.zarr", "bursts/slc_small/interferograms/phase/c/9/9/9"),
    ):
        location = runs.locate(str(folder / store))
        assert (collect(str(location)).orphans, collect(str(location)).foreign) == ((), ())
        location.write(key, b"?")
        assert [orphan.key for orphan in collect(str(location), remove=True).orphans] == [key]


def test_images_are_taken_over(folder, slc):
    stack = runs.locate(str(folder / "stacks/slc_small.zarr"))
    with lease.hold(stack) as token:
        with pytest.raises(lease.LeaseError):
            ingest_slc(images.source(slc), str(folder / "stacks"))
        assert ingest_slc(images.source(slc), str(folder / "stacks"), takeover=True).done == 2
        assert not lease.is_held(stack, token)
