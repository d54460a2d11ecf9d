"""Where a store lies: a URL, the storage options that reach it, and the client that serves it."""

from __future__ import annotations

import importlib.util
import json
import os
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slidecloud.secrets import refuse_secrets
from slidecloud.store.folder import Folder
from slidecloud.store.objects import Entry, Objects, Stored, check_key

_ENVIRONMENT = "env:"
_S3 = ("s3", "s3a")


@dataclass(frozen=True, slots=True)
class Location:
    """A folder in any file system that fsspec knows, and how to reach it.

    Attributes
    ----------
    url
        Absolute local path or URL (``s3://bucket/runs/sichuan.zarr``), no trailing slash.
    options
        Storage options in the words of fsspec as sorted (name, value) pairs. A value ``env:NAME`` stands for the
        environment variable NAME of whichever process opens the location, so that no secret travels with it.
    """

    url: str
    options: tuple[tuple[str, Any], ...] = ()

    def __str__(self) -> str:
        return self.url

    def __hash__(self) -> int:
        return hash(self.url)  # options may hold mappings, which have none

    def __truediv__(self, name: str) -> Location:
        return Location(f"{self.url}/{name}", self.options)

    @property
    def is_local(self) -> bool:
        """True for a folder of this machine."""
        return "://" not in self.url

    @property
    def name(self) -> str:
        """Last part of the URL."""
        return self.url.rsplit("/", 1)[-1]

    def storage_options(self) -> dict[str, Any]:
        """Options with their environment variables filled in; a variable that is not set raises KeyError."""
        return {name: _resolve(name, value) for name, value in self.options}

    @property
    def objects(self) -> Objects:
        """The client that serves this location, opened once in a process and never sent to another one."""
        return _clients.open(self.url, self.storage_options())

    def read(self, key: str) -> bytes | None:
        """Bytes of an object, or None where there is none."""
        found = self.fetch(key)
        return None if found is None else found.data

    def fetch(self, key: str) -> Stored | None:
        """An object with its version and its time, or None where there is none."""
        return self.objects.get(check_key(key))

    def read_many(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Bytes of several objects by key, fetched at once where that is possible; absent ones are left out."""
        return self.objects.get_many([check_key(key) for key in keys])

    def write(self, key: str, data: bytes) -> None:
        """Write an object whole or not at all."""
        self.objects.put(check_key(key), data)

    def write_many(self, objects: Mapping[str, bytes]) -> None:
        """Write several objects, at once where that is possible."""
        self.objects.put_many({check_key(key): data for key, data in objects.items()})

    def create(self, key: str, data: bytes) -> bool:
        """Write an object only if there is none; False where there was one. Atomic where the store can."""
        return self.objects.create(check_key(key), data)

    def replace(self, key: str, data: bytes, version: str) -> bool:
        """Write an object only over this version of it; False where it is another one. Atomic where the store can."""
        return self.objects.replace(check_key(key), data, version)

    def delete(self, key: str) -> None:
        """Remove an object; nothing happens where there is none."""
        self.objects.delete(check_key(key))

    def keys(self, prefix: str = "") -> list[str]:
        """Keys of all objects below a prefix, sorted, relative to the location."""
        return self.objects.keys(check_key(prefix) if prefix else "")

    def entries(self) -> list[Entry]:
        """All objects below the location with their sizes and versions, sorted; their keys may hold anything."""
        return self.objects.entries()

    def read_range(self, key: str, start: int, stop: int, version: str) -> bytes:
        """Bytes `start` to `stop` of this version of an object.

        Raises
        ------
        FileNotFoundError
            If there is no such object any more.
        ChangedError
            If it is another version by now.
        """
        return self.objects.get_range(check_key(key), start, stop, version)

    def folders(self) -> list[str]:
        """Names of the folders right below, sorted."""
        return self.objects.folders()

    def exists(self) -> bool:
        """True where something lies at the location."""
        return self.objects.exists()


def locate(url: str | os.PathLike[str] | Location, options: Mapping[str, Any] | None = None) -> Location:
    """A location from a path or URL; refuses secrets that stand in the URL or the options themselves.

    Raises
    ------
    ValueError
        If the URL is empty, has a part ``..`` or holds a password, or an option such as ``secret`` holds a value that
        is not ``env:NAME``.
    """
    if isinstance(url, Location):
        return url
    text = os.fspath(url).strip()
    if not text:
        raise ValueError("The location is empty; give a folder or a URL such as s3://bucket/runs/region.zarr.")
    refuse_secrets({"url": text, **(options or {})})
    scheme, separator, rest = text.partition("://")
    if separator and not rest.strip("/"):
        raise ValueError(
            f"The location {text!r} names no bucket or folder; give one such as s3://bucket/runs/region.zarr."
        )
    if scheme.lower() == "file":
        text = rest
    if "://" not in text:
        text = str(Path(text).expanduser().absolute())
    elif {".", ".."} & set(rest.split("/")):
        raise ValueError(
            f"The location {text!r} has a part '.' or '..', which object stores take for a name; leave it out."
        )
    return Location(text.rstrip("/"), tuple(sorted((options or {}).items())))


class _Clients:
    """Open clients of this process. Connections are dear, and a fork must not share them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[tuple[int, str, str], Objects] = {}

    def open(self, url: str, options: Mapping[str, Any]) -> Objects:
        if "://" not in url:
            return Folder(url)
        name = (os.getpid(), url, json.dumps(options, sort_keys=True, default=repr))
        with self._lock:
            if name not in self._open:
                self._open[name] = _open(url, options)
            return self._open[name]


_clients = _Clients()


def _open(url: str, options: Mapping[str, Any]) -> Objects:
    """The one place where the client of a URL is chosen: obstore for S3 where it serves the options, else fsspec."""
    scheme, _, rest = url.partition("://")
    if scheme in _S3 and importlib.util.find_spec("obstore") is not None:
        from slidecloud.store.aws import open_bucket
        from slidecloud.store.bucket import Bucket

        name, _, prefix = rest.partition("/")
        opened = open_bucket(name, prefix, options)
        if opened is not None:
            return Bucket(*opened, url)
    from slidecloud.store.filesystem import FileSystem

    return FileSystem(url, options)


def _resolve(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _resolve(key, item) for key, item in value.items()}
    if not (isinstance(value, str) and value.startswith(_ENVIRONMENT)):
        return value
    variable = value.removeprefix(_ENVIRONMENT)
    if variable not in os.environ:
        raise KeyError(
            f"Storage option {name!r} asks for the environment variable {variable}, which is not set; set it."
        )
    return os.environ[variable]
