"""Retention, legal holds, erasure, tombstones, and the page for everybody."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from api.account import answers, erasure, retention
from api.account.assent import assented
from api.account.page import page_of
from api.account.schemas import ErasureIn, HoldIn, LiftIn, RetentionIn
from api.account.transparency import publications
from api.described import NOTHING
from api.http import Caller, Given, Route, Stored, answer, answer_page, peek, read, write
from api.identity.roles import Permission
from api.pages import Asked, Limit, cursor_of
from api.wire import PLAIN

__all__ = ["ROUTES"]

Purpose = Annotated[str, Path(min_length=1, max_length=200, pattern=PLAIN)]


def get_retention(call: Caller, store: Stored) -> Response:
    """The rules by purpose."""
    return answer(read(store, call, "retention.list", lambda session, _now: (retention.list_rules(session), [])))


def put_retention(purpose: Purpose, rule: RetentionIn, call: Caller, store: Stored) -> Response:
    """Keep records of a purpose for so many days at most; never longer than a record says itself."""
    return answer(write(store, call, lambda session, now: retention.set_rule(session, call, now, purpose, rule.days)))


def delete_retention(purpose: Purpose, call: Caller, store: Stored) -> Response:
    """End a rule."""
    write(store, call, lambda session, now: retention.end_rule(session, call, now, purpose))
    return Response(status_code=204)


def post_hold(hold: HoldIn, call: Caller, store: Stored) -> Response:
    """Keep a record from being erased."""
    return answer(
        write(store, call, lambda session, now: retention.place_hold(session, call, now, hold.record_id, hold.reason)),
        201,
    )


def get_holds(
    request: Request,
    call: Caller,
    store: Stored,
    asked: Asked,
    record_id: Annotated[str | None, Query(max_length=32)] = None,
) -> Response:
    """Holds, oldest first, lifted ones too."""

    def work(session: Session, _now: int) -> tuple[Any, list[str]]:
        found = retention.list_holds(session, asked, record_id=record_id)
        return found, [item["id"] for item in found.items]

    return answer_page(request, read(store, call, "hold.list", work))


def post_hold_lift(hold_id: str, lift: LiftIn, call: Caller, store: Stored, settings: Given) -> Response:
    """Lift a hold; 202 where a second person has to want it too."""
    two = settings.account.two_people_lift
    done = write(
        store, call, lambda session, now: retention.lift_hold(session, call, now, hold_id, lift.reason, two_people=two)
    )
    return answer({"state": "waits for a second person"}, 202) if done is None else answer(done)


def post_erasure(wish: ErasureIn, call: Caller, store: Stored, settings: Given) -> Response:
    """Erase a record: 202 where a second person has to want it too. Partners who have it are sent a recall.

    202 also where its bytes are still in the log of a file that somebody reads: it is shown to nobody any more, and
    they are overwritten when that reading has ended.
    """
    two = settings.account.two_people_erase

    def work(session: Session, now: int) -> set[str] | None:
        erasure.erasable(session, wish.record_id)
        if not assented(session, call, now, "record.erase", wish.record_id, two_people=two):
            return None
        return erasure.erase_one(session, call, now, wish.record_id, reason=wish.reason)

    objects = write(store, call, work)
    if objects is None:
        return answer({"state": "waits for a second person"}, 202)
    erasure.remove_objects(store, objects)
    store.forget()
    if not store.has_forgotten:
        return answer({"state": "erased when what is being read ends"}, 202)
    return answer({"state": "erased"})


def get_tombstones(
    call: Caller, store: Stored, limit: Limit = 100, after: Annotated[str | None, Query(max_length=60)] = None
) -> Response:
    """What was erased, when and why, oldest first; `next` is the cursor to go on from."""

    def work(session: Session, _now: int) -> tuple[Any, list[str]]:
        last = None if after is None else cursor_of(after)
        return erasure.list_tombstones(session, after=last, limit=limit), []

    found = read(store, call, "tombstone.list", work)
    return answer({"tombstones": found, "next": found[-1]["cursor"] if found else after})


def get_transparency_json(store: Stored) -> Response:
    """What everybody may know, a month at a time."""
    return answer({"months": peek(store, lambda session, _now: publications(session))})


def get_transparency(store: Stored) -> Response:
    """The same as a page, without script."""
    page, policy = page_of(peek(store, lambda session, _now: publications(session)))
    return Response(page, media_type="text/html; charset=utf-8", headers={"Content-Security-Policy": policy})


ROUTES: tuple[Route, ...] = (
    Route("GET", "/retention", get_retention, Permission.POLICY_READ, answers=answers.RULES),
    Route("PUT", "/retention/{purpose}", put_retention, Permission.POLICY_WRITE, answers=answers.RULE),
    Route("DELETE", "/retention/{purpose}", delete_retention, Permission.POLICY_WRITE, answers=NOTHING),
    Route("POST", "/holds", post_hold, Permission.HOLD, answers=answers.PLACED),
    Route("GET", "/holds", get_holds, Permission.ERASURE_READ, answers=answers.HOLDS),
    Route("POST", "/holds/{hold_id}/lift", post_hold_lift, Permission.HOLD, answers=answers.LIFTED),
    Route("POST", "/erasures", post_erasure, Permission.ERASE, answers=answers.ERASED),
    Route("GET", "/tombstones", get_tombstones, Permission.ERASURE_READ, answers=answers.TOMBSTONES),
    Route("GET", "/transparency", get_transparency, None, answers=answers.PAGE),
    Route("GET", "/transparency.json", get_transparency_json, None, answers=answers.PUBLISHED),
)
