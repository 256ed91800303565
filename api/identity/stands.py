"""Whether whoever was let in still stands when it is written down what they are shown or do: that takes time."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, String, and_, bindparam, literal, or_, select

from api.errors import AuthenticationError
from api.identity.roles import Principal
from api.identity.tables import AccountRow, KeyTermsRow, SessionRow
from api.store.direct import Writing, direct
from api.store.tables import KeyRow, PartnerRow

__all__ = ["require_standing"]

# Built once, and without the unit of work: every request asks.
_WHO = bindparam("who", type_=String)
_KEY = (
    select(literal(1))
    .select_from(KeyRow)
    .outerjoin(PartnerRow, PartnerRow.id == KeyRow.partner_id)
    .outerjoin(KeyTermsRow, KeyTermsRow.key_id == KeyRow.id)
    .outerjoin(AccountRow, AccountRow.id == KeyTermsRow.account_id)
    .where(
        KeyRow.id == _WHO,
        KeyRow.revoked_us.is_(None),
        or_(KeyRow.expires_us.is_(None), KeyRow.expires_us > bindparam("now_us", type_=BigInteger)),
        or_(KeyRow.partner_id.is_(None), and_(PartnerRow.id.is_not(None), PartnerRow.ended_us.is_(None))),
        or_(
            KeyTermsRow.account_id.is_(None),
            and_(AccountRow.id.is_not(None), AccountRow.disabled_us.is_(None), AccountRow.role == KeyRow.role),
        ),
    )
)
_SESSION = (
    select(literal(1))
    .select_from(SessionRow)
    .join(AccountRow, AccountRow.id == SessionRow.account_id)
    .outerjoin(PartnerRow, PartnerRow.id == AccountRow.partner_id)
    .where(
        SessionRow.id == _WHO,
        SessionRow.ended_us.is_(None),
        SessionRow.created_us > bindparam("created_after_us", type_=BigInteger),
        SessionRow.used_us > bindparam("used_after_us", type_=BigInteger),
        AccountRow.disabled_us.is_(None),
        AccountRow.role == bindparam("role", type_=String),
        or_(AccountRow.partner_id.is_(None), and_(PartnerRow.id.is_not(None), PartnerRow.ended_us.is_(None))),
    )
)


def require_standing(transaction: Writing, principal: Principal, now_us: int) -> None:
    """Raise AuthenticationError where a key or a session has ended since it was let in, or its account or partner has.

    Parameters
    ----------
    transaction
        That in which it is written down what is shown or done.
    principal
        Whom the gate let in; the service itself always stands.
    """
    if principal.role is None:
        return
    if principal.session_id is not None:
        given = {
            "who": principal.session_id,
            "role": principal.role.value,
            "created_after_us": now_us - principal.absolute_us,
            "used_after_us": now_us - principal.idle_us,
        }
        found: Any = direct(transaction, _SESSION, given)
    else:
        found = direct(transaction, _KEY, {"who": principal.key_id, "now_us": now_us})
    if found.one_or_none() is None:
        raise AuthenticationError("what this request came in with has ended meanwhile: log in, or ask for another key")
