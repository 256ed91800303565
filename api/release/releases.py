"""Sharing one crossing with one partner under a written agreement, and taking it back."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from api.canonical import new_id
from api.errors import ConflictError, NotFoundError, NotReleasableError
from api.identity.roles import Call
from api.records.features import covers, feature_bytes, partner_feature
from api.records.readable import find_readable
from api.release.schemas import AgreementTerms, ReleaseField, ReleaseIn
from api.store.tables import AgreementRow, CrossingRow, PartnerRow, ReleaseRow
from api.times import iso
from api.trail.audit import append_audit
from api.trail.log import append_event

__all__ = ["active_partner", "list_releases", "objections", "recall", "recall_all", "release"]


def objections(document: dict[str, Any], review_state: str, terms: AgreementTerms) -> tuple[str, ...]:
    """Every rule of the policy that forbids sharing a crossing under an agreement; empty when it may be shared.

    Parameters
    ----------
    document
        The crossing as delivered (JSON values).
    review_state
        "pending", "confirmed" or "dismissed".
    terms
        The agreement.
    """
    marking, kind, purpose = document["marking"], document["kind"], document["purpose"]
    rules = (
        (marking is not None, "it has no marking, so nobody outside may see it"),
        (review_state == "confirmed", f"its review is {review_state}, not confirmed"),
        (marking is None or marking in terms.markings, f"marking {marking} is not in the agreement"),
        (kind in terms.kinds, f"kind {kind} is not in the agreement"),
        (purpose in terms.purposes, f"purpose {purpose} is not in the agreement"),
        (covers(terms, document["lat"], document["lon"]), "its place is not in the agreement's area"),
    )
    return tuple(reason for holds, reason in rules if not holds)


def release(session: Session, call: Call, now_us: int, wish: ReleaseIn) -> tuple[dict[str, Any], bool]:
    """Share one crossing with one partner.

    Returns
    -------
    release, created
        The release as JSON values; False where the same release already stands.

    Raises
    ------
    NotFoundError
        When the crossing, partner or agreement does not exist.
    NotReleasableError
        When no running agreement of the partner covers the crossing, with every reason.
    ConflictError
        When the crossing is already released to the partner under another agreement.
    """
    find_readable(session, call.principal, now_us, wish.crossing_id)
    crossing = session.get_one(CrossingRow, wish.crossing_id)
    active_partner(session, wish.partner_id)
    agreement, terms = _covering(session, now_us, crossing, wish)
    standing = session.scalars(
        select(ReleaseRow).where(
            ReleaseRow.crossing_id == crossing.id,
            ReleaseRow.partner_id == wish.partner_id,
            ReleaseRow.recalled_us.is_(None),
        )
    ).one_or_none()
    if standing is not None:
        if standing.agreement_id != agreement.id:
            raise ConflictError(f"already released to this partner as {standing.id}: recall that first")
        append_audit(session, call, now_us, "release.create", [crossing.id], release=standing.id, changed=False)
        return _release_wire(standing), False

    located = ReleaseField.POSITION in terms.fields
    row = ReleaseRow(
        id=new_id(),
        crossing_id=crossing.id,
        revision=crossing.revision,
        partner_id=wish.partner_id,
        agreement_id=agreement.id,
        released_us=now_us,
        visible_us=max(now_us, crossing.time_us + terms.delay_s * 1_000_000),
        released_by=call.principal.key_id,
        reason=wish.reason,
        marking=crossing.marking,
        time_us=crossing.time_us,
        kind=crossing.kind if ReleaseField.KIND in terms.fields else None,
        status=crossing.status if ReleaseField.STATUS in terms.fields else None,
        lat=crossing.lat if located else None,
        lon=crossing.lon if located else None,
        media=ReleaseField.CLIP in terms.fields,
    )
    state = {"release_id": row.id, "released": iso(now_us), "agreement_id": agreement.id}
    row.feature = feature_bytes(partner_feature(crossing.id, json.loads(crossing.document), terms, state))
    session.add(row)
    session.flush()
    append_event(
        session, now_us, "release.created", crossing_id=crossing.id, partner_id=row.partner_id, release_id=row.id
    )
    append_audit(
        session, call, now_us, "release.create", [crossing.id], release=row.id, partner=row.partner_id, changed=True
    )
    return _release_wire(row), True


def recall(session: Session, call: Call, now_us: int, release_id: str, reason: str | None) -> None:
    """Take a release back: from the commit on its partner reads nothing of it.

    Raises
    ------
    NotFoundError
        When there is no such release, or it was already taken back.
    """
    row = session.get(ReleaseRow, release_id)
    if row is None or row.recalled_us is not None:
        raise NotFoundError(f"release {release_id} does not exist or is already recalled")
    _recall(session, call, now_us, row, reason)


def recall_all(session: Session, call: Call, now_us: int, which: ColumnElement[bool], reason: str) -> None:
    """Take back every standing release that `which` (a condition on `ReleaseRow`) selects."""
    for row in session.scalars(select(ReleaseRow).where(which, ReleaseRow.recalled_us.is_(None))).all():
        _recall(session, call, now_us, row, reason)


def list_releases(session: Session, *, crossing_id: str | None, partner_id: str | None) -> list[dict[str, Any]]:
    """Releases, oldest first, recalled ones too, as JSON values."""
    query = select(ReleaseRow).order_by(ReleaseRow.released_us, ReleaseRow.id)
    if crossing_id is not None:
        query = query.where(ReleaseRow.crossing_id == crossing_id)
    if partner_id is not None:
        query = query.where(ReleaseRow.partner_id == partner_id)
    return [_release_wire(row) for row in session.scalars(query)]


def active_partner(session: Session, partner_id: str) -> PartnerRow:
    """The partner of that id; raises NotFoundError when there is none or it has ended."""
    row = session.get(PartnerRow, partner_id)
    if row is None or row.ended_us is not None:
        raise NotFoundError(f"partner {partner_id} does not exist")
    return row


def _covering(
    session: Session, now_us: int, crossing: CrossingRow, wish: ReleaseIn
) -> tuple[AgreementRow, AgreementTerms]:
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
    document = json.loads(crossing.document)
    against: dict[str, None] = {}  # a set that keeps its order
    for row in running:
        terms = AgreementTerms.model_validate_json(row.terms)
        reasons = objections(document, crossing.review_state, terms)
        if not reasons:
            return row, terms
        against |= dict.fromkeys(reasons)
    raise NotReleasableError(tuple(against))


def _recall(session: Session, call: Call, now_us: int, row: ReleaseRow, reason: str | None) -> None:
    row.recalled_us, row.recalled_by, row.recall_reason = now_us, call.principal.key_id, reason
    append_event(
        session, now_us, "release.recalled", crossing_id=row.crossing_id, partner_id=row.partner_id, release_id=row.id
    )
    append_audit(
        session,
        call,
        now_us,
        "release.recall",
        [row.crossing_id],
        release=row.id,
        partner=row.partner_id,
        reason=reason,
    )


def _release_wire(row: ReleaseRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "crossing_id": row.crossing_id,
        "revision": row.revision,
        "partner_id": row.partner_id,
        "agreement_id": row.agreement_id,
        "released": iso(row.released_us),
        "visible_from": iso(row.visible_us),
        "released_by": row.released_by,
        "reason": row.reason,
        "recalled": None if row.recalled_us is None else iso(row.recalled_us),
        "recall_reason": row.recall_reason,
    }
