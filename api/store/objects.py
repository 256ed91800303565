"""Objects: bytes kept under their SHA-256, in a folder or in any store that fsspec reaches (S3 and its like).

What is under a name is complete: it is written beside and put in its place whole. What is handed out was hashed again
since it last changed, so that damage on a disk, or somebody's hand, shows before anybody takes it for evidence.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from api.errors import ApiError, StorageError, TooLargeError

__all__ = [
    "Incoming",
    "KeptObject",
    "ObjectFolder",
    "Objects",
    "RemoteObjects",
    "StoredObject",
    "file_sha256",
    "open_objects",
    "remote_errors",
    "sync_folder",
]

_NAME = re.compile(r"[0-9a-f]{64}")
# Stores whose upload appears whole or not at all; others get it beside, and then its name.
_UPLOADS_WHOLE = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "memory"})
_CACHE_BYTES = 2 << 30
_DAY_S = 86400.0
_IN_USE_S = 120.0


@dataclass(frozen=True, slots=True)
class StoredObject:
    """A file of the object folder: SHA-256 in hex and size in bytes."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class KeptObject:
    """An object that is kept: SHA-256 in hex, size in bytes, and when it was put there (Unix seconds)."""

    sha256: str
    size: int
    kept_s: float


class Objects(Protocol):
    """Where objects are kept. Every method raises StorageError when it is out of reach, full, or not what it was."""

    def incoming(self, *, limit_bytes: int) -> AbstractContextManager[Incoming]:
        """An object to write into; nothing of it stays when the block ends without `keep`."""

    def take(self, file: Path, sha256: str) -> None:
        """Move a finished local file to its place."""

    def local(self, sha256: str) -> Path:
        """A local file with exactly those bytes, to be read now."""

    def holds(self, sha256: str) -> bool:
        """Whether that object is kept."""

    def remove(self, sha256: str) -> None:
        """Remove an object and every copy of it here; one that is not there is no error."""

    def kept(self) -> Iterator[KeptObject]:
        """Every object, in no order."""

    def tidy(self) -> None:
        """Remove what a killed writer left here, and copies that were not read for a day."""

    def check(self) -> None:
        """Prove that an object would be taken now."""


def open_objects(where: str | None, directory: Path) -> Objects:
    """Where a store keeps its objects.

    Parameters
    ----------
    where
        A URL of fsspec, `s3://bucket/folder`; None is the folder `objects` of the store.
    directory
        The store's folder.

    Raises
    ------
    StorageError
        When it cannot be made or reached, or its kind is not installed.
    """
    return ObjectFolder(directory / "objects") if where is None else RemoteObjects(where, directory / "cache")


