"""Partners, and the written agreements that say what may be shared with them."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from api.canonical import canonical, new_id
from api.errors import ConflictError, NotFoundError, UnprocessableError
from api.identity.roles import Call
from api.pages import Page, Window, page_of
from api.release.releases import active_partner, recall_all
from api.release.schemas import AgreementTerms, PartnerIn, ReleaseField
from api.store.tables import AgreementRow, PartnerRow, ReleaseRow
from api.times import iso, microseconds
from api.trail.audit import append_audit
from api.trail.log import append_event

__all__ = [
    "add_agreement",
    "add_partner",
    "end_agreement",
    "end_partner",
    "list_agreements",
    "list_partners",
]


def add_partner(session: Session, call: Call, now_us: int, partner: PartnerIn) -> dict[str, Any]:
    """Name a partner; raises ConflictError when the name is taken."""
    number = (session.scalar(select(func.max(PartnerRow.number))) or 0) + 1
    row = PartnerRow(id=new_id(), number=number, name=partner.name, created_us=now_us, ended_us=None)
    session.add(row)
    try:
        session.flush()
    except IntegrityError as error:
        raise ConflictError(f"a partner named {partner.name} exists: choose another name") from error
    append_event(session, now_us, "partner.created", partner_id=row.id)
    append_audit(session, call, now_us, "partner.create", [row.id], name=partner.name)
    return _partner_wire(row)


def end_partner(session: Session, call: Call, now_us: int, partner_id: str) -> None:
    """End a partner: its keys stop working and nothing released to it is readable. Raises NotFoundError."""
    row = active_partner(session, partner_id)
    row.ended_us = now_us
    recall_all(session, call, now_us, ReleaseRow.partner_id == partner_id, "partner ended")
    append_event(session, now_us, "partner.ended", partner_id=row.id)
    append_audit(session, call, now_us, "partner.end", [row.id])


def list_partners(session: Session, window: Window) -> Page[dict[str, Any]]:
    """Partners, oldest first, ended ones too, as JSON values."""
    return page_of(session, select(PartnerRow), window, PartnerRow.created_us, PartnerRow.id).map(_partner_wire)


def add_agreement(session: Session, call: Call, now_us: int, terms: AgreementTerms) -> dict[str, Any]:
    """Put an agreement in force.

    Raises
    ------
    NotFoundError
        When the partner does not exist.
    UnprocessableError
        When nothing can be held to the area, the agreement has already run out, or it delays a live picture.
    """
    active_partner(session, terms.partner_id)
    if terms.area_problem is not None:
        raise UnprocessableError(terms.area_problem)
    if ReleaseField.VIDEO in terms.fields and terms.delay_s:
        raise UnprocessableError("a live picture cannot be held back: make an agreement without video, or delay_s")
    until = None if terms.valid_until is None else microseconds(terms.valid_until)
    if until is not None and until <= now_us:
        raise UnprocessableError(f"the agreement would have run out at {iso(until)}: give a later time")
    row = AgreementRow(
        id=new_id(),
        partner_id=terms.partner_id,
        terms=canonical(terms.model_dump(mode="json")),
        created_us=now_us,
        valid_until_us=until,
        ended_us=None,
    )
    session.add(row)
    session.flush()
    append_event(session, now_us, "agreement.created", partner_id=row.partner_id, agreement_id=row.id)
    append_audit(session, call, now_us, "agreement.create", [row.id], terms=json.loads(row.terms))
    return _agreement_wire(row)


def end_agreement(session: Session, call: Call, now_us: int, agreement_id: str) -> None:
    """End an agreement and take back every release that was made under it. Raises NotFoundError."""
    row = session.get(AgreementRow, agreement_id)
    if row is None or row.ended_us is not None:
        raise NotFoundError(f"agreement {agreement_id} does not exist or has ended")
    row.ended_us = now_us
    recall_all(session, call, now_us, ReleaseRow.agreement_id == agreement_id, "agreement ended")
    append_event(session, now_us, "agreement.ended", partner_id=row.partner_id, agreement_id=row.id)
    append_audit(session, call, now_us, "agreement.end", [row.id])


def list_agreements(session: Session, window: Window) -> Page[dict[str, Any]]:
    """Agreements, oldest first, ended ones too, as JSON values."""
    page = page_of(session, select(AgreementRow), window, AgreementRow.created_us, AgreementRow.id)
    return page.map(_agreement_wire)


def _partner_wire(row: PartnerRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "created": iso(row.created_us),
        "ended": None if row.ended_us is None else iso(row.ended_us),
    }


def _agreement_wire(row: AgreementRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "terms": json.loads(row.terms),
        "created": iso(row.created_us),
        "ended": None if row.ended_us is None else iso(row.ended_us),
    }
