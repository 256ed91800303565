"""The event log and the audit chain."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from sqlalchemy.orm import Session
from starlette.responses import Response

from api.asked import Whole
from api.errors import AuditTamperedError
from api.http import After, Caller, Given, Route, Stored, answer, read
from api.identity.roles import Permission
from api.pages import Limit
from api.times import microseconds
from api.trail import answers
from api.trail.audit import audit_head, read_audit, verify_audit
from api.trail.heads import sign_head
from api.trail.log import audience_of, read_events
from api.trail.search import Sought, search_audit
from api.wire import Moment

__all__ = ["ROUTES"]

_Word = Annotated[str | None, Query(min_length=1, max_length=200)]


def get_events(call: Caller, store: Stored, after: After = 0, limit: Limit = 100) -> Response:
    """The event log after a cursor; `next` is the cursor to go on from."""

    def work(session: Session, _now: int) -> tuple[Any, list[str]]:
        return read_events(session, after=after, limit=limit, audience=audience_of(call.principal)), []

    found = read(store, call, "event.list", work)
    return answer({"events": found, "next": found[-1]["n"] if found else after})


def get_audit(call: Caller, store: Stored, after: After = 0, limit: Limit = 100) -> Response:
    """The audit chain after an entry, and its head: note the head elsewhere."""

    def work(session: Session, _now: int) -> tuple[Any, list[str]]:
        head = audit_head(session)
        found = [
            {"seq": entry.seq, "body": entry.body, "hash": entry.hash}
            for entry in read_audit(session, after=after, limit=limit)
        ]
        return {"entries": found, "head": {"seq": head.seq, "hash": head.hash}}, []

    return answer(read(store, call, "audit.list", work))


def get_audit_entries(  # noqa: PLR0917 - FastAPI passes by name
    call: Caller,
    store: Stored,
    actor: _Word = None,
    action: _Word = None,
    object_id: Annotated[_Word, Query(alias="object")] = None,
    since: Annotated[Moment | None, Query(alias="from")] = None,
    until: Annotated[Moment | None, Query(alias="to")] = None,
    before: Annotated[Whole | None, Query(ge=1, le=2**63 - 1)] = None,
    limit: Limit = 100,
) -> Response:
    """Entries of the audit by person, deed, object and time, newest first; `next` is the `before` to go on with."""
    sought = Sought(
        actor,
        action,
        object_id,
        None if since is None else microseconds(since),
        None if until is None else microseconds(until),
    )

    def work(session: Session, _now: int) -> tuple[Any, list[str]]:
        return search_audit(session, sought, before=before, limit=limit), []

    found = read(store, call, "audit.search", work)
    return answer({"entries": found.entries, "next": found.next})


def get_audit_head(call: Caller, store: Stored, settings: Given) -> Response:
    """The newest entry's number and hash as a signed head, to be kept elsewhere; `signature` is null without a key."""

    def work(session: Session, now: int) -> tuple[Any, list[str]]:
        return sign_head(settings.heads.key, audit_head(session), now), []

    return Response(read(store, call, "audit.head", work), media_type="application/json")


def get_audit_verification(call: Caller, store: Stored) -> Response:
    """Recompute the audit chain: `intact`, and where it is broken if it is."""
    try:
        head = verify_audit(store)
        body: dict[str, Any] = {"intact": True, "head": {"seq": head.seq, "hash": head.hash}}
    except AuditTamperedError as error:
        body = {"intact": False, "seq": error.seq, "problem": str(error)}
    return answer(read(store, call, "audit.verify", lambda _session, _now: (body, [])))


ROUTES: tuple[Route, ...] = (
    Route("GET", "/events", get_events, Permission.EVENT_READ, answers=answers.EVENTS),
    Route("GET", "/audit", get_audit, Permission.AUDIT_READ, answers=answers.ENTRIES),
    Route("GET", "/audit/entries", get_audit_entries, Permission.AUDIT_READ, answers=answers.FOUND),
    Route("GET", "/audit/head", get_audit_head, Permission.AUDIT_READ, answers=answers.SIGNED_HEAD),
    Route("GET", "/audit/verification", get_audit_verification, Permission.AUDIT_READ, answers=answers.VERIFICATION),
)
