"""A folder of files named by the SHA-256 of what is in them."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from api.errors import StorageError, TooLargeError

__all__ = ["Incoming", "ObjectFolder", "StoredObject", "sync_folder"]


@dataclass(frozen=True, slots=True)
class StoredObject:
    """A file of the object folder: SHA-256 in hex and size in bytes."""

    sha256: str
    size: int


class Incoming:
    """An object on its way in: write chunks, then keep; what is not kept is gone."""

    def __init__(self, folder: ObjectFolder, scratch: Path, limit_bytes: int) -> None:
        self._folder = folder
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
        target = self._folder.path(self._digest.hexdigest())
        if not target.exists():
            target.parent.mkdir(exist_ok=True, mode=0o700)
            os.replace(self._scratch, target)  # noqa: PTH105 - one name for the whole house to fail in tests
            sync_folder(target.parent)

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
        with self._as_storage_error():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def path(self, sha256: str) -> Path:
        """Where the object of that hash lies, or would."""
        return self.folder / sha256[:2] / sha256

    @contextmanager
    def incoming(self, *, limit_bytes: int) -> Iterator[Incoming]:
        """An object to write into; removed when the block ends without `keep`.

        Raises
        ------
        StorageError
            When the folder cannot be written. Nothing half-written stays.
        """
        with self._as_storage_error():
            handle, name = tempfile.mkstemp(dir=self.folder, suffix=".tmp")
            os.close(handle)
            incoming = Incoming(self, Path(name), limit_bytes)
            try:
                yield incoming
            finally:
                incoming.close()

    def check(self) -> None:
        """Prove that the folder takes a file now.

        Raises
        ------
        StorageError
            When it does not.
        """
        with self._as_storage_error(), tempfile.TemporaryFile(dir=self.folder) as file:
            file.write(b"ready")
            file.flush()

    @contextmanager
    def _as_storage_error(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StorageError(f"object folder {self.folder} cannot be written: {error.strerror}") from error


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` survive a power cut, where the platform can open a folder."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
