"""What every module of routes shares: the table's row, who calls, reading and writing with a record of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Query, Request
from sqlalchemy import Connection
from sqlalchemy.orm import Session
from starlette.responses import Response
from starlette.routing import compile_path

from api.asked import Whole
from api.canonical import canonical
from api.described import Answers
from api.errors import UnprocessableError
from api.identity.roles import Call, Permission, Shown
from api.identity.stands import require_standing
from api.loading import number_of
from api.pages import Page, link_header, links_of
from api.records.readable import next_change
from api.settings import Settings
from api.store.direct import Writing
from api.store.engine import Store
from api.store.plain import Plain
from api.trail.audit import append_audit
from api.trail.log import last_seq, narrowed_since

__all__ = [
    "GEOJSON",
    "After",
    "Caller",
    "Given",
    "Route",
    "Stored",
    "answer",
    "answer_page",
    "base_of",
    "bbox_of",
    "call_of",
    "peek",
    "put",
    "read",
    "read_page",
    "store_of",
    "write",
    "write_alone",
]

GEOJSON = "application/geo+json"
_T = TypeVar("_T")
_Writing = TypeVar("_Writing", bound=Writing)


@dataclass(frozen=True, slots=True)
class Route:
    """One route.

    Parameters
    ----------
    method, path
        As in HTTP.
    endpoint
        The function that serves it.
    permission
        What the key's role must grant; None is open to all, without a key.
    body
        "json", "bulk" and "evidence" are bounded by `Settings.max_body_bytes`, `max_bulk_bytes`, `max_evidence_bytes`,
        "map" as "bulk" is, "picture" by `PictureSettings.max_bytes`.
    answers
        What it answers by status: for the OpenAPI document, and for the tests that hold it to that.
    describes
        Other members of its OpenAPI operation: parameters that it reads by itself.
    """

    method: str
    path: str
    endpoint: Callable[..., Any]
    permission: Permission | None
    body: str = "json"
    answers: Answers = field(kw_only=True)
    describes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What the OpenAPI document calls the operation, and clients that are made from it the function: `get_me`."""
        return self.endpoint.__name__

    @property
    def template(self) -> str:
        """The path as the OpenAPI document has it: without what its parameters may hold, as `:path`."""
        return compile_path(self.path)[1]


def call_of(request: Request) -> Call:
    """The call that the gate has let in."""
    call: Call = request.scope["state"]["call"]
    return call


def store_of(request: Request) -> Store:
    """The store that is served."""
    store: Store = request.app.state.store
    return store


async def _call(request: Request) -> Call:
    return call_of(request)


async def _store(request: Request) -> Store:
    return store_of(request)


async def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


Caller = Annotated[Call, Depends(_call)]
Stored = Annotated[Store, Depends(_store)]
Given = Annotated[Settings, Depends(_settings)]
After = Annotated[Whole, Query(ge=0, le=2**63 - 1)]


