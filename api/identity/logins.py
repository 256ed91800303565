"""Logging in: by password, one-time secret or provider; slow for who guesses, not for who is guessed."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from api.canonical import new_id, sha256_hex
from api.errors import (
    AuthenticationError,
    NotFoundError,
    PasswordChangeError,
    PermissionDeniedError,
    RateLimitedError,
    UnprocessableError,
)
from api.identity.accounts import context_of, find_account, set_password, tell_change
from api.identity.guesses import Guesses
from api.identity.oidc import Identified, Provider, ProviderAnswer, matches_state
from api.identity.passwords import Passwords, check_password
from api.identity.roles import SYSTEM, Call, Principal, Role
from api.identity.sessions import (
    IssuedSession,
    end_sessions,
    is_known_device,
    new_secret,
    open_session,
)
from api.identity.settings import IdentitySettings
from api.identity.stands import require_standing
from api.identity.tables import AccountRow, ProviderLoginRow, SessionRow
from api.store.engine import Store
from api.store.tables import AuditHeadRow, PartnerRow
from api.trail.audit import append_audit
from api.trail.log import append_event

__all__ = ["LOGIN_S", "Device", "Logins"]

_LOG = logging.getLogger("vedette.api")
_T = TypeVar("_T")
LOGIN_S = 600
"""How long a login at the provider may take."""
_LOGIN_US = LOGIN_S * 1_000_000
_MOST_BEGUN = 10_000
_PROVIDED = "provider:"


@dataclass(frozen=True, slots=True)
class Device:
    """Where a login comes from.

    Parameters
    ----------
    address
        What counts as one address (`limits.address_key`); None behind a proxy, where all come from the proxy's.
    secret
        What the device's own cookie holds; None for one that was never here.
    agent
        What the browser calls itself.
    session
        What the cookie of a session holds, which this login replaces.
    """

    address: str | None
    secret: str | None = None
    agent: str | None = None
    session: str | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    """What the store says of a login before anything is hashed."""

    account_id: str
    password: str | None
    once_digest: str | None
    usable: bool
    known_device: bool


class Logins:
    """All that logging in needs beside the store: hashing, the count of failures, the provider. One a process.

    Parameters
    ----------
    store
        Accounts and sessions.
    settings
        How people prove who they are.
    """

    def __init__(self, store: Store, settings: IdentitySettings) -> None:
        self.settings = settings
        self.passwords = Passwords(settings)
        self._store = store
        self._provider = (
            None
            if settings.oidc is None
            else Provider(settings.oidc, f"{settings.public_url}/oidc/callback", clock=store.clock)
        )
        self._guesses = Guesses(settings)

    def log_in(
        self, request_id: str, login: str, password: str, new_password: str | None, device: Device
    ) -> tuple[IssuedSession, Principal]:
        """Open a session for who knows the password; a one-time secret opens one when its replacement comes with it.

        Raises
        ------
        AuthenticationError
            When login and password do not go together, or the account is disabled; which, is not said.
        PasswordChangeError
            When a one-time secret came without its replacement.
        UnprocessableError
            When the replacement is easily guessed, or nothing is to be replaced.
        RateLimitedError
            After too many wrong passwords, or when too many log in at once.
        """
        found = self._find(login, device)
        known = found is not None and found.known_device
        with self._guesses.counted(login, known=known, device=device.secret, address=device.address):
            once = found is not None and _is_once(found, password)
            # As much work for whoever does not exist.
            right = self.passwords.matches(None if found is None else found.password, password) or once
            if found is None or not right or not found.usable:
                self._refused(request_id, found)
                raise AuthenticationError("login and password do not go together")
        if once and new_password is None:
            raise PasswordChangeError("the secret is good once, to set a password: send it with new_password")
        if not once and new_password is not None:
            raise UnprocessableError("new_password replaces a one-time secret; a password is changed at /password")
        rehash = new_password
        if rehash is None and found.password is not None and self.passwords.is_outdated(found.password):
            rehash = password
        if new_password is not None:
            self._check(found.account_id, password, new_password)
        kept = None if rehash is None else self.passwords.hash(rehash)

        def work(session: Session, now: int) -> tuple[IssuedSession, Principal]:
            row = session.get(AccountRow, found.account_id)
            if (
                row is None
                or not _is_usable(session, row)
                or (row.password, row.once_digest) != (found.password, found.once_digest)
            ):
                raise AuthenticationError("login and password do not go together")  # changed while we were hashing
            call = Call(_principal(row), request_id)
            if new_password is not None:
                assert kept is not None
                set_password(session, call, now, row, kept)
                end_sessions(session, call, now, row.id)
            elif kept is not None:
                row.password = kept
            return self._opened(session, call, now, device), call.principal

        return self._write(work)

    def begin_at_provider(self) -> tuple[str, str]:
        """A secret for the browser's cookie, and where to send the browser.

        Raises
        ------
        NotFoundError
            When there is no provider.
        ProviderError, RateLimitedError
            As in `Provider.authorization_url`; and when too many logins have not come back.
        """
        provider = self._required()
        secret = new_secret()
        url = provider.authorization_url(secret)

        def work(session: Session, now: int) -> None:
            session.execute(delete(ProviderLoginRow).where(ProviderLoginRow.created_us <= now - _LOGIN_US))
            if (session.scalar(select(func.count()).select_from(ProviderLoginRow)) or 0) >= _MOST_BEGUN:
                raise RateLimitedError("too many logins at the provider have not come back: try again later", 60.0)
            session.add(ProviderLoginRow(digest=sha256_hex(secret), created_us=now))

        self._write(work)
        return secret, url

    def finish_at_provider(
        self, request_id: str, secret: str, answer: ProviderAnswer, device: Device
    ) -> tuple[IssuedSession, Principal]:
        """Open a session for whom the provider identifies.

        The first login makes the account, each further one gives it the role that the provider says now. An account is
        its issuer and subject: a name or an e-mail address that is like another's opens nothing of theirs.

        Parameters
        ----------
        secret
            Of the browser's cookie.
        answer
            What the browser brought back.

        Raises
        ------
        NotFoundError
            When there is no provider.
        AuthenticationError
            When the answer is not this browser's, came late or a second time, or does not hold.
        PermissionDeniedError
            When nothing that the provider says gives a role (any more), or the account is disabled.
        ProviderError, RateLimitedError
            As in `Provider.identify`.
        """
        provider = self._required()
        if not matches_state(secret, answer.state) or not self._write(
            lambda session, now: _spend(session, now, secret)
        ):
            raise AuthenticationError("this login was not begun here, or is over: begin again at /oidc/login")
        who = provider.identify(secret, answer)

        def work(session: Session, now: int) -> tuple[IssuedSession, Principal] | None:
            row = session.scalars(
                select(AccountRow).where(AccountRow.issuer == who.issuer, AccountRow.subject == who.subject)
            ).one_or_none()
            if who.role is None or (row is not None and row.disabled_us is not None):
                if row is not None:
                    call = Call(_principal(row), request_id)
                    end_sessions(session, call, now, row.id)
                    append_audit(session, call, now, "session.refuse", [row.id], reason="no role")
                return None
            if row is None:
                row = _account_of(who, who.role, now)
                session.add(row)
                session.flush()
                call = Call(_principal(row), request_id)
                append_event(session, now, "account.created", account_id=row.id, role=row.role)
                append_audit(session, call, now, "account.create", [row.id], role=row.role, issuer=who.issuer)
            elif row.role != who.role.value:
                row.role = who.role.value
                call = Call(_principal(row), request_id)
                end_sessions(session, call, now, row.id)
                tell_change(session, now, row, password=False)
                append_audit(session, call, now, "account.change", [row.id], role=row.role, issuer=who.issuer)
            row.name = who.name
            call = Call(_principal(row), request_id)
            return self._opened(session, call, now, device), call.principal

        try:
            opened = self._write(work)
        except IntegrityError:  # another process has made the account meanwhile: it is there now
            opened = self._write(work)
        if opened is None:  # what was written of it stays
            raise PermissionDeniedError("nothing that the provider says of you gives you a role here")
        return opened

    def change_password(self, call: Call, password: str, new_password: str, device: Device) -> IssuedSession:
        """Replace the caller's password; every session of the account ends, and the caller gets a new one.

        Raises
        ------
        PermissionDeniedError
            When `password` is not the one.
        UnprocessableError
            When the account has none here, or the new one is easily guessed.
        RateLimitedError
            As in `log_in`: a session left open is no place to guess in.
        AuthenticationError
            When the session has ended meanwhile.
        """
        account_id = call.principal.person
        row = self._account(account_id)
        if row is None or row.password is None:
            raise UnprocessableError("this account logs in at its provider: it has no password here")
        login, kept = row.login, row.password
        with self._guesses.counted(login, known=True, device=account_id):
            if not self.passwords.matches(kept, password):
                raise PermissionDeniedError("the present password is another one")
        self._check(account_id, password, new_password)
        new = self.passwords.hash(new_password)

        def work(session: Session, now: int) -> IssuedSession:
            require_standing(session, call.principal, now)  # the hash took its time
            row = session.get(AccountRow, account_id)
            if row is None or row.password != kept:
                raise PermissionDeniedError("the present password is another one")
            set_password(session, call, now, row, new)
            end_sessions(session, call, now, account_id)
            return self._opened(session, call, now, device)

        return self._write(work)

    def _required(self) -> Provider:
        if self._provider is None:
            raise NotFoundError("no identity provider is set up: log in with a password")
        return self._provider

    def _find(self, login: str, device: Device) -> _Found | None:
        now = self._store.clock()

        def found(session: Session) -> _Found | None:
            row = find_account(session, login)
            if row is None or row.issuer is not None:
                return None
            known = device.secret is not None and is_known_device(session, row.id, device.secret, now)
            return _Found(
                row.id,
                row.password,
                None if row.once_expires_us is not None and row.once_expires_us <= now else row.once_digest,
                _is_usable(session, row),
                known,
            )

        return self._store.ask(found)

    def _refused(self, request_id: str, found: _Found | None) -> None:
        """Write a refusal down: in the audit for an account that exists, whose bucket bounds how many there are.

        For one that does not there is a commit as well, which keeps nothing: a wait for the disk would tell them apart.
        """
        _LOG.warning("login refused", extra={"fields": {"request": request_id, "account": found and found.account_id}})
        if found is None:
            self._store.write_together(_write_nothing)
            return
        call = Call(SYSTEM, request_id)
        now = self._store.clock()
        self._store.write_together(
            lambda session: append_audit(session, call, now, "session.refuse", [found.account_id])
        )

    def _check(self, account_id: str, old: str, new: str) -> None:
        if new == old:
            raise UnprocessableError("the new password is the old one")
        row = self._account(account_id)
        check_password(new, context=() if row is None else context_of(row, self.settings))

    def _account(self, account_id: str) -> AccountRow | None:
        return self._store.ask(lambda session: session.get(AccountRow, account_id))

    def _write(self, work: Callable[[Session, int], _T]) -> _T:
        now = self._store.clock()
        with self._store.write() as session:
            return work(session, now)

    def _opened(self, session: Session, call: Call, now: int, device: Device) -> IssuedSession:
        # A device's cookie is taken over only where this account has met it: one that was put there opens no bucket.
        secret = device.secret
        if secret is not None and not is_known_device(session, call.principal.person, secret, now):
            secret = None
        if device.session is not None:
            digest = sha256_hex(device.session)
            session.execute(
                update(SessionRow)
                .where(SessionRow.digest == digest, SessionRow.ended_us.is_(None))
                .values(ended_us=now)
            )
        return open_session(
            session, call, now, self.settings, device=secret, address=device.address, agent=device.agent
        )


def _write_nothing(session: Session) -> None:
    """Write to the disk what is there already."""
    session.execute(update(AuditHeadRow).values(seq=AuditHeadRow.seq))


def _is_once(found: _Found, secret: str) -> bool:
    return found.once_digest is not None and hmac.compare_digest(sha256_hex(secret), found.once_digest)


def _is_usable(session: Session, row: AccountRow) -> bool:
    if row.disabled_us is not None:
        return False
    partner = None if row.partner_id is None else session.get(PartnerRow, row.partner_id)
    return row.partner_id is None or (partner is not None and partner.ended_us is None)


def _principal(row: AccountRow) -> Principal:
    return Principal(row.id, row.name, Role(row.role), row.partner_id, account_id=row.id)


def _spend(session: Session, now: int, secret: str) -> bool:
    """Whether a login at the provider was begun with this secret not long ago, and not finished: it is now."""
    gone = session.execute(
        delete(ProviderLoginRow).where(
            ProviderLoginRow.digest == sha256_hex(secret), ProviderLoginRow.created_us > now - _LOGIN_US
        )
    )
    return bool(gone.rowcount)  # type: ignore[attr-defined]


def _account_of(who: Identified, role: Role, now: int) -> AccountRow:
    account_id = new_id()
    return AccountRow(
        id=account_id,
        login=f"{_PROVIDED}{account_id}",  # no password login can name it: a colon is in none
        name=who.name,
        role=role.value,
        partner_id=None,
        password=None,
        once_digest=None,
        once_expires_us=None,
        issuer=who.issuer,
        subject=who.subject,
        created_us=now,
        disabled_us=None,
    )
