"""A stack that grows: only what the new dates touch is computed, and the result is that of a run from scratch."""

from __future__ import annotations

import numpy as np
import pytest
import runs

from slidecloud import simulate
from slidecloud.store import records


@pytest.fixture(scope="module")
def grown(tmp_path_factory, scene, interferograms, source):
    """A run over all but the last ten dates, to which those are then added; and the records before and after."""
    folder = tmp_path_factory.mktemp("grown")
    last = scene.dates[-10]
    early = [k for k, pair in enumerate(interferograms.pairs) if pair.secondary < last]
    late = [k for k, pair in enumerate(interferograms.pairs) if pair.secondary >= last]
    runs.compute(folder, runs.subset(source, interferograms, scene, early))
    stack = folder / "stacks" / "sim_small.zarr"
    chunks = {p: p.stat().st_mtime_ns for p in stack.rglob("*") if p.is_file() and "c" in p.parts}
    before = records.done(runs.locate(str(folder / "run.zarr")))
    runs.ingest(runs.subset(source, interferograms, scene, late), str(folder / "stacks"))
    touched = {p for p, when in chunks.items() if p.stat().st_mtime_ns != when}
    summary = runs.rerun(folder)
    return folder, before, summary, len(early), touched


def test_equal_to_a_run_from_scratch(grown, tmp_path, source):
    runs.compute(tmp_path, source)
    assert runs.objects(grown[0] / "run.zarr") == runs.objects(tmp_path / "run.zarr")


def test_only_touched_bins_are_computed(grown, scene):
    folder, before, summary, _, _ = grown
    after = records.done(runs.locate(str(folder / "run.zarr")))
    kept = {key.unit.split("/")[1] for key in before & after if key.stage == "gradients"}
    computed = {key.unit.split("/")[1] for key in after - before if key.stage == "gradients"} - {"maps"}
    # 44 dates from 2020 on, every 12 days: the last ten lie in the bins from October 2020 and April 2021.
    first_new = min(simulate.default_pairs(scene), key=lambda pair: pair.secondary < scene.dates[-10]).reference
    assert kept
    assert computed
    assert not kept & computed
    assert min(computed) >= str(np.datetime64(first_new, "M") - 6)
    assert summary.done == len(after - before) - len({key for key in after - before if key.stage == "template"})


def test_no_full_chunk_is_touched(grown):
    _, _, _, early, touched = grown
    full = early // runs.CHUNKS[0]
    batches = {
        int(path.parts[path.parts.index("c") + 1]) for path in touched if path.parts[-5] in ("phase", "coherence")
    }
    assert batches <= {full}


def test_times_were_rewritten_whole(grown, scene):
    import slidecloud

    stack = slidecloud.open_stack(str(grown[0] / "stacks" / "sim_small.zarr"))
    assert stack.sizes["pair"] == len(simulate.default_pairs(scene))
    assert bool((stack.reference_time < stack.secondary_time).all())


def test_one_pair_at_a_time(tmp_path, source, interferograms, scene):
    """Appending pair by pair ends in the same pixels as ingesting all at once."""
    for k in range(6):
        runs.ingest(runs.subset(source, interferograms, scene, [k]), str(tmp_path / "a"), chunks=(4, 32, 64))
    runs.ingest(runs.subset(source, interferograms, scene, list(range(6))), str(tmp_path / "b"), chunks=(4, 32, 64))
    assert runs.objects(tmp_path / "a" / "sim_small.zarr") == runs.objects(tmp_path / "b" / "sim_small.zarr")