def answer(value: Any, status: int = 200, **headers: str) -> Response:
    """`value` as JSON; `headers` by name with _ for -."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Response(canonical(value), status, named, "application/json")


def answer_page(request: Request, page: Page[Any]) -> Response:
    """The items of a page as a JSON array; the header Link names where the list goes on."""
    links = links_of(request, page.next)
    return answer(page.items, Link=link_header(links)) if links else answer(page.items)


def read(store: Store, call: Call, action: str, work: Callable[[Session, int], tuple[Any, list[str]]]) -> Any:
    """Read from a snapshot, then write down what was shown, then hand it over.

    What a partner may read can be taken back in between: then it is read anew where it is written down. So the audit
    has a partner see nothing after the change by which it may not.
    """
    stamp, now = None if call.principal.partner_id is None else store.stamp(), store.clock()
    value, objects = store.ask(lambda session: work(session, now))
    if _noted(store, call, now, action, objects, stamp):
        return value
    return _read_anew(store, call, action, work)


def read_page(store: Store, call: Call, action: str, work: Callable[[Session, int], tuple[Any, list[str]]]) -> Any:
    """As `read`; the answer may be kept for whoever asks the same again (`api.ready`)."""
    stamp, now = store.stamp(), store.clock()  # the stamp first: what is newer than it is read again

    def work_page(session: Session) -> tuple[tuple[Any, list[str]], int]:
        return work(session, now), next_change(session, call.principal, now)

    (value, objects), until_us = store.ask(work_page)
    if not _noted(store, call, now, action, objects, None if call.principal.partner_id is None else stamp):
        return _read_anew(store, call, action, work)
    call.shown = Shown(stamp, action, objects, until_us)
    return value


def _noted(store: Store, call: Call, now: int, action: str, objects: list[str], stamp: int | None) -> bool:  # noqa: PLR0917
    """Write down what is shown; False, and nothing, where less than that may be shown since event `stamp`."""

    def note(connection: Connection | Plain) -> bool:
        if stamp is not None and narrowed_since(connection, stamp):
            return False
        _let_be_shown(connection, call, store.clock())
        append_audit(connection, call, now, action, objects)
        return True

    return store.note_together(note)


def _let_be_shown(transaction: Writing, call: Call, now: int) -> None:
    """Raise AuthenticationError where who asks does not stand any more; note for a partner what the answer knows of."""
    require_standing(transaction, call.principal, now)
    if call.principal.partner_id is not None:
        call.seen = last_seq(transaction)


def _read_anew(store: Store, call: Call, action: str, work: Callable[[Session, int], tuple[Any, list[str]]]) -> Any:
    def read_and_note(session: Session, now: int) -> Any:
        value, objects = work(session, now)
        _let_be_shown(session, call, now)
        append_audit(session, call, now, action, objects)
        return value

    return write(store, call, read_and_note)


def write(store: Store, call: Call, work: Callable[[Session, int], _T]) -> _T:
    """Do `work` in a write transaction, which audits itself and shares its commit with others who come at once.

    The time is that of the transaction and not of the request: events are in the order of their times. So is who may:
    a body takes as long as its sender likes, and whoever was let in before it may have been shut out since.

    Raises
    ------
    AuthenticationError
        When the key or session of `call` has ended since it was let in; nothing is written then.
    """
    return store.write_together(lambda session: _of_who_stands(session, call, store.clock(), work))


def put(store: Store, call: Call, work: Callable[[Connection | Plain, int], _T]) -> _T:
    """As `write`, for work that takes a connection (`api.store.direct`) in place of a session."""
    return store.put_together(lambda connection: _of_who_stands(connection, call, store.clock(), work))


def write_alone(store: Store, call: Call, work: Callable[[Session, int], _T]) -> _T:
    """As `write`, for work that is large by itself: nobody else waits for it in the same commit."""
    with store.write() as session:
        return _of_who_stands(session, call, store.clock(), work)


def _of_who_stands(transaction: _Writing, call: Call, now: int, work: Callable[[_Writing, int], _T]) -> _T:
    require_standing(transaction, call.principal, now)
    return work(transaction, now)


def peek(store: Store, work: Callable[[Session, int], _T]) -> _T:
    """Look something up for a write that is still to come, and that will be audited."""
    now = store.clock()
    return store.ask(lambda session: work(session, now))


def base_of(request: Request) -> str:
    """Scheme and host as the reader addressed this service: what it follows leads to where it came from.

    Behind a proxy, that is over TLS: a link that said http would have the next reader send its key in the clear.
    """
    settings: Settings = request.app.state.settings
    if settings.is_behind_proxy:
        return settings.identity.public_url or f"https://{request.url.netloc}"
    return str(request.base_url).rstrip("/")


def bbox_of(text: str) -> tuple[float, float, float, float]:
    """West, south, east, north in degrees; raises UnprocessableError."""
    try:
        west, south, east, north = map(number_of, text.split(","))
    except ValueError:
        raise UnprocessableError(f"bbox {text!r} is not west,south,east,north in degrees") from None
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90):
        raise UnprocessableError(f"bbox {text!r} is outside the world or south of itself: west,south,east,north")
    return west, south, east, north
