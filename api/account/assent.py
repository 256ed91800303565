"""Deeds that two people must want: the first asks, a second one does."""

from __future__ import annotations

from sqlalchemy.orm import Session

from api.account.tables import AssentRow
from api.errors import ConflictError
from api.identity.roles import Call
from api.trail.audit import append_audit

__all__ = ["assented"]

_LAPSES_US = 7 * 86_400_000_000


def assented(session: Session, call: Call, now_us: int, action: str, subject: str, *, two_people: bool) -> bool:
    """Whether the deed may be done now; else it was noted that the caller asks for it, and another may do it.

    Parameters
    ----------
    action, subject
        What is to be done, and to what.
    two_people
        False asks nobody. What was asked lapses after a week.

    Raises
    ------
    ConflictError
        When the caller has asked already: another person has to do it.
    """
    if not two_people:
        return True
    asked = session.get(AssentRow, (action, subject))
    if asked is not None and now_us - asked.time_us > _LAPSES_US:
        session.delete(asked)
        session.flush()
        asked = None
    me = call.principal.person  # two keys of one account are one
    if asked is None:
        session.add(AssentRow(action=action, subject=subject, by=me, time_us=now_us))
        append_audit(session, call, now_us, f"{action}.ask", [subject])
        return False
    if asked.by == me:
        raise ConflictError("you have asked for this already: a second person has to do it")
    session.delete(asked)
    return True
