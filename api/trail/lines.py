"""Where signed heads are kept: a file that grows, or one object a head in any store that fsspec reaches."""

from __future__ import annotations

import os
from pathlib import Path

import fsspec  # type: ignore[import-untyped]

from api.errors import StorageError
from api.store.objects import remote_errors, sync_folder

__all__ = ["HeadTarget"]


class HeadTarget:
    """Lines that are only ever added to.

    Parameters
    ----------
    target
        A path is a file of lines. A URL is a folder with one object a line, named by the line's number: object stores
        cannot append, but can lock what was written.

    Raises
    ------
    StorageError
        When the URL is of a kind that is not installed.
    """

    def __init__(self, target: str) -> None:
        self._target = target
        self._what = f"heads of the audit at {target}"
        self._fs = None
        if "://" in target:
            with remote_errors(self._what):
                self._fs, self._folder = fsspec.core.url_to_fs(target, use_listings_cache=False)
        else:
            self._path = Path(target)

    def lines(self) -> list[str]:
        """Every line, oldest first; none where nothing was written yet. Raises StorageError."""
        with remote_errors(self._what):
            if self._fs is None:
                content = self._path.read_bytes() if self._path.exists() else b""
                return content.decode(errors="replace").removesuffix("\n").split("\n") if content else []
            if not self._fs.exists(self._folder):
                return []
            names = sorted(name for name in self._fs.ls(self._folder, detail=False) if name.endswith(".json"))
            return [self._fs.cat_file(name).decode(errors="replace").removesuffix("\n") for name in names]

    def mend(self) -> None:
        """Drop a last line that was not finished: nobody was told that it was kept. Raises StorageError."""
        with remote_errors(self._what):
            if self._fs is None and self._path.exists():
                content = self._path.read_bytes()
                whole = content.rfind(b"\n") + 1
                if whole < len(content):
                    os.truncate(self._path, whole)

    def append(self, number: int, line: str) -> None:
        """Add a line, on the disk or in the store when this returns. Raises StorageError; nothing is overwritten."""
        with remote_errors(self._what):
            if self._fs is None:
                self._append_to_file(line)
                return
            name = f"{self._folder}/{number:010d}.json"
            if self._fs.exists(name):
                raise StorageError(f"{self._target}: head {number} is there already; give another place")
            self._fs.makedirs(self._folder, exist_ok=True)
            self._fs.pipe_file(name, f"{line}\n".encode())

    def _append_to_file(self, line: str) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = not self._path.exists()
        with self._path.open("ab") as file:
            size = file.tell()
            try:
                file.write(f"{line}\n".encode())
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                file.truncate(size)  # half a line would be the end of the file for good
                raise
        if new:
            sync_folder(self._path.parent)
