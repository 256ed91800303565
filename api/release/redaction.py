"""Copies of evidence for partners who may not see everybody: made when the first release asks for one.

A partner under such an agreement reads nothing of the clip until its copy is there: the original is never a stand-in.
"""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import exists, literal_column, or_, select
from sqlalchemy.orm import Session, aliased

from api.background import Service, glance
from api.canonical import new_id
from api.errors import StorageError
from api.identity.roles import SYSTEM, Call
from api.records.schemas import COPIES
from api.records.views import refresh_views
from api.store.engine import Store
from api.store.incoming import StoredObject
from api.store.tables import EvidenceRow, ReadableRow, RecordRow
from api.threads import in_thread
from api.trail.audit import append_audit
from api.trail.log import append_event

__all__ = ["Wanted", "redact_when_wanted", "redacted", "wanted_copies"]

_LOG = logging.getLogger("vedette.api")
_LOOK_S = 2.0
_AGAIN_S = 3600.0
_MOST_BYTES = 4 << 30
_PAGE = 100


@dataclass(frozen=True, slots=True)
class Wanted:
    """A copy that a release waits for.

    Parameters
    ----------
    record_id, revision
        Of whose evidence.
    media
        "blurred" (everybody) or "redacted" (everybody but those whom the evidence is about).
    """

    record_id: str
    revision: int
    media: str


async def redact_when_wanted(service: Service) -> None:
    """Make the copies that releases wait for, one at a time; one that fails is tried again an hour later."""
    failed: dict[Wanted, float] = {}
    loop = asyncio.get_running_loop()
    seen: int | None = None
    while True:
        before, failed = failed, {wanted: since for wanted, since in failed.items() if loop.time() - since < _AGAIN_S}
        stamp = await glance(service.store, service.store.stamp)
        found: list[Wanted] = []
        if stamp != seen or len(failed) < len(before):  # a copy is wanted since an event, or again since an hour is up
            found = await in_thread(_look, service.store, frozenset(failed))
        seen = stamp
        for wanted in found:
            try:
                await in_thread(redacted, service.store, wanted)
            except Exception as error:  # noqa: BLE001 - told, logged, and tried again; the partner has no clip until then
                failed[wanted] = loop.time()
                _LOG.exception("redaction failed", extra={"fields": {"record": wanted.record_id}})
                await in_thread(_tell_failure, service.store, wanted, type(error).__name__)
        await asyncio.sleep(_LOOK_S)


def wanted_copies(session: Session, *, but: Collection[Wanted] = (), limit: int = 20) -> list[Wanted]:
    """Copies that standing releases wait for, whose evidence is here and whole, except `but`.

    One that cannot be made yet keeps none of the others waiting, however many of them there are.
    """
    there = aliased(EvidenceRow)
    copy = exists().where(
        EvidenceRow.record_id == ReadableRow.record_id,
        EvidenceRow.revision == ReadableRow.revision,
        EvidenceRow.part == ReadableRow.media + "-clip",
    )
    of_kind = or_(*(ReadableRow.media == literal_column(f"'{kind}'") for kind in COPIES))  # as the index has it
    query = (
        select(ReadableRow.record_id, ReadableRow.revision, ReadableRow.media)
        .distinct()
        .join(there, (there.record_id == ReadableRow.record_id) & (there.revision == ReadableRow.revision))
        .where(of_kind, there.part == "clip", ~copy)
        .order_by(ReadableRow.record_id)
    )
    found: list[Wanted] = []
    last = ""
    while len(found) < limit:
        rows = session.execute(query.where(ReadableRow.record_id > last).limit(_PAGE)).all()
        if len(rows) == _PAGE and rows[0].record_id != rows[-1].record_id:  # the last may have more on the next page
            rows = [row for row in rows if row.record_id != rows[-1].record_id]
        if not rows:
            break
        last = rows[-1].record_id
        wishes = [wanted for row in rows if (wanted := Wanted(*row)) not in but]
        found += [wanted for wanted in wishes if _is_whole(session, wanted)]
    return found[:limit]


