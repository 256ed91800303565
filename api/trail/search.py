"""Entries of the audit that somebody asks for: by person, deed, object and time, the newest first.

The chain has no index but its numbers, and gets none: what is beside it could be changed without it. One look goes
through so many entries and no more, and says where the next goes on.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.store.tables import AuditRow
from api.times import iso

__all__ = ["Found", "Sought", "search_audit"]

_MOST_LOOKS = 20_000
"""Entries that one look goes through: a tenth of a second or two."""


@dataclass(frozen=True, slots=True)
class Sought:
    """What is asked for: entries that all given members let through.

    Parameters
    ----------
    actor
        The id of who did it, or a part of the name, in small letters or capitals.
    action
        What was done: a deed as `release.recall`, or the first part of its name, `release`.
    object_id
        What it was done to or what was shown, or what the entry's detail names.
    since_us, until_us
        From when, and before when; UTC microseconds since the Unix epoch.
    """

    actor: str | None = None
    action: str | None = None
    object_id: str | None = None
    since_us: int | None = None
    until_us: int | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Some entries, the newest first.

    Parameters
    ----------
    entries
        Each with `seq`, `body`, `hash`; a body that is no entry any more, which only somebody with the database could
        bring about, is None.
    next
        The number before which the search goes on; None at its end.
    """

    entries: list[dict[str, Any]]
    next: int | None


def search_audit(session: Session, sought: Sought, *, before: int | None, limit: int) -> Found:
    """The newest entries that are `sought` with a number less than `before`; None begins at the newest.

    There may be fewer than `limit`, and none, where the search is not at its end.
    """
    since = None if sought.since_us is None else iso(sought.since_us)
    start = before if sought.until_us is None else _first_from(session, iso(sought.until_us), before)
    query = select(AuditRow.seq, AuditRow.body, AuditRow.hash).order_by(AuditRow.seq.desc()).limit(_MOST_LOOKS)
    if start is not None:
        query = query.where(AuditRow.seq < start)
    entries: list[dict[str, Any]] = []
    looked, last = 0, 0
    for seq, text, link in session.execute(query).yield_per(500):
        looked, last = looked + 1, seq
        body = _body(text)
        if since is not None and body is not None and str(body.get("time", "")) < since:
            return Found(entries, None)
        # What was tampered with fits every question: nobody hides an entry by making it unreadable.
        if body is None or _fits(body, sought):
            entries.append({"seq": seq, "body": body, "hash": link})
            if len(entries) == limit:
                return Found(entries, seq if seq > 1 else None)
    return Found(entries, last if looked == _MOST_LOOKS and last > 1 else None)


def _first_from(session: Session, time: str, before: int | None) -> int | None:
    """The number of the first entry at `time` or later, by halves: the service's time never goes back."""
    newest = session.scalar(select(AuditRow.seq).order_by(AuditRow.seq.desc()).limit(1)) or 0
    low, high = 1, newest + 1 if before is None else min(before, newest + 1)
    while low < high:
        middle = (low + high) // 2
        row = session.execute(
            select(AuditRow.seq, AuditRow.body).where(AuditRow.seq >= middle).order_by(AuditRow.seq).limit(1)
        ).one()
        body = _body(row.body)
        if body is not None and str(body.get("time", "")) < time:
            low = row.seq + 1
        else:
            high = middle
    return low


def _body(text: object) -> dict[str, Any] | None:
    try:
        body = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _fits(body: dict[str, Any], sought: Sought) -> bool:
    return (
        (sought.actor is None or _is_by(body, sought.actor))
        and (sought.action is None or _is_deed(str(body.get("action")), sought.action))
        and (sought.object_id is None or sought.object_id in _named(body))
    )


def _is_by(body: dict[str, Any], actor: str) -> bool:
    return body.get("actor") == actor or actor.casefold() in str(body.get("name")).casefold()


def _is_deed(action: str, sought: str) -> bool:
    return action == sought or action.startswith(f"{sought}.")


def _named(body: dict[str, Any]) -> Iterable[Any]:
    objects, detail = body.get("objects"), body.get("detail")
    yield from objects if isinstance(objects, list) else ()
    yield from detail.values() if isinstance(detail, dict) else ()
