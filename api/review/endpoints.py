"""Judging crossings."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Header
from sqlalchemy.orm import Session
from starlette.responses import Response

from api.http import Caller, Route, Stored, answer, read, write
from api.identity.roles import Permission
from api.review import verdicts
from api.review.schemas import ReviewIn

__all__ = ["ROUTES"]


def post_review(
    record_id: str,
    verdict: ReviewIn,
    call: Caller,
    store: Stored,
    if_match: Annotated[str | None, Header(max_length=100)] = None,
) -> Response:
    """Judge a crossing in the state that If-Match names: 428 without it, 412 when the state has moved on."""
    body = write(store, lambda session, now: verdicts.review(session, call, now, record_id, verdict, if_match=if_match))
    return answer(body, 201, ETag=body["etag"])


def get_reviews(record_id: str, call: Caller, store: Stored) -> Response:
    """Every verdict on a crossing, oldest first."""

    def work(session: Session, now: int) -> tuple[Any, list[str]]:
        return verdicts.list_reviews(session, call, now, record_id), [record_id]

    return answer(read(store, call, "review.list", work))


ROUTES: tuple[Route, ...] = (
    Route("POST", "/crossings/{record_id}/reviews", post_review, Permission.REVIEW),
    Route("GET", "/crossings/{record_id}/reviews", get_reviews, Permission.REVIEW_READ),
)
