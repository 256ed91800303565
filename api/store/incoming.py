"""What keeps objects, whatever it is, and an object on its way in."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from api.errors import TooLargeError
from api.store.files import folder_errors, scratch_file

__all__ = ["OBJECT_NAME", "Incoming", "KeptObject", "Objects", "StoredObject", "arriving"]

OBJECT_NAME = re.compile(r"[0-9a-f]{64}")
"""What an object is called: its SHA-256 in hex."""


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


@contextmanager
def arriving(objects: Objects, folder: Path, limit_bytes: int) -> Iterator[Incoming]:
    """An object on its way to where it is kept, gathered and hashed in a folder of this machine; see `Objects`."""
    with folder_errors(folder), scratch_file(folder) as scratch:
        incoming = Incoming(objects, scratch, limit_bytes)
        try:
            yield incoming
        finally:
            incoming.close()
