"""What was said to a reader about a record: read from the reader's own event log.

A message is an event: a release or a confirmed review says something, a recall, dismissal or erasure takes it back.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.cap.alerts import Message
from api.cap.tables import SAID
from api.store.tables import EventRow
from api.trail.log import INSIDE

__all__ = ["fold", "messages_of"]

_SAYS = {"release.created"}
_TAKES_BACK = {"release.recalled", "record.erased"}


def messages_of(session: Session, audience: str, record_id: str) -> list[Message]:
    """Every message about a record to an audience, oldest first."""
    query = select(EventRow).where(EventRow.audience == audience, EventRow.record_id == record_id, SAID)
    return fold(session.scalars(query.order_by(EventRow.n)), inside=audience == INSIDE)


def fold(events: Iterable[Any], *, inside: bool) -> list[Message]:
    """The messages that the events of one record are.

    Parameters
    ----------
    events
        Rows of the log with n, time_us, kind, record_id, record_type and detail (JSON text), oldest first.
    inside
        Whether those inside are told: releases are no news to them.
    """
    found: list[Message] = []
    before: tuple[tuple[int, int], ...] = ()
    for event in events:
        said = _says(event, inside=inside)
        if said is None or (said is False and not before):
            continue
        message = Message(event.record_id, event.record_type, event.n, event.time_us, cancels=not said, before=before)
        found.append(message)
        before = (*before, (event.n, event.time_us)) if said else ()
    return found


def _says(event: Any, *, inside: bool) -> bool | None:
    """True: something; False: takes it back; None: is no message."""
    if not inside:
        return True if event.kind in _SAYS else False if event.kind in _TAKES_BACK else None
    if event.kind in {"record.erased", "crossing.merged"}:
        return False
    if event.kind in {"crossing.reviewed", "crossing.split"}:  # texts of people cannot hold a bare quote
        # Where two people have to agree, the first word is no confirmation. Older events tell the verdict alone.
        told = '"state":"confirmed"' if '"state":"' in event.detail else '"verdict":"confirm"'
        return told in event.detail
    return True if event.record_type == "cue" and event.kind == "record.created" else None
