"""Whether those whom the feeds still speak to may still be spoken to: a stream or a target outlives the request."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from api.identity.roles import Principal
from api.identity.settings import IdentitySettings
from api.identity.tables import AccountRow, KeyTermsRow, SessionRow
from api.store.tables import KeyRow, PartnerRow

__all__ = ["standing"]


def standing(
    session: Session, principals: Collection[Principal], now_us: int, settings: IdentitySettings
) -> set[Principal]:
    """Those of `principals` who would be let in at `now_us` with the role and the partner that they have.

    A key is neither revoked nor expired; a session neither ended nor too old; an account, whether of a session or by
    itself (`key_id` is then its id), not disabled; a partner not ended.
    """
    good: set[tuple[Any, ...]] = set()
    keys = {one.key_id for one in principals if _kind(one) == "key"}
    if keys:
        query = (
            select(KeyRow.id, KeyRow.role, KeyRow.partner_id)
            .outerjoin(PartnerRow, PartnerRow.id == KeyRow.partner_id)
            .outerjoin(KeyTermsRow, KeyTermsRow.key_id == KeyRow.id)
            .outerjoin(AccountRow, AccountRow.id == KeyTermsRow.account_id)
            .where(
                KeyRow.id.in_(keys),
                KeyRow.revoked_us.is_(None),
                or_(KeyRow.expires_us.is_(None), KeyRow.expires_us > now_us),
                or_(KeyTermsRow.account_id.is_(None), _enabled() & (AccountRow.role == KeyRow.role)),
                _partner_runs(KeyRow.partner_id),
            )
        )
        good |= {("key", *row) for row in session.execute(query)}
    sessions = {one.session_id for one in principals if one.session_id is not None}
    if sessions:
        query = (
            select(SessionRow.id, AccountRow.role, AccountRow.partner_id)
            .join(AccountRow, AccountRow.id == SessionRow.account_id)
            .outerjoin(PartnerRow, PartnerRow.id == AccountRow.partner_id)
            .where(
                SessionRow.id.in_(sessions),
                SessionRow.ended_us.is_(None),
                SessionRow.created_us > now_us - settings.absolute_s * 1_000_000,
                SessionRow.used_us > now_us - settings.idle_s * 1_000_000,
                _enabled(),
                _partner_runs(AccountRow.partner_id),
            )
        )
        good |= {("session", *row) for row in session.execute(query)}
    accounts = {one.key_id for one in principals if _kind(one) == "account"}
    if accounts:
        query = (
            select(AccountRow.id, AccountRow.role, AccountRow.partner_id)
            .outerjoin(PartnerRow, PartnerRow.id == AccountRow.partner_id)
            .where(AccountRow.id.in_(accounts), _enabled(), _partner_runs(AccountRow.partner_id))
        )
        good |= {("account", *row) for row in session.execute(query)}
    return {one for one in principals if (_kind(one), one.session_id or one.key_id, one.role, one.partner_id) in good}


def _kind(principal: Principal) -> str:
    if principal.session_id is not None:
        return "session"
    return "account" if principal.key_id == principal.account_id else "key"


def _enabled() -> ColumnElement[bool]:
    return AccountRow.id.is_not(None) & AccountRow.disabled_us.is_(None)


def _partner_runs(partner_id: Any) -> ColumnElement[bool]:
    return or_(partner_id.is_(None), PartnerRow.id.is_not(None) & PartnerRow.ended_us.is_(None))
