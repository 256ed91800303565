"""Taking records and their evidence in."""

from __future__ import annotations

from fastapi import Request
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.http import Caller, Given, Route, Stored, answer, peek, write
from api.identity.roles import Permission
from api.ingest import evidence
from api.ingest.crossings import Outcome, deliver
from api.ingest.cues import deliver_cue
from api.ingest.schemas import CrossingIn, CueIn

__all__ = ["ROUTES"]


def post_crossing(crossing: CrossingIn, call: Caller, store: Stored) -> Response:
    """Deliver a crossing. 201 when it is new; else 200, and `outcome` says unchanged, replaced or dropped."""
    done = write(store, lambda session, now: deliver(session, call, now, crossing))
    body = {"id": done.id, "revision": done.revision, "outcome": done.outcome, "note": done.note}
    return answer(body, 201 if done.outcome is Outcome.CREATED else 200, Location=f"/crossings/{done.id}")


async def put_evidence(  # noqa: PLR0917 - FastAPI passes by name
    crossing_id: str, part: str, request: Request, call: Caller, store: Stored, settings: Given
) -> Response:
    """Store a file that the crossing announces (clip, manifest or thumbnail): the body is its bytes."""

    def expect(session: Session, now: int) -> evidence.Expected:
        return evidence.expect(session, call, now, crossing_id, part)

    expected = await run_in_threadpool(peek, store, expect)
    with store.objects.incoming(limit_bytes=settings.max_evidence_bytes) as incoming:
        async for chunk in request.stream():
            if chunk:
                await run_in_threadpool(incoming.write, chunk)
        item = await run_in_threadpool(incoming.seal)
        await run_in_threadpool(peek, store, lambda session, _now: evidence.stored(session, expected, item))
        await run_in_threadpool(incoming.keep)
    body = await run_in_threadpool(
        write, store, lambda session, now: evidence.record(session, call, now, expected, item)
    )
    return answer(body)


def post_cue(cue: CueIn, call: Caller, store: Stored) -> Response:
    """Deliver a cue of a ground sensor. 201 when it is new, 200 when it is here already."""
    new = write(store, lambda session, now: deliver_cue(session, call, now, cue))
    return answer({"id": cue.id, "outcome": "created" if new else "unchanged"}, 201 if new else 200)


ROUTES: tuple[Route, ...] = (
    Route("POST", "/crossings", post_crossing, Permission.CROSSING_WRITE),
    Route("PUT", "/crossings/{crossing_id}/evidence/{part}", put_evidence, Permission.CROSSING_WRITE, "evidence"),
    Route("POST", "/cues", post_cue, Permission.CUE_WRITE),
)
