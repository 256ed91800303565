"""Lines kept away from the store: a file that grows, or objects in any store that fsspec reaches."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import fsspec  # type: ignore[import-untyped]

from api.errors import StorageError
from api.store.files import sync_folder
from api.store.remote import remote_errors

__all__ = ["LineTarget"]


class LineTarget:
    """Lines that are only ever added to.

    Parameters
    ----------
    target
        A path is a file of lines. A URL is a folder with an object for what was added at once, named by the number of
        its first line: object stores cannot append, but can lock what was written.
    what
        What the lines are, for messages.

    Raises
    ------
    StorageError
        When the URL is of a kind that is not installed.
    """

    def __init__(self, target: str, what: str = "heads of the audit") -> None:
        self._target = target
        self._what = f"{what} at {target}"
        self._fs = None
        if "://" in target:
            with remote_errors(self._what):
                self._fs, self._folder = fsspec.core.url_to_fs(target, use_listings_cache=False)
        else:
            self._path = Path(target)

    def lines(self) -> Iterator[str]:
        """Every line, oldest first, as they are read; none where nothing was written yet. Raises StorageError."""
        with remote_errors(self._what):
            if self._fs is None:
                if self._path.exists():
                    with self._path.open("rb") as file:
                        for line in file:
                            yield line.decode(errors="replace").removesuffix("\n")
            elif self._fs.exists(self._folder):
                names = self._fs.ls(self._folder, detail=False)
                for name in sorted(name for name in names if name.endswith(".json")):
                    yield from self._fs.cat_file(name).decode(errors="replace").removesuffix("\n").split("\n")

    @contextmanager
    def alone(self) -> Iterator[None]:
        """While the block runs no other process is in one of its own. Raises StorageError.

        A file that is absent is made. An object store knows no locks: there `append` refuses what another added.
        """
        if self._fs is not None:
            yield
            return
        with remote_errors(self._what):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            new = not self._path.exists()
            file = self._path.open("ab")
        with file:  # the lock ends with it, and with the process, however that ends
            with remote_errors(self._what):
                if new:
                    sync_folder(self._path.parent)
                fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def state(self) -> object:
        """Equal for as long as nobody adds, cuts, or puts another in its place. Raises StorageError."""
        with remote_errors(self._what):
            if self._fs is not None:
                return sorted(self._fs.ls(self._folder, detail=False)) if self._fs.exists(self._folder) else []
            if not self._path.exists():
                return None
            stat = self._path.stat()
            return stat.st_ino, stat.st_size, stat.st_mtime_ns

    def mend(self) -> None:
        """Drop a last line that was not finished: nobody was told that it was kept. Raises StorageError."""
        with remote_errors(self._what):
            if self._fs is None and self._path.exists():
                content = self._path.read_bytes()
                whole = content.rfind(b"\n") + 1
                if whole < len(content):
                    os.truncate(self._path, whole)

    def append(self, number: int, *lines: str) -> None:
        """Add lines, on the disk or in the store when this returns. Raises StorageError; nothing is overwritten."""
        content = "".join(f"{line}\n" for line in lines).encode()
        with remote_errors(self._what):
            if self._fs is None:
                self._append_to_file(content)
                return
            name = f"{self._folder}/{number:010d}.json"
            if self._fs.exists(name):
                raise StorageError(f"{self._target}: number {number} is there already; give another place")
            self._fs.makedirs(self._folder, exist_ok=True)
            self._fs.pipe_file(name, content)

    def _append_to_file(self, content: bytes) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = not self._path.exists()
        with self._path.open("ab", buffering=0) as file:  # what did not fit is not tried again as it is closed
            size = file.tell()
            try:
                left = memoryview(content)
                while left:
                    left = left[file.write(left) :]
                os.fsync(file.fileno())
            except OSError:
                file.truncate(size)  # half a line would be the end of the file for good
                raise
        if new:
            sync_folder(self._path.parent)
