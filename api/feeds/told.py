"""What is told of an event: what happened, and the record as its audience may read it now, not as it was then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from api.canonical import canonical
from api.errors import NotFoundError
from api.identity.roles import Principal
from api.records.readable import find_readable

__all__ = ["Told", "tell"]


@dataclass(frozen=True, slots=True)
class Told:
    """One event as it leaves.

    Parameters
    ----------
    n
        Its number in the audience's log.
    kind
        What happened.
    time
        When, ISO 8601.
    body
        Canonical JSON of all that is told.
    shown
        The record whose feature is in `body`; None where there is none.
    """

    n: int
    kind: str
    time: str
    body: str
    shown: str | None


def tell(
    session: Session, principal: Principal, now_us: int, events: Iterable[dict[str, Any]], *, again: bool = False
) -> Iterator[Told]:
    """What `principal` is told of events of its audience at `now_us`.

    An event of a record carries `feature`, the record as the principal may read it at this moment, and `state`:
    "current" with a feature; "recalled" where the release that it tells of stands no more, "gone" where the record may
    not be read (any more), both without one.

    Parameters
    ----------
    session
        The snapshot that decides what may be read.
    principal
        Who is told.
    now_us
        UTC microseconds since the Unix epoch.
    events
        As `api.trail.log.read_events` gives them.
    again
        Marks them as offered again (`"again": true`): they were told before, and no receipt has come.
    """
    rows: dict[str, Any] = {}
    return (_tell(session, principal, now_us, event, rows, again=again) for event in events)


def _tell(
    session: Session,
    principal: Principal,
    now_us: int,
    event: dict[str, Any],
    rows: dict[str, Any],
    *,
    again: bool,
) -> Told:
    record_id = event["record_id"]
    body = {**event, "again": True} if again else event
    if record_id is None:
        return Told(event["n"], event["kind"], event["time"], _one_line(canonical(body)), None)
    if record_id not in rows:
        try:
            rows[record_id] = find_readable(session, principal, now_us, record_id)
        except NotFoundError:
            rows[record_id] = None
    row = rows[record_id]
    of_release = principal.partner_id is not None  # all that a partner is told of is releases
    if event["kind"] == "release.recalled" or (
        of_release and (row is None or row.release_id != event["detail"]["release_id"])
    ):
        state = "recalled"
    else:
        state = "gone" if row is None else "current"
    if of_release and state != "current":
        row = None
    # The feature is ready JSON: it goes in unread.
    feature = "null" if row is None else row.feature.decode()
    text = canonical({**body, "state": state})[:-1] + ',"feature":' + feature + "}"
    return Told(event["n"], event["kind"], event["time"], _one_line(text), None if row is None else record_id)


def _one_line(text: str) -> str:
    """JSON without the characters that some readers of lines take for the end of one."""
    for sign in "\x85\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text
