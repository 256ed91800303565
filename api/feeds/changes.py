"""The log as those hear it who read records and not the log: that a record is there, or is not any more.

What was done to it, by whom and why is the log's business; a receiver gets the record as it may read it at that
moment, of the types that it may read, and is told of nothing else. Of launches those who read them hear which one to
read again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from api.canonical import canonical
from api.feeds.told import Teller, Told, one_line
from api.identity.roles import Permission, Principal
from api.records.readable import may_read, may_read_plannings

__all__ = ["SHOWN", "tell_change"]

SHOWN = "record.stream"
"""The action under which the audit has what was streamed."""
_OF_RECORDS = frozenset(
    {
        "record.created",
        "record.replaced",
        "record.erased",
        "evidence.stored",
        "evidence.redacted",
        "crossing.reviewed",
        "crossing.merged",
        "crossing.split",
    }
)
_OF_RELEASES = frozenset({"release.created", "release.recalled"})
_OF_LAUNCHES = frozenset({"launch.given", "launch.changed"})
_NEW = frozenset({"record.created", "release.created"})
_CHANGES_TOO = {
    "crossing.merged": "into",
    "crossing.split": "survivor",
    "evidence.stored": "survivor",
    "record.replaced": "survivor",
}
"""Member of `detail` that names another record, if any, which the event has changed as well."""


def tell_change(teller: Teller, principal: Principal, event: dict[str, Any], again: bool) -> Sequence[Told]:
    """What `principal` hears of an event of its audience, as `api.trail.log.read_events` gives it.

    `record` carries `feature`, a GeoJSON Feature, and `new`, whether it came with this event; `gone` is of a record
    that may not be read (any more); `launch` carries the id of a launch alone. Those inside hear what happens to
    records, a partner what happens to its releases. Nothing is offered `again`: receipts are given to the log.
    """
    kind = event["kind"]
    heard = _OF_RECORDS | _OF_LAUNCHES if principal.partner_id is None else _OF_RELEASES
    if again or kind not in heard or not may_read(principal, event["record_type"]):
        return ()
    if kind in _OF_LAUNCHES:
        if not (may_read_plannings(principal) and principal.may(Permission.ORDER_READ)):
            return ()
        told = {"n": event["n"], "time": event["time"], "id": event["detail"]["launch_id"]}
        return () if teller.readable(principal, event) is None else (_told("launch", told),)
    also = event["detail"].get(_CHANGES_TOO.get(kind))
    changed = (event["record_id"],) if also is None else (also, event["record_id"])
    return [_of_record(teller, principal, event | {"record_id": id_}) for id_ in changed]


def _of_record(teller: Teller, principal: Principal, event: dict[str, Any]) -> Told:
    kind = event["kind"]
    told = {name: event[name] for name in ("n", "time", "record_type", "record_id")}
    row = teller.readable(principal, event)
    if row is None or kind == "release.recalled":
        return _told("gone", told)
    # The feature is ready JSON: it goes in unread.
    text = canonical(told | {"new": kind in _NEW})[:-1] + ',"feature":' + row.feature.decode() + "}"
    return Told(event["n"], "record", event["time"], one_line(text), event["record_id"])


def _told(kind: str, body: dict[str, Any]) -> Told:
    return Told(body["n"], kind, body["time"], one_line(canonical(body)), None)
