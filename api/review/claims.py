"""Claims: while one person is at work on a crossing, nobody else judges it. A claim is a lease and ends by itself.

The lease is measured by the service's clock. Should the clock be set back, a claim that would end later than two leases
from then on has ended: nobody is kept out for longer than that. Should it be set forward, claims end early, and who
judges then finds out by If-Match whether another one was faster.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_
from sqlalchemy.orm import Session

from api.errors import ConflictError, NotFoundError
from api.identity.roles import Call, Permission
from api.records.merges import MERGED
from api.records.readable import find_readable
from api.review.policy import policy_now
from api.review.tables import ClaimRow
from api.times import iso
from api.trail.audit import append_audit
from api.trail.log import append_event

__all__ = ["claim", "claim_wire", "drop_claim", "is_live", "live", "require_free", "take_over", "unclaim"]


def live(now_us: int) -> ColumnElement[bool]:
    """The condition on `ClaimRow` that a claim has not ended."""
    return and_(ClaimRow.until_us > now_us, ClaimRow.until_us <= now_us + 2 * ClaimRow.lease_us)


def is_live(row: ClaimRow, now_us: int) -> bool:
    """The same of one claim."""
    return now_us < row.until_us <= now_us + 2 * row.lease_us


def claim(session: Session, call: Call, now_us: int, record_id: str) -> tuple[dict[str, Any], bool]:
    """Begin to work on a crossing, or go on: the lease begins anew.

    Returns
    -------
    claim, new
        As JSON values; False where the caller held it already.

    Raises
    ------
    NotFoundError
        When the caller may not know of the crossing.
    ConflictError
        When another person holds it, or it was merged into another crossing.
    """
    _claimable(session, call, now_us, record_id)
    require_free(session, call, now_us, record_id)
    row = session.get(ClaimRow, record_id)
    renewed = row is not None and is_live(row, now_us)
    row = _hold(session, call, now_us, record_id)
    if not renewed:
        append_event(session, now_us, "crossing.claimed", record_id=record_id, record_type="crossing", by=row.name)
    append_audit(session, call, now_us, "crossing.claim", [record_id], until=iso(row.until_us), renewed=renewed)
    return claim_wire(row, call), not renewed


def take_over(session: Session, call: Call, now_us: int, record_id: str, reason: str) -> dict[str, Any]:
    """Take a claim from whoever holds it, or claim what nobody holds, with a reason.

    Raises
    ------
    NotFoundError
        When the caller may not know of the crossing.
    ConflictError
        When it was merged into another crossing.
    """
    _claimable(session, call, now_us, record_id)
    row = session.get(ClaimRow, record_id)
    held = row is not None and is_live(row, now_us)
    before = {"from_person": row.person, "from_name": row.name} if held and row is not None else {}
    row = _hold(session, call, now_us, record_id)
    told: dict[str, Any] = {"by": row.name, "taken_from": before.get("from_name"), "reason": reason}
    append_event(session, now_us, "crossing.claimed", record_id=record_id, record_type="crossing", **told)
    append_audit(session, call, now_us, "crossing.take_over", [record_id], reason=reason, **before)
    return claim_wire(row, call)


def unclaim(session: Session, call: Call, now_us: int, record_id: str) -> None:
    """Let go of a crossing.

    Raises
    ------
    NotFoundError
        When the caller may not know of the crossing, or does not hold it.
    """
    find_readable(session, call.principal, now_us, record_id, type_="crossing")
    row = session.get(ClaimRow, record_id)
    if row is None or not is_live(row, now_us) or row.person != call.principal.person:
        raise NotFoundError(f"crossing {record_id} is not claimed by you")
    session.delete(row)
    append_event(session, now_us, "crossing.unclaimed", record_id=record_id, record_type="crossing", by=row.name)
    append_audit(session, call, now_us, "crossing.unclaim", [record_id])


def require_free(session: Session, call: Call, now_us: int, record_id: str) -> None:
    """Raise ConflictError where another person holds the crossing."""
    row = session.get(ClaimRow, record_id)
    if row is None or not is_live(row, now_us) or row.person == call.principal.person:
        return
    what = "take it over with a reason" if call.principal.may(Permission.CLAIM_TAKE) else "ask them or a supervisor"
    raise ConflictError(f"crossing {record_id} is claimed by {row.name} until {iso(row.until_us)}: {what}")


def drop_claim(session: Session, record_id: str) -> None:
    """End whatever claim there is: the work is done."""
    row = session.get(ClaimRow, record_id)
    if row is not None:
        session.delete(row)


def claim_wire(row: ClaimRow, call: Call) -> dict[str, Any]:
    """A claim as JSON values."""
    return {
        "record_id": row.record_id,
        "by": row.name,
        "mine": row.person == call.principal.person,
        "claimed": iso(row.claimed_us),
        "until": iso(row.until_us),
    }


def _claimable(session: Session, call: Call, now_us: int, record_id: str) -> None:
    seen = find_readable(session, call.principal, now_us, record_id, type_="crossing")
    if seen.review == MERGED:
        raise ConflictError(f"crossing {record_id} was merged into another: work on that one")


def _hold(session: Session, call: Call, now_us: int, record_id: str) -> ClaimRow:
    lease_us = policy_now(session).claim_s * 1_000_000
    row = session.get(ClaimRow, record_id)
    mine = row is not None and row.person == call.principal.person and is_live(row, now_us)
    if row is None:
        row = ClaimRow(record_id=record_id)
        session.add(row)
    row.person, row.name = call.principal.person, call.principal.name
    row.claimed_us = row.claimed_us if mine else now_us
    row.until_us, row.lease_us = now_us + lease_us, lease_us
    session.flush()
    return row
