"""Blocks of chunks that hold several pairs, decoded once for all threads that read those pairs one by one."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any

from numpy.typing import NDArray

MOST = 2**28
"""Bytes that a process keeps, at most."""


class Blocks:
    """Arrays by key, up to some bytes; those not wanted for longest make room."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._found: OrderedDict[Hashable, Future[NDArray[Any]]] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        """The array of a key, made by the first who asks; others wait for it. What cannot be made is not kept."""
        with self._lock:
            found = self._found.get(key)
            mine = found is None
            if found is None:
                found = self._found[key] = Future()
            else:
                self._found.move_to_end(key)
        if mine:
            try:
                found.set_result(make())
            except BaseException as error:
                with self._lock:
                    self._found.pop(key, None)
                found.set_exception(error)
                raise
            self._make_room()
        return found.result()

    def _make_room(self) -> None:
        with self._lock:
            made = [key for key, item in self._found.items() if item.done()]
            total = sum(self._found[key].result().nbytes for key in made)
            for key in made[:-1]:
                if total <= self._most:
                    return
                total -= self._found.pop(key).result().nbytes
