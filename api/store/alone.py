"""One service for a store that lies in a folder.

SQLite takes several processes that write, and commands beside the service do. But a service keeps in memory what others
of them would have to know: how much of each limit is used up, pictures, who looks on live. Two that began at once on an
empty folder would each make the first administrator.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from api.errors import StorageError

__all__ = ["alone"]

_NAME = "serving.lock"


@contextmanager
def alone(directory: Path, what: str) -> Iterator[None]:
    """Be the only one who serves or rebuilds the store in a folder while the block runs.

    The system lets go of it when the process ends, however it does.

    Parameters
    ----------
    directory
        The folder; made when absent, for its owner alone.
    what
        Who that is, for whoever comes meanwhile: `the service on 127.0.0.1 port 8765`.

    Raises
    ------
    StorageError
        When another one does, or the folder or the file in it cannot be made.
    """
    path = directory / _NAME
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StorageError(f"{path} cannot be made: {error.strerror}; choose another folder") from error
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            said = os.read(file, 200).decode(errors="replace").strip()
            raise StorageError(
                f"store {directory} is in use by {said or 'another process'}: stop that one first, "
                "or keep the records in PostgreSQL (--database), which several services may share"
            ) from None
        except OSError as error:
            raise StorageError(f"{path} cannot be locked: {error.strerror}; choose a folder on a local disk") from error
        os.ftruncate(file, 0)
        os.pwrite(file, f"{what}, process {os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(file)
