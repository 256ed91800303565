"""Judging crossings: the queue, claims, verdicts, merges, notes, cases, and the rules of all this."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, cast

from fastapi import Header, Query, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from api.asked import Flag, Whole
from api.conditions import KNOWN, unless_known
from api.described import NOTHING
from api.errors import UnprocessableError
from api.http import Caller, Route, Stored, answer, answer_page, bbox_of, read, write
from api.identity.roles import Permission
from api.pages import Asked, Cursor, cursor_of, links_of
from api.records.lists import RecordFilter
from api.review import answers, cases, claims, merging, notes, policy, queue, verdicts
from api.review.schemas import (
    SEVERITIES,
    AnnotationIn,
    CaseIn,
    CasePatch,
    MergeIn,
    PolicyIn,
    ReasonIn,
    ReviewIn,
    SeenIn,
    Severity,
)
from api.review.seen import mark_seen
from api.times import microseconds
from api.wire import Id, Kind, Moment

__all__ = ["ROUTES"]

_IfMatch = Annotated[str | None, Header(max_length=100)]
_PLACE = re.compile(r"([a-z]{1,20})\.(-?\d{1,18}\.[0-9a-f]{32})")


def get_review_queue(  # noqa: PLR0917 - FastAPI passes by name
    request: Request,
    call: Caller,
    store: Stored,
    since: Annotated[Moment | None, Query(alias="from")] = None,
    until: Annotated[Moment | None, Query(alias="to")] = None,
    bbox: Annotated[str | None, Query(max_length=200, description="west,south,east,north in degrees")] = None,
    kind: Kind | None = None,
    severity: Severity | None = None,
    claimed: Annotated[Literal["none", "mine"] | None, Query(description="nobody's, or the caller's own")] = None,
    seen: Annotated[Flag | None, Query(description="whether the caller has looked at the present revision")] = None,
    limit: Annotated[Whole, Query(ge=1, le=200)] = 50,
    cursor: Cursor = None,
) -> Response:
    """Crossings that wait for a verdict, the gravest first, then the newest; the link named next leads on."""
    records = RecordFilter(
        type="crossing",
        from_us=None if since is None else microseconds(since),
        to_us=None if until is None else microseconds(until),
        bbox=None if bbox is None else bbox_of(bbox),
        kind=kind,
    )
    which = queue.QueueFilter(records, severity=severity, claimed=claimed, seen=seen)
    after = None if cursor is None else _place_of(cursor)

    def work(session: Session, now: int) -> tuple[Any, list[str]]:
        page = queue.read_queue(session, call, now, which, limit=limit, after=after)
        return page, [item["id"] for item in page["items"]]

    page = read(store, call, "queue.read", work)
    place = page.pop("next")
    return answer(page | {"links": links_of(request, None if place is None else ".".join(map(str, place)))})


def post_review(record_id: str, verdict: ReviewIn, call: Caller, store: Stored, if_match: _IfMatch = None) -> Response:
    """Judge a crossing in the state that If-Match names: 428 without it, 412 when the state has moved on."""
    body = write(
        store, call, lambda session, now: verdicts.review(session, call, now, record_id, verdict, if_match=if_match)
    )
    return answer(body, 201, ETag=body["etag"])


def get_reviews(record_id: str, call: Caller, store: Stored) -> Response:
    """Every verdict on a crossing, oldest first."""

    def work(session: Session, now: int) -> tuple[Any, list[str]]:
        return verdicts.list_reviews(session, call, now, record_id), [record_id]

    return answer(read(store, call, "review.list", work))


def post_claim(record_id: str, call: Caller, store: Stored) -> Response:
    """Begin to work on a crossing, or go on: nobody else judges it until the claim ends. 409 while another holds it."""
    body, new = write(store, call, lambda session, now: claims.claim(session, call, now, record_id))
    return answer(body, 201 if new else 200)


def post_take_over(record_id: str, why: ReasonIn, call: Caller, store: Stored) -> Response:
    """Take a claim from whoever holds it."""
    return answer(write(store, call, lambda session, now: claims.take_over(session, call, now, record_id, why.reason)))


def delete_claim(record_id: str, call: Caller, store: Stored) -> Response:
    """Let go of a crossing."""
    write(store, call, lambda session, now: claims.unclaim(session, call, now, record_id))
    return Response(status_code=204)


def post_seen(record_id: str, call: Caller, store: Stored) -> Response:
    """Note that the caller has looked at the present revision of a crossing."""
    changed = write(store, call, lambda session, now: mark_seen(session, call, now, [record_id]))
    return answer({"changed": changed})


def post_all_seen(marks: SeenIn, call: Caller, store: Stored) -> Response:
    """The same for many crossings, or take it back: all, or none where one may not be known of."""
    changed = write(store, call, lambda session, now: mark_seen(session, call, now, marks.ids, seen=marks.seen))
    return answer({"changed": changed})


def post_merge(record_id: str, wish: MergeIn, call: Caller, store: Stored) -> Response:
    """One event that was told twice becomes one: this crossing goes into another, or others go into this one."""
    body = write(store, call, lambda session, now: merging.merge(session, call, now, record_id, wish))
    return answer(body)


def post_split(record_id: str, why: ReasonIn, call: Caller, store: Stored) -> Response:
    """Part a merged crossing from its survivor again."""
    return answer(write(store, call, lambda session, now: merging.split(session, call, now, record_id, why.reason)))


def post_annotation(record_id: str, note: AnnotationIn, call: Caller, store: Stored) -> Response:
    """Add a note to a crossing. Notes are never changed and never shared."""
    return answer(write(store, call, lambda session, now: notes.annotate(session, call, now, record_id, note)), 201)


def get_annotations(request: Request, record_id: str, call: Caller, store: Stored, asked: Asked) -> Response:
    """Notes on a crossing, oldest first."""

    def work(session: Session, now: int) -> tuple[Any, list[str]]:
        return notes.list_annotations(session, call, now, record_id, asked), [record_id]

    return answer_page(request, read(store, call, "annotation.list", work))


def get_review_policy(request: Request, call: Caller, store: Stored) -> Response:
    """The rules of review in force: what is an alert, and what takes two people."""
    body = read(store, call, "review_policy.read", lambda session, _now: (policy.get_policy(session), []))
    return unless_known(request, answer(body, ETag=body["etag"]))


def put_review_policy(rules: PolicyIn, call: Caller, store: Stored, if_match: _IfMatch = None) -> Response:
    """Put other rules in force; the queue is sorted by them at once. Verdicts that stand keep standing."""
    body = write(store, call, lambda session, now: queue.change_policy(session, call, now, rules, if_match=if_match))
    return answer(body, ETag=body["etag"])


def post_case(wish: CaseIn, call: Caller, store: Stored) -> Response:
    """Open a case."""
    body = write(store, call, lambda session, now: cases.open_case(session, call, now, wish))
    return answer(body, 201, ETag=body["etag"])


def get_cases(  # noqa: PLR0917 - FastAPI passes by name
    request: Request,
    call: Caller,
    store: Stored,
    asked: Asked,
    state: Literal["open", "closed"] | None = None,
    record_id: Id | None = None,
) -> Response:
    """Cases, the newest first, without what is in them; the link named next leads on."""

    def work(session: Session, _now: int) -> tuple[Any, list[str]]:
        found = cases.list_cases(session, asked, state=state, record_id=record_id)
        return found, [each["id"] for each in found.items]

    page = read(store, call, "case.list", work)
    return answer({"cases": page.items, "links": links_of(request, page.next)})


def get_case(case_id: str, request: Request, call: Caller, store: Stored) -> Response:
    """A case and its records, as far as the caller may read them."""

    def work(session: Session, now: int) -> tuple[Any, list[str]]:
        body = cases.get_case(session, call, now, case_id)
        return body, [case_id, *(each["id"] for each in body["records"])]

    body = read(store, call, "case.read", work)
    return unless_known(request, answer(body, ETag=body["etag"]))


def get_case_history(request: Request, case_id: str, call: Caller, store: Stored, asked: Asked) -> Response:
    """What was done to a case, by whom and when, oldest first."""

    def work(session: Session, now: int) -> tuple[Any, list[str]]:
        found = cases.case_history(session, call, now, case_id, asked)
        named = (entry["record_id"] for entry in found.items)
        return found, [case_id, *dict.fromkeys(id_ for id_ in named if id_ is not None)]

    return answer_page(request, read(store, call, "case.history", work))


def patch_case(case_id: str, wish: CasePatch, call: Caller, store: Stored, if_match: _IfMatch = None) -> Response:
    """Change a case in the state that If-Match names: 428 without it, 412 when the state has moved on."""
    body = write(
        store, call, lambda session, now: cases.change_case(session, call, now, case_id, wish, if_match=if_match)
    )
    return answer(body, ETag=body["etag"])


def _place_of(text: str) -> queue.Place:
    match = _PLACE.fullmatch(text)
    if match is None or match[1] not in SEVERITIES:
        raise UnprocessableError(f"cursor {text!r} did not come from this service: follow the link named next")
    return cast("Severity", match[1]), *cursor_of(match[2])


ROUTES: tuple[Route, ...] = (
    Route("GET", "/reviews/queue", get_review_queue, Permission.REVIEW_READ, answers=answers.QUEUE),
    Route("GET", "/reviews/policy", get_review_policy, Permission.POLICY_READ, answers=answers.POLICY | KNOWN),
    Route("PUT", "/reviews/policy", put_review_policy, Permission.POLICY_WRITE, answers=answers.POLICY),
    Route("POST", "/crossings/seen", post_all_seen, Permission.REVIEW_READ, answers=answers.SEEN),
    Route("POST", "/crossings/{record_id}/seen", post_seen, Permission.REVIEW_READ, answers=answers.SEEN),
    Route("POST", "/crossings/{record_id}/claim", post_claim, Permission.CLAIM, answers=answers.CLAIM),
    Route(
        "POST", "/crossings/{record_id}/claim/take-over", post_take_over, Permission.CLAIM_TAKE, answers=answers.CLAIMED
    ),
    Route("DELETE", "/crossings/{record_id}/claim", delete_claim, Permission.CLAIM, answers=NOTHING),
    Route("POST", "/crossings/{record_id}/reviews", post_review, Permission.REVIEW, answers=answers.REVIEWED),
    Route("GET", "/crossings/{record_id}/reviews", get_reviews, Permission.REVIEW_READ, answers=answers.REVIEWS),
    Route("POST", "/crossings/{record_id}/merge", post_merge, Permission.REVIEW, answers=answers.MERGED),
    Route("POST", "/crossings/{record_id}/split", post_split, Permission.REVIEW, answers=answers.SPLIT),
    Route(
        "POST", "/crossings/{record_id}/annotations", post_annotation, Permission.ANNOTATE, answers=answers.ANNOTATED
    ),
    Route(
        "GET",
        "/crossings/{record_id}/annotations",
        get_annotations,
        Permission.REVIEW_READ,
        answers=answers.ANNOTATIONS,
    ),
    Route("POST", "/cases", post_case, Permission.CASE_WRITE, answers=answers.OPENED),
    Route("GET", "/cases", get_cases, Permission.CASE_READ, answers=answers.CASES),
    Route("GET", "/cases/{case_id}", get_case, Permission.CASE_READ, answers=answers.CASE),
    Route("GET", "/cases/{case_id}/history", get_case_history, Permission.CASE_READ, answers=answers.HISTORY),
    Route("PATCH", "/cases/{case_id}", patch_case, Permission.CASE_WRITE, answers=answers.CHANGED),
)
