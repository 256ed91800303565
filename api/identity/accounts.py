"""Accounts of people: made by an administrator with a one-time secret, disabled when somebody leaves."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from api.canonical import new_id, sha256_hex
from api.errors import ConflictError, NotFoundError, UnprocessableError
from api.identity.administrators import require_another_administrator
from api.identity.roles import Call, Role
from api.identity.sessions import end_sessions, new_secret
from api.identity.settings import IdentitySettings
from api.identity.tables import AccountRow
from api.pages import Page, Window, page_of
from api.store.tables import KeyRow, PartnerRow
from api.times import iso
from api.trail.audit import append_audit
from api.trail.log import append_event

__all__ = [
    "IssuedSecret",
    "change_account",
    "context_of",
    "create_account",
    "find_account",
    "folded",
    "get_account",
    "has_password",
    "list_accounts",
    "renew_secret",
    "set_password",
    "tell_change",
]

_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@+-]{1,99}")


@dataclass(frozen=True, slots=True)
class IssuedSecret:
    """The one-time secret of an account, as it is shown once.

    Parameters
    ----------
    id
        The account's public id.
    login
        What the person types as the name.
    secret
        Good once, to set a password.
    expires_us
        Until when it is good; None is for ever.
    """

    id: str
    login: str
    secret: str
    expires_us: int | None

    def __repr__(self) -> str:
        return f"IssuedSecret(id={self.id!r}, login={self.login!r}, secret=<hidden>)"


def folded(login: str) -> str:
    """A login as it is kept and compared: without case, and look-alikes of one letter as that letter."""
    return unicodedata.normalize("NFKC", login).casefold().strip()


def find_account(session: Session, login: str) -> AccountRow | None:
    """The account of that login, disabled or not."""
    return session.scalars(select(AccountRow).where(AccountRow.login == folded(login))).one_or_none()


def has_password(session: Session, account_id: str) -> bool:
    """Whether the account logs in with a password of this service, and not at a provider."""
    row = session.get(AccountRow, account_id)
    return row is not None and row.password is not None


def context_of(row: AccountRow, settings: IdentitySettings) -> tuple[str, ...]:
    """Words that a password of the account must not lean on."""
    return (row.login, row.name, *settings.context_words)


def create_account(
    session: Session,
    call: Call,
    time_us: int,
    settings: IdentitySettings,
    *,
    login: str,
    name: str,
    role: Role,
    partner_id: str | None = None,
    secret: str | None = None,
) -> IssuedSecret:
    """Make an account whose one-time secret has to be replaced by a password at the first login.

    Parameters
    ----------
    secret
        The one-time secret, of 256 random bits, that does not expire; None makes one that does (`settings.once_s`).

    Raises
    ------
    UnprocessableError
        When the login is not one, a partner's account names no partner, or another names one.
    NotFoundError
        When the partner does not exist or has ended.
    ConflictError
        When the login is taken.
    """
    login = folded(login)
    if _LOGIN.fullmatch(login) is None:
        raise UnprocessableError("a login is 2 to 100 of a-z, 0-9 and . _ @ + -, and begins with a letter or digit")
    if (role is Role.PARTNER) != (partner_id is not None):
        raise UnprocessableError("a partner's account names its partner_id, every other account none")
    if partner_id is not None:
        partner = session.get(PartnerRow, partner_id)
        if partner is None or partner.ended_us is not None:
            raise NotFoundError(f"partner {partner_id} does not exist")
    if find_account(session, login) is not None:
        raise ConflictError(f"login {login} is taken")
    expires_us = None if secret is not None else time_us + settings.once_s * 1_000_000
    issued = IssuedSecret(new_id(), login, secret or new_secret(), expires_us)
    session.add(
        AccountRow(
            id=issued.id,
            login=login,
            name=name,
            role=role.value,
            partner_id=partner_id,
            password=None,
            once_digest=sha256_hex(issued.secret),
            once_expires_us=issued.expires_us,
            issuer=None,
            subject=None,
            created_us=time_us,
            disabled_us=None,
        )
    )
    try:
        session.flush()
    except IntegrityError as error:  # another process was faster
        raise ConflictError(f"login {login} is taken") from error
    append_event(session, time_us, "account.created", partner_id=partner_id, account_id=issued.id, role=role.value)
    append_audit(
        session, call, time_us, "account.create", [issued.id], login=login, role=role.value, partner=partner_id
    )
    return issued


def renew_secret(
    session: Session, call: Call, time_us: int, settings: IdentitySettings, account_id: str
) -> IssuedSecret:
    """Give an account a new one-time secret; its password and its sessions end.

    Raises
    ------
    NotFoundError
        When there is no such account.
    ConflictError
        When its person logs in at the provider, or it is the last administrator with a password.
    """
    row = get_account(session, account_id)
    if row.issuer is not None:
        raise ConflictError(f"account {account_id} logs in at its provider: it has no password here")
    _require_another(session, row)
    issued = IssuedSecret(row.id, row.login, new_secret(), time_us + settings.once_s * 1_000_000)
    row.password, row.once_digest, row.once_expires_us = None, sha256_hex(issued.secret), issued.expires_us
    end_sessions(session, call, time_us, row.id)
    tell_change(session, time_us, row, password=True)
    append_audit(session, call, time_us, "account.renew", [row.id])
    return issued


def set_password(session: Session, call: Call, time_us: int, row: AccountRow, password_hash: str) -> None:
    """Keep a new password; a one-time secret is spent by it, and with it the first key that it was."""
    if row.once_digest is not None:
        first = select(KeyRow).where(KeyRow.digest == row.once_digest, KeyRow.revoked_us.is_(None))
        for key in session.scalars(first):
            key.revoked_us = time_us
            append_event(session, time_us, "key.revoked", partner_id=key.partner_id, key_id=key.id)
    row.password, row.once_digest, row.once_expires_us = password_hash, None, None
    tell_change(session, time_us, row, password=True)
    append_audit(session, call, time_us, "account.password", [row.id])


def change_account(
    session: Session,
    call: Call,
    time_us: int,
    account_id: str,
    *,
    name: str | None = None,
    role: Role | None = None,
    disabled: bool | None = None,
) -> dict[str, Any]:
    """Change an account, and return it as JSON values. Another role, or none any more, ends its sessions.

    Raises
    ------
    NotFoundError
        When there is no such account.
    UnprocessableError
        When it would become a partner's, or was one.
    ConflictError
        When nobody could let others in any more.
    """
    row = get_account(session, account_id)
    changed: dict[str, Any] = {}
    if name is not None and name != row.name:
        row.name = changed["name"] = name
    if role is not None and role.value != row.role:
        if Role.PARTNER.value in {role.value, row.role}:
            raise UnprocessableError("a partner's people do not change sides: disable the account and make another")
        _require_another(session, row)
        row.role = changed["role"] = role.value
    if disabled is not None and disabled != (row.disabled_us is not None):
        if disabled:
            _require_another(session, row)
        row.disabled_us = time_us if disabled else None
        changed["disabled"] = disabled
    if changed.keys() - {"name"}:
        end_sessions(session, call, time_us, row.id)
    tell_change(session, time_us, row, password=False)
    append_audit(session, call, time_us, "account.change", [row.id], **changed)
    return _json(row)


def list_accounts(session: Session, window: Window) -> Page[dict[str, Any]]:
    """Accounts without secrets, oldest first, disabled ones too, as JSON values."""
    return page_of(session, select(AccountRow), window, AccountRow.created_us, AccountRow.id).map(_json)


def get_account(session: Session, account_id: str) -> AccountRow:
    """The account of that id; raises NotFoundError."""
    row = session.get(AccountRow, account_id)
    if row is None:
        raise NotFoundError(f"account {account_id} does not exist")
    return row


def _require_another(session: Session, row: AccountRow) -> None:
    if row.role == Role.ADMINISTRATOR.value and row.password is not None and row.disabled_us is None:
        require_another_administrator(session, account_id=row.id)


def tell_change(session: Session, time_us: int, row: AccountRow, *, password: bool) -> None:
    """Tell what an account may do from now on, and whether what it was proved with before is worth nothing."""
    append_event(
        session,
        time_us,
        "account.changed",
        partner_id=row.partner_id,
        account_id=row.id,
        role=row.role,
        disabled=row.disabled_us is not None,
        password=password,
    )


def _json(row: AccountRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "login": row.login,
        "name": row.name,
        "role": row.role,
        "partner_id": row.partner_id,
        "issuer": row.issuer,
        "created": iso(row.created_us),
        "disabled": None if row.disabled_us is None else iso(row.disabled_us),
        "password_set": row.password is not None,
    }
