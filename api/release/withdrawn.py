"""What a person took back from a partner: it stays back until a person releases it again."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.canonical import sha256_hex
from api.errors import NotFoundError
from api.identity.roles import SYSTEM, Call
from api.store.tables import AgreementRow, PartnerRow, RecordRow, ReleaseRow
from api.trail.audit import append_audit
from api.trail.log import append_event

__all__ = ["recall_unknown", "taken_back"]

_AT_ONCE = 400
"""Records in one look-up: databases bound the parameters of a statement."""


def taken_back(session: Session, partner_id: str, record_ids: Sequence[str]) -> set[str]:
    """Those of the records whose newest release to the partner a person took back, and not what merely followed."""
    newest: dict[str, str | None] = {}
    for start in range(0, len(record_ids), _AT_ONCE):
        query = (
            select(ReleaseRow.record_id, ReleaseRow.recalled_by)
            .where(ReleaseRow.record_id.in_(record_ids[start : start + _AT_ONCE]), ReleaseRow.partner_id == partner_id)
            .order_by(ReleaseRow.released_us, ReleaseRow.recalled_us)
        )
        newest |= dict(session.execute(query).all())
    return {record_id for record_id, by in newest.items() if by not in {None, SYSTEM.key_id}}


def recall_unknown(
    session: Session, call: Call, now_us: int, release_id: str, *, record_id: str, partner_id: str, reason: str
) -> None:
    """Keep that a release was taken back which is itself not on record here: of what it shared nothing is known.

    Raises
    ------
    NotFoundError
        When the record or the partner is not there, the partner never had an agreement here, or the record is kept
        from it already.
    """
    record, partner = session.get(RecordRow, record_id), session.get(PartnerRow, partner_id)
    newest = (
        select(AgreementRow.id)
        .where(AgreementRow.partner_id == partner_id)
        .order_by(AgreementRow.created_us.desc(), AgreementRow.id.desc())
        .limit(1)
    )
    agreement_id = session.scalar(newest)
    if record is None or partner is None or agreement_id is None or taken_back(session, partner_id, [record_id]):
        raise NotFoundError(f"release {release_id} does not exist, and nothing has to be kept of it")
    session.add(
        ReleaseRow(
            id=release_id,
            record_id=record.id,
            revision=record.revision,
            partner_id=partner.id,
            agreement_id=agreement_id,
            subscription_id=None,
            released_us=now_us,
            visible_us=now_us,
            released_by=call.principal.key_id,
            reason=None,
            announced=False,
            recalled_us=now_us,
            recalled_by=call.principal.key_id,
            recall_reason=reason,
            marking=record.marking or "",
            digest=sha256_hex(""),
            feature=b"",
        )
    )
    session.flush()
    told = {"partner_id": partner.id, "release_id": release_id}
    append_event(session, now_us, "release.recalled", record_id=record.id, record_type=record.type, **told)
    append_audit(session, call, now_us, "release.recall", [record.id], release=release_id, partner=partner.id)
