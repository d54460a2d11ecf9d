"""What every kind of storage can do with whole objects, whatever client reaches it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from zarr.abc.store import Store

_BANNED = re.compile(r"[\x00-\x1f\x7f\\]")


@dataclass(frozen=True, slots=True)
class Stored:
    """An object as it was read.

    Attributes
    ----------
    data
        Its bytes.
    version
        What the store calls this version of it (the ETag of S3); another one after every write of other bytes.
    modified
        When it was written, in seconds since 1970 by the clock of the store; NaN where the store does not say.
    """

    data: bytes
    version: str
    modified: float


@dataclass(frozen=True, slots=True)
class Entry:
    """An object as a listing names it.

    Attributes
    ----------
    key
        Relative to what was listed, as the store has it: it may hold anything.
    size
        Bytes.
    version
        As in `Stored`.
    """

    key: str
    size: int
    version: str


class ChangedError(OSError):
    """An object is another one than it was when it was listed."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} has changed since it was listed: give the command again when it is whole")


class Objects(Protocol):
    """The objects below one folder. Keys are relative to it, their parts separated by slashes.

    Errors are those of the system: PermissionError where access is denied, other OSErrors where a store did not answer
    in spite of retries.
    """

    @property
    def atomic_create(self) -> bool:
        """True where the store itself checks the condition of `create`; False where the client looks, then writes."""

    @property
    def atomic_replace(self) -> bool:
        """The same of `replace`."""

    def get(self, key: str) -> Stored | None:
        """An object, or None where there is none."""

    def get_many(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Bytes of several objects by key, fetched at once where that is possible; absent ones are left out."""

    def get_range(self, key: str, start: int, stop: int, version: str) -> bytes:
        """Bytes `start` to `stop` of this version of an object.

        Raises FileNotFoundError if it is gone, ChangedError if it is another version by now.
        """

    def entries(self) -> list[Entry]:
        """All objects with their sizes and versions, sorted by key."""

    def put(self, key: str, data: bytes) -> None:
        """Write an object whole or not at all."""

    def put_many(self, objects: Mapping[str, bytes]) -> None:
        """Write several objects, at once where that is possible."""

    def create(self, key: str, data: bytes) -> bool:
        """Write an object only if there is none; False where there was one.

        An object of the same bytes counts as written where the store's first answer was lost.
        """

    def replace(self, key: str, data: bytes, version: str) -> bool:
        """Write an object only over this version of it; False where it is another one by now, or gone."""

    def delete(self, key: str) -> None:
        """Remove an object; nothing happens where there is none."""

    def keys(self, prefix: str) -> list[str]:
        """Keys of all objects below a prefix, sorted."""

    def folders(self) -> list[str]:
        """Names of the folders right below, sorted."""

    def exists(self) -> bool:
        """True where there is an object, or a folder."""

    def zarr_store(self, *, read_only: bool) -> Store:
        """The folder as a Zarr store."""


def check_key(key: str) -> str:
    """The key itself, if it stays inside its folder.

    Raises
    ------
    ValueError
        If a part of it is empty, ``.`` or ``..``, or it holds a control character or a backslash, which not every
        store keeps.
    """
    if any(part in ("", ".", "..") for part in key.split("/")) or _BANNED.search(key):
        raise ValueError(
            f"The object key {key!r} leaves its store, or holds a character that not every store keeps; "
            "expected names separated by single slashes."
        )
    return key
