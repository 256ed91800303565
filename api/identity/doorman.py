"""Who is it: a key, or the cookie of a session; and have they asked too much. The gate asks here, before all else."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import Scope

from api.canonical import sha256_hex
from api.errors import AuthenticationError, RateLimitedError
from api.identity.certificates import peer_certificate
from api.identity.cookies import SAFE, Cookies, check_origin, check_token
from api.identity.keys import TOUCH_US, Proof, authenticate, touch_key
from api.identity.limits import Buckets, address_key
from api.identity.roles import Principal
from api.identity.sessions import resolve_session, touch_session
from api.settings import Settings
from api.store.engine import Store

__all__ = ["Doorman", "Known", "Seen"]

_NOBODY = "send a key, Authorization: Bearer <key>; or log in"
_MOST_KNOWN = 1000
"""Keys in memory at once: of more, the one that came in longest ago has to come in by `Doorman.admit` again."""


@dataclass(slots=True)
class Seen:
    """What the doorman made of a request.

    Parameters
    ----------
    headers
        For its answer: how much may still be asked.
    principal
        Who it is; None where nobody has to be.
    """

    headers: dict[str, str]
    principal: Principal | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """Whom a key stood for when it was last looked up. It is to be looked up again before anything is shown for it.

    Parameters
    ----------
    proof
        What it is looked up by.
    due_us
        When its use is due to be noted; UTC microseconds since the Unix epoch.
    """

    principal: Principal
    proof: Proof
    due_us: int


class Doorman:
    """Resolves requests to principals and holds the limits. One a process, which counts its share of them by itself.

    Parameters
    ----------
    store
        Where keys and sessions are looked up.
    settings
        How people prove who they are, and how they reach the service.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings.identity
        self.cookies = Cookies(secure=settings.is_secure)
        # Behind a proxy every request comes from the proxy's address, and what it says of others is hearsay.
        self.sees_addresses = not settings.is_behind_proxy
        principal, address = self._settings.principal_limit, self._settings.address_limit
        of = self._settings.processes
        self._principals = None if principal is None else Buckets(principal.share(of))
        self._addresses = None if address is None or not self.sees_addresses else Buckets(address.share(of))
        self._known: OrderedDict[Proof, Known] = OrderedDict()

    def address(self, scope: Scope) -> str | None:
        """What counts as the address of a request; None behind a proxy."""
        client = scope.get("client")
        return address_key(client[0]) if client and self.sees_addresses else None

    def origin(self, headers: Headers) -> str:
        """The service's own origin, as browsers write it."""
        if self._settings.public_url is not None:
            return self._settings.public_url
        return f"{'https' if self.cookies.secure else 'http'}://{headers.get('host', '')}"

    async def admit(self, scope: Scope, seen: Seen, *, public: bool) -> None:
        """Say who asks, into `seen`, from the head of the request alone.

        Raises
        ------
        RateLimitedError
            When its address or its principal asks too much.
        AuthenticationError
            When it proves nothing, unless `public`.
        PermissionDeniedError
            When it came with a cookie and a page of another site may have sent it; `seen` says whose cookie it was.
        """
        address = self.address(scope)
        if self._addresses is not None and address is not None:
            _charge(self._addresses, "address", address, seen)
        if public:
            return
        headers = Headers(scope=scope)
        try:
            secret = None if "authorization" in headers else self._cookie(headers)
            if secret is None:  # a key alone decides then: a bad one does not fall back on a cookie
                seen.principal = await self._of_key(_bearer(headers), scope.get("state", {}))
            else:
                seen.principal = await run_in_threadpool(self._of_session, secret)
        except AuthenticationError:
            if self._addresses is not None and address is not None:
                self._addresses.take(address, self._settings.failure_cost, anyway=True)
            raise
        if self._principals is not None:
            _charge(self._principals, "principal", seen.principal.person, seen)
        if secret is not None and scope["method"] not in SAFE:
            check_origin(headers, self.origin(headers), needed=True)
            check_token(headers, secret)

    def known(self, scope: Scope, now_us: int) -> Known | None:
        """Whom the key of a request stood for of late; None where it has to come in by `admit`."""
        headers = [value for name, value in scope["headers"] if name == b"authorization"]
        scheme, _, secret = headers[0].partition(b" ") if len(headers) == 1 else (b"", b"", b"")
        if scheme.lower() != b"bearer":
            return None
        found = self._known.get(self._proof(secret.strip(), scope.get("state", {}), now_us))
        return None if found is None or found.due_us <= now_us else found

    def lets(self, scope: Scope, who: Principal, seen: Seen) -> bool:
        """Charge address and principal for a request as `admit` does; beyond a limit False, and nothing is charged."""
        limits = self._limits(scope, who)
        for before, (buckets, name, whom) in enumerate(limits):
            try:
                _charge(buckets, name, whom, seen)
            except RateLimitedError:
                for charged, _, of in limits[:before]:
                    charged.give(of)
                return False
        return True

    def give_back(self, scope: Scope, who: Principal) -> None:
        """What `lets` has charged, for a request that comes in by `admit` after all."""
        for buckets, _, whom in self._limits(scope, who):
            buckets.give(whom)

    def _limits(self, scope: Scope, who: Principal) -> list[tuple[Buckets, str, str]]:
        """What a request is counted by: buckets, their name, and whose of them it is."""
        both = (self._addresses, "address", self.address(scope)), (self._principals, "principal", who.person)
        return [(buckets, name, whom) for buckets, name, whom in both if buckets is not None and whom is not None]

    def _proof(self, secret: bytes, state: dict[str, Any], now_us: int) -> Proof:
        return Proof(sha256_hex(secret), peer_certificate(state, now_us), self._settings.partner_keys_need_certificate)

    def _cookie(self, headers: Headers) -> str:
        secret = self.cookies.read(headers, self.cookies.session)
        if secret is None:
            raise AuthenticationError(_NOBODY)
        return secret

    async def _of_key(self, secret: str, state: dict[str, Any]) -> Principal:
        """Whom a key stands for at this moment. What is remembered of it lets nobody in: see `Known`."""
        now = self._store.clock()
        proof = self._proof(secret.encode("latin-1"), state, now)

        def look() -> tuple[Principal, int]:
            return authenticate(lambda asked, given: self._store.looks.first(asked, **given), proof, now)

        # A database far away is asked in a thread, for one that hangs would keep everybody waiting.
        who, due_us = look() if self._store.is_embedded else await run_in_threadpool(look)
        if due_us <= now:
            await run_in_threadpool(self._store.write_together, lambda session: touch_key(session, who.key_id, now))
            due_us = now + TOUCH_US
        self._known[proof] = Known(who, proof, due_us)
        self._known.move_to_end(proof)
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)
        return who

    def _of_session(self, secret: str) -> Principal:
        now = self._store.clock()
        who, due = self._store.ask(lambda session: resolve_session(session, secret, now, self._settings))
        if due and who.session_id is not None:
            session_id = who.session_id
            self._store.write_together(lambda session: touch_session(session, session_id, now))
        return who


def _charge(buckets: Buckets, name: str, who: str, seen: Seen) -> None:
    standing = buckets.take(who)
    seen.headers.update(standing.headers(name))
    standing.require(f"too many requests of this {name}: wait before the next")


def _bearer(headers: Headers) -> str:
    scheme, _, secret = headers["authorization"].partition(" ")
    if scheme.lower() != "bearer" or not secret or len(headers.getlist("authorization")) != 1:
        raise AuthenticationError(_NOBODY)
    return secret.strip()
