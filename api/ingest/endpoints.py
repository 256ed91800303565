"""Taking records and their evidence in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import Request
from pydantic import ValidationError
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.errors import MalformedError, StorageError, UnprocessableError
from api.http import Caller, Given, Route, Stored, answer, call_of, peek, put, store_of, write, write_alone
from api.identity.roles import Call, Permission
from api.identity.stands import require_standing
from api.ingest import answers, evidence
from api.ingest.contents import ContentCheck
from api.ingest.records import (
    Delivered,
    Outcome,
    Prepared,
    deliver,
    deliver_all,
    deliver_new,
    prepare,
)
from api.loading import load_json
from api.records.schemas import RecordIn
from api.records.types import TYPES, RecordType
from api.store.engine import Store

__all__ = ["ROUTES"]

_MOST_LINES = 10_000


def _post(type_: RecordType) -> Callable[..., Response]:
    def post(record: RecordIn, request: Request) -> Response:
        # Not as dependencies, of which each takes as long as a statement does: these come one by one all day.
        call, store = call_of(request), store_of(request)
        given = prepare(type_, record, store.clock())
        new = None
        if type_.reviewed:  # of others more is to be done than to put them in: their transaction is the other one
            new = put(store, call, lambda connection, now: deliver_new(connection, call, now, type_, given))
        done = new or write(store, call, lambda session, now: deliver(session, call, now, type_, given))
        location = f"/{type_.collection}/{done.id}"
        return answer(_wire(done), 201 if done.outcome is Outcome.CREATED else 200, Location=location)

    post.__name__ = f"post_{type_.name}"
    post.__doc__ = (
        f"Deliver a {type_.name}. 201 when it is new; else 200, and `outcome` says unchanged, replaced or dropped."
    )
    post.__annotations__["record"] = type_.model
    return post


def _bulk(type_: RecordType) -> Callable[..., Any]:
    async def post(request: Request, call: Caller, store: Stored) -> Response:
        body = await request.body()
        return await run_in_threadpool(_take_all, store, call, type_, body)

    post.__name__ = f"post_{type_.collection}"
    post.__doc__ = (
        f"Deliver many {type_.collection}, one JSON object a line (application/x-ndjson), in one transaction. "
        "Lines that cannot be taken are left out and listed with the reason; the others are stored."
    )
    return post


def _take_all(store: Store, call: Call, type_: RecordType, body: bytes) -> Response:
    lines, received_us = _lines(body), store.clock()
    good: list[tuple[int, Prepared]] = []
    bad: list[dict[str, Any]] = []
    for number, line in lines:
        try:
            # One at a time to the end: the objects of thousands would keep the garbage collector busy.
            good.append((number, prepare(type_, type_.model.model_validate(load_json(line)), received_us)))
        except (MalformedError, ValidationError) as error:
            bad.append({"line": number, "outcome": "refused", "note": _first(error)})
    given = [each for _, each in good]
    done: list[Delivered] = write_alone(store, call, lambda session, now: deliver_all(session, call, now, type_, given))
    results = [{"line": number} | _line(each) for (number, _), each in zip(good, done, strict=True)]
    results = sorted(results + bad, key=lambda each: each["line"])
    counts: dict[str, int] = {}
    for each in results:
        counts[each["outcome"]] = counts.get(each["outcome"], 0) + 1
    return answer({"counts": counts, "results": results})


def _lines(body: bytes) -> list[tuple[int, bytes]]:
    lines = body.split(b"\n")
    if len(lines) > _MOST_LINES + 1:
        raise UnprocessableError(f"more than {_MOST_LINES} lines: send them in several parts")
    found = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if not found:
        raise UnprocessableError("the body has no records: send one JSON object a line")
    return found


def _first(error: MalformedError | ValidationError) -> str:
    """Where and what was wrong, not what was sent."""
    if isinstance(error, MalformedError):
        return str(error)
    first = error.errors(include_input=False, include_url=False)[0]
    return "#/" + "/".join(str(step) for step in first["loc"]) + ": " + first["msg"]


def _line(done: Delivered) -> dict[str, Any]:
    """A line of many: what the key may not deliver is refused as what cannot be read is."""
    return {"outcome": "refused", "note": done.note} if done.outcome is Outcome.FORBIDDEN else _wire(done)


def _wire(done: Delivered) -> dict[str, Any]:
    return {"id": done.id, "revision": done.revision, "outcome": done.outcome, "note": done.note}


async def put_evidence(  # noqa: PLR0917 - FastAPI passes by name
    record_id: str, part: str, request: Request, call: Caller, store: Stored, settings: Given
) -> Response:
    """Store a file that the crossing announces: the body is its bytes, which must look like what its name says."""

    def expect(session: Session, now: int) -> evidence.Expected:
        return evidence.expect(session, call, now, record_id, part)

    expected = await run_in_threadpool(peek, store, expect)
    check = ContentCheck(expected.part, expected.name)

    def take(session: Session, now: int) -> None:  # of who was shut out while they sent it no file is kept
        require_standing(session, call.principal, now)
        evidence.stored(session, expected, item)

    with store.objects.incoming(limit_bytes=settings.max_evidence_bytes) as incoming:
        async for chunk in request.stream():
            if chunk:
                check.take(chunk)
                await run_in_threadpool(incoming.write, chunk)
        item = await run_in_threadpool(incoming.seal)
        await run_in_threadpool(peek, store, take)
        await run_in_threadpool(check.finish)
        await run_in_threadpool(incoming.keep)

    def record(session: Session, now: int) -> dict[str, Any]:
        if not store.objects.holds(item.sha256):  # the same bytes were just erased with another record
            raise StorageError(f"object {item.sha256} was removed meanwhile: send it again")
        return evidence.record(session, call, now, expected, item)

    return answer(await run_in_threadpool(write, store, call, record))


ROUTES: tuple[Route, ...] = (
    *(
        Route("POST", f"/{type_.collection}", _post(type_), type_.write, answers=answers.DELIVERED)
        for type_ in TYPES.values()
    ),
    *(
        Route("POST", f"/{type_.collection}/bulk", _bulk(type_), type_.write, "bulk", answers=answers.IN_BULK)
        for type_ in TYPES.values()
    ),
    Route(
        "PUT",
        "/crossings/{record_id}/evidence/{part}",
        put_evidence,
        Permission.CROSSING_WRITE,
        "evidence",
        answers=answers.KEPT,
    ),
)
