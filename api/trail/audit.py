"""The audit chain: who read or changed what, when, each entry bound to all before it.

hash(n) = SHA-256(hash(n - 1) || body(n)), with 32 zero bytes before the first; body is canonical JSON. Changing,
removing or reordering an entry breaks the chain at that entry. A cut tail contradicts the head, which is kept apart;
whoever could rewrite the head as well is caught by a head that was noted elsewhere (`anchor`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.orm import Session

from api.canonical import canonical_bytes
from api.errors import AuditTamperedError
from api.identity.roles import Call
from api.store.direct import Writing, direct
from api.store.engine import Store
from api.store.tables import AuditRow, Base
from api.times import iso

__all__ = [
    "GENESIS",
    "AuditEntry",
    "AuditHead",
    "Deed",
    "Link",
    "append_audit",
    "append_deeds",
    "audit_head",
    "check_end",
    "follow",
    "links",
    "only_head",
    "read_audit",
    "verify_audit",
]

GENESIS = "0" * 64

# Built once, and without the unit of work: every request appends.
_HEADS = Base.metadata.tables["audit_head"]
_HEAD = select(_HEADS.c.seq, _HEADS.c.hash).where(_HEADS.c.id == 1)
_NEW_HEAD = insert(_HEADS)
_MOVE_HEAD = update(_HEADS).values(seq=bindparam("new_seq"), hash=bindparam("new_hash"))
_APPEND = insert(Base.metadata.tables["audit"])


@dataclass(frozen=True, slots=True)
class AuditHead:
    """The newest entry of a chain: its number and its hash in hex. `AuditHead(0, GENESIS)` is the empty chain."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One entry: its number, what it says, and its hash in hex."""

    seq: int
    body: dict[str, Any]
    hash: str


@dataclass(frozen=True, slots=True)
class Deed:
    """Something to write down: who did it in which request, when, what, to which objects, and more as JSON values."""

    call: Call
    time_us: int
    action: str
    objects: list[str]
    detail: dict[str, Any] = field(default_factory=dict)
    listed: str | None = None
    """`objects` as canonical JSON, where that is at hand."""


Link = tuple[int, str, str]
"""An entry as it is kept: number, body, hash in hex."""


def append_audit(session: Writing, call: Call, time_us: int, action: str, objects: list[str], **detail: Any) -> None:
    """Append one entry in the caller's write transaction, so that the deed and its record stand or fall together.

    Parameters
    ----------
    session
        A session of `Store.write`, or what `Store.put_together` gives.
    call
        Who, and in which request.
    time_us
        UTC microseconds since the Unix epoch.
    action
        What was done, as `object.verb`.
    objects
        Ids of what it was done to or what was shown.
    detail
        More, as JSON values.
    """
    append_deeds(session, [Deed(call, time_us, action, objects, detail)])


def append_deeds(session: Writing, deeds: Sequence[Deed]) -> None:
    """Append an entry for each of `deeds`, in order, as `append_audit` does."""
    if not deeds:
        return
    head: Any = direct(session, _HEAD, {}).one_or_none()
    seq, link = (0, GENESIS) if head is None else head
    entries = []
    for deed in deeds:
        seq += 1
        body = _body(seq, deed)
        link = _link(link, body)
        entries.append({"seq": seq, "body": body, "hash": link})
    if head is None:
        direct(session, _NEW_HEAD, {"id": 1, "seq": seq, "hash": link})
    else:
        direct(session, _MOVE_HEAD, {"new_seq": seq, "new_hash": link})
    direct(session, _APPEND, entries)
    for deed in deeds:
        deed.call.audited = True


def _body(seq: int, deed: Deed) -> str:
    who = deed.call.principal
    before = {"action": deed.action, "actor": who.key_id, "detail": deed.detail, "name": who.name}
    after = {
        "partner": who.partner_id,
        "request": deed.call.request_id,
        "role": None if who.role is None else who.role.value,
        "seq": seq,
        "time": iso(deed.time_us),
    }
    # Canonical as one object would be: what was shown is by far the most of it, and ready where a page is.
    listed = _text(deed.objects) if deed.listed is None else deed.listed
    return f'{_text(before)[:-1]},"objects":{listed},{_text(after)[1:]}'


def _text(value: Any) -> str:
    return canonical_bytes(value).decode()


def audit_head(session: Session) -> AuditHead:
    """The newest entry's number and hash: note it elsewhere and hand it to `verify_audit` later."""
    head = session.execute(_HEAD).one_or_none()
    return AuditHead(0, GENESIS) if head is None else AuditHead(head.seq, head.hash)


