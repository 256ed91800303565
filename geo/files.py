"""Files that are written whole or not at all.

Not mathematics, but every package writes files and this is the one that all of them may import.
"""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from geo.errors import FileWriteError

__all__ = ["atomic_path", "write_bytes", "write_text"]

_ADVICE = {
    errno.ENOSPC: "the disk is full: free some room and run it again",
    errno.EDQUOT: "the disk quota is used up: free some room and run it again",
    errno.EFBIG: "the file grows larger than is allowed here: choose another place or write less",
    errno.EACCES: "no permission: choose another place or change its owner",
    errno.EPERM: "no permission: choose another place or change its owner",
    errno.EROFS: "the file system is read-only: choose another place",
    errno.EEXIST: "a file stands where a folder is needed: choose another place",
    errno.ENOTDIR: "a part of the path is a file, not a folder: choose another place",
    errno.EISDIR: "a folder of that name is in the way: choose another name",
}


# These speak of the place that is written to, whatever the call that met them.
_OF_THE_PLACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS})


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; when the block ends well it becomes `path`, else it is removed.

    The missing parents of `path` are made. The suffix is kept, since writers choose the format by it.

    Raises
    ------
    FileWriteError
        When the file cannot be written, or what has its name is no file; an earlier one is then untouched.
    OSError
        Whatever else fails in the block, such as the reading of another file.
    """
    own = f"{os.getpid()}-{threading.get_ident():x}"
    temporary = path.parent / f".{path.stem}.{own}.tmp{path.suffix}"
    try:
        with _writing(path):
            _refuse_other_things(path)
            path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
        except OSError as error:
            if _is_of_the_output(error, temporary):
                raise _refusal(path, error) from error
            raise
        with _writing(path):
            temporary.replace(path)
    finally:
        with suppress(OSError):  # what could not be made cannot be removed
            temporary.unlink()


def write_text(path: Path, text: str) -> None:
    """Write text as UTF-8, whole or not at all. Raises as `atomic_path` does."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, data: bytes) -> None:
    """Write bytes and have them on the disk before the name appears. Raises as `atomic_path` does."""
    with atomic_path(path) as temporary, _writing(path), temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _refusal(path, error) from error


def _refuse_other_things(path: Path) -> None:
    """Refuse a folder, and a device or pipe, of which a file would take the place: of /dev/null for all programs."""
    try:
        mode = path.stat().st_mode
    except OSError:  # what is not there, or cannot be looked at, is met when it is written
        return
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "")
    if not stat.S_ISREG(mode):
        raise FileExistsError(errno.ENOTSUP, "it is a device or a pipe, and no file: choose another name")


def _refusal(path: Path, error: OSError) -> FileWriteError:
    return FileWriteError(f"cannot write {path}: {_ADVICE.get(error.errno or 0, error.strerror or str(error))}")


def _is_of_the_output(error: OSError, temporary: Path) -> bool:
    named = {str(name) for name in (error.filename, error.filename2) if name is not None}
    return error.errno in _OF_THE_PLACE or str(temporary) in named
