"""A recall waits for the partner's word that what it had is erased."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.errors import NotFoundError
from api.identity.roles import Call
from api.pages import Page, Window, page_of
from api.release.schemas import ReceiptIn, RelayedReceiptIn
from api.store.tables import ReleaseRow
from api.times import iso
from api.trail.audit import append_audit
from api.trail.log import append_event

__all__ = ["give_receipt", "list_recalls", "relay_receipt"]


def give_receipt(session: Session, call: Call, now_us: int, release_id: str, receipt: ReceiptIn) -> dict[str, Any]:
    """Record a partner's receipt for a recall; the first one counts, another changes nothing.

    Raises
    ------
    NotFoundError
        When there is no such recall, or it is another partner's, or the partner was never told of the release.
    """
    row = session.get(ReleaseRow, release_id)
    mine = row is not None and row.partner_id == call.principal.partner_id
    if row is None or not mine or not _told(row):
        raise NotFoundError(f"recall {release_id} does not exist")
    first = _receive(session, call, now_us, row)
    append_audit(
        session, call, now_us, "recall.receive", [row.record_id], release=row.id, note=receipt.note, first=first
    )
    return _wire(row)


def relay_receipt(
    session: Session, call: Call, now_us: int, release_id: str, receipt: RelayedReceiptIn
) -> dict[str, Any]:
    """Record a partner's receipt that came by another way than its key, as it does once the partner has ended.

    The audit says who gave it, how it came, and who wrote it down. The first receipt counts, another changes nothing.

    Raises
    ------
    NotFoundError
        When there is no such recall, or the partner was never told of the release.
    """
    row = session.get(ReleaseRow, release_id)
    if row is None or not _told(row):
        raise NotFoundError(f"recall of release {release_id} does not exist")
    first = _receive(session, call, now_us, row)
    told = {"given_by": receipt.given_by, "way": receipt.way, "note": receipt.note}
    append_audit(
        session,
        call,
        now_us,
        "recall.relay",
        [row.record_id],
        release=row.id,
        partner=row.partner_id,
        first=first,
        **told,
    )
    return _wire(row)


def _told(row: ReleaseRow) -> bool:
    """Whether it was taken back from a partner that had been told of it: else there is nothing to erase there."""
    return row.recalled_us is not None and row.announced


def _receive(session: Session, call: Call, now_us: int, row: ReleaseRow) -> bool:
    """Note the receipt, unless there is one; whether there was none."""
    first = row.receipt_us is None
    if first:
        row.receipt_us, row.receipt_by = now_us, call.principal.key_id
        append_event(
            session, now_us, "recall.received", record_id=row.record_id, partner_id=row.partner_id, release_id=row.id
        )
    return first


def list_recalls(session: Session, call: Call, window: Window) -> Page[dict[str, Any]]:
    """The recalls that wait for the calling partner's receipt, oldest first."""
    query = select(ReleaseRow).where(
        ReleaseRow.partner_id == call.principal.partner_id,
        ReleaseRow.recalled_us.is_not(None),
        ReleaseRow.announced,
        ReleaseRow.receipt_us.is_(None),
    )
    return page_of(session, query, window, ReleaseRow.recalled_us, ReleaseRow.id).map(_wire)


def _wire(row: ReleaseRow) -> dict[str, Any]:
    return {
        "release_id": row.id,
        "record_id": row.record_id,
        "recalled": None if row.recalled_us is None else iso(row.recalled_us),
        "receipt": None if row.receipt_us is None else iso(row.receipt_us),
    }
