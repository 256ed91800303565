"""The audit chain away from its service: read from a database without changing it, written to a file and read back.

The file is lines of JSON: first the head, then one entry a line with its body as the very text that was hashed.
Ten lines in any language check it: hash(n) = SHA-256(hash(n - 1) as bytes || body(n) as UTF-8), from 32 zero bytes on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.orm import Session

from api.canonical import canonical
from api.errors import AuditTamperedError, StorageError
from api.store.postgres import postgres_url
from api.trail.audit import AuditHead, Link, follow, links, only_head

__all__ = ["chain_of_database", "chain_of_file", "holds_chain", "place_named", "write_chain"]

_FILE = "vedette.sqlite"

_FORMAT = "vedette.audit/1"
_HASH = re.compile(r"[0-9a-f]{64}")
Chain = tuple[AuditHead, Iterator[Link]]
"""Where a chain says that it ends, and its entries in order."""


def holds_chain(folder: Path) -> bool:
    """Whether a store's folder has the chain in it, rather than another database."""
    return (folder / _FILE).is_file()


def place_named(where: Path | str) -> str:
    """A place of `chain_of_database` for messages: without passwords. Raises StorageError where it is none."""
    if isinstance(where, Path):
        return str(where)
    try:
        return make_url(where).render_as_string(hide_password=True)
    except ArgumentError as error:  # the URL may hold a password, and so may the error
        raise _no_url(error) from None


def _no_url(error: Exception) -> StorageError:
    return StorageError(f"this is no URL of a database that this machine can open ({type(error).__name__})")


@contextmanager
def chain_of_database(where: Path | str) -> Iterator[Chain]:
    """The chain in a store's folder, or in the database that a URL names; nothing in it is changed.

    Raises
    ------
    StorageError
        When there is none, or it cannot be read.
    """
    url, named = where, place_named(where)
    if isinstance(where, Path):
        if not holds_chain(where):
            raise StorageError(f"{where}: is no store: it holds no {_FILE}")
        url = f"sqlite:///file:{_quoted((where / _FILE).absolute())}?mode=ro&uri=true"
    try:
        engine = create_engine(postgres_url(str(url)) if str(url).startswith("postgres") else str(url))
    except (ArgumentError, ImportError) as error:  # the URL may hold a password, and so may the error
        raise _no_url(error) from None
    sqlite = engine.dialect.name == "sqlite"
    if sqlite:
        event.listen(engine, "connect", _on_connect)
    else:
        engine = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    try:
        with Session(engine) as session:
            yield only_head(session), links(session)
    except SQLAlchemyError as error:
        raise StorageError(f"{named}: the audit cannot be read: {getattr(error, 'orig', error)}") from error
    finally:
        engine.dispose()


def _quoted(path: Path) -> str:
    return str(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def _on_connect(connection: Any, _record: Any) -> None:
    # A body that is no UTF-8 is a changed body, and is to be found as one.
    connection.text_factory = lambda content: content.decode(errors="surrogateescape")


def write_chain(found: Iterable[Link], head: AuditHead, file: Path) -> AuditHead:
    """Write a chain to a file, each entry after it has been recomputed; the file appears when it is whole.

    Raises
    ------
    AuditTamperedError
        At the first entry that does not fit; no file is left.
    StorageError
        When the file cannot be written.
    """
    scratch = file.with_name(f"{file.name}.part")
    last = AuditHead(0, "0" * 64)
    try:
        with scratch.open("w", encoding="utf-8", newline="\n") as out:
            out.write(canonical({"format": _FORMAT, "seq": head.seq, "hash": head.hash}) + "\n")
            for seq, body, link in follow(found):
                out.write(canonical({"seq": seq, "body": body, "hash": link}) + "\n")
                last = AuditHead(seq, link)
        if last != head:
            raise AuditTamperedError(f"audit ends at entry {last.seq}, its head says {head.seq}: cut", last.seq + 1)
        scratch.replace(file)
    except OSError as error:
        raise StorageError(f"{file}: cannot be written: {error.strerror}") from error
    finally:
        scratch.unlink(missing_ok=True)
    return last


@contextmanager
def chain_of_file(file: Path) -> Iterator[Chain]:
    """The chain in a file that `write_chain` wrote.

    Raises
    ------
    StorageError
        When it cannot be read, or is no such file.
    AuditTamperedError
        On the way through, at the first line that is damaged.
    """
    try:
        with file.open(encoding="utf-8", errors="surrogateescape", newline="\n") as lines:
            first = _line(lines.readline())
            if first is None or first.get("format") != _FORMAT or not _is_link(first):
                raise StorageError(f"{file}: is no export of the audit (its first line says {_FORMAT})")
            yield AuditHead(first["seq"], first["hash"]), _entries(lines)
    except OSError as error:
        raise StorageError(f"{file}: cannot be read: {error.strerror}") from error


def _entries(lines: Iterable[str]) -> Iterator[Link]:
    for count, text in enumerate(lines, 1):
        line = _line(text)
        if line is None or not _is_link(line) or not isinstance(line.get("body"), str) or len(line) != 3:
            raise AuditTamperedError(f"audit entry {count} is damaged: its line is not as it was written", count)
        yield line["seq"], line["body"], line["hash"]


def _line(text: str) -> dict[str, Any] | None:
    """A line as it was written: canonical JSON of an object, with its end."""
    try:
        value = json.loads(text)
        same = isinstance(value, dict) and canonical(value) + "\n" == text
    except (ValueError, RecursionError):
        return None
    return value if same else None


def _is_link(line: dict[str, Any]) -> bool:
    seq, link = line.get("seq"), line.get("hash")
    return type(seq) is int and isinstance(link, str) and _HASH.fullmatch(link) is not None
