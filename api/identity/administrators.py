"""There is always somebody who can let others in."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.errors import ConflictError
from api.identity.roles import Role
from api.identity.tables import AccountRow, KeyTermsRow
from api.store.tables import KeyRow

__all__ = ["require_another_administrator"]


def require_another_administrator(
    session: Session, *, key_id: str | None = None, account_id: str | None = None
) -> None:
    """Refuse what would leave nobody who can issue keys and make accounts.

    Counted are machines' administrator keys that do not expire and are narrowed by nothing, and local accounts of
    administrators who have set their password. Those of a provider are not: it may be away, or map nobody any more.

    Parameters
    ----------
    key_id, account_id
        What is about to go.

    Raises
    ------
    ConflictError
        When there is no other.
    """
    keys = session.scalar(
        select(func.count())
        .select_from(KeyRow)
        .outerjoin(KeyTermsRow, KeyTermsRow.key_id == KeyRow.id)
        .where(
            KeyRow.role == Role.ADMINISTRATOR.value,
            KeyRow.revoked_us.is_(None),
            KeyRow.expires_us.is_(None),
            KeyRow.id != (key_id or ""),
            KeyTermsRow.scopes.is_(None),
            KeyTermsRow.account_id.is_(None),
        )
    )
    accounts = session.scalar(
        select(func.count())
        .select_from(AccountRow)
        .where(
            AccountRow.role == Role.ADMINISTRATOR.value,
            AccountRow.disabled_us.is_(None),
            AccountRow.password.is_not(None),
            AccountRow.id != (account_id or ""),
        )
    )
    if not keys and not accounts:
        raise ConflictError("this is the last administrator key or account: make another before you end it")
