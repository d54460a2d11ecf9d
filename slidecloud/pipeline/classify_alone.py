"""The stage ``classify`` by itself, on a run store as it is: no stacks are needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slidecloud.config_classify import ClassifyConfig
from slidecloud.pipeline import classify, merge, timeseries
from slidecloud.pipeline.drive import drive
from slidecloud.pipeline.executors import serial
from slidecloud.pipeline.progress import Progress
from slidecloud.pipeline.summary import Summary
from slidecloud.store import lease, open_run, records


def classify_store(
    url: str,
    config: ClassifyConfig,
    *,
    storage_options: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    takeover: bool = False,
) -> Summary:
    """Classify the landslides of a run by what is stored, with settings that need not be those of its configuration.

    Raises
    ------
    KeyError
        If the run has no inventory, or no displacement.
    FileNotFoundError
        If there is no run, or a file of the settings is not there.
    LeaseError
        If another process is writing the run store, or takes it over.
    """
    run = open_run(url, storage_options)
    location = run.location
    done = [key for key in records.done(location) if key.stage in classify.SOURCES]
    stages = {key.stage for key in done}
    if merge.STAGE not in stages:
        raise KeyError(f"{location} has no inventory to classify; run 'slidecloud detect' first.")
    if timeseries.STAGE not in stages:
        raise KeyError(
            f"{location} has no displacement to classify landslides by; add the stage 'timeseries' and run again."
        )
    bursts = classify.bursts_of(done)
    shapes = [run.header(burst).shape for burst in bursts]
    unit = classify.plan(
        location, config, inputs=done, pixels=max(rows * columns for rows, columns in shapes), bursts=sorted(bursts)
    )
    with lease.hold(location, takeover=takeover) as token:
        return drive(
            [unit], location=location, token=token, executor=serial(), progress=progress, retry_quarantined=True,
            label="classify",
        )  # fmt: skip
