"""A job that one process does for all that share a store: it holds a lease, and who falls holds it no longer."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from api.feeds.tables import LeaseRow

__all__ = ["give_lease", "holds_lease", "runs", "take_lease"]

_LONGEST_US = 120_000_000
"""What is believed of a lease at least: other processes may have other settings, and clocks differ."""


def take_lease(session: Session, name: str, owner: str, now_us: int, for_us: int) -> bool:
    """Take a lease, or hold it for longer; False where another holds it.

    Parameters
    ----------
    session
        A session of `Store.write`.
    name
        Of the job.
    owner
        Who asks; of each process its own.
    now_us
        UTC microseconds since the Unix epoch.
    for_us
        How long it lasts from now: longer than the clocks of two machines may differ.
    """
    row = session.scalars(select(LeaseRow).where(LeaseRow.name == name).with_for_update()).one_or_none()
    if row is None:
        try:
            with session.begin_nested():
                session.add(LeaseRow(name=name, owner=owner, until_us=now_us + for_us))
        except IntegrityError:  # another was first, between the look and the insert
            return False
        return True
    if row.owner != owner and runs(row.until_us, now_us, for_us):
        return False
    row.owner, row.until_us = owner, now_us + for_us
    return True


def runs(until_us: int, now_us: int, for_us: int) -> bool:
    """Whether a lease that is given for `for_us` runs at `now_us`.

    One that would run for far longer was given by a clock that has been set back since: whoever holds it renews it by
    the clock of now, and nobody waits for a time that may be years away.
    """
    return now_us < until_us <= now_us + max(2 * for_us, _LONGEST_US)


def holds_lease(session: Session, name: str, owner: str, now_us: int) -> bool:
    """Whether `owner` holds that lease now; in a write transaction it stays so until the commit."""
    held = select(LeaseRow.until_us).where(LeaseRow.name == name, LeaseRow.owner == owner).with_for_update()
    until_us = session.scalar(held)
    return until_us is not None and until_us > now_us


def give_lease(session: Session, name: str, owner: str) -> None:
    """Let go of a lease, so that another need not wait for its end."""
    row = session.get(LeaseRow, name)
    if row is not None and row.owner == owner:
        session.delete(row)
