"""API keys: issued once, kept as a hash, revoked when no longer needed."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, String, bindparam, func, or_, select
from sqlalchemy.orm import Session

from api.canonical import new_id
from api.errors import AuthenticationError, ConflictError, NotFoundError, UnprocessableError
from api.identity.roles import SYSTEM, Call, Principal, Role
from api.store.engine import Store
from api.store.tables import KeyRow, PartnerRow
from api.times import iso
from api.trail.audit import append_audit
from api.trail.log import append_event

__all__ = ["IssuedKey", "authenticate", "create_admin", "has_keys", "issue_key", "list_keys", "revoke_key"]

_PREFIX = "vdt_"
# Built once: every request asks.
_VALID = (
    select(KeyRow.id, KeyRow.name, KeyRow.role, KeyRow.partner_id)
    .outerjoin(PartnerRow, PartnerRow.id == KeyRow.partner_id)
    .where(
        KeyRow.digest == bindparam("given", type_=String),
        KeyRow.revoked_us.is_(None),
        or_(KeyRow.expires_us.is_(None), KeyRow.expires_us > bindparam("now_us", type_=BigInteger)),
        or_(KeyRow.partner_id.is_(None), PartnerRow.id.is_not(None) & PartnerRow.ended_us.is_(None)),
    )
)


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A key as it is shown once.

    Parameters
    ----------
    id
        Public id: names the key in the audit and revokes it.
    key
        The secret: `Authorization: Bearer <key>`. It cannot be shown again.
    """

    id: str
    key: str

    def __repr__(self) -> str:
        return f"IssuedKey(id={self.id!r}, key=<hidden>)"


def issue_key(
    session: Session,
    call: Call,
    time_us: int,
    *,
    name: str,
    role: Role,
    partner_id: str | None = None,
    expires_us: int | None = None,
) -> IssuedKey:
    """Make a key of 256 random bits; the store keeps its SHA-256 alone.

    Raises
    ------
    UnprocessableError
        When a partner key names no partner, another key names one, or it would already have expired.
    NotFoundError
        When the partner does not exist or has ended.
    """
    if (role is Role.PARTNER) != (partner_id is not None):
        raise UnprocessableError("a partner key names its partner_id, every other key none")
    if expires_us is not None and expires_us <= time_us:
        raise UnprocessableError(f"the key would have expired at {iso(expires_us)}: give a later time")
    if partner_id is not None:
        partner = session.get(PartnerRow, partner_id)
        if partner is None or partner.ended_us is not None:
            raise NotFoundError(f"partner {partner_id} does not exist")
    secret = _PREFIX + secrets.token_urlsafe(32)
    row = KeyRow(
        id=new_id(),
        digest=_digest(secret),
        name=name,
        role=role.value,
        partner_id=partner_id,
        created_us=time_us,
        expires_us=expires_us,
        revoked_us=None,
    )
    session.add(row)
    session.flush()
    append_event(session, time_us, "key.issued", partner_id=partner_id, key_id=row.id, role=role.value)
    append_audit(session, call, time_us, "key.issue", [row.id], name=name, role=role.value, partner=partner_id)
    return IssuedKey(row.id, secret)


def create_admin(store: Store, *, name: str = "first administrator") -> IssuedKey:
    """Make the first administrator key of a new store.

    Raises
    ------
    ConflictError
        When the store already has keys: an administrator makes all others.
    """
    now = store.clock()
    with store.write() as session:
        if has_keys(session):
            raise ConflictError(f"store {store.place} already has keys: ask an administrator for one")
        return issue_key(session, Call(SYSTEM, "first-start"), now, name=name, role=Role.ADMINISTRATOR)


def has_keys(session: Session) -> bool:
    """Whether any key was ever issued."""
    return session.scalar(select(KeyRow.id).limit(1)) is not None


def authenticate(session: Session, secret: str, time_us: int) -> Principal:
    """Whom a key speaks for.

    Raises
    ------
    AuthenticationError
        When the key is unknown, revoked or expired, or its partner has ended; the message does not say which.
    """
    row = session.execute(_VALID, {"given": _digest(secret), "now_us": time_us}).one_or_none()
    if row is None:
        raise AuthenticationError("the key is not valid: ask an administrator for another")
    return Principal(row.id, row.name, Role(row.role), row.partner_id)


def list_keys(session: Session) -> list[dict[str, Any]]:
    """Every key without its secret, oldest first, as JSON values."""
    rows = session.scalars(select(KeyRow).order_by(KeyRow.created_us, KeyRow.id))
    return [
        {
            "id": row.id,
            "name": row.name,
            "role": row.role,
            "partner_id": row.partner_id,
            "created": iso(row.created_us),
            "expires": None if row.expires_us is None else iso(row.expires_us),
            "revoked": None if row.revoked_us is None else iso(row.revoked_us),
        }
        for row in rows
    ]


def revoke_key(session: Session, call: Call, time_us: int, key_id: str) -> None:
    """Make a key worthless from now on.

    Raises
    ------
    NotFoundError
        When there is no such key in use.
    ConflictError
        When it is the last administrator key that does not expire: nobody could issue keys any more.
    """
    row = session.get(KeyRow, key_id)
    if row is None or row.revoked_us is not None:
        raise NotFoundError(f"key {key_id} does not exist")
    lasting = (KeyRow.role == Role.ADMINISTRATOR.value) & KeyRow.revoked_us.is_(None) & KeyRow.expires_us.is_(None)
    others = session.scalar(select(func.count()).where(lasting, KeyRow.id != key_id))
    if row.role == Role.ADMINISTRATOR.value and row.expires_us is None and not others:
        raise ConflictError("this is the last administrator key: issue another before you revoke it")
    row.revoked_us = time_us
    append_event(session, time_us, "key.revoked", partner_id=row.partner_id, key_id=row.id)
    append_audit(session, call, time_us, "key.revoke", [row.id])


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
