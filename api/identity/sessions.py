"""Sessions of people: opened at a login, named by a random secret in a cookie, ended by time or by hand."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Select, String, bindparam, delete, or_, select, update
from sqlalchemy.orm import Session

from api.canonical import new_id, sha256_hex
from api.errors import AuthenticationError, NotFoundError
from api.identity.roles import Call, Principal, Role
from api.identity.settings import IdentitySettings
from api.identity.tables import AccountRow, SessionRow
from api.pages import Page, Window, page_of
from api.store.tables import PartnerRow
from api.times import iso
from api.trail.audit import append_audit

__all__ = [
    "IssuedSession",
    "csrf_token",
    "end_session",
    "end_sessions",
    "is_known_device",
    "list_sessions",
    "new_secret",
    "open_session",
    "resolve_session",
    "touch_session",
]

_TOUCH_US = 60_000_000
_REMEMBERED_US = 90 * 86_400_000_000
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]")

# Built once: every request of a browser asks.
_VALID = (
    select(
        SessionRow.id,
        SessionRow.used_us,
        AccountRow.id.label("account_id"),
        AccountRow.name,
        AccountRow.role,
        AccountRow.partner_id,
    )
    .join(AccountRow, AccountRow.id == SessionRow.account_id)
    .outerjoin(PartnerRow, PartnerRow.id == AccountRow.partner_id)
    .where(
        SessionRow.digest == bindparam("given", type_=String),
        SessionRow.ended_us.is_(None),
        SessionRow.created_us > bindparam("created_after_us", type_=BigInteger),
        SessionRow.used_us > bindparam("used_after_us", type_=BigInteger),
        AccountRow.disabled_us.is_(None),
        or_(AccountRow.partner_id.is_(None), PartnerRow.id.is_not(None) & PartnerRow.ended_us.is_(None)),
    )
)


@dataclass(frozen=True, slots=True)
class IssuedSession:
    """A session as it is told once, to the device that logged in.

    Parameters
    ----------
    id
        Public id.
    secret
        What the cookie holds.
    device
        What the device's own cookie holds, which outlives the session and opens nothing.
    expires_us
        When it ends at the latest.
    """

    id: str
    secret: str
    device: str
    expires_us: int

    def __repr__(self) -> str:
        return f"IssuedSession(id={self.id!r}, secret=<hidden>)"


def new_secret() -> str:
    """256 random bits as 43 characters."""
    return secrets.token_urlsafe(32)


def csrf_token(secret: str) -> str:
    """The token that a session's unsafe requests carry in a header: bound to the session, and says nothing of it."""
    return hmac.new(secret.encode(), b"vedette csrf", hashlib.sha256).hexdigest()


def open_session(
    session: Session,
    call: Call,
    time_us: int,
    settings: IdentitySettings,
    *,
    device: str | None,
    address: str | None,
    agent: str | None,
) -> IssuedSession:
    """Open a session for the account that `call` speaks for, with a secret that nobody has seen before.

    Parameters
    ----------
    device
        What the device's own cookie holds; None gives it a new one.
    address, agent
        Where from and with what, for the list that the person sees.
    """
    account_id = call.principal.person
    session.execute(
        delete(SessionRow).where(SessionRow.account_id == account_id, SessionRow.created_us < time_us - _REMEMBERED_US)
    )
    issued = IssuedSession(new_id(), new_secret(), device or new_secret(), time_us + settings.absolute_s * 1_000_000)
    session.add(
        SessionRow(
            id=issued.id,
            digest=sha256_hex(issued.secret),
            account_id=account_id,
            device=sha256_hex(issued.device),
            created_us=time_us,
            used_us=time_us,
            ended_us=None,
            address=address,
            agent=None if agent is None else _UNPRINTABLE.sub("?", agent)[:200],
        )
    )
    session.flush()
    append_audit(session, call, time_us, "session.open", [issued.id], address=address)
    return issued


