"""Objects in any store that fsspec reaches (S3 and its like); those that are read lie here for a day at most."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

from api.errors import ApiError, StorageError
from api.store.files import file_sha256, folder_errors, scratch_file
from api.store.incoming import OBJECT_NAME, Incoming, KeptObject, arriving

__all__ = ["RemoteObjects", "remote_errors"]

# Stores whose upload appears whole or not at all; others get it beside, and then its name.
_UPLOADS_WHOLE = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "memory"})
_CACHE_BYTES = 2 << 30
_DAY_S = 86400.0
_IN_USE_S = 120.0


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

    def incoming(self, *, limit_bytes: int) -> AbstractContextManager[Incoming]:
        """As in `Objects`: gathered and hashed here, sent when it is kept."""
        return arriving(self, self._cache, limit_bytes)

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
                with scratch_file(self._cache) as scratch:
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
                if OBJECT_NAME.fullmatch(sha256):
                    yield KeptObject(sha256, int(entry["size"] or 0), self._fs.modified(name).timestamp())

    def tidy(self) -> None:
        """As in `Objects`; and keeps within bounds what was read lately."""
        now = time.time()
        found = []
        with folder_errors(self._cache):
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
def remote_errors(what: str) -> Iterator[None]:
    """Whatever the library of a remote store raises, as StorageError: they have no common base."""
    try:
        yield
    except ApiError:
        raise
    except Exception as error:
        raise StorageError(f"{what} cannot be used: {error or type(error).__name__}") from error
