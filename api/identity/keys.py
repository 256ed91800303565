"""API keys: issued once, kept as a hash, narrowed to scopes or a certificate, revoked when no longer needed."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Select, String, and_, bindparam, or_, select, update
from sqlalchemy.orm import Session

from api.canonical import canonical, new_id, sha256_hex
from api.errors import AuthenticationError, NotFoundError, UnprocessableError, WrongCertificateError
from api.identity.administrators import require_another_administrator
from api.identity.roles import GRANTS, SPEAKERS, Call, Permission, Principal, Role
from api.identity.tables import AccountRow, KeyTermsRow
from api.pages import Page, Window, page_of
from api.store.tables import KeyRow, PartnerRow
from api.times import iso
from api.trail.audit import append_audit
from api.trail.log import append_event

__all__ = [
    "TOUCH_US",
    "IssuedKey",
    "Proof",
    "authenticate",
    "has_keys",
    "issue_key",
    "list_keys",
    "revoke_key",
    "touch_key",
]

_PREFIX = "vdt_"
TOUCH_US = 60_000_000
"""How often it is noted that a key is in use, microseconds."""
# Built once: every request asks.
_VALID = (
    select(
        KeyRow.id,
        KeyRow.name,
        KeyRow.role,
        KeyRow.partner_id,
        KeyTermsRow.scopes,
        KeyTermsRow.certificate,
        KeyTermsRow.account_id,
        KeyTermsRow.used_us,
        KeyTermsRow.sources,
    )
    .outerjoin(PartnerRow, PartnerRow.id == KeyRow.partner_id)
    .outerjoin(KeyTermsRow, KeyTermsRow.key_id == KeyRow.id)
    .outerjoin(AccountRow, AccountRow.id == KeyTermsRow.account_id)
    .where(
        KeyRow.digest == bindparam("given", type_=String),
        KeyRow.revoked_us.is_(None),
        or_(KeyRow.expires_us.is_(None), KeyRow.expires_us > bindparam("now_us", type_=BigInteger)),
        or_(KeyRow.partner_id.is_(None), PartnerRow.id.is_not(None) & PartnerRow.ended_us.is_(None)),
        or_(
            KeyTermsRow.account_id.is_(None),
            and_(AccountRow.id.is_not(None), AccountRow.disabled_us.is_(None), AccountRow.role == KeyRow.role),
        ),
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
    scopes: Collection[Permission] | None = None,
    certificate: str | None = None,
    account_id: str | None = None,
    sources: Collection[str] | None = None,
) -> IssuedKey:
    """Make a key of 256 random bits; the store keeps its SHA-256 alone.

    Parameters
    ----------
    name, role
        What it is for. A partner's key names its `partner_id`.
    expires_us
        When it ends by itself; None is never.
    scopes
        Permissions of the role that it is narrowed to; None is all of them.
    certificate
        SHA-256 of the one client certificate (DER, hex) that it works with.
    account_id
        The person whose key it is: it ends with the account, and counts as the same person.
    sources
        Of a pilot or sensor: which sources it may deliver for, names or beginnings of names followed by `*`. None is
        its own name alone.

    Raises
    ------
    UnprocessableError
        When a partner key names no partner, another key names one, it would already have expired, a scope is not the
        role's, the account has another role, or a role that delivers nothing is bound to sources.
    NotFoundError
        When the partner or the account does not exist or has ended.
    """
    if (role is Role.PARTNER) != (partner_id is not None):
        raise UnprocessableError("a partner key names its partner_id, every other key none")
    if expires_us is not None and expires_us <= time_us:
        raise UnprocessableError(f"the key would have expired at {iso(expires_us)}: give a later time")
    foreign = sorted(set(scopes or ()) - GRANTS[role])
    if foreign:
        raise UnprocessableError(f"scopes {', '.join(foreign)} are not granted to a {role}: give some of its own")
    _check_sources(name, role, sources)
    if partner_id is not None:
        partner = session.get(PartnerRow, partner_id)
        if partner is None or partner.ended_us is not None:
            raise NotFoundError(f"partner {partner_id} does not exist")
    if account_id is not None:
        account = session.get(AccountRow, account_id)
        if account is None or account.disabled_us is not None:
            raise NotFoundError(f"account {account_id} does not exist")
        if (account.role, account.partner_id) != (role.value, partner_id):
            raise UnprocessableError(f"account {account_id} is a {account.role}'s: its keys have its role and partner")
    secret = _PREFIX + secrets.token_urlsafe(32)
    row = KeyRow(
        id=new_id(),
        digest=sha256_hex(secret),
        name=name,
        role=role.value,
        partner_id=partner_id,
        created_us=time_us,
        expires_us=expires_us,
        revoked_us=None,
    )
    session.add(row)
    session.flush()
    kept = None if scopes is None else " ".join(sorted(scopes))
    bound = None if sources is None else sorted(set(sources))
    session.add(
        KeyTermsRow(
            key_id=row.id,
            scopes=kept,
            certificate=certificate,
            account_id=account_id,
            used_us=None,
            sources=None if bound is None else canonical(bound),
        )
    )
    session.flush()
    append_event(session, time_us, "key.issued", partner_id=partner_id, key_id=row.id, role=role.value)
    narrowed = {"scopes": kept, "certificate": certificate, "account": account_id, "sources": bound}
    append_audit(
        session,
        call,
        time_us,
        "key.issue",
        [row.id],
        name=name,
        role=role.value,
        partner=partner_id,
        **{term: value for term, value in narrowed.items() if value is not None},
    )
    return IssuedKey(row.id, secret)


def has_keys(session: Session) -> bool:
    """Whether any key was ever issued."""
    return session.scalar(select(KeyRow.id).limit(1)) is not None


@dataclass(frozen=True, slots=True)
class Proof:
    """What a request proves itself with.

    Parameters
    ----------
    digest
        SHA-256 of the secret, in hex.
    certificate
        SHA-256 of the client certificate that its connection has proved, in hex.
    partners_need_certificate
        True takes no partner key that is bound to none.
    """

    digest: str
    certificate: str | None = None
    partners_need_certificate: bool = False


Look = Callable[[Select[*tuple[Any, ...]], dict[str, Any]], Any]
"""Gives the first row of a statement with these values, or None."""


def authenticate(look: Look, proof: Proof, time_us: int) -> tuple[Principal, int]:
    """Whom a key stands for now, and when its use is due to be noted (`touch_key`; UTC microseconds since the epoch).

    Raises
    ------
    AuthenticationError
        When the key is unknown, revoked or expired, or its partner or account has ended; the message does not say
        which. WrongCertificateError, with the same message, when the certificate is not the one it is bound to.
    """
    row = look(_VALID, {"given": proof.digest, "now_us": time_us})
    message = "the key is not valid: ask an administrator for another"
    if row is None:
        raise AuthenticationError(message)
    key_id, name, role, partner_id, scoped, bound_to, account_id, used_us, named = row
    unbound = bound_to is None and not (proof.partners_need_certificate and partner_id is not None)
    if not unbound and (proof.certificate is None or bound_to != proof.certificate):
        raise WrongCertificateError(message, key_id)
    scopes = None if scoped is None else frozenset(Permission(scope) for scope in scoped.split())
    sources = frozenset(_sources(name, named)) if role in SPEAKERS else None
    who = Principal(key_id, name, Role(role), partner_id, account_id=account_id, scopes=scopes, sources=sources)
    return who, time_us if used_us is None else used_us + TOUCH_US


def touch_key(session: Session, key_id: str, time_us: int) -> None:
    """Note that a key is in use."""
    noted = session.execute(update(KeyTermsRow).where(KeyTermsRow.key_id == key_id).values(used_us=time_us))
    if noted.rowcount == 0:  # type: ignore[attr-defined]  # a key from before there were terms
        session.add(
            KeyTermsRow(key_id=key_id, scopes=None, certificate=None, account_id=None, used_us=time_us, sources=None)
        )


def list_keys(session: Session, window: Window) -> Page[dict[str, Any]]:
    """Keys without their secrets, oldest first, revoked ones too, as JSON values."""
    page = page_of(session, select(KeyRow), window, KeyRow.created_us, KeyRow.id)
    named = KeyTermsRow.key_id.in_([key.id for key in page.items])
    terms_of = {row.key_id: row for row in session.scalars(select(KeyTermsRow).where(named))}

    def wire(key: KeyRow) -> dict[str, Any]:
        terms = terms_of.get(key.id)  # a key from before there were terms has none
        return {
            "id": key.id,
            "name": key.name,
            "role": key.role,
            "partner_id": key.partner_id,
            "created": iso(key.created_us),
            "expires": _iso(key.expires_us),
            "revoked": _iso(key.revoked_us),
            "scopes": None if terms is None or terms.scopes is None else terms.scopes.split(),
            "certificate": None if terms is None else terms.certificate,
            "account_id": None if terms is None else terms.account_id,
            "sources": _sources(key.name, None if terms is None else terms.sources) if key.role in SPEAKERS else None,
            "used": None if terms is None else _iso(terms.used_us),
        }

    return page.map(wire)


def revoke_key(session: Session, call: Call, time_us: int, key_id: str) -> None:
    """Make a key worthless from now on, as a one-time secret too.

    Raises
    ------
    NotFoundError
        When there is no such key in use.
    ConflictError
        When nobody could issue keys any more.
    """
    row = session.get(KeyRow, key_id)
    if row is None or row.revoked_us is not None:
        raise NotFoundError(f"key {key_id} does not exist")
    if row.role == Role.ADMINISTRATOR.value and row.expires_us is None:
        require_another_administrator(session, key_id=key_id)
    row.revoked_us = time_us
    session.execute(
        update(AccountRow).where(AccountRow.once_digest == row.digest).values(once_digest=None, once_expires_us=None)
    )
    append_event(session, time_us, "key.revoked", partner_id=row.partner_id, key_id=row.id)
    append_audit(session, call, time_us, "key.revoke", [row.id])


def _check_sources(name: str, role: Role, sources: Collection[str] | None) -> None:
    if sources is not None and role not in SPEAKERS:
        raise UnprocessableError(f"a {role}'s key delivers nothing: sources are for pilots and sensors")
    if sources is None and role in SPEAKERS and name.endswith("*"):
        raise UnprocessableError(f"a key named {name} speaks for its own name alone: give sources, or another name")


def _sources(name: str, kept: str | None) -> list[str]:
    """The sources that a key is bound to; a name is no pattern, whatever it ends with."""
    if kept is not None:
        return list(json.loads(kept))
    return [] if name.endswith("*") else [name]


def _iso(time_us: int | None) -> str | None:
    return None if time_us is None else iso(time_us)
