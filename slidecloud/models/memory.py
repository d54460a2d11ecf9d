"""Keeping freed memory for the next step, where the C library can be told to."""

from __future__ import annotations

import ctypes
from typing import Final

_TRIM_THRESHOLD: Final = -1
_MMAP_MAX: Final = -4
_KEPT: Final = 2**31 - 1


def keep_freed() -> None:
    """Let this process keep up to 2 GiB of freed memory, large blocks included.

    Every step of training allocates and frees the same tens of megabytes; handing them back to the system and getting
    them again, page by page, costs up to half of the time. Does nothing where the C library is not glibc.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    mallopt(_MMAP_MAX, 0)
    mallopt(_TRIM_THRESHOLD, _KEPT)
