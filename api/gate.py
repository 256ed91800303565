"""The gate before every route: who is it, and was it written down.

Outermost of all: a request that proves nothing gets 401, and one that asks too much 429, before its path is matched or
its body read. A success that was not audited does not leave; a refusal to somebody known is audited here. Every error
leaves as a problem. HEAD is a GET whose body stays here: the same rules, and the same entry in the audit.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.canonical import new_id
from api.errors import ApiError, NotFoundError, PermissionDeniedError, UnprocessableError, WrongCertificateError
from api.identity.doorman import Doorman, Seen
from api.identity.keys import Proof
from api.identity.roles import SYSTEM, Call, Principal
from api.outgoing import Outgoing, Way
from api.problems import MEDIA_TYPE, of_error, of_status
from api.prompt import prompt
from api.ready import Answer, Key, Notes, ReadyAnswers
from api.store.engine import Store
from api.trail.audit import append_audit

__all__ = ["Gate"]

_LOG = logging.getLogger("vedette.api")
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_KEPT = frozenset({b"allow", b"content-range"})
"""What an error of a library says beside its status: which methods there are, how long a file is (RFC 9110)."""
_WHOLE = re.compile(rb"https?://(?P<host>[^/@]+)(?P<path>/.*)?", re.IGNORECASE | re.DOTALL)
_TLS_HEADERS = {"Strict-Transport-Security": "max-age=31536000"}


class Gate:
    """ASGI middleware: authentication, audit of refusals, problems, headers, one log line a request.

    Parameters
    ----------
    app
        What is behind the gate.
    store
        Where refusals are audited.
    doorman
        Says who asks.
    public
        Paths that need nobody, and, where they end in a slash, all below them. Everything else needs somebody, what
        does not exist too.
    """

    def __init__(self, app: ASGIApp, *, store: Store, doorman: Doorman, public: frozenset[str]) -> None:
        self._app = app
        self._store = store
        self._doorman = doorman
        self._public, self._open = public, tuple(path for path in public if path.endswith("/") and path != "/")
        self._ready, self._notes, self._outgoing = ReadyAnswers(), Notes(store), Outgoing(store)
        headers = _HEADERS | (_TLS_HEADERS if doorman.cookies.secure else {})
        self._headers = [(_encoded(name), value.encode("latin-1")) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})  # none is served yet; deny by default
            return
        asked, scope = scope, _at_origin(scope)
        scope = _as_get(scope) if scope["method"] == "HEAD" else scope
        exit_ = _Exit(self._store, self._outgoing, scope, send, self._headers, method=asked["method"])
        try:
            if await self._repeat(scope, exit_):
                return
            await self._admit(scope, exit_)
            await self._serve(scope, receive, exit_)
        except ApiError as error:
            await exit_.instead(of_error(error))
        except Exception:  # noqa: BLE001 - the last line of defence: logged whole, answered without detail
            _LOG.exception("failed", extra={"fields": {"request": exit_.request_id, "path": scope["path"][:200]}})
            await exit_.instead(of_status(500))
        finally:
            if exit_.way is not None:
                self._outgoing.end(exit_.way)
            if "route" in scope:
                asked["route"] = scope["route"]  # for whoever counts requests by their route
            exit_.log()

    async def _serve(self, scope: Scope, receive: Receive, exit_: _Exit) -> None:
        nul = _nul_in(scope)
        if nul is not None:
            await of_error(nul)(scope, receive, exit_)
            return
        key = None
        if exit_.call is not None:
            key, now_us = self._ready.key(scope, exit_.call.principal), self._store.clock()
            answer = None if key is None else self._ready.find(key, now_us)
            if key is not None and answer is not None and await self._is_true(key, answer, exit_, exit_.call, now_us):
                return
        await self._app(scope, prompt(receive), exit_)
        whole = exit_.whole()
        if key is not None and whole is not None:
            self._ready.keep(key, whole)

    async def _repeat(self, scope: Scope, exit_: _Exit) -> bool:
        """Answer a key that asks the same again: whom it stands for is looked up where the answer is written down.

        False where it has to come in as everybody does: then nothing has been said or counted.
        """
        if scope["method"] != "GET":  # nothing else is kept
            return False
        now_us = self._store.clock()
        known = self._doorman.known(scope, now_us)
        key = None if known is None else self._ready.key(scope, known.principal)
        answer = None if key is None else self._ready.find(key, now_us)
        if known is None or key is None or answer is None:
            return False
        seen = Seen({})
        if not self._doorman.lets(scope, known.principal, seen):
            return False
        before, exit_.headers = exit_.headers, exit_.headers | seen.headers
        await exit_.open_to(known.principal)
        if await self._is_true(key, answer, exit_, Call(known.principal, exit_.request_id), now_us, proof=known.proof):
            return True
        exit_.headers = before  # what is left of a limit is told to nobody but the one whose it is
        self._doorman.give_back(scope, known.principal)
        return False

    async def _is_true(
        self, key: Key, answer: Answer, exit_: _Exit, call: Call, now_us: int, *, proof: Proof | None = None
    ) -> bool:
        """Send an answer that is ready, if it is still true; parameters are those of `Notes.note`."""
        if not await self._notes.note(call, now_us, answer.shown, proof):
            self._ready.forget(key)
            return False
        exit_.call, call.seen = call, answer.shown.stamp
        await exit_.again(answer)
        return True

    def _is_public(self, path: str) -> bool:
        return path in self._public or path.startswith(self._open)

    async def _admit(self, scope: Scope, exit_: _Exit) -> None:
        seen = Seen(exit_.headers)
        try:
            await self._doorman.admit(scope, seen, public=self._is_public(scope["path"]))
        except PermissionDeniedError:
            if seen.principal is not None:
                await exit_.audit_refusal(exit_.is_of(seen.principal), 403)
            raise
        except WrongCertificateError as error:  # whose key it is is known, that it is they is not
            await exit_.audit_refusal(Call(SYSTEM, exit_.request_id), 401, key=error.key_id)
            raise
        if seen.principal is not None:
            exit_.is_of(seen.principal)
            await exit_.open_to(seen.principal)
        state = scope.setdefault("state", {})
        state["call"], state["request"] = exit_.call, exit_.request_id


def _as_get(scope: Scope) -> Scope:
    """A HEAD as the GET whose head it is: of the whole, for a Range is of GET alone (RFC 9110, 14.2)."""
    headers = [each for each in scope["headers"] if each[0] != b"range"]
    # Whoever sends a file may name it in place of its bytes: it is not read for nobody.
    named = {**scope.get("extensions", {}), "http.response.pathsend": {}}
    return {**scope, "method": "GET", "headers": headers, "extensions": named}


def _at_origin(scope: Scope) -> Scope:
    """A request that names its target whole, as those to a proxy do, as one to that host (RFC 9112, 3.2.2)."""
    whole = _WHOLE.fullmatch(scope.get("raw_path") or b"/")
    if whole is None:
        return scope
    path = whole["path"] or b"/"
    headers = [(b"host", whole["host"]), *(each for each in scope["headers"] if each[0] != b"host")]
    return {**scope, "path": unquote(path.decode("ascii")), "raw_path": path, "headers": headers}


def _nul_in(scope: Scope) -> ApiError | None:
    """What to answer to an address that holds the character NUL: no text here has one, and PostgreSQL takes none."""
    if "\x00" in scope["path"]:
        return NotFoundError("no name holds the character NUL: this address names nothing")
    if b"%00" in scope["query_string"]:
        return UnprocessableError("the query holds the character NUL (%00): leave it out")
    return None


def _with(raw: Iterable[tuple[bytes, bytes]], ours: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    whole = list(raw)
    there = {name for name, _ in whole}  # ASGI: names are in lower case
    whole += [each for each in ours if each[0] not in there]
    return whole


@lru_cache(maxsize=64)
def _encoded(name: str) -> bytes:
    return name.lower().encode("latin-1")


_FRAMED_TWICE = frozenset((b"content-length", b"transfer-encoding"))
_STREAM = frozenset((b"content-type", b"text/event-stream" + more) for more in (b"", b"; charset=utf-8"))


class _Exit:
    """The way out of one request: a `Send` that holds back what may not leave."""

    def __init__(
        self,
        store: Store,
        outgoing: Outgoing,
        scope: Scope,
        send: Send,
        headers: list[tuple[bytes, bytes]],
        *,
        method: str,
    ) -> None:
        self.request_id = new_id()
        self.call: Call | None = None
        self.way: Way | None = None
        self.headers = {"X-Request-Id": self.request_id}
        if {name for name, _ in scope["headers"]} >= _FRAMED_TWICE:
            # Where it ends others may see otherwise: nothing after it on this connection is a request (RFC 9112, 6.1).
            self.headers["Connection"] = "close"
        self._fixed = headers
        self._store, self._outgoing = store, outgoing
        self._scope = scope
        self._send = send
        self._method = method  # as it was asked
        self._status: int | None = None
        self._swallow = False
        self._parts: list[bytes] | None = None
        self._raw: list[tuple[bytes, bytes]] = []
        self._ended = False
        self._started = time.perf_counter()

    def is_of(self, principal: Principal) -> Call:
        """It is known who asks."""
        self.call = Call(principal, self.request_id)
        if principal.session_id is not None and principal.account_id is not None:
            # A cookie is of whoever logged in last: a page that shows somebody else's work notices, refused or not.
            self.headers["X-Vedette-Account"] = principal.account_id
        return self.call

    async def open_to(self, principal: Principal) -> None:
        """Have what leaves to a partner looked after, from before it is read."""
        if principal.partner_id is not None and self.way is None:
            self.way = await self._outgoing.begin(principal.partner_id, self._scope)

    async def __call__(self, message: Message) -> None:
        if self._swallow:
            return
        if message["type"] != "http.response.start":
            if self._parts is not None:
                self._parts.append(message.get("body", b""))
                self._ended = not message.get("more_body", False)
            await self._send(message)
            return
        status = message["status"]
        instead = None if self.call is None else await self._stopped(self.call, status)
        if instead is not None:
            await self.instead(instead)
            return
        if status >= 400 and Headers(raw=message["headers"]).get("content-type") != MEDIA_TYPE:
            response = of_status(status)
            response.raw_headers += [each for each in message["headers"] if each[0] in _KEPT]
            await self.instead(response)
            return
        if self.call is not None and self.call.shown is not None and status == 200:
            # Without what is of this request alone.
            self._parts, self._raw = [], _with(message["headers"], self._fixed)
        await self._leave(status, self._with_ours(message["headers"]))

    async def _stopped(self, call: Call, status: int) -> Response | None:
        """What leaves in place of an answer of that status; None where it may leave."""
        if status >= 400:  # written down even where a deed was noted: its transaction was undone
            try:
                await self.audit_refusal(call, status)
            except ApiError as error:  # what is behind the gate took this for its answer, and handles no other
                return of_error(error)
            return None
        if not call.audited:
            _LOG.error("unaudited", extra={"fields": {"request": self.request_id, "path": self._scope["path"]}})
            return of_status(500)
        if self.way is not None and self._outgoing.is_taken_back(self.way, call.seen):
            return of_status(503, "what this was to show has changed meanwhile: ask again")
        return None

    async def _leave(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes | None = None) -> None:
        """Send the head, and the whole body where it is there. HEAD gets none: a stream hears that it is over."""
        self._status = status
        if self.way is not None:
            self.way.begun = True
            self.way.lasts = not _STREAM.isdisjoint(headers)
        whole = b"" if self._method == "HEAD" else body
        self._swallow = whole is not None
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        if whole is not None:
            await self._send({"type": "http.response.body", "body": whole})

    def _with_ours(self, raw: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """Headers with those of the gate that they do not have."""
        return _with(raw, [*self._fixed, *self._of_this()])

    def _of_this(self) -> list[tuple[bytes, bytes]]:
        """Headers of this request alone."""
        return [(_encoded(name), value.encode("latin-1")) for name, value in self.headers.items()]

    def whole(self) -> Answer | None:
        """What left, where it may be kept and left whole."""
        if self._parts is None or not self._ended or self.call is None or self.call.shown is None:
            return None
        return Answer(self._raw, b"".join(self._parts), self.call.shown, self._scope["route"])

    async def again(self, answer: Answer) -> None:
        """Send an answer that is ready, as its route would have; it has the headers that are the same for all."""
        self._scope["route"] = answer.route
        instead = None if self.call is None else await self._stopped(self.call, 200)
        if instead is None:
            await self._leave(200, [*answer.headers, *self._of_this()], answer.body)
        else:
            await self.instead(instead)

    async def instead(self, response: Response) -> None:
        """Send `response` in place of what the application says, if nothing has left yet."""
        if self._status is not None or self._swallow:
            return
        await self._leave(response.status_code, self._with_ours(response.raw_headers), bytes(response.body))

    async def audit_refusal(self, call: Call, status: int, **detail: str) -> None:
        """Write down that `call` was refused."""
        await run_in_threadpool(
            self._store.note_together,
            lambda connection: append_audit(
                connection,
                call,
                self._store.clock(),
                "request.refused",
                [],
                method=self._method,
                path=self._scope["path"][:200],
                status=status,
                **detail,
            ),
        )

    def log(self) -> None:
        """One line for this request."""
        if not _LOG.isEnabledFor(logging.INFO):
            return
        fields = {
            "request": self.request_id,
            "method": self._method,
            "path": self._scope["path"][:200],
            "status": self._status,
            "ms": round((time.perf_counter() - self._started) * 1000, 2),
            "key": None if self.call is None else self.call.principal.key_id,
        }
        _LOG.info("request", extra={"fields": fields})
