"""What of gradient stacking goes into sigma, and what its size costs; ratios of one run, reported and not asserted."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from functools import partial
from typing import Any
from unittest import mock

import pytest

from slidecloud.kernels import gradients
from slidecloud.pipeline.bench_networks import interferograms, network
from slidecloud.pipeline.bench_timing import PROCESSOR, race

COARSE = (32, 128)
"""Pixels between the points at which sigma is found: one in 4,096 instead of one in 16, a few in every tile."""


def _without_sigma(*samples: Any, **pairs: Any) -> None:
    users = [m for name, m in sys.modules.items() if name.startswith("slidecloud.kernels.") and hasattr(m, "grid_step")]
    with ExitStack() as patches:
        for module in users:
            patches.enter_context(mock.patch.object(module, "grid_step", return_value=COARSE))
        gradients.stack(*samples, **pairs)


@pytest.mark.long
@pytest.mark.parametrize("shape", [(256, 512), (384, 1408), (768, 2816)])
def test_share_of_sigma(shape, record_property, capsys):
    chosen = network(24, 3)
    samples = interferograms(len(chosen.reference), shape)
    pairs = {"reference": chosen.reference, "secondary": chosen.secondary, "span": chosen.span}
    works = {
        "with": partial(gradients.stack, *samples, **pairs),
        "without": partial(_without_sigma, *samples, **pairs),
    }
    best = race(works, 8.0, clock=PROCESSOR)
    rates = {name: samples[0].size / time / 1e6 for name, time in best.items()}
    share = 1 - best["without"] / best["with"]
    record_property("share_of_sigma", share)
    with capsys.disabled():
        print(f"\n{shape}: {rates['with']:.0f} million pair-pixels/s, sigma takes {100 * share:.0f} %")  # noqa: T201
    assert best["without"] > 0.3 * best["with"], "sigma would take most of the time"
