"""Objects in an S3 bucket through obstore, the fast way in."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    InvalidPathError,
    NotSupportedError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)
from obstore.store import S3Store
from zarr.abc.store import ByteRequest
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.storage import ObjectStore

from slidecloud.store.objects import ChangedError, Entry, Stored

_TOGETHER = 16
_EXPIRED = ("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired")
_PAUSES = tuple(min(5.0, 0.1 * 2**number) for number in range(60))
"""Longest seconds before a write under a condition is tried again."""

Result = TypeVar("Result")


class Bucket:
    """A prefix of a bucket as a place for objects; see `Objects`.

    Parameters
    ----------
    store, single
        The bucket at the prefix, and the same without retries: what became of a write under a condition has to be
        looked at before it is tried again.
    url
        Its URL, for messages.
    """

    def __init__(self, store: S3Store, single: S3Store, url: str) -> None:
        self._store, self._single, self._url = store, single, url
        self.atomic_create = self.atomic_replace = True

    def get(self, key: str) -> Stored | None:
        """An object."""
        try:
            with translated(self._url):
                found = obstore.get(self._store, key)
                data = bytes(found.bytes())
        except FileNotFoundError:
            return None
        meta = found.meta
        return Stored(data, meta["e_tag"] or "", meta["last_modified"].timestamp())

    def get_many(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Several objects at once."""
        wanted = list(keys)
        found = zip(wanted, _at_once(self.get, wanted), strict=True)
        return {key: stored.data for key, stored in found if stored is not None}

    def get_range(self, key: str, start: int, stop: int, version: str) -> bytes:
        """Part of an object; the answer that brings the bytes names their version too."""
        name = f"{self._url}/{key}"
        with translated(name):
            found = obstore.get(self._store, key, options={"range": (start, stop)})
            if found.meta["size"] < stop or found.meta["e_tag"] != version:
                raise ChangedError(name)
            return bytes(found.bytes())

    def entries(self) -> list[Entry]:
        """Objects below the prefix, by the pages of the store's listing."""
        with translated(self._url):
            found = obstore.list(self._store).collect()
        return sorted((Entry(item["path"], item["size"], item["e_tag"] or "") for item in found), key=lambda e: e.key)

    def put(self, key: str, data: bytes) -> None:
        """Write an object by a single request, so that nothing is ever left half uploaded."""
        with translated(self._url):
            obstore.put(self._store, key, data, use_multipart=False)

    def put_many(self, objects: Mapping[str, bytes]) -> None:
        """Several objects at once."""
        _at_once(lambda item: self.put(*item), list(objects.items()))

    def create(self, key: str, data: bytes) -> bool:
        """Put-if-absent (``If-None-Match: *``); looks first where the store refuses the condition."""
        if self.atomic_create:
            try:
                return self._conditional(key, data, "create")
            except NotSupportedError:
                self.atomic_create = False
        if self.get(key) is not None:
            return False
        self.put(key, data)
        return True

    def replace(self, key: str, data: bytes, version: str) -> bool:
        """Put-if-match; Ceph compares with the ETag without its quotes, HTTP asks for them."""
        if self.atomic_replace:
            try:
                return any(self._conditional(key, data, {"e_tag": tag}) for tag in (version.strip('"'), version))
            except NotSupportedError:
                self.atomic_replace = False
        found = self.get(key)
        if found is None or found.version != version:
            return False
        self.put(key, data)
        return True

    def delete(self, key: str) -> None:
        """Remove an object."""
        with translated(self._url):
            obstore.delete(self._store, key)

    def keys(self, prefix: str) -> list[str]:
        """Keys below a prefix."""
        with translated(self._url):
            return sorted(item["path"] for item in obstore.list(self._store, prefix or None).collect())

    def folders(self) -> list[str]:
        """Prefixes right below."""
        with translated(self._url):
            found = obstore.list_with_delimiter(self._store)["common_prefixes"]
        return sorted(path.rstrip("/").rsplit("/", 1)[-1] for path in found)

    def exists(self) -> bool:
        """True where an object is below the prefix."""
        with translated(self._url):
            return any(obstore.list(self._store, chunk_size=1))

    def zarr_store(self, *, read_only: bool) -> ObjectStore[S3Store]:
        """The prefix as a Zarr store."""
        return _ZarrBucket(self._store, self._url, read_only=read_only)

    def _conditional(self, key: str, data: bytes, mode: Any) -> bool:
        """Write under a condition. Where the answer was lost, what is stored tells whether it was done."""
        for pause in (*_PAUSES, None):
            try:
                with translated(self._url):
                    obstore.put(self._single, key, data, mode=mode, use_multipart=False)
                return True
            except (AlreadyExistsError, PreconditionError, FileNotFoundError):
                return self._holds(key, data)
            except PermissionError:
                raise
            except OSError:
                if pause is None:
                    raise
                time.sleep(pause * random.uniform(0.5, 1.0))
                if self._holds(key, data):
                    return True
        raise AssertionError("every pass returns or raises")

    def _holds(self, key: str, data: bytes) -> bool:
        found = self.get(key)
        return found is not None and found.data == data


