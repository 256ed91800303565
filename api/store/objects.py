"""Objects: bytes kept under their SHA-256, in a folder or in a store elsewhere.

What is under a name is complete: it is written beside and put in its place whole. What is handed out was hashed again
since it last changed, so that damage on a disk, or somebody's hand, shows before anybody takes it for evidence.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from api.errors import StorageError
from api.store.files import file_sha256, folder_errors, sync_folder
from api.store.incoming import OBJECT_NAME, Incoming, KeptObject, Objects, arriving
from api.store.remote import RemoteObjects

__all__ = ["ObjectFolder", "open_objects"]

_DAY_S = 86400.0


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
        with folder_errors(self.folder):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def path(self, sha256: str) -> Path:
        """Where the object of that hash lies, or would."""
        return self.folder / sha256[:2] / sha256

    def incoming(self, *, limit_bytes: int) -> AbstractContextManager[Incoming]:
        """As in `Objects`."""
        return arriving(self, self.folder, limit_bytes)

    def take(self, file: Path, sha256: str) -> None:
        """As in `Objects`; within one file system."""
        with folder_errors(self.folder):
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
        with folder_errors(self.folder):
            self._seen.pop(sha256, None)
            path = self.path(sha256)
            path.unlink(missing_ok=True)
            if path.parent.is_dir():
                sync_folder(path.parent)

    def kept(self) -> Iterator[KeptObject]:
        """As in `Objects`."""
        with folder_errors(self.folder):
            for path in self.folder.glob("[0-9a-f][0-9a-f]/*"):
                if OBJECT_NAME.fullmatch(path.name):
                    with suppress(FileNotFoundError):  # removed meanwhile
                        stat = path.stat()
                        yield KeptObject(path.name, stat.st_size, stat.st_mtime)

    def tidy(self) -> None:
        """As in `Objects`."""
        with folder_errors(self.folder):
            for path in self.folder.glob("*.tmp"):
                with suppress(FileNotFoundError):
                    if time.time() - path.stat().st_mtime > _DAY_S:
                        path.unlink()

    def check(self) -> None:
        """As in `Objects`."""
        with folder_errors(self.folder), tempfile.TemporaryFile(dir=self.folder) as file:
            file.write(b"ready")
            file.flush()
