"""The routes: HTTP in, one function of the store, HTTP out. No rule lives here."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlencode

from fastapi import Depends, Header, Query, Request
from pydantic import AwareDatetime
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, Response

from api import agreements, evidence, keys, releases, reviews
from api.audit import append_audit, audit_head, read_audit, verify_audit
from api.canonical import canonical
from api.crossings import CrossingFilter, Outcome, deliver, list_readable
from api.cues import CueFilter, deliver_cue, list_cues
from api.errors import AuditTamperedError, StorageError, UnprocessableError
from api.events import read_events
from api.readable import find_evidence, find_readable
from api.roles import Call
from api.schemas import AgreementTerms, CrossingIn, CueIn, CueKind, KeyIn, PartnerIn, ReleaseIn, ReviewIn
from api.settings import Settings
from api.store import Store
from api.times import microseconds

__all__: list[str] = []

GEOJSON = "application/geo+json"
_T = TypeVar("_T")
_CURSOR = re.compile(r"(-?\d{1,18})\.([0-9a-f]{32})")


async def _call(request: Request) -> Call:
    call: Call = request.scope["state"]["call"]
    return call


async def _store(request: Request) -> Store:
    store: Store = request.app.state.store
    return store


async def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


Caller = Annotated[Call, Depends(_call)]
Stored = Annotated[Store, Depends(_store)]
Given = Annotated[Settings, Depends(_settings)]
Limit = Annotated[int, Query(ge=1, le=1000)]
After = Annotated[int, Query(ge=0, le=2**63 - 1)]
Reason = Annotated[str | None, Query(max_length=500)]


def _answer(value: Any, status: int = 200, **headers: str) -> Response:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Response(canonical(value), status, named, "application/json")


def _read(store: Store, call: Call, action: str, work: Callable[[Session, int], tuple[Any, list[str]]]) -> Any:
    """Read from a snapshot, then write down what was shown, then hand it over."""
    now = store.clock()
    with store.read() as session:
        value, objects = work(session, now)
    store.write_together(lambda session: append_audit(session, call, now, action, objects))
    return value


def _write(store: Store, work: Callable[[Session, int], _T]) -> _T:
    now = store.clock()
    with store.write() as session:
        return work(session, now)


# -- crossings --------------------------------------------------------------------------------------------------------


def post_crossing(crossing: CrossingIn, call: Caller, store: Stored) -> Response:
    """Deliver a crossing. 201 when it is new; else 200, and `outcome` says unchanged, replaced or dropped."""
    done = _write(store, lambda session, now: deliver(session, call, now, crossing))
    body = {"id": done.id, "revision": done.revision, "outcome": done.outcome, "note": done.note}
    return _answer(body, 201 if done.outcome is Outcome.CREATED else 200, Location=f"/crossings/{done.id}")


def get_crossings(  # noqa: PLR0917 - FastAPI passes by name
    call: Caller,
    store: Stored,
    since: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    until: Annotated[AwareDatetime | None, Query(alias="to")] = None,
    bbox: Annotated[str | None, Query(max_length=200, description="west,south,east,north in degrees")] = None,
    status: Literal["confirmed", "probable"] | None = None,
    review: Literal["pending", "confirmed", "dismissed"] | None = None,
    kind: Literal["person", "vehicle", "bicycle"] | None = None,
    limit: Limit = 100,
    cursor: Annotated[str | None, Query(max_length=100)] = None,
) -> Response:
    """The crossings that the key may read, newest first, as GeoJSON; the link named next leads to the next page."""
    which = CrossingFilter(
        from_us=None if since is None else microseconds(since),
        to_us=None if until is None else microseconds(until),
        bbox=None if bbox is None else _bbox(bbox),
        status=status,
        review=review,
        kind=kind,
    )
    after = None if cursor is None else _cursor(cursor)

    def work(session: Session, now: int) -> tuple[Any, list[str]]:
        rows = list_readable(session, call.principal, now, which, limit=limit + 1, after=after)
        return rows, [crossing_id for _, crossing_id, _ in rows[:limit]]

    rows = _read(store, call, "crossing.list", work)
    page, links = rows[:limit], b""
    if len(rows) > limit:
        time_us, crossing_id, _ = page[-1]
        same = {"from": since, "to": until, "bbox": bbox, "status": status, "review": review, "kind": kind}
        query = {name: _text(value) for name, value in same.items() if value is not None}
        href = "/crossings?" + urlencode(query | {"limit": str(limit), "cursor": f"{time_us}.{crossing_id}"})
        links = canonical({"rel": "next", "type": GEOJSON, "href": href}).encode()
    body = b'{"type":"FeatureCollection","numberReturned":%d,"links":[%b],"features":[%b]}' % (
        len(page),
        links,
        b",".join(feature for _, _, feature in page),
    )
    return Response(body, media_type=GEOJSON)


def get_crossing(crossing_id: str, call: Caller, store: Stored) -> Response:
    """One crossing as a GeoJSON Feature. Its ETag is what a review names in If-Match."""
    row = _read(
        store,
        call,
        "crossing.read",
        lambda session, now: (find_readable(session, call.principal, now, crossing_id), [crossing_id]),
    )
    return Response(row.feature, 200, {"ETag": f'"{row.etag}"'}, GEOJSON)


async def put_evidence(  # noqa: PLR0917 - FastAPI passes by name
    crossing_id: str, part: str, request: Request, call: Caller, store: Stored, settings: Given
) -> Response:
    """Store a file that the crossing announces (clip, manifest or thumbnail): the body is its bytes."""

    def expect(session: Session, now: int) -> evidence.Expected:
        return evidence.expect(session, call, now, crossing_id, part)

    expected = await run_in_threadpool(_peek, store, expect)
    with store.objects.incoming(limit_bytes=settings.max_evidence_bytes) as incoming:
        async for chunk in request.stream():
            if chunk:
                await run_in_threadpool(incoming.write, chunk)
        item = await run_in_threadpool(incoming.seal)
        await run_in_threadpool(_peek, store, lambda session, _now: evidence.stored(session, expected, item))
        await run_in_threadpool(incoming.keep)
    body = await run_in_threadpool(
        _write, store, lambda session, now: evidence.record(session, call, now, expected, item)
    )
    return _answer(body)


def get_evidence(crossing_id: str, part: str, call: Caller, store: Stored) -> Response:
    """A file of evidence, whole or by Range, under the same rule as its crossing."""

    def work(session: Session, now: int) -> tuple[Any, list[str]]:
        return find_evidence(session, call.principal, now, crossing_id, part), [crossing_id, part]

    row = _read(store, call, "evidence.read", work)
    path = store.objects.path(row.sha256)
    if not path.is_file():
        raise StorageError(f"object {row.sha256} is gone from {store.objects.folder}: restore it from a backup")
    ending = "." + row.name.rpartition(".")[2].lower()
    media_type = evidence.MEDIA_TYPES.get(ending, "application/octet-stream")
    return FileResponse(path, media_type=media_type, filename=row.name, headers={"ETag": f'"{row.sha256}"'})


# -- cues -------------------------------------------------------------------------------------------------------------


def post_cue(cue: CueIn, call: Caller, store: Stored) -> Response:
    """Deliver a cue of a ground sensor. 201 when it is new, 200 when it is here already."""
    new = _write(store, lambda session, now: deliver_cue(session, call, now, cue))
    return _answer({"id": cue.id, "outcome": "created" if new else "unchanged"}, 201 if new else 200)


def get_cues(  # noqa: PLR0917 - FastAPI passes by name
    call: Caller,
    store: Stored,
    since: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    until: Annotated[AwareDatetime | None, Query(alias="to")] = None,
    sensor: Annotated[str | None, Query(max_length=200)] = None,
    kind: CueKind | None = None,
    limit: Limit = 100,
    cursor: Annotated[str | None, Query(max_length=100)] = None,
) -> Response:
    """The cues of the sensors, newest first; `next` is the cursor of the next page, null on the last."""
    which = CueFilter(
        from_us=None if since is None else microseconds(since),
        to_us=None if until is None else microseconds(until),
        sensor=sensor,
        kind=kind,
    )
    after = None if cursor is None else _cursor(cursor)

    def work(session: Session, now: int) -> tuple[Any, list[str]]:
        rows = list_cues(session, now, which, limit=limit + 1, after=after)
        return rows, [cue_id for _, cue_id, _ in rows[:limit]]

    rows = _read(store, call, "cue.list", work)
    following = f"{rows[limit - 1][0]}.{rows[limit - 1][1]}" if len(rows) > limit else None
    return _answer({"cues": [cue for _, _, cue in rows[:limit]], "next": following})


# -- review -----------------------------------------------------------------------------------------------------------


def post_review(
    crossing_id: str,
    verdict: ReviewIn,
    call: Caller,
    store: Stored,
    if_match: Annotated[str | None, Header(max_length=100)] = None,
) -> Response:
    """Judge a crossing in the state that If-Match names: 428 without it, 412 when the state has moved on."""
    body = _write(
        store, lambda session, now: reviews.review(session, call, now, crossing_id, verdict, if_match=if_match)
    )
    return _answer(body, 201, ETag=body["etag"])


def get_reviews(crossing_id: str, call: Caller, store: Stored) -> Response:
    """Every verdict on a crossing, oldest first."""

    def work(session: Session, now: int) -> tuple[Any, list[str]]:
        return reviews.list_reviews(session, call, now, crossing_id), [crossing_id]

    return _answer(_read(store, call, "review.list", work))


# -- release ----------------------------------------------------------------------------------------------------------


def post_partner(partner: PartnerIn, call: Caller, store: Stored) -> Response:
    """Name a partner."""
    return _answer(_write(store, lambda session, now: agreements.add_partner(session, call, now, partner)), 201)


def get_partners(call: Caller, store: Stored) -> Response:
    """Every partner."""
    return _answer(_read(store, call, "partner.list", lambda session, _now: (agreements.list_partners(session), [])))


def delete_partner(partner_id: str, call: Caller, store: Stored) -> Response:
    """End a partner: its keys stop working and its releases are recalled."""
    _write(store, lambda session, now: agreements.end_partner(session, call, now, partner_id))
    return Response(status_code=204)


def post_agreement(terms: AgreementTerms, call: Caller, store: Stored) -> Response:
    """Put an agreement in force. It is never changed: end it and make another."""
    return _answer(_write(store, lambda session, now: agreements.add_agreement(session, call, now, terms)), 201)


def get_agreements(call: Caller, store: Stored) -> Response:
    """Every agreement."""
    return _answer(
        _read(store, call, "agreement.list", lambda session, _now: (agreements.list_agreements(session), []))
    )


def delete_agreement(agreement_id: str, call: Caller, store: Stored) -> Response:
    """End an agreement and recall every release made under it."""
    _write(store, lambda session, now: agreements.end_agreement(session, call, now, agreement_id))
    return Response(status_code=204)


def post_release(wish: ReleaseIn, call: Caller, store: Stored) -> Response:
    """Release one crossing to one partner: 409 with every reason when the policy forbids it."""
    body, created = _write(store, lambda session, now: releases.release(session, call, now, wish))
    return _answer(body, 201 if created else 200)


def get_releases(
    call: Caller, store: Stored, crossing_id: str | None = None, partner_id: str | None = None
) -> Response:
    """Releases, recalled ones too."""

    def work(session: Session, _now: int) -> tuple[Any, list[str]]:
        found = releases.list_releases(session, crossing_id=crossing_id, partner_id=partner_id)
        return found, [item["id"] for item in found]

    return _answer(_read(store, call, "release.list", work))


def delete_release(release_id: str, call: Caller, store: Stored, reason: Reason = None) -> Response:
    """Recall a release: its partner reads nothing of it any more."""
    _write(store, lambda session, now: releases.recall(session, call, now, release_id, reason))
    return Response(status_code=204)


# -- keys, events, audit ----------------------------------------------------------------------------------------------


def post_key(key: KeyIn, call: Caller, store: Stored) -> Response:
    """Issue a key; its secret is in this answer and nowhere else."""
    issued = _write(
        store,
        lambda session, now: keys.issue_key(
            session,
            call,
            now,
            name=key.name,
            role=key.role,
            partner_id=key.partner_id,
            expires_us=None if key.expires is None else microseconds(key.expires),
        ),
    )
    return _answer({"id": issued.id, "key": issued.key}, 201)


def get_keys(call: Caller, store: Stored) -> Response:
    """Every key without its secret."""
    return _answer(_read(store, call, "key.list", lambda session, _now: (keys.list_keys(session), [])))


def delete_key(key_id: str, call: Caller, store: Stored) -> Response:
    """Revoke a key."""
    _write(store, lambda session, now: keys.revoke_key(session, call, now, key_id))
    return Response(status_code=204)


def get_me(call: Caller, store: Stored) -> Response:
    """What the key stands for."""
    who = call.principal
    body = {"key_id": who.key_id, "name": who.name, "role": who.role, "partner_id": who.partner_id}
    return _answer(_read(store, call, "self.read", lambda _session, _now: (body, [])))


def get_events(call: Caller, store: Stored, after: After = 0, limit: Limit = 100) -> Response:
    """The event log after a cursor; `next` is the cursor to go on from."""

    def work(session: Session, _now: int) -> tuple[Any, list[str]]:
        return read_events(session, after=after, limit=limit), []

    found = _read(store, call, "event.list", work)
    return _answer({"events": found, "next": found[-1]["seq"] if found else after})


def get_audit(call: Caller, store: Stored, after: After = 0, limit: Limit = 100) -> Response:
    """The audit chain after an entry, and its head: note the head elsewhere."""

    def work(session: Session, _now: int) -> tuple[Any, list[str]]:
        head = audit_head(session)
        found = [
            {"seq": entry.seq, "body": entry.body, "hash": entry.hash}
            for entry in read_audit(session, after=after, limit=limit)
        ]
        return {"entries": found, "head": {"seq": head.seq, "hash": head.hash}}, []

    return _answer(_read(store, call, "audit.list", work))


def get_audit_verification(call: Caller, store: Stored) -> Response:
    """Recompute the audit chain: `intact`, and where it is broken if it is."""
    try:
        head = verify_audit(store)
        body: dict[str, Any] = {"intact": True, "head": {"seq": head.seq, "hash": head.hash}}
    except AuditTamperedError as error:
        body = {"intact": False, "seq": error.seq, "problem": str(error)}
    return _answer(_read(store, call, "audit.verify", lambda _session, _now: (body, [])))


def get_openapi(request: Request, call: Caller, store: Stored) -> Response:
    """The OpenAPI document; it needs a key like everything else."""
    return _answer(_read(store, call, "openapi.read", lambda _session, _now: (request.app.openapi(), [])))


# -- open to all ------------------------------------------------------------------------------------------------------


async def get_health() -> Response:
    """The process answers."""
    return _answer({"status": "alive"})


def get_ready(store: Stored) -> Response:
    """The store and the object folder take writes; else 503."""
    store.check()
    return _answer({"status": "ready"})


# -- helpers ----------------------------------------------------------------------------------------------------------


def _peek(store: Store, work: Callable[[Session, int], _T]) -> _T:
    """Look something up for a write that is still to come, and that will be audited."""
    now = store.clock()
    with store.read() as session:
        return work(session, now)


def _bbox(text: str) -> tuple[float, float, float, float]:
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        raise UnprocessableError(f"bbox {text!r} is not west,south,east,north in degrees") from None
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90):
        raise UnprocessableError(f"bbox {text!r} is outside the world or south of itself: west,south,east,north")
    return west, south, east, north


def _cursor(text: str) -> tuple[int, str]:
    match = _CURSOR.fullmatch(text)
    if match is None:
        raise UnprocessableError(f"cursor {text!r} did not come from this service: follow the link named next")
    return int(match[1]), match[2]


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