def only_head(session: Session) -> AuditHead:
    """As `audit_head`, for whoever judges the chain: raises AuditTamperedError where there are others beside it."""
    others = session.scalar(select(func.count()).select_from(_HEADS).where(_HEADS.c.id != 1))
    if others:
        raise AuditTamperedError(f"audit has {others} heads beside its own: they were put in", 0)
    return audit_head(session)


def read_audit(session: Session, *, after: int, limit: int) -> list[AuditEntry]:
    """The first `limit` entries with a number above `after`, in order."""
    rows = session.scalars(select(AuditRow).where(AuditRow.seq > after).order_by(AuditRow.seq).limit(limit))
    return [AuditEntry(row.seq, json.loads(row.body), row.hash) for row in rows]


def verify_audit(store: Store, anchor: AuditHead | None = None) -> AuditHead:
    """Recompute the whole chain.

    Parameters
    ----------
    store
        The store that holds it.
    anchor
        A head that was noted earlier and kept elsewhere; the chain must still pass through it.

    Returns
    -------
    AuditHead
        The newest entry, all of whose predecessors fit.

    Raises
    ------
    AuditTamperedError
        At the first entry that was changed, removed or moved, or when the tail is cut.
    """
    anchors = {} if anchor is None else {anchor.seq: anchor.hash}
    last = AuditHead(0, GENESIS)
    with store.read() as session:
        for entry in follow(links(session), anchors=anchors):
            last = AuditHead(entry[0], entry[2])
        head = only_head(session)
    check_end(last, head, anchors)
    return head


def links(session: Session, *, after: int | None = None) -> Iterator[Link]:
    """Entries as they are kept, in order, a thousand in memory at a time: those with a number above `after`, or all.

    All are those as well that have no business to be there, below the first.
    """
    query = select(AuditRow.seq, AuditRow.body, AuditRow.hash).order_by(AuditRow.seq)
    if after is not None:
        query = query.where(AuditRow.seq > after)
    for row in session.execute(query).yield_per(1000):
        yield row[0], row[1], row[2]


def follow(
    found: Iterable[Link], *, start: AuditHead | None = None, anchors: Mapping[int, str] | None = None
) -> Iterator[Link]:
    """Pass entries on, each after it has been recomputed.

    Parameters
    ----------
    found
        Entries as they are kept, in order.
    start
        The entry that comes before the first of them; None is the beginning of the chain.
    anchors
        Hash by number of entries that were noted elsewhere: the chain must pass through them.

    Raises
    ------
    AuditTamperedError
        At the first entry that was changed, removed or moved, or is not the one noted.
    """
    seq, link = (0, GENESIS) if start is None else (start.seq, start.hash)
    noted = {} if anchors is None else anchors
    for entry in found:
        seq += 1
        row_seq, body, row_hash = entry
        if row_seq < seq:
            raise AuditTamperedError(f"audit entry {row_seq} was put in: entry {seq} is the next one", seq)
        if row_seq != seq:
            raise AuditTamperedError(f"audit entry {seq} is missing: entry {row_seq} comes in its place", seq)
        if not isinstance(body, str):  # SQLite keeps in a column whatever it is given
            raise AuditTamperedError(f"audit entry {seq} was changed: it is no text", seq)
        link = _link(link, body)
        if link != row_hash:
            raise AuditTamperedError(f"audit entry {seq} was changed or moved: its hash does not fit", seq)
        if noted.get(seq, link) != link:
            raise AuditTamperedError(f"audit entry {seq} is not the one noted earlier: history was rewritten", seq)
        yield entry


def check_end(last: AuditHead, head: AuditHead, anchors: Mapping[int, str]) -> None:
    """Compare where a chain ends with where its head and what was noted say that it does.

    Raises
    ------
    AuditTamperedError
        When the tail was cut.
    """
    if head != last:
        raise AuditTamperedError(
            f"audit ends at entry {last.seq}, its head says {head.seq}: the tail was cut", last.seq + 1
        )
    beyond = max(anchors, default=0)
    if beyond > last.seq:
        raise AuditTamperedError(f"audit ends at entry {last.seq}, before the noted entry {beyond}: cut", last.seq + 1)


def _link(previous: str, body: str) -> str:
    # Bytes that are no text were let through by the reader as surrogates: they are hashed as they were.
    return hashlib.sha256(bytes.fromhex(previous) + body.encode(errors="surrogateescape")).hexdigest()
