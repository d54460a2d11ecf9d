"""Any file system of fsspec: a whole run where put-if-absent is unknown, and words for packages that are missing."""

from __future__ import annotations

import importlib.util

import fsspec
import numpy as np
import pytest
import runs
import wholeness
from fsspec.implementations.memory import MemoryFileSystem

import slidecloud
from slidecloud.pipeline.verify import verify


class Forgetful(MemoryFileSystem):
    """A file system that takes put-if-absent for put, as those do that do not know it."""

    protocol = "forgetful"
    store: dict = {}  # noqa: RUF012 - the base class keeps its files in one, too
    pseudo_dirs = [""]  # noqa: RUF012

    def pipe_file(self, path, value, mode="overwrite", **options):
        super().pipe_file(path, value, **options)


@pytest.fixture
def forgetful(monkeypatch):
    monkeypatch.setattr("slidecloud.store.lease.SETTLE", 0.0)
    fsspec.register_implementation("forgetful", Forgetful, clobber=True)
    yield
    Forgetful.store.clear()


def test_put_if_absent_that_is_unknown_looks_first(forgetful):
    location = runs.locate("forgetful://slides/a")
    assert location.create("record", b"1")
    assert not location.create("record", b"2")
    assert location.read("record") == b"1"
    assert not location.objects.atomic_create
    assert location.keys() == ["record"]


def test_a_run_where_put_if_absent_is_unknown(forgetful, few, tmp_path):
    settings = runs.configure(tmp_path, "run: forgetful://slides/run.zarr", "stacks: forgetful://slides/stacks")
    runs.compute(tmp_path, few)
    runs.ingest(few, settings.stacks, chunks=runs.CHUNKS)
    assert runs.run(settings, executor=runs.serial()).exit_code == 0
    wholeness.check(settings, runs.objects(tmp_path / "run.zarr"))
    assert "by looking first: this store has no put-if-absent" in "\n".join(verify(settings.run).lines())
    velocity = slidecloud.open_run(settings.run).timeseries("sim_small").velocity
    assert np.isfinite(velocity.values).any()


@pytest.mark.parametrize(("scheme", "package"), [("gs", "gcsfs"), ("az", "adlfs")])
def test_a_missing_package_is_named(scheme, package):
    if importlib.util.find_spec(package):
        pytest.skip(f"{package} is installed")
    with pytest.raises(ModuleNotFoundError, match=rf"{scheme}://slides/x needs a package .*pip install {package}"):
        runs.locate(f"{scheme}://slides/x").exists()


def test_an_unknown_scheme_is_named():
    with pytest.raises(ValueError, match=r"nosuch://slides/x cannot be reached .*expected a folder, or a URL"):
        runs.locate("nosuch://slides/x").exists()
