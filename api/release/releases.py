"""Sharing one record with one partner under a written agreement, and taking it back."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from api.canonical import new_id, sha256_hex
from api.errors import ConflictError, NotFoundError, NotReleasableError
from api.identity.names import names_of
from api.identity.roles import SYSTEM, Call
from api.pages import Page, Window, page_of
from api.records.features import feature_bytes
from api.records.kept import Record
from api.records.readable import find_readable
from api.release.announcing import announce, is_shown
from api.release.policy import media_of, objections, shared_feature
from api.release.schemas import AgreementTerms, ReleaseField, ReleaseIn
from api.store.tables import AgreementRow, Base, PartnerRow, ReadableRow, RecordRow, ReleaseRow
from api.times import iso
from api.trail.audit import Deed, append_audit, append_deeds
from api.trail.log import append_event, append_events

__all__ = [
    "Ground",
    "active_partner",
    "list_releases",
    "recall",
    "recall_all",
    "recall_records",
    "release",
    "share",
    "share_all",
    "standing_release",
    "standing_with",
]

_RELEASE, _READABLE = (Base.metadata.tables[name] for name in ("release", "readable"))
_AT_ONCE = 400
"""Records in one look-up: databases bound the parameters of a statement."""


def release(session: Session, call: Call, now_us: int, wish: ReleaseIn) -> tuple[dict[str, Any], bool]:
    """Share one record with one partner.

    Returns
    -------
    release, created
        The release as JSON values; False where the same release already stands.

    Raises
    ------
    NotFoundError
        When the record, partner or agreement does not exist.
    NotReleasableError
        When no running agreement of the partner covers the record, with every reason.
    ConflictError
        When the record is already released to the partner under another agreement.
    """
    find_readable(session, call.principal, now_us, wish.record_id)
    row = session.get_one(RecordRow, wish.record_id)
    partner = active_partner(session, wish.partner_id)
    agreement, terms = _covering(session, now_us, row, wish)
    standing = standing_release(session, row.id, wish.partner_id)
    if standing is not None:
        if standing.agreement_id != agreement.id:
            raise ConflictError(f"already released to this partner as {standing.id}: recall that first")
        append_audit(session, call, now_us, "release.create", [row.id], release=standing.id, changed=False)
        return _wire_of(session, [standing])[0], False
    made = share(session, call, now_us, row, Ground(partner, agreement, terms), reason=wish.reason)
    return _wire_of(session, [made])[0], True


@dataclass(frozen=True, slots=True)
class Ground:
    """On what ground a record is shared: the partner, its agreement with the terms, and the subscription that asked."""

    partner: PartnerRow
    agreement: AgreementRow
    terms: AgreementTerms
    subscription_id: str | None = None


def share(
    session: Session, call: Call, now_us: int, row: Record, ground: Ground, *, reason: str | None = None
) -> ReleaseRow:
    """Make the release of a record that the agreement covers and that is not yet released to the partner."""
    (release_id,) = share_all(session, call, now_us, [(row, ground)], reason=reason)
    return session.get_one(ReleaseRow, release_id)


def share_all(
    session: Session, call: Call, now_us: int, wanted: Sequence[tuple[Record, Ground]], *, reason: str | None = None
) -> list[str]:
    """Make many releases as `share` does, in order, in a few statements; their ids."""
    session.flush()
    made = [_made(call, now_us, row, ground, reason) for row, ground in wanted]
    if not made:
        return []
    session.execute(_RELEASE.insert(), made)
    views = [_view(row, ground, values) for (row, ground), values in zip(wanted, made, strict=True)]
    session.execute(_READABLE.insert(), views)
    events = [
        {"record_id": row.id, "record_type": row.type, "detail": {"release_id": values["id"]}}
        for (row, _), values in zip(wanted, made, strict=True)
    ]
    inside = [event | {"partner_id": values["partner_id"]} for event, values in zip(events, made, strict=True)]
    append_events(session, now_us, "release.created", inside)
    append_deeds(
        session,
        [
            Deed(
                call,
                now_us,
                "release.create",
                [values["record_id"]],
                {"release": values["id"], "partner": values["partner_id"], "changed": True},
            )
            for values in made
        ],
    )
    of_partner: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for event, values in zip(events, made, strict=True):
        if values["announced"]:
            of_partner[values["partner_id"]].append(event)
    for partner_id, told in of_partner.items():
        append_events(session, now_us, "release.created", told, audience=partner_id)
    return [values["id"] for values in made]


def _made(call: Call, now_us: int, row: Record, ground: Ground, reason: str | None) -> dict[str, Any]:
    """The columns of `ReleaseRow`. Told at once where there is no delay to wait for."""
    visible_us = max(now_us, row.time_us + ground.terms.delay_s * 1_000_000)
    release_id = new_id()
    state = {"release_id": release_id, "released": iso(now_us), "agreement_id": ground.agreement.id}
    feature = feature_bytes(shared_feature(row, json.loads(row.document), ground.terms, state))
    return {
        "id": release_id,
        "record_id": row.id,
        "revision": row.revision,
        "partner_id": ground.partner.id,
        "agreement_id": ground.agreement.id,
        "subscription_id": ground.subscription_id,
        "released_us": now_us,
        "visible_us": visible_us,
        "released_by": call.principal.key_id,
        "reason": reason,
        "announced": visible_us <= now_us,
        "marking": row.marking,
        "digest": sha256_hex(feature),
        "feature": feature,
    }


def _view(row: Record, ground: Ground, made: dict[str, Any]) -> dict[str, Any]:
    """The columns of the `ReadableRow` of a release."""
    fields = ground.terms.fields
    located = ReleaseField.POSITION in fields
    return {
        "audience": ground.partner.number,
        "record_id": row.id,
        "type": row.type,
        "revision": row.revision,
        "time_us": row.time_us,
        "source": row.source if ReleaseField.SOURCE in fields else None,
        "kind": row.kind if ReleaseField.KIND in fields else None,
        "status": row.status if ReleaseField.STATUS in fields else None,
        "review": row.review_state,
        "west": row.west if located else None,
        "south": row.south if located else None,
        "east": row.east if located else None,
        "north": row.north if located else None,
        "visible_us": made["visible_us"],
        "until_us": min(row.expires_us, ground.agreement.valid_until_us or row.expires_us),
        "release_id": made["id"],
        "media": media_of(ground.terms),
        "etag": made["id"],
        "feature": made["feature"],
    }


def recall(session: Session, call: Call, now_us: int, release_id: str, reason: str | None) -> None:
    """Take a release back: from the commit on its partner reads nothing of it, and is asked for a receipt.

    Raises
    ------
    NotFoundError
        When there is no such release, or it was already taken back.
    """
    row = session.get(ReleaseRow, release_id)
    if row is None or row.recalled_us is not None:
        raise NotFoundError(f"release {release_id} does not exist or is already recalled")
    _recall(session, call, now_us, row, reason)
    row.recalled_by = call.principal.key_id


def recall_all(session: Session, call: Call, now_us: int, which: ColumnElement[bool], reason: str) -> None:
    """Take back every standing release that `which` (a condition on `ReleaseRow`) selects, as something else has it."""
    for row in session.scalars(select(ReleaseRow).where(which, ReleaseRow.recalled_us.is_(None))).all():
        _recall(session, call, now_us, row, reason)


def recall_records(session: Session, call: Call, now_us: int, reasons: Mapping[str, str]) -> None:
    """Take back every standing release of records, in their order; `reasons` by record."""
    ids = list(reasons)
    found: list[ReleaseRow] = []
    for start in range(0, len(ids), _AT_ONCE):
        of_these = ReleaseRow.record_id.in_(ids[start : start + _AT_ONCE])
        found += session.scalars(select(ReleaseRow).where(of_these, ReleaseRow.recalled_us.is_(None)))
    place = {record_id: number for number, record_id in enumerate(ids)}
    for row in sorted(found, key=lambda row: (place[row.record_id], row.released_us, row.id)):
        _recall(session, call, now_us, row, reasons[row.record_id])


def list_releases(
    session: Session,
    window: Window,
    *,
    record_id: str | None,
    partner_id: str | None,
    waiting: bool = False,
    newest_first: bool = False,
) -> Page[dict[str, Any]]:
    """Releases, recalled ones too, as JSON values; `waiting`: only recalls without a receipt."""
    named = {"record_id": record_id, "partner_id": partner_id}
    query = select(ReleaseRow).filter_by(**{name: value for name, value in named.items() if value is not None})
    if waiting:
        query = query.where(ReleaseRow.recalled_us.is_not(None), ReleaseRow.announced, ReleaseRow.receipt_us.is_(None))
    page = page_of(session, query, window, ReleaseRow.released_us, ReleaseRow.id, newest_first=newest_first)
    return Page(_wire_of(session, page.items), page.next)


def standing_release(session: Session, record_id: str, partner_id: str) -> ReleaseRow | None:
    """The release of a record to a partner that is not taken back."""
    query = select(ReleaseRow).where(
        ReleaseRow.record_id == record_id, ReleaseRow.partner_id == partner_id, ReleaseRow.recalled_us.is_(None)
    )
    return session.scalars(query).one_or_none()


def standing_with(session: Session, partner_id: str, record_ids: Sequence[str]) -> set[str]:
    """Those of the records of which a release to the partner stands."""
    found: set[str] = set()
    for start in range(0, len(record_ids), _AT_ONCE):
        query = select(ReleaseRow.record_id).where(
            ReleaseRow.record_id.in_(record_ids[start : start + _AT_ONCE]),
            ReleaseRow.partner_id == partner_id,
            ReleaseRow.recalled_us.is_(None),
        )
        found |= set(session.scalars(query))
    return found


def active_partner(session: Session, partner_id: str) -> PartnerRow:
    """The partner of that id; raises NotFoundError when there is none or it has ended."""
    row = session.get(PartnerRow, partner_id)
    if row is None or row.ended_us is not None:
        raise NotFoundError(f"partner {partner_id} does not exist")
    return row


def _covering(session: Session, now_us: int, record: RecordRow, wish: ReleaseIn) -> tuple[AgreementRow, AgreementTerms]:
    query = select(AgreementRow).where(
        AgreementRow.partner_id == wish.partner_id,
        AgreementRow.ended_us.is_(None),
        AgreementRow.valid_until_us.is_(None) | (AgreementRow.valid_until_us > now_us),
    )
    if wish.agreement_id is not None:
        query = query.where(AgreementRow.id == wish.agreement_id)
    running = session.scalars(query.order_by(AgreementRow.created_us, AgreementRow.id)).all()
    if not running and wish.agreement_id is not None:
        raise NotFoundError(f"agreement {wish.agreement_id} of this partner does not exist or has ended")
    if not running:
        raise NotReleasableError(("no agreement with this partner is in force",))
    document = json.loads(record.document)
    against: dict[str, None] = {}  # a set that keeps its order
    for row in running:
        terms = AgreementTerms.model_validate_json(row.terms)
        reasons = objections(record, document, terms)
        if not reasons:
            return row, terms
        against |= dict.fromkeys(reasons)
    raise NotReleasableError(tuple(against))


def _recall(session: Session, call: Call, now_us: int, row: ReleaseRow, reason: str | None) -> None:
    row.recalled_us, row.recalled_by, row.recall_reason = now_us, SYSTEM.key_id, reason
    session.flush()
    record_type = session.get_one(RecordRow, row.record_id).type
    if not row.announced and row.visible_us <= now_us and is_shown(session, now_us, row):
        announce(session, now_us, record_type, row)  # it may have read it before it was told of it
    # The record is named as well: it is what the index knows.
    session.execute(delete(ReadableRow).where(ReadableRow.record_id == row.record_id, ReadableRow.release_id == row.id))
    _tell(session, now_us, "release.recalled", record_type, row)
    if row.announced:  # of what was never shown, the partner hears nothing
        append_event(
            session,
            now_us,
            "release.recalled",
            record_id=row.record_id,
            record_type=record_type,
            audience=row.partner_id,
            release_id=row.id,
        )
    append_audit(
        session,
        call,
        now_us,
        "release.recall",
        [row.record_id],
        release=row.id,
        partner=row.partner_id,
    )


def _tell(session: Session, now_us: int, kind: str, record_type: str, row: ReleaseRow) -> None:
    append_event(
        session,
        now_us,
        kind,
        record_id=row.record_id,
        record_type=record_type,
        partner_id=row.partner_id,
        release_id=row.id,
    )


def _wire_of(session: Session, rows: Sequence[ReleaseRow]) -> list[dict[str, Any]]:
    names = names_of(session, [who for row in rows for who in (row.released_by, row.receipt_by) if who is not None])
    return [_release_wire(row, names) for row in rows]


def _release_wire(row: ReleaseRow, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "id": row.id,
        "record_id": row.record_id,
        "revision": row.revision,
        "partner_id": row.partner_id,
        "agreement_id": row.agreement_id,
        "subscription_id": row.subscription_id,
        "released": iso(row.released_us),
        "visible_from": iso(row.visible_us),
        "released_by": row.released_by,
        "released_by_name": names.get(row.released_by),
        "reason": row.reason,
        "recalled": None if row.recalled_us is None else iso(row.recalled_us),
        "recall_reason": row.recall_reason,
        "receipt": None if row.receipt_us is None else iso(row.receipt_us),
        "receipt_by": row.receipt_by,
        "receipt_by_name": None if row.receipt_by is None else names.get(row.receipt_by),
    }
