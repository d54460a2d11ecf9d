"""Objects in any file system that fsspec knows: gs://, az://, memory://, and s3:// with options obstore lacks."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import cached_property
from typing import Any

import fsspec
from zarr.abc.store import Store
from zarr.storage import FsspecStore

from slidecloud.store.clock import PROBES
from slidecloud.store.objects import ChangedError, Entry, Stored

_PACKAGES = {
    "http": "aiohttp",
    "https": "aiohttp",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "az": "adlfs",
    "abfs": "adlfs",
    "abfss": "adlfs",
    "adl": "adlfs",
}
_TOGETHER = 16
_TAGS = ("ETag", "etag", "generation", "mtime", "created", "Last-Modified")
_S3 = {"connect_timeout": 10, "read_timeout": 60, "retries": {"mode": "standard", "max_attempts": 10}}
"""Time-outs in seconds and retries of botocore, which waits longer before each, by a random part of it."""


class FileSystem:
    """A folder of an fsspec file system as a place for objects; see `Objects`.

    Parameters
    ----------
    url
        URL of the folder.
    options
        Options of the file system, environment variables filled in.

    Raises
    ------
    ModuleNotFoundError
        If the package that reaches such URLs is not installed.
    ValueError
        If none is known.
    """

    atomic_replace = False

    def __init__(self, url: str, options: Mapping[str, Any]) -> None:
        self._url, self._options = url, dict(options)
        if url.startswith(("s3://", "s3a://")):
            self._options["config_kwargs"] = {**_S3, **self._options.get("config_kwargs", {})}
        self._files, self._path = _open(url, self._options)

    @cached_property
    def atomic_create(self) -> bool:
        """Tried out once: where put-if-absent is not known, it may write over what is there and say nothing."""
        path = f"{self._path}/{PROBES}/{uuid.uuid4().hex}"
        self._files.pipe_file(path, b"first")
        try:
            with suppress(Exception):  # each file system refuses in its own words; what is stored then tells
                self._files.pipe_file(path, b"second", mode="create")
            return bool(self._files.cat_file(path) == b"first")
        finally:
            self._remove(path)

    def get(self, key: str) -> Stored | None:
        """An object; its bytes and its version belong together, however often it is written meanwhile."""
        path = f"{self._path}/{key}"
        try:
            while True:
                before = self._version(path)
                data = bytes(self._files.cat_file(path))
                if self._version(path) == before:
                    return Stored(data, *before)
        except FileNotFoundError:
            return None

    def get_many(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Several objects at once."""
        wanted = list(keys)
        # fsspec takes these characters for patterns when it reads several objects at once.
        if set(self._path) & set("*?[") or any(set(key) & set("*?[") for key in wanted):
            return {key: found.data for key in wanted if (found := self.get(key)) is not None}
        answers = self._files.cat([f"{self._path}/{key}" for key in wanted], on_error="return") if wanted else {}
        for error in answers.values():
            if isinstance(error, Exception) and not isinstance(error, FileNotFoundError):
                raise error
        return {str(name)[self._cut :]: data for name, data in answers.items() if isinstance(data, bytes)}

    def get_range(self, key: str, start: int, stop: int, version: str) -> bytes:
        """Part of an object; its version is looked at afterwards, as fsspec has no answer that brings both."""
        path, name = f"{self._path}/{key}", f"{self._url}/{key}"
        with _translated(name):
            data = bytes(self._files.cat_file(path, start=start, end=stop))
            if self._version(path)[0] != version:
                raise ChangedError(name)
        if len(data) > stop - start:  # a web server that knows no ranges sends all of it
            data = data[start:stop]
        if len(data) != stop - start:
            raise ConnectionError(f"{name} sent {len(data)} of {stop - start} bytes. Give the command again.")
        return data

    def entries(self) -> list[Entry]:
        """Files below the folder; their sizes and versions are asked for one by one where a listing has none."""
        self._files.invalidate_cache()
        with _translated(self._url):
            found = self._files.find(self._path, detail=True)
            names = sorted(name for name in found if len(name) > self._cut)
            with ThreadPoolExecutor(_TOGETHER, thread_name_prefix="slidecloud-store") as pool:
                states = list(pool.map(lambda name: self._full(found[name]), names))
        return [
            Entry(name[self._cut :], state["size"], _tag(state))
            for name, state in zip(names, states, strict=True)
            if state["type"] == "file"
        ]

    def _full(self, state: dict[str, Any]) -> dict[str, Any]:
        return state if state.get("size") is not None and _tag(state) else dict(self._files.info(state["name"]))

    def put(self, key: str, data: bytes) -> None:
        """Write an object."""
        self._files.pipe_file(f"{self._path}/{key}", data)

    def put_many(self, objects: Mapping[str, bytes]) -> None:
        """Several objects at once."""
        self._files.pipe({f"{self._path}/{key}": data for key, data in objects.items()})

    def create(self, key: str, data: bytes) -> bool:
        """Put-if-absent where the file system has it, else look first."""
        if not self.atomic_create:
            if self.get(key) is not None:
                return False
            self.put(key, data)
            return True
        try:
            self._files.pipe_file(f"{self._path}/{key}", data, mode="create")
        except PermissionError:
            raise
        except Exception:  # there is one, or an answer was lost; each file system says so in its own words
            found = self.get(key)
            if found is None:
                raise
            return found.data == data
        return True

    def replace(self, key: str, data: bytes, version: str) -> bool:
        """Compare, then write: fsspec has no condition for it."""
        found = self.get(key)
        if found is None or found.version != version:
            return False
        self.put(key, data)
        return True

    def delete(self, key: str) -> None:
        """Remove an object."""
        self._remove(f"{self._path}/{key}")

    def keys(self, prefix: str) -> list[str]:
        """Keys below a prefix."""
        self._files.invalidate_cache()
        try:
            found = self._files.find(f"{self._path}/{prefix}".rstrip("/"))
        except FileNotFoundError:
            return []
        return sorted(str(item)[self._cut :] for item in found)

    def folders(self) -> list[str]:
        """Folders right below."""
        self._files.invalidate_cache()
        try:
            entries = self._files.ls(self._path, detail=True)
        except (FileNotFoundError, NotADirectoryError):
            return []
        names = (str(entry["name"]).rstrip("/").rsplit("/", 1)[-1] for entry in entries if entry["type"] == "directory")
        return sorted(names)

    def exists(self) -> bool:
        """True where there is something."""
        self._files.invalidate_cache()
        return bool(self._files.exists(self._path))

    def zarr_store(self, *, read_only: bool) -> Store:
        """The folder as a Zarr store."""
        return FsspecStore.from_url(self._url, storage_options=self._options or None, read_only=read_only)

    @property
    def _cut(self) -> int:
        """Characters of a found name before the key."""
        return len(self._files._strip_protocol(self._path)) + 1

    def _remove(self, path: str) -> None:
        try:
            self._files.rm_file(path)
        except FileNotFoundError:
            return

    def _version(self, path: str) -> tuple[str, float]:
        self._files.invalidate_cache(path)
        info = self._files.info(path)
        try:
            modified = self._files.modified(path).timestamp()
        except (NotImplementedError, KeyError, AttributeError):
            modified = float("nan")
        return _tag(info), modified


