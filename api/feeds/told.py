"""What is told of an event: what happened, and the record as its audience may read it now, not as it was then."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from api.canonical import canonical
from api.errors import NotFoundError
from api.identity.roles import Principal
from api.records.readable import find_readable, find_released, may_read

__all__ = ["Teller", "Told", "Voice", "one_line", "tell_event"]

_OF_RELEASES = {"release.created", "release.recalled"}


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
        JSON of all that is told, on one line.
    shown
        The record whose feature is in `body`; None where there is none.
    """

    n: int
    kind: str
    time: str
    body: str
    shown: str | None


class Teller:
    """Tells of events at one moment.

    An event of a record carries `feature`, the record as who is told may read it at this moment, and `state`: "current"
    with a feature; "recalled" where the release that it tells of stands no more, "gone" where the record may not be
    read (any more), both without one. A key that is narrowed to less than the record's type hears "gone": the release
    stands, and nobody is to erase what it told others of the same partner.

    Parameters
    ----------
    session
        The snapshot that decides what may be read.
    now_us
        UTC microseconds since the Unix epoch.
    """

    def __init__(self, session: Session, now_us: int) -> None:
        self._session = session
        self._now_us = now_us
        self._released: dict[str, Any] = {}
        self._asked: set[str] = set()
        self._readable: dict[tuple[Principal, str], Any] = {}

    def prepare(self, principal: Principal, events: Iterable[dict[str, Any]]) -> list[str]:
        """The releases that telling `principal` of `events` asks for: hand those of many to `look` at once."""
        if principal.partner_id is None:
            return []
        return [event["detail"]["release_id"] for event in events if event["kind"] in _OF_RELEASES]

    def look(self, release_ids: Iterable[str]) -> None:
        """Look up releases that are asked for next."""
        missing = set(release_ids) - self._asked
        self._released |= find_released(self._session, self._now_us, missing)
        self._asked |= missing

    def tell(self, principal: Principal, event: dict[str, Any], *, again: bool = False) -> Told:
        """What `principal` is told of an event of its audience, as `api.trail.log.read_events` gives it.

        `again` marks it as offered again (`"again": true`): it was told before, and no receipt has come.
        """
        record_id = event["record_id"]
        body = {**event, "again": True} if again else event
        if record_id is None:
            return Told(event["n"], event["kind"], event["time"], one_line(canonical(body)), None)
        row = self.readable(principal, event)
        known = event["record_type"] is None or may_read(principal, event["record_type"])
        if event["kind"] == "release.recalled" or (row is None and principal.partner_id is not None and known):
            state, row = "recalled", None if principal.partner_id is not None else row
        else:
            state = "gone" if row is None else "current"
        # The feature is ready JSON: it goes in unread.
        feature = "null" if row is None else row.feature.decode()
        text = canonical({**body, "state": state})[:-1] + ',"feature":' + feature + "}"
        return Told(event["n"], event["kind"], event["time"], one_line(text), None if row is None else record_id)

    def readable(self, principal: Principal, event: dict[str, Any]) -> Any:
        """The record of an event as `principal` may read it; None where it may not.

        A partner reads it under the very release that the event tells of.
        """
        if principal.partner_id is None:
            return self._inside(principal, event["record_id"])
        if event["kind"] not in _OF_RELEASES:
            return None
        release_id = event["detail"]["release_id"]
        self.look([release_id])
        row = self._released.get(release_id)
        if row is None or row.partner_id != principal.partner_id or row.id != event["record_id"]:
            return None
        return row if may_read(principal, row.type) else None

    def _inside(self, principal: Principal, record_id: str) -> Any:
        key = (principal, record_id)
        if key not in self._readable:
            try:
                self._readable[key] = find_readable(self._session, principal, self._now_us, record_id)
            except NotFoundError:
                self._readable[key] = None
        return self._readable[key]


Voice = Callable[[Teller, Principal, dict[str, Any], bool], Sequence[Told]]
"""What is told of an event to somebody, in order; the last parameter says that it is offered again."""


def tell_event(teller: Teller, principal: Principal, event: dict[str, Any], again: bool) -> Sequence[Told]:
    """The voice of the log itself: all that happens is told to whoever may read the log."""
    return (teller.tell(principal, event, again=again),)


def one_line(text: str) -> str:
    """JSON without the characters that some readers of lines take for the end of one."""
    for sign in "\x85\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text