class _ZarrBucket(ObjectStore[S3Store]):
    """Zarr's store over obstore, with single requests for writes and errors of the system."""

    def __init__(self, store: S3Store, url: str, *, read_only: bool) -> None:
        super().__init__(store, read_only=read_only)
        self._url = url

    def with_read_only(self, read_only: bool = False) -> _ZarrBucket:
        return _ZarrBucket(self.store, self._url, read_only=read_only)

    async def get(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None) -> Buffer | None:
        with translated(self._url):
            return await super().get(key, prototype, byte_range)

    async def set(self, key: str, value: Buffer) -> None:
        self._check_writable()
        with translated(self._url):
            await obstore.put_async(self.store, key, value.to_bytes(), use_multipart=False)


@contextmanager
def translated(url: str) -> Iterator[None]:
    """Turn errors of obstore into those of the system, in a line that names the place and what the store said."""
    try:
        yield
    except (AlreadyExistsError, PreconditionError, NotSupportedError):
        raise
    except BaseError as error:
        raise _as_system_error(url, error) from None


def _as_system_error(url: str, error: BaseError) -> Exception:
    code = _code(error)
    if code in _EXPIRED:
        return PermissionError(
            f"The credentials for {url} have expired ({_answer(error)}). Get new ones, then give the command again."
        )
    if isinstance(error, PermissionDeniedError | UnauthenticatedError) or _status(error) in ("401", "403"):
        return PermissionError(
            f"Access to {url} was denied ({_answer(error)}). Check the credentials of this process (environment, "
            "profile or role), their rights on the bucket, and the clock."
        )
    if code == "NoSuchBucket":
        return FileNotFoundError(f"There is no bucket for {url}; check its name and the endpoint.")
    if isinstance(error, InvalidPathError):
        return ValueError(
            f"{url} holds an object with a name that cannot be used ({_answer(error)}): rename it, or give a folder "
            "beside it."
        )
    if _status(error) == "416":
        return ChangedError(url)
    if _status(error) == "501":
        return NotSupportedError(_answer(error))
    return ConnectionError(f"{url} did not answer as it should ({_answer(error)}). Give the command again.")


def _answer(error: BaseException) -> str:
    """The status and code that a store answered with, or the first line of what went wrong on the way."""
    text = str(error)
    status = re.search(r"status code: (\d+ [\w ]+)", text)
    found = [part for part in (status and status[1], _code(error)) if part]
    return ", ".join(found) or text.splitlines()[0]


def _code(error: BaseException) -> str | None:
    found = re.search(r"<Code>(\w+)</Code>", str(error))
    return None if found is None else found[1]


def _status(error: BaseException) -> str | None:
    found = re.search(r"status code: (\d+)", str(error))
    return None if found is None else found[1]


def _at_once(function: Callable[[Any], Result], items: list[Any]) -> list[Result]:
    if len(items) < 2:
        return [function(item) for item in items]
    with ThreadPoolExecutor(min(_TOGETHER, len(items)), thread_name_prefix="slidecloud-store") as pool:
        return list(pool.map(function, items))
