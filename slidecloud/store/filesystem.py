"""Objects in any file system that fsspec knows: gs://, az://, memory://, and s3:// with options obstore lacks."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cached_property
from typing import Any

import fsspec
from zarr.abc.store import Store
from zarr.storage import FsspecStore

from slidecloud.store.clock import PROBES
from slidecloud.store.objects import Stored

_PACKAGES = {"gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs", "abfs": "adlfs", "abfss": "adlfs", "adl": "adlfs"}
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
        tag = next((info[name] for name in ("ETag", "etag", "generation", "mtime", "created") if name in info), "")
        try:
            modified = self._files.modified(path).timestamp()
        except (NotImplementedError, KeyError, AttributeError):
            modified = float("nan")
        return str(tag), modified


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