def _tag(info: Mapping[str, Any]) -> str:
    """What tells one version of a file from another in what a file system says of it."""
    found = next((info[name] for name in _TAGS if name in info), "")
    return str(found.timestamp() if isinstance(found, datetime) else found)  # listings of one name it otherwise


@contextmanager
def _translated(name: str) -> Iterator[None]:
    """Turn errors of the libraries below fsspec that are not of the system into such, in a line."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001 - each library has errors of its own
        status = getattr(error, "status", getattr(error, "status_code", None))
        if status in (401, 403):
            raise PermissionError(
                f"Access to {name} was denied ({status}). Check the credentials of this process, and their rights."
            ) from None
        raise ConnectionError(
            f"{name} did not answer as it should ({type(error).__name__}: {error}). Give the command again."
        ) from None


def _open(url: str, options: Mapping[str, Any]) -> tuple[Any, str]:
    """The file system of a URL, and the path in it."""
    scheme = url.partition("://")[0]
    try:
        files, path = fsspec.core.url_to_fs(url, **options)
    except ImportError as error:
        package = _PACKAGES.get(scheme)
        remedy = f"install it with: pip install {package}" if package else f"{error}."
        raise ModuleNotFoundError(f"{url} needs a package that is not installed; {remedy}") from None
    except ValueError as error:
        if scheme in fsspec.available_protocols():
            raise
        raise ValueError(
            f"{url} cannot be reached ({error}); expected a folder, or a URL such as s3://, gs:// or az://."
        ) from None
    return files, str(path)