def _is_whole(session: Session, wanted: Wanted) -> bool:
    """Whether all files have come that the crossing announces: they are sent one after another."""
    names = json.loads(session.get_one(RecordRow, wanted.record_id).document)["evidence"] or {}
    announced = {"clip", "manifest", *names.get("others", ())}
    query = select(EvidenceRow.part).where(
        EvidenceRow.record_id == wanted.record_id, EvidenceRow.revision == wanted.revision
    )
    return announced <= set(session.scalars(query))


def redacted(store: Store, wanted: Wanted) -> None:
    """Make one copy and put it on record.

    Raises
    ------
    EvidenceError
        When the evidence is not whole, or the copy cannot be made.
    StorageError
        When a piece of the original is gone, or the copy cannot be kept.
    """
    import vision  # noqa: PLC0415 - inference engines take a second to load

    with tempfile.TemporaryDirectory(prefix="vedette-redaction-") as scratch:
        original = Path(scratch) / "original"
        original.mkdir()
        with store.read() as session:
            _gather(store, session, wanted, original)
        keep = () if wanted.media == "blurred" else _concerned(original)
        copy = Path(scratch) / "copy"
        vision.redact_evidence(original, copy, keep=keep)
        pieces = [(_part(wanted.media, path), path.name, _kept(store, path)) for path in sorted(copy.iterdir())]
    now = store.clock()
    with store.write() as session:
        row = session.get(RecordRow, wanted.record_id)
        if row is None or row.revision != wanted.revision:
            return  # replaced or erased meanwhile: nobody waits for it
        if session.get(EvidenceRow, (wanted.record_id, wanted.revision, f"{wanted.media}-clip")) is not None:
            return  # another process was faster
        _record(store, session, now, wanted, pieces)
        refresh_views(session, [row])


def _gather(store: Store, session: Session, wanted: Wanted, folder: Path) -> None:
    query = select(EvidenceRow).where(
        EvidenceRow.record_id == wanted.record_id, EvidenceRow.revision == wanted.revision
    )
    for piece in session.scalars(query):
        if piece.part.partition("-")[0] in COPIES:
            continue
        shutil.copyfile(store.objects.local(piece.sha256), folder / piece.name)


def _concerned(folder: Path) -> tuple[int, ...]:
    """The tracks that the evidence is about: its overlay has no others."""
    overlay = folder / "overlay.json"
    tracks = json.loads(overlay.read_bytes())["tracks"] if overlay.exists() else []
    return tuple(int(track["number"]) for track in tracks)


def _part(media: str, path: Path) -> str:
    name = {"clip.mp4": "clip", "manifest.json": "manifest"}.get(path.name, path.name)
    return f"{media}-{name}"


def _kept(store: Store, path: Path) -> StoredObject:
    with store.objects.incoming(limit_bytes=_MOST_BYTES) as incoming, path.open("rb") as file:
        while chunk := file.read(1 << 20):
            incoming.write(chunk)
        item = incoming.seal()
        incoming.keep()
    return item


def _record(
    store: Store, session: Session, now_us: int, wanted: Wanted, pieces: list[tuple[str, str, StoredObject]]
) -> None:
    for part, name, item in pieces:
        if not store.objects.holds(item.sha256):  # the same bytes were just erased with another record
            raise StorageError(f"object {item.sha256} was removed meanwhile: the copy is made again")
        session.add(
            EvidenceRow(
                record_id=wanted.record_id,
                revision=wanted.revision,
                part=part,
                sha256=item.sha256,
                size=item.size,
                name=name,
                received_us=now_us,
            )
        )
    session.flush()
    event = {"record_id": wanted.record_id, "record_type": "crossing", "media": wanted.media}
    append_event(session, now_us, "evidence.redacted", **event)
    call = Call(SYSTEM, new_id())
    append_audit(session, call, now_us, "evidence.redact", [wanted.record_id], media=wanted.media)


def _look(store: Store, but: Collection[Wanted]) -> list[Wanted]:
    with store.read() as session:
        return wanted_copies(session, but=but)


def _tell_failure(store: Store, wanted: Wanted, why: str) -> None:
    with store.write() as session:
        now = store.clock()
        event = {"record_id": wanted.record_id, "record_type": "crossing", "media": wanted.media, "error": why}
        append_event(session, now, "evidence.failed", **event)
        call = Call(SYSTEM, new_id())
        append_audit(session, call, now, "evidence.fail", [wanted.record_id], media=wanted.media, error=why)
