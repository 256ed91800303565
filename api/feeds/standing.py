"""Whether those whom the feeds still speak to may still be spoken to: a stream or a target outlives the request."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from api.identity.roles import Principal
from api.store.tables import KeyRow, PartnerRow

__all__ = ["standing"]


def standing(session: Session, principals: Collection[Principal], now_us: int) -> set[Principal]:
    """Those of `principals` whose key stands at `now_us`: neither revoked nor expired, same role, partner not ended."""
    if not principals:
        return set()
    rows = session.execute(
        select(KeyRow.id, KeyRow.role, KeyRow.partner_id)
        .outerjoin(PartnerRow, PartnerRow.id == KeyRow.partner_id)
        .where(
            KeyRow.id.in_({principal.key_id for principal in principals}),
            KeyRow.revoked_us.is_(None),
            or_(KeyRow.expires_us.is_(None), KeyRow.expires_us > now_us),
            or_(KeyRow.partner_id.is_(None), PartnerRow.id.is_not(None) & PartnerRow.ended_us.is_(None)),
        )
    )
    good = {(row.id, row.role, row.partner_id) for row in rows}
    return {one for one in principals if (one.key_id, one.role, one.partner_id) in good}
