"""The spool: crossings on disk until the service has them.

An item is a folder `pending/<number>/` with `crossing.json` and its files of evidence. It is written under `scratch/`,
made durable, and renamed into place: an item is there whole or not at all. Numbers give the order. What the service
refuses for good is moved to `failed/<number>/` with `reason.json`.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api.errors import SpoolError
from api.store.files import sync_folder

__all__ = ["Failed", "Item", "Spool", "evidence_files"]

CROSSING = "crossing.json"
REASON = "reason.json"


@dataclass(frozen=True, slots=True)
class Item:
    """A spooled delivery: its number as text, and the folder that holds it."""

    name: str
    folder: Path

    def load(self) -> dict[str, Any]:
        """The crossing; raises SpoolError when the item is damaged or a file of its evidence is missing."""
        try:
            crossing: dict[str, Any] = json.loads((self.folder / CROSSING).read_bytes())
            missing = [name for _, name in evidence_files(crossing) if not (self.folder / name).is_file()]
        except (OSError, ValueError, TypeError, AttributeError, KeyError) as error:
            raise SpoolError(f"spooled crossing {self.folder} is damaged: {error}") from error
        if missing:
            raise SpoolError(f"spooled crossing {self.folder} lacks {', '.join(missing)}")
        return crossing


@dataclass(frozen=True, slots=True)
class Failed:
    """A delivery that was moved aside: its number, the folder that holds it now, and why."""

    name: str
    folder: Path
    reason: str


def evidence_files(crossing: dict[str, Any]) -> list[tuple[str, str]]:
    """The files that a crossing announces, as (part, file name), in the order in which they are sent.

    Raises
    ------
    SpoolError
        When a name would lead out of its folder.
    """
    names = crossing.get("evidence") or {}
    files = [(part, names[part]) for part in ("manifest", "clip", "thumbnail") if names.get(part) is not None]
    files += [(name, name) for name in names.get("others", ())]
    for part, name in files:
        if not isinstance(name, str) or Path(name).name != name or name in {"", ".", "..", CROSSING, REASON}:
            raise SpoolError(f"{part} {name!r} is not a plain file name: name a file inside the evidence folder")
    return files


class Spool:
    """A folder of deliveries that survive a crash, in order.

    Parameters
    ----------
    folder
        Made when absent. Any number of processes may put; one at a time takes.

    Raises
    ------
    SpoolError
        When the folder cannot be made or used.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._pending, self._failed, self._scratch = (folder / name for name in ("pending", "failed", "scratch"))
        with self._as_spool_error("cannot be used"):
            for part in (self._pending, self._failed, self._scratch):
                part.mkdir(parents=True, exist_ok=True, mode=0o700)
            with self._locked("put.lock"):  # nobody is writing: what lies here was left by a crash
                for left in self._scratch.iterdir():
                    shutil.rmtree(left)

    def put(self, crossing: dict[str, Any], evidence_dir: Path | None = None) -> Item:
        """Keep a delivery until it is taken; when this returns it survives a crash and a power cut.

        Parameters
        ----------
        crossing
            The crossing as JSON values.
        evidence_dir
            Folder of the files that `crossing["evidence"]` names; they are copied.

        Raises
        ------
        SpoolError
            When a file is missing, or the disk is full or cannot be written. Nothing half-written stays.
        """
        files = evidence_files(crossing)
        if files and evidence_dir is None:
            raise SpoolError("the crossing announces evidence: say in which folder it lies")
        try:
            text = json.dumps(crossing, ensure_ascii=False, allow_nan=False).encode()
        except (TypeError, ValueError) as error:
            raise SpoolError(f"the crossing is not JSON: {error}") from error
        with self._as_spool_error("cannot take a crossing"), self._locked("put.lock"):
            scratch = Path(tempfile.mkdtemp(dir=self._scratch))
            try:
                for _, name in files:
                    assert evidence_dir is not None
                    _copy(evidence_dir / name, scratch / name)
                _write(scratch / CROSSING, text)
                sync_folder(scratch)
                name = self._next_number()
                os.replace(scratch, self._pending / name)  # noqa: PTH105 - one name for the whole house to fail in tests
                sync_folder(self._pending)
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
        return Item(name, self._pending / name)

    def pending(self) -> list[Item]:
        """What waits, oldest first."""
        with self._as_spool_error("cannot be read"):
            return [Item(path.name, path) for path in sorted(self._pending.iterdir()) if path.name.isdigit()]

    def failed(self) -> list[Failed]:
        """What was moved aside, oldest first, with the reason."""
        found = []
        with self._as_spool_error("cannot be read"):
            for path in sorted(self._failed.iterdir()):
                reason = path / REASON
                text = json.loads(reason.read_bytes())["reason"] if reason.exists() else "unknown: interrupted"
                found.append(Failed(path.name, path, text))
        return found

    def done(self, item: Item) -> None:
        """Let go of an item that the service has."""
        with self._as_spool_error("cannot let go of a crossing"), self._locked("put.lock"):
            away = Path(tempfile.mkdtemp(dir=self._scratch)) / item.name
            os.replace(item.folder, away)  # noqa: PTH105
            sync_folder(self._pending)
            shutil.rmtree(away.parent)

    def set_aside(self, item: Item, reason: str) -> Failed:
        """Move an item that can never be delivered out of the way of the others, with the reason."""
        with self._as_spool_error("cannot set a crossing aside"), self._locked("put.lock"):
            _write(item.folder / REASON, json.dumps({"reason": reason}, ensure_ascii=False).encode())
            target = self._failed / item.name
            os.replace(item.folder, target)  # noqa: PTH105
            sync_folder(self._failed)
            sync_folder(self._pending)
        return Failed(item.name, target, reason)

    @contextmanager
    def taking(self) -> Iterator[None]:
        """While the block runs nobody else takes from this spool: order needs one courier. Raises SpoolError."""
        with ExitStack() as held:
            with self._as_spool_error("cannot be taken from"):  # the lock; what the block raises is its own
                held.enter_context(self._locked("take.lock"))
            yield

    def _next_number(self) -> str:
        # Time in nanoseconds, pushed past whatever is there: in order over restarts, and if the clock steps back.
        there = (path.name for folder in (self._pending, self._failed) for path in folder.iterdir())
        last = max((int(name) for name in there if name.isdigit()), default=0)
        return f"{max(time.time_ns(), last + 1):020d}"

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        # A lock of the file system: it ends with the process, however that ends. Own threads open their own handles.
        with (self.folder / name).open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @contextmanager
    def _as_spool_error(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            why = "the disk is full" if error.errno == errno.ENOSPC else error.strerror or str(error)
            where = error.filename or self.folder
            raise SpoolError(f"spool {self.folder} {what}: {why} ({where})") from error


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as given, target.open("wb") as kept:
        shutil.copyfileobj(given, kept, 1 << 20)
        kept.flush()
        os.fsync(kept.fileno())


def _write(target: Path, content: bytes) -> None:
    with target.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
