"""Entries of the audit that somebody asks for: by person, deed, object and time, the newest first.

The chain has no index but its numbers, and gets none: what is beside it could be changed without it. One look goes
through so many entries and no more, and says where the next goes on.

Each entry is judged by its own time. Times are nearly in the order of the chain, since what was done is written down a
moment after it began, by one of several processes; so those far outside the times that are asked for are passed over,
once several in a row say where they begin. A single one that somebody changed says nothing of its neighbours, and may
be passed over with them: that it was changed is for the verification to say.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.canonical import canonical
from api.store.tables import AuditRow
from api.times import microseconds_of

__all__ = ["Found", "Sought", "search_audit"]

_MOST_LOOKS = 20_000
"""Entries that one look goes through: a tenth of a second or two."""
_SLACK_US = 600_000_000
"""How much earlier than an entry before it one may be: longer than any request takes, and than clocks differ."""
_IN_A_ROW = 20
"""Readable entries that say together that all behind them are too old, or too new."""


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
        Each with `seq`, `body`, `hash`; a body that is no entry with a time any more, which only somebody with the
        database could bring about, is None.
    next
        The number before which the search goes on; None at its end.
    """

    entries: list[dict[str, Any]]
    next: int | None


def search_audit(session: Session, sought: Sought, *, before: int | None, limit: int) -> Found:
    """The newest entries that are `sought` with a number less than `before`; None begins at the newest.

    There may be fewer than `limit`, and none, where the search is not at its end.
    """
    start = before if sought.until_us is None else _too_new_from(session, sought.until_us + _SLACK_US, before)
    query = select(AuditRow.seq, AuditRow.body, AuditRow.hash).order_by(AuditRow.seq.desc()).limit(_MOST_LOOKS)
    if start is not None:
        query = query.where(AuditRow.seq < start)
    too_old_us = None if sought.since_us is None else sought.since_us - _SLACK_US
    entries: list[dict[str, Any]] = []
    looked, last, too_old = 0, 0, 0
    for seq, text, link in session.execute(query).yield_per(500):
        looked, last = looked + 1, seq
        entry = _entry(text)
        # What was tampered with fits every question: nobody hides an entry by making it unreadable.
        if entry is None or _fits(entry, sought):
            entries.append({"seq": seq, "body": None if entry is None else _told(entry.body), "hash": link})
            if len(entries) == limit:
                return Found(entries, seq if seq > 1 else None)
        if entry is not None and too_old_us is not None:
            too_old = too_old + 1 if entry.time_us < too_old_us else 0
            if too_old == _IN_A_ROW:
                return Found(entries, None)
    return Found(entries, last if looked == _MOST_LOOKS and last > 1 else None)


def _too_new_from(session: Session, time_us: int, before: int | None) -> int:
    """A number from which on all entries are of that time or later, by halves; `before` where none is known."""
    newest = session.scalar(select(AuditRow.seq).order_by(AuditRow.seq.desc()).limit(1)) or 0
    found = newest + 1 if before is None else min(before, newest + 1)
    low, high = 1, found
    while low < high:
        middle = (low + high) // 2
        some = _some_from(session, middle)
        earlier = [seq for seq, entry in some if entry.time_us < time_us]
        if earlier:
            low = earlier[-1] + 1
        else:
            high = middle
            if len(some) == _IN_A_ROW:
                found = min(found, some[-1][0])
    return found


def _some_from(session: Session, seq: int) -> list[tuple[int, _Entry]]:
    """The first readable entries from a number on, with theirs: `_IN_A_ROW`, or what there is."""
    query = select(AuditRow.seq, AuditRow.body).where(AuditRow.seq >= seq).order_by(AuditRow.seq).limit(_MOST_LOOKS)
    some = []
    with session.execute(query.execution_options(yield_per=_IN_A_ROW)) as rows:
        for number, text in rows:
            entry = _entry(text)
            if entry is not None:
                some.append((number, entry))
            if len(some) == _IN_A_ROW:
                break
    return some


@dataclass(frozen=True, slots=True)
class _Entry:
    body: dict[str, Any]
    time_us: int


def _entry(text: object) -> _Entry | None:
    try:
        body = json.loads(text) if isinstance(text, str) else None
        return _Entry(body, microseconds_of(body["time"])) if isinstance(body, dict) else None
    except (KeyError, OverflowError, RecursionError, TypeError, ValueError):  # no JSON, or no time with a zone
        return None


def _told(body: dict[str, Any]) -> dict[str, Any] | None:
    """A body, if it can be answered: what is read need not be what this service would write."""
    try:
        canonical(body).encode()
    except (RecursionError, ValueError):
        return None
    return body


def _fits(entry: _Entry, sought: Sought) -> bool:
    body = entry.body
    return (
        (sought.since_us is None or entry.time_us >= sought.since_us)
        and (sought.until_us is None or entry.time_us < sought.until_us)
        and (sought.actor is None or _is_by(body, sought.actor))
        and (sought.action is None or _is_deed(_text(body, "action"), sought.action))
        and (sought.object_id is None or sought.object_id in _named(body))
    )


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    return value if isinstance(value, str) else ""


def _is_by(body: dict[str, Any], actor: str) -> bool:
    return body.get("actor") == actor or actor.casefold() in _text(body, "name").casefold()


def _is_deed(action: str, sought: str) -> bool:
    return action == sought or action.startswith(f"{sought}.")


def _named(body: dict[str, Any]) -> Iterable[Any]:
    objects, detail = body.get("objects"), body.get("detail")
    yield from objects if isinstance(objects, list) else ()
    yield from detail.values() if isinstance(detail, dict) else ()
