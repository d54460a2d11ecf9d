"""Objects in a folder of this machine."""

from __future__ import annotations

import contextlib
import errno
import os
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from zarr.storage import LocalStore

from slidecloud.store.objects import ChangedError, Entry, Stored

PATIENCE = 20.0
"""Seconds to wait for the lock of a folder, which is held for milliseconds."""


class Folder:
    """A folder as a place for objects; see `Objects`.

    Parameters
    ----------
    path
        Absolute path.
    """

    atomic_create = True
    atomic_replace = True

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    def get(self, key: str) -> Stored | None:
        """A file, or None where there is none."""
        try:
            with (self._path / key).open("rb") as file:
                state = os.fstat(file.fileno())
                return Stored(file.read(), _version(state), state.st_mtime)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def get_many(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Files one after the other."""
        return {key: found.data for key in keys if (found := self.get(key)) is not None}

    def get_range(self, key: str, start: int, stop: int, version: str) -> bytes:
        """Part of a file."""
        with (self._path / key).open("rb") as file:
            if _version(os.fstat(file.fileno())) != version:
                raise ChangedError(str(self._path / key))
            file.seek(start)
            return file.read(stop - start)

    def entries(self) -> list[Entry]:
        """All files below the folder."""
        states = [(key, (self._path / key).stat()) for key in self.keys("")]
        return [Entry(key, state.st_size, _version(state)) for key, state in states]

    def put(self, key: str, data: bytes) -> None:
        """Write beside the file, then rename."""
        target = self._path / key
        _partial(target, data).replace(target)

    def put_many(self, objects: Mapping[str, bytes]) -> None:
        """Files one after the other."""
        for key, data in objects.items():
            self.put(key, data)

    def create(self, key: str, data: bytes) -> bool:
        """Write beside the file, then link, which fails where there is one."""
        target = self._path / key
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

    def replace(self, key: str, data: bytes, version: str) -> bool:
        """Compare and rename while the folder of the file is locked, where the file system has locks."""
        target = self._path / key
        with _locked(target.parent):
            found = self.get(key)
            if found is None or found.version != version:
                return False
            self.put(key, data)
            return True

    def delete(self, key: str) -> None:
        """Remove a file."""
        (self._path / key).unlink(missing_ok=True)

    def keys(self, prefix: str) -> list[str]:
        """All files below a folder; links to folders are not followed."""
        found = []
        for folder, _, names in os.walk(self._path / prefix):
            start = Path(folder).relative_to(self._path).as_posix()
            found += [name if start == "." else f"{start}/{name}" for name in names]
        return sorted(found)

    def folders(self) -> list[str]:
        """Folders right below."""
        try:
            return sorted(entry.name for entry in self._path.iterdir() if entry.is_dir())
        except (FileNotFoundError, NotADirectoryError):
            return []

    def exists(self) -> bool:
        """True where there is a folder or a file."""
        return self._path.exists()

    def zarr_store(self, *, read_only: bool) -> LocalStore:
        """The folder as a Zarr store."""
        return LocalStore(self._path, read_only=read_only)


def _version(state: os.stat_result) -> str:
    return f"{state.st_ino}-{state.st_mtime_ns}-{state.st_size}"


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


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder; without effect on file systems and systems that have none.

    Whoever was stopped with the lock in its hands must not keep others waiting for ever.
    """
    try:
        import fcntl

        handle = os.open(folder, os.O_RDONLY)
    except (ImportError, OSError):
        yield
        return
    try:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > end:
                    raise TimeoutError(
                        f"{folder} has been locked for {PATIENCE:.0f} s by a process that does not go on; it may be "
                        "stopped. End that process, then give the same command again."
                    ) from None
                time.sleep(0.01)
            except OSError:
                break
        yield
    finally:
        os.close(handle)