class Incoming:
    """An object on its way in: write chunks, then keep; what is not kept is gone."""

    def __init__(self, objects: Objects, scratch: Path, limit_bytes: int) -> None:
        self._objects = objects
        self._scratch = scratch
        self._limit_bytes = limit_bytes
        self._file = scratch.open("wb")
        self._digest = hashlib.sha256()
        self._size = 0

    def write(self, chunk: bytes) -> None:
        """Take the next bytes.

        Raises
        ------
        TooLargeError
            When there are more than the limit.
        """
        self._size += len(chunk)
        if self._size > self._limit_bytes:
            raise TooLargeError(f"evidence is over {self._limit_bytes} bytes: send a shorter clip")
        self._digest.update(chunk)
        self._file.write(chunk)

    def seal(self) -> StoredObject:
        """Finish writing: from here hash and size are known and the bytes are on the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return StoredObject(self._digest.hexdigest(), self._size)

    def keep(self) -> None:
        """Put the sealed object in its place; the same bytes again cost nothing."""
        self._objects.take(self._scratch, self._digest.hexdigest())

    def close(self) -> None:
        """Forget what was not kept."""
        self._file.close()
        self._scratch.unlink(missing_ok=True)


class ObjectFolder:
    """A folder of files named by the SHA-256 of what is in them; what is there is complete.

    Parameters
    ----------
    folder
        Made when absent, for its owner alone.

    Raises
    ------
    StorageError
        When the folder cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._seen: dict[str, tuple[int, ...]] = {}
        with _folder_errors(self.folder):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def path(self, sha256: str) -> Path:
        """Where the object of that hash lies, or would."""
        return self.folder / sha256[:2] / sha256

    @contextmanager
    def incoming(self, *, limit_bytes: int) -> Iterator[Incoming]:
        """As in `Objects`."""
        with _folder_errors(self.folder), _scratch(self.folder) as scratch:
            incoming = Incoming(self, scratch, limit_bytes)
            try:
                yield incoming
            finally:
                incoming.close()

    def take(self, file: Path, sha256: str) -> None:
        """As in `Objects`; within one file system."""
        with _folder_errors(self.folder):
            target = self.path(sha256)
            if target.exists():
                with suppress(StorageError):  # what was damaged meanwhile is healed
                    self.local(sha256)
                    return
            target.parent.mkdir(exist_ok=True, mode=0o700)
            os.replace(file, target)  # noqa: PTH105 - one name for the whole house to fail in tests
            sync_folder(target.parent)

    def local(self, sha256: str) -> Path:
        """As in `Objects`; hashed again when the file changed since it was."""
        path = self.path(sha256)
        try:
            stat = path.stat()
            sign = (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
            if self._seen.get(sha256) != sign:
                if file_sha256(path) != sha256:
                    raise StorageError(f"object {sha256} in {self.folder} is not what it was: restore it from a backup")
                if len(self._seen) >= 10_000:
                    self._seen.clear()
                self._seen[sha256] = sign
        except FileNotFoundError:
            raise StorageError(f"object {sha256} is gone from {self.folder}: restore it from a backup") from None
        except OSError as error:
            raise StorageError(f"object {sha256} in {self.folder} cannot be read: {error.strerror}") from error
        return path

    def holds(self, sha256: str) -> bool:
        """As in `Objects`."""
        return self.path(sha256).is_file()

    def remove(self, sha256: str) -> None:
        """As in `Objects`; gone after a power cut too."""
        with _folder_errors(self.folder):
            self._seen.pop(sha256, None)
            path = self.path(sha256)
            path.unlink(missing_ok=True)
            if path.parent.is_dir():
                sync_folder(path.parent)

    def kept(self) -> Iterator[KeptObject]:
        """As in `Objects`."""
        with _folder_errors(self.folder):
            for path in self.folder.glob("[0-9a-f][0-9a-f]/*"):
                if _NAME.fullmatch(path.name):
                    with suppress(FileNotFoundError):  # removed meanwhile
                        stat = path.stat()
                        yield KeptObject(path.name, stat.st_size, stat.st_mtime)

    def tidy(self) -> None:
        """As in `Objects`."""
        with _folder_errors(self.folder):
            for path in self.folder.glob("*.tmp"):
                with suppress(FileNotFoundError):
                    if time.time() - path.stat().st_mtime > _DAY_S:
                        path.unlink()

    def check(self) -> None:
        """As in `Objects`."""
        with _folder_errors(self.folder), tempfile.TemporaryFile(dir=self.folder) as file:
            file.write(b"ready")
            file.flush()


class RemoteObjects:
    """Objects in a store that fsspec reaches; those that are read lie in a folder here for a day at most.

    Parameters
    ----------
    url
        `s3://bucket/folder` and its like; credentials come from where the library of that kind looks for them.
    cache
        Folder for what is on its way in or was read lately; made when absent, for its owner alone.
    cache_bytes
        How much of what was read lately may lie there.
    options
        More for the library of that kind: `endpoint_url` of an S3-compatible store, and so on.

    Raises
    ------
    StorageError
        When the URL's kind is not installed, or the cache folder cannot be made.
    """

    def __init__(self, url: str, cache: Path, *, cache_bytes: int = _CACHE_BYTES, **options: Any) -> None:
        import fsspec  # type: ignore[import-untyped]  # noqa: PLC0415 - a store in a folder does without

        self.url = url
        self._cache = cache
        self._cache_bytes = cache_bytes
        with remote_errors(f"object store {url}"):
            cache.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._fs, self._root = fsspec.core.url_to_fs(url, use_listings_cache=False, **options)
        protocols = {self._fs.protocol} if isinstance(self._fs.protocol, str) else set(self._fs.protocol)
        self._whole = bool(protocols & _UPLOADS_WHOLE)

    @contextmanager
    def incoming(self, *, limit_bytes: int) -> Iterator[Incoming]:
        """As in `Objects`: gathered and hashed here, sent when it is kept."""
        with _folder_errors(self._cache), _scratch(self._cache) as scratch:
            incoming = Incoming(self, scratch, limit_bytes)
            try:
                yield incoming
            finally:
                incoming.close()

    def take(self, file: Path, sha256: str) -> None:
        """As in `Objects`."""
        with remote_errors(f"object store {self.url}"):
            target, size = self._name(sha256), file.stat().st_size
            if self._size(target) == size:
                with suppress(StorageError):  # what was damaged meanwhile is healed
                    self.local(sha256)
                    return
            self._fs.makedirs(self._fs._parent(target), exist_ok=True)  # noqa: SLF001 - fsspec has no other
            beside = target if self._whole else f"{target}.{time.time_ns()}.tmp"
            self._fs.put_file(str(file), beside)
            if beside != target:
                self._fs.mv(beside, target)
            if self._size(target) != size:
                raise StorageError(f"object store {self.url} did not keep all of object {sha256}: try again")

    def local(self, sha256: str) -> Path:
        """As in `Objects`: fetched and hashed unless it lies here."""
        path = self._cache / sha256
        with remote_errors(f"object store {self.url}"):
            if path.is_file() and file_sha256(path) == sha256:
                os.utime(path)
                return path
            try:
                with _scratch(self._cache) as scratch:
                    self._fs.get_file(self._name(sha256), str(scratch))
                    if file_sha256(scratch) != sha256:
                        raise StorageError(
                            f"object {sha256} in {self.url} is not what it was: restore it from a backup"
                        )
                    scratch.replace(path)
            except FileNotFoundError:
                raise StorageError(f"object {sha256} is gone from {self.url}: restore it from a backup") from None
            self.tidy()
        return path

    def holds(self, sha256: str) -> bool:
        """As in `Objects`."""
        with remote_errors(f"object store {self.url}"):
            return self._size(self._name(sha256)) is not None

    def remove(self, sha256: str) -> None:
        """As in `Objects`."""
        with remote_errors(f"object store {self.url}"):
            with suppress(FileNotFoundError):
                self._fs.rm_file(self._name(sha256))
            (self._cache / sha256).unlink(missing_ok=True)

    def kept(self) -> Iterator[KeptObject]:
        """As in `Objects`."""
        with remote_errors(f"object store {self.url}"):
            found = self._fs.find(self._root, detail=True) if self._fs.exists(self._root) else {}
            for name, entry in found.items():
                sha256 = name.rpartition("/")[2]
                if _NAME.fullmatch(sha256):
                    yield KeptObject(sha256, int(entry["size"] or 0), self._fs.modified(name).timestamp())

    def tidy(self) -> None:
        """As in `Objects`; and keeps within bounds what was read lately."""
        now = time.time()
        found = []
        with _folder_errors(self._cache):
            for path in self._cache.iterdir():
                with suppress(FileNotFoundError):
                    stat = path.stat()
                    found.append((stat.st_mtime, stat.st_size, path))
            total = sum(size for _, size, _ in found)
            for used_s, size, path in sorted(found):
                unused_s = now - used_s
                # What was just fetched may not have been opened yet.
                if unused_s > _DAY_S or (total > self._cache_bytes and unused_s > _IN_USE_S):
                    path.unlink(missing_ok=True)
                    total -= size

    def check(self) -> None:
        """As in `Objects`."""
        with remote_errors(f"object store {self.url}"):
            name = f"{self._root}/ready.tmp"
            self._fs.makedirs(self._root, exist_ok=True)
            self._fs.pipe_file(name, b"ready")
            self._fs.rm_file(name)

    def _name(self, sha256: str) -> str:
        return f"{self._root}/{sha256[:2]}/{sha256}"

    def _size(self, name: str) -> int | None:
        try:
            return int(self._fs.info(name)["size"])
        except FileNotFoundError:
            return None


@contextmanager
def _folder_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(f"object folder {folder} cannot be written: {error.strerror}") from error


@contextmanager
def remote_errors(what: str) -> Iterator[None]:
    """Whatever the library of a remote store raises, as StorageError: they have no common base."""
    try:
        yield
    except ApiError:
        raise
    except Exception as error:
        raise StorageError(f"{what} cannot be used: {error or type(error).__name__}") from error


def file_sha256(path: Path) -> str:
    """SHA-256 in hex of a file's bytes. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """A new empty file that is gone when the block ends, unless it was moved away."""
    handle, name = tempfile.mkstemp(dir=folder, suffix=".tmp")
    os.close(handle)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` survive a power cut, where the platform can open a folder."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