def resolve_session(session: Session, secret: str, time_us: int, settings: IdentitySettings) -> tuple[Principal, bool]:
    """Whom a cookie stands for now, and whether its use is due to be noted (`touch_session`).

    Raises
    ------
    AuthenticationError
        When the session is unknown, ended or too old, or its account is disabled; the message does not say which.
    """
    idle_us, absolute_us = settings.idle_s * 1_000_000, settings.absolute_s * 1_000_000
    row = session.execute(
        _VALID,
        {
            "given": sha256_hex(secret),
            "created_after_us": time_us - absolute_us,
            "used_after_us": time_us - idle_us,
        },
    ).one_or_none()
    if row is None:
        raise AuthenticationError("the session has ended: log in again")
    who = Principal(
        row.account_id,
        row.name,
        Role(row.role),
        row.partner_id,
        account_id=row.account_id,
        session_id=row.id,
        idle_us=idle_us,
        absolute_us=absolute_us,
    )
    return who, time_us - row.used_us >= min(_TOUCH_US, idle_us // 10)


def touch_session(session: Session, session_id: str, time_us: int) -> None:
    """Note that a session is in use."""
    session.execute(update(SessionRow).where(SessionRow.id == session_id).values(used_us=time_us))


def is_known_device(session: Session, account_id: str, device: str, time_us: int) -> bool:
    """Whether somebody logged in to the account with this device's cookie in the last 90 days."""
    found = session.scalar(
        select(SessionRow.id)
        .where(
            SessionRow.account_id == account_id,
            SessionRow.device == sha256_hex(device),
            SessionRow.created_us > time_us - _REMEMBERED_US,
        )
        .limit(1)
    )
    return found is not None


def list_sessions(
    session: Session, account_id: str, time_us: int, settings: IdentitySettings, window: Window, *, current: str | None
) -> Page[dict[str, Any]]:
    """The sessions of an account that are open, newest first, as JSON values."""
    open_ = _open(account_id, time_us, settings)
    page = page_of(session, open_, window, SessionRow.created_us, SessionRow.id, newest_first=True)
    return page.map(lambda row: _wire(row, settings, current))


def _wire(row: SessionRow, settings: IdentitySettings, current: str | None) -> dict[str, Any]:
    return {
        "id": row.id,
        "created": iso(row.created_us),
        "used": iso(row.used_us),
        "expires": iso(row.created_us + settings.absolute_s * 1_000_000),
        "address": row.address,
        "agent": row.agent,
        "current": row.id == current,
    }


def end_session(
    session: Session, call: Call, time_us: int, session_id: str, *, account_id: str, settings: IdentitySettings
) -> None:
    """End one session of an account.

    Raises
    ------
    NotFoundError
        When the account has no such open session.
    """
    row = session.scalars(_open(account_id, time_us, settings).where(SessionRow.id == session_id)).one_or_none()
    if row is None:
        raise NotFoundError(f"session {session_id} does not exist")
    row.ended_us = time_us
    append_audit(session, call, time_us, "session.end", [session_id])


def end_sessions(session: Session, call: Call, time_us: int, account_id: str, *, but: str | None = None) -> int:
    """End all sessions of an account; returns how many."""
    rows = list(
        session.scalars(
            select(SessionRow).where(
                SessionRow.account_id == account_id, SessionRow.ended_us.is_(None), SessionRow.id != (but or "")
            )
        )
    )
    for row in rows:
        row.ended_us = time_us
    append_audit(session, call, time_us, "session.end", [account_id, *(row.id for row in rows)])
    return len(rows)


def _open(account_id: str, time_us: int, settings: IdentitySettings) -> Select[SessionRow]:
    return select(SessionRow).where(
        SessionRow.account_id == account_id,
        SessionRow.ended_us.is_(None),
        SessionRow.created_us > time_us - settings.absolute_s * 1_000_000,
        SessionRow.used_us > time_us - settings.idle_s * 1_000_000,
    )
