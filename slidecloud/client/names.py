"""From the place of a run to the name of its objects on Kubernetes."""

from __future__ import annotations

import hashlib
import re
from typing import Final

_LONGEST: Final = 30
"""Letters that leave room for what the operator appends to the name of a worker."""


def name_of(run: str) -> str:
    """Name of a run's objects.

    Parameters
    ----------
    run
        URL or folder of the run store; a name that this function made is returned as it is.

    Returns
    -------
    str
        The store's name in the letters that Kubernetes takes, and a digest of all of the URL, so that one run has one
        name and two runs have two.
    """
    if re.fullmatch(r"[a-z0-9][-a-z0-9]*-[0-9a-f]{6}", run):
        return run
    url = run.rstrip("/")
    words = re.sub(r"[^a-z0-9]+", "-", url.rsplit("/", 1)[-1].removesuffix(".zarr").lower()).strip("-")
    digest = hashlib.sha256(url.encode()).hexdigest()[:6]
    return f"{words[: _LONGEST - 7].strip('-') or 'run'}-{digest}"
