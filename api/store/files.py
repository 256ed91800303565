"""Files beside their names: hashed, written beside and put in place, still there after a power cut."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from api.errors import StorageError

__all__ = ["file_sha256", "folder_errors", "scratch_file", "sync_folder"]


def file_sha256(path: Path) -> str:
    """SHA-256 in hex of a file's bytes. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def scratch_file(folder: Path) -> Iterator[Path]:
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


@contextmanager
def folder_errors(folder: Path, what: str = "object folder") -> Iterator[None]:
    """Raise StorageError for what a folder does not let be done; `what` it is, for a person."""
    try:
        yield
    except OSError as error:
        raise StorageError(f"{what} {folder} cannot be written: {error.strerror}") from error
