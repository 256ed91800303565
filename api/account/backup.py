"""Backup and restore: one file with the database, every object it names, and a manifest with the hash of each.

The file is an uncompressed tar (clips are compressed already). The manifest comes first, so that a file that was cut
is known by what is missing. Nothing appears under its name before it is whole.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from sqlalchemy import create_engine, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from api.account.again import Again, take_back_again
from api.account.databases import Database, open_database
from api.account.ledger import read_ledger
from api.canonical import canonical, new_id
from api.errors import ConflictError, StorageError
from api.migrating import migrate_store
from api.store.engine import Store
from api.store.files import file_sha256, sync_folder
from api.store.incoming import Objects
from api.store.objects import open_objects
from api.store.tables import EvidenceRow
from api.times import iso, now_us
from api.trail.audit import GENESIS, AuditHead, Link, audit_head, check_end, follow
from api.trail.copies import chain_of_database

__all__ = ["BackupReport", "RestoreReport", "backup", "restore"]

_FORMAT = "vedette.backup/1"
_MANIFEST, _DATABASE, _OBJECTS = "manifest.json", "database", "objects"
_LONGEST_MANIFEST = 1 << 30
_ATTEMPTS = 3
_PLACES = {"sqlite": "a new folder, without --database", "postgresql": "an empty PostgreSQL database (--database)"}
"""Where what a backup was made of goes, by kind."""


@dataclass(frozen=True, slots=True)
class BackupReport:
    """What a backup holds: objects, bytes of them, and the head of its audit chain."""

    objects: int
    object_bytes: int
    audit: AuditHead


@dataclass(frozen=True, slots=True)
class RestoreReport(BackupReport):
    """What was restored, and what was taken back in it once more; `audit` is its head after that."""

    again: Again


def backup(where: Path | str, file: Path, *, objects: str | None = None, directory: Path | None = None) -> BackupReport:
    """Copy a store, which may be in use, into one file.

    Parameters
    ----------
    where
        The folder of a store, or the URL of its database.
    file
        What to write; it must not exist.
    objects
        URL of the objects, where they are not in the folder.
    directory
        Folder of a store whose database is elsewhere.

    Raises
    ------
    ConflictError
        When the file exists.
    StorageError
        When something cannot be read or written, or an object is missing or damaged. No file is left.
    AuditTamperedError
        When the audit chain is broken: a backup of it would be worth nothing, and must not take the place of another.
    """
    if file.exists():
        raise ConflictError(f"{file}: exists: give a new name")
    database = open_database(where)
    folder = where if isinstance(where, Path) else directory
    if folder is None:
        raise StorageError("a backup of a database elsewhere needs the folder of the store too")
    for _ in range(_ATTEMPTS - 1):
        try:
            return _backup(database, file, folder, objects)
        except _ErasedMeanwhileError:  # what was copied is no longer the newest: once more
            continue
    return _backup(database, file, folder, objects)


def _backup(database: Database, file: Path, folder: Path, objects: str | None) -> BackupReport:
    part, dumped = (file.with_name(f".{file.name}.{new_id()}.{end}") for end in ("part", "database"))
    with _scratch_files(part, dumped), _as_storage_error(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        dumped.touch(mode=0o600)
        head, wanted = _dump(database, dumped)
        source = open_objects(objects, folder)
        manifest = {
            "format": _FORMAT,
            "time": iso(now_us()),
            "kind": database.kind,
            "database": {"sha256": file_sha256(dumped), "size": dumped.stat().st_size},
            "audit": asdict(head),
            "objects": wanted,
        }
        with part.open("xb") as raw:
            part.chmod(0o600)
            with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as tar:
                _add(tar, _MANIFEST, canonical(manifest).encode())
                _add(tar, _DATABASE, dumped)
                for sha256 in wanted:
                    _add(tar, f"{_OBJECTS}/{sha256}", _object(source, sha256, database))
            raw.flush()
            os.fsync(raw.fileno())
        part.replace(file)
        sync_folder(file.parent)
    return BackupReport(len(wanted), sum(wanted.values()), head)


def _dump(database: Database, dumped: Path) -> tuple[AuditHead, dict[str, int]]:
    """Write the copy; an entry of the audit that it holds, and the objects that it names."""
    if database.kind == "sqlite":  # the copy can be asked itself
        database.dump(dumped)
        return _checked_head(database, dumped), _named_objects(database, dumped)
    head, before = _checked_head(database, dumped), _named_objects(database, None)
    database.dump(dumped)
    after = _named_objects(database, None)
    if before.keys() - after.keys():
        raise _ErasedMeanwhileError("evidence was erased while the database was copied: try again")
    return head, after


def _object(source: Objects, sha256: str, database: Database) -> Path:
    try:
        return source.local(sha256)
    except StorageError as error:
        if not source.holds(sha256) and sha256 not in _named_objects(database, None):
            raise _ErasedMeanwhileError(str(error)) from error
        raise


class _ErasedMeanwhileError(StorageError):
    """An object that the copied database names was erased before it could be copied."""


def restore(
    file: Path,
    where: Path | str,
    *,
    ledger: str | None,
    objects: str | None = None,
    directory: Path | None = None,
) -> RestoreReport:
    """Put a backup into a new store; it is there whole, or not at all.

    What was taken back after the backup was made is taken back once more, and every login has ended.

    Parameters
    ----------
    file
        A file that `backup` wrote.
    where
        Folder of the new store (absent or empty), or the URL of an empty database.
    ledger
        Where the store kept the ledger of what it took back: a file, or a URL. None says that there is none: records
        that were erased, releases that were recalled, and agreements, keys and accounts that were ended since the
        backup are there again.
    objects, directory
        As for `backup`.

    Raises
    ------
    ConflictError
        When something is there already.
    StorageError
        When the file is damaged, cut, or no backup, the ledger is absent or not this store's, or nothing can be
        written.
    AuditTamperedError
        When the audit chain in it is broken, or the ledger.
    """
    folder = where if isinstance(where, Path) else directory
    if folder is None:
        raise StorageError("a restore into a database elsewhere needs a folder for the store too")
    if folder.exists() and any(folder.iterdir()):
        raise ConflictError(f"{folder}: is not empty: restore into a new folder")
    fresh = folder.with_name(f".{folder.name}.{new_id()}.restoring")
    with _as_storage_error(file), ExitStack() as undo:
        for _ in () if ledger is None else read_ledger(ledger):  # whole, before anything is made
            pass
        undo.callback(shutil.rmtree, fresh, ignore_errors=True)
        fresh.mkdir(parents=True, mode=0o700)
        target, put = open_objects(objects, fresh), list[str]()
        undo.callback(_remove, target, put)
        manifest = _unpack(file, fresh, target, put)
        dumped = fresh / _DATABASE
        database = open_database(fresh if isinstance(where, Path) else where)
        if database.kind != manifest["kind"]:
            why = f"{file}: is of a {manifest['kind']} store, which {database.kind} cannot take"
            raise StorageError(f"{why}: restore it into {_PLACES.get(manifest['kind'], 'one like it')}")
        undo.callback(_unload, database)
        database.load(dumped)
        dumped.unlink()
        noted = AuditHead(**manifest["audit"])
        with chain_of_database(database.where) as (head, found):
            _recomputed(found, head, {noted.seq: noted.hash} if noted.seq else {})
        url = None if isinstance(where, Path) else where
        migrate_store(fresh, database=url)
        last, again = _taken_back(Store(fresh, database=url, objects=objects, unrestored=True), ledger)
        if folder.exists():
            folder.rmdir()
        fresh.replace(folder)
        undo.callback(shutil.rmtree, folder, ignore_errors=True)
        sync_folder(folder.parent)
        database.finish()
        undo.pop_all()  # it is there, whole
    return RestoreReport(len(manifest["objects"]), sum(manifest["objects"].values()), last, again)


def _remove(target: Objects, put: list[str]) -> None:
    for sha256 in put:
        with suppress(StorageError):  # what goes wrong on the way back hides nothing of why it is gone
            target.remove(sha256)


def _unload(database: Database) -> None:
    with suppress(StorageError):  # then no store takes it
        database.unload()


def _taken_back(store: Store, ledger: str | None) -> tuple[AuditHead, Again]:
    try:
        again = take_back_again(store, ledger)
        store.forget()
        with store.read() as session:
            return audit_head(session), again
    finally:
        store.close()


def _unpack(file: Path, fresh: Path, target: Objects, put: list[str]) -> dict[str, Any]:
    """Every member to its place, each with the hash that the manifest says; nothing else is taken from the file.

    To `put` goes what `target` did not hold before: another store may keep its objects there too.
    """
    try:
        with tarfile.open(file, mode="r:") as tar:
            manifest = _manifest(file, tar.next(), tar)
            left: dict[str, int] = {f"{_OBJECTS}/{sha256}": size for sha256, size in manifest["objects"].items()}
            left[_DATABASE] = manifest["database"]["size"]
            if sum(left.values()) > file.stat().st_size:
                raise StorageError(f"{file}: was cut, or its manifest promises more than it holds")
            for member in tar:
                if member.name == _MANIFEST:
                    continue
                size = left.pop(member.name, None)
                if size is None or not member.isreg() or member.size != size:
                    raise StorageError(f"{file}: holds {member.name[:200]!r}, which its manifest does not list so")
                content = tar.extractfile(member)
                assert content is not None
                if member.name == _DATABASE:
                    sha256 = manifest["database"]["sha256"]
                    with (fresh / _DATABASE).open("xb") as out:
                        found = _copy(content, out)
                else:
                    sha256 = member.name.removeprefix(f"{_OBJECTS}/")
                    found = _put(content, size, sha256, target, put)
                if found != sha256:
                    raise StorageError(f"{file}: {member.name} was changed: its hash is not that of the manifest")
            if left:
                raise StorageError(f"{file}: was cut: {min(left)} is missing")
    except (tarfile.TarError, EOFError, ValueError, OverflowError) as error:
        raise StorageError(f"{file}: is damaged, or no backup ({error})") from error
    return manifest


def _put(content: IO[bytes], size: int, sha256: str, target: Objects, put: list[str]) -> str:
    with target.incoming(limit_bytes=size) as incoming:
        found = _copy(content, incoming)
        if incoming.seal().sha256 == sha256:
            if not target.holds(sha256):
                put.append(sha256)
            incoming.keep()
    return found


def _manifest(file: Path, member: tarfile.TarInfo | None, tar: tarfile.TarFile) -> dict[str, Any]:
    content = None
    if member is not None and member.name == _MANIFEST and member.isreg() and member.size <= _LONGEST_MANIFEST:
        content = tar.extractfile(member)
    try:
        manifest = json.loads(b"" if content is None else content.read())
        fits = (
            manifest["format"] == _FORMAT
            and all(type(size) is int and len(sha256) == 64 for sha256, size in manifest["objects"].items())
            and type(manifest["database"]["size"]) is int
            and set(manifest["audit"]) == {"seq", "hash"}
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        fits = False
    if not fits:
        raise StorageError(f"{file}: is no backup of this program: it does not begin with a manifest")
    return dict(manifest)


def _copy(content: IO[bytes], out: Any) -> str:
    digest = hashlib.sha256()
    while chunk := content.read(1 << 20):
        digest.update(chunk)
        out.write(chunk)
    return digest.hexdigest()


def _add(tar: tarfile.TarFile, name: str, content: bytes | Path) -> None:
    member = tarfile.TarInfo(name)
    member.mode = 0o600
    if isinstance(content, bytes):
        member.size = len(content)
        tar.addfile(member, BytesIO(content))
        return
    with content.open("rb") as file:
        member.size = os.fstat(file.fileno()).st_size
        tar.addfile(member, file)


def _asked(database: Database, dumped: Path | None) -> Path | str:
    """What can be asked in place of a dump: its copy, where that is a database itself; else the one in use."""
    return f"sqlite:///{dumped}" if database.kind == "sqlite" and dumped is not None else database.where


def _named_objects(database: Database, dumped: Path | None) -> dict[str, int]:
    """SHA-256 and size of every object that a record names."""
    where = _asked(database, dumped)
    engine = create_engine(f"sqlite:///{where / 'vedette.sqlite'}" if isinstance(where, Path) else where)
    try:
        with Session(engine) as session:
            query = select(EvidenceRow.sha256, EvidenceRow.size).distinct().order_by(EvidenceRow.sha256)
            return {row.sha256: row.size for row in session.execute(query)}
    except SQLAlchemyError as error:
        raise StorageError(f"the evidence cannot be listed: {getattr(error, 'orig', error)}") from error
    finally:
        engine.dispose()


def _checked_head(database: Database, dumped: Path) -> AuditHead:
    """Where the copied chain ends, all of it recomputed."""
    with chain_of_database(_asked(database, dumped)) as (head, found):
        return _recomputed(found, head, {})


def _recomputed(found: Iterator[Link], head: AuditHead, anchors: dict[int, str]) -> AuditHead:
    last = AuditHead(0, GENESIS)
    for seq, _, link in follow(found, anchors=anchors):
        last = AuditHead(seq, link)
    check_end(last, head, anchors)
    return last


@contextmanager
def _scratch_files(*files: Path) -> Iterator[None]:
    try:
        yield
    finally:
        for file in files:
            file.unlink(missing_ok=True)


@contextmanager
def _as_storage_error(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(f"{error.filename or file}: {error.strerror or error}; check the disk") from error
