"""Where a store lies: a URL, the storage options that reach it, and the few plain-object calls the records need."""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fsspec

from slidecloud.config import refuse_secrets

_ENVIRONMENT = "env:"


@dataclass(frozen=True, slots=True)
class Location:
    """A folder in any file system that fsspec knows, and how to reach it.

    Attributes
    ----------
    url
        Absolute local path or URL (``s3://bucket/runs/sichuan.zarr``), no trailing slash.
    options
        Storage options for fsspec as sorted (name, value) pairs. A value ``env:NAME`` stands for the environment
        variable NAME of whichever process opens the location, so that no secret travels with it.
    """

    url: str
    options: tuple[tuple[str, Any], ...] = ()

    def __str__(self) -> str:
        return self.url

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

    def filesystem(self) -> tuple[Any, str]:
        """The fsspec file system and the path in it."""
        if self.is_local:
            return fsspec.filesystem("file"), self.url
        filesystem, path = fsspec.core.url_to_fs(self.url, **self.storage_options())
        return filesystem, str(path)

    def read(self, key: str) -> bytes | None:
        """Bytes of an object, or None where there is none."""
        filesystem, path = self.filesystem()
        try:
            return bytes(filesystem.cat_file(f"{path}/{key}"))
        except FileNotFoundError:
            return None

    def write(self, key: str, data: bytes) -> None:
        """Write an object whole or not at all."""
        if self.is_local:
            target = Path(self.url) / key
            partial = _partial(target, data)
            partial.replace(target)
            return
        filesystem, path = self.filesystem()
        filesystem.pipe_file(f"{path}/{key}", data)

    def read_many(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Bytes of several objects by key, fetched at once where the file system can; absent ones are left out."""
        wanted = list(keys)
        filesystem, path = self.filesystem()
        # fsspec takes these characters for patterns when it reads several objects at once.
        if self.is_local or set(path) & set("*?["):
            return {key: data for key in wanted if (data := self.read(key)) is not None}
        found = filesystem.cat([f"{path}/{key}" for key in wanted], on_error="return") if wanted else {}
        cut = len(filesystem._strip_protocol(path)) + 1
        for error in found.values():
            if isinstance(error, Exception) and not isinstance(error, FileNotFoundError):
                raise error
        return {str(name)[cut:]: data for name, data in found.items() if isinstance(data, bytes)}

    def write_many(self, objects: Mapping[str, bytes]) -> None:
        """Write several objects, at once where the file system can."""
        if self.is_local:
            for key, data in objects.items():
                self.write(key, data)
            return
        filesystem, path = self.filesystem()
        filesystem.pipe({f"{path}/{key}": data for key, data in objects.items()})

    def create(self, key: str, data: bytes) -> bool:
        """Write an object only if there is none (atomic); False where there was one."""
        if self.is_local:
            target = Path(self.url) / key
            partial = _partial(target, data)
            try:
                os.link(partial, target)
            except FileExistsError:
                return False
            except OSError as error:
                if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EMLINK):
                    raise
                return _create_without_links(target, data)
            finally:
                partial.unlink()
            return True
        filesystem, path = self.filesystem()
        try:
            filesystem.pipe_file(f"{path}/{key}", data, mode="create")
        except FileExistsError:
            return False
        return True

    def delete(self, key: str) -> None:
        """Remove an object; nothing happens where there is none."""
        filesystem, path = self.filesystem()
        try:
            filesystem.rm_file(f"{path}/{key}")
        except FileNotFoundError:
            return

    def keys(self, prefix: str = "") -> list[str]:
        """Keys of all objects below a prefix, sorted, relative to the location."""
        filesystem, path = self.filesystem()
        filesystem.invalidate_cache()
        root = f"{path}/{prefix}".rstrip("/")
        cut = len(filesystem._strip_protocol(path)) + 1
        try:
            found = filesystem.find(root)
        except FileNotFoundError:
            return []
        return sorted(str(item)[cut:] for item in found)

    def folders(self) -> list[str]:
        """Names of the folders right below, sorted."""
        filesystem, path = self.filesystem()
        filesystem.invalidate_cache()
        try:
            entries = filesystem.ls(path, detail=True)
        except (FileNotFoundError, NotADirectoryError):
            return []
        names = (str(entry["name"]).rstrip("/").rsplit("/", 1)[-1] for entry in entries if entry["type"] == "directory")
        return sorted(names)

    def exists(self) -> bool:
        """True where something lies at the location."""
        filesystem, path = self.filesystem()
        filesystem.invalidate_cache()
        return bool(filesystem.exists(path))


def locate(url: str | os.PathLike[str] | Location, options: Mapping[str, Any] | None = None) -> Location:
    """A location from a path or URL; refuses secrets that stand in the options themselves.

    Raises
    ------
    ValueError
        If the URL is empty, or an option such as ``secret`` holds a value that is not ``env:NAME``.
    """
    if isinstance(url, Location):
        return url
    text = os.fspath(url).strip()
    if not text:
        raise ValueError("The location is empty; give a folder or a URL such as s3://bucket/runs/region.zarr.")
    refuse_secrets(options or {})
    scheme, separator, rest = text.partition("://")
    if separator and not rest.strip("/"):
        raise ValueError(
            f"The location {text!r} names no bucket or folder; give one such as s3://bucket/runs/region.zarr."
        )
    if scheme.lower() == "file":
        text = rest
    if "://" not in text:
        text = str(Path(text).expanduser().absolute())
    return Location(text.rstrip("/"), tuple(sorted((options or {}).items())))


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


def _create_without_links(target: Path, data: bytes) -> bool:
    """Create a file exclusively where the file system has no hard links; a crash may leave it cut short."""
    try:
        with target.open("xb") as file:
            file.write(data)
    except FileExistsError:
        return False
    return True


def _partial(target: Path, data: bytes) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.{uuid.uuid4().hex}.partial")
    try:
        partial.write_bytes(data)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
    return partial
