"""What the tests of stores share."""

from __future__ import annotations

import pytest
import runs


@pytest.fixture
def few(source, interferograms, scene):
    """A source with 24 of the small scene's pairs."""
    return runs.subset(source, interferograms, scene, list(range(24)))
