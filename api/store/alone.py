"""One service for a store that lies in a folder.

SQLite takes several processes that write, and commands beside the service do. But a service keeps in memory what others
of them would have to know: how much of each limit is used up, pictures, who looks on live. Two that began at once on an
empty folder would each make the first administrator.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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
        When another one does, or the folder or the file in it cannot be made, locked or written.
    """
    path = directory / _NAME
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Not where a link leads: root may run this in a folder that is another's.
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise StorageError(f"{path} cannot be made: {error.strerror}; choose another folder") from error
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _hand_over(file, directory)
            os.ftruncate(file, 0)
            os.pwrite(file, f"{what}, process {os.getpid()}\n".encode(), 0)
        except BlockingIOError:
            said = os.read(file, 200).decode(errors="replace").strip()
            raise StorageError(
                f"store {directory} is in use by {said or 'another process'}: stop that one first, "
                "or keep the records in PostgreSQL (--database), which several services may share"
            ) from None
        except OSError as error:
            why = f"{path} cannot be locked and written: {error.strerror}"
            raise StorageError(f"{why}; choose a folder on a local disk that has room") from error
        yield
    finally:
        os.close(file)


def _hand_over(file: int, directory: Path) -> None:
    """What root has made, as with `vedette migrate`, is the folder's owner's, whose service is to begin after that."""
    if os.geteuid() == 0:
        owner = directory.stat()
        with suppress(OSError):  # a disk that knows no owners has none to keep out
            os.fchown(file, owner.st_uid, owner.st_gid)
