"""What all that people order has in common: named once by who gives it, taken by one run of a station, told of by it.

Orders to vehicles and launches are of this kind. Each is of a record: whoever may read that may read it, and it goes
with it. Here is judged what may become of one; the packages of each write it down in their own words.
"""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

from sqlalchemy import ForeignKey, Select, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from api.errors import ConflictError, NotFoundError, PermissionDeniedError
from api.identity.roles import Principal
from api.orders.states import NEXT, UNTOLD, state_at
from api.records.readable import readable_records
from api.store.tables import Base

__all__ = [
    "Ordered",
    "can_become",
    "can_withdraw",
    "check_person",
    "find_readable_order",
    "given_before",
    "readable_orders",
    "standing_of",
]


class Ordered(Base):
    """Columns of what is ordered. Times are UTC microseconds since the Unix epoch."""

    __abstract__ = True

    WORD: ClassVar[str]
    """What people call one."""
    RECORD: ClassVar[str]
    """The type of the record that it is of."""

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    record_id: Mapped[str] = mapped_column(ForeignKey("record.id"))
    source: Mapped[str]
    """Its ground station, as the source of records."""
    person: Mapped[str]
    """Who answers for it, as `Principal.person`."""
    name: Mapped[str]
    client_id: Mapped[str]
    wish: Mapped[str]
    """Canonical JSON of what was asked for."""
    given_us: Mapped[int]
    expires_us: Mapped[int]
    state: Mapped[str]
    """As it was last written: `state_at` says what it is."""
    words: Mapped[str | None]
    changed_us: Mapped[int]
    station: Mapped[str | None] = mapped_column(String(32))
    """Which run of its ground station took it."""


_Row = TypeVar("_Row", bound=Ordered)


def readable_orders(kind: type[_Row], principal: Principal, now_us: int) -> Select[_Row]:
    """Those of a kind that `principal` may read: of records that it may read."""
    readable = readable_records(principal, now_us)
    rows = readable.rows.c
    query = select(kind).join(readable.rows, rows.id == kind.record_id).where(rows.type == kind.RECORD)
    return query.params(readable.parameters)


def find_readable_order(session: Session, kind: type[_Row], principal: Principal, now_us: int, id_: str) -> _Row:
    """One that `principal` may read. Raises NotFoundError."""
    row = session.scalars(readable_orders(kind, principal, now_us).where(kind.id == id_)).one_or_none()
    if row is None:
        raise NotFoundError(f"{kind.WORD} {id_} does not exist")
    return row


def standing_of(row: Ordered, now_us: int) -> dict[str, Any]:
    """How one stands, as JSON values. `left_s` says for how long it may still be taken; 0 once it is past that."""
    state = state_at(row.state, row.expires_us, now_us)
    return {
        "state": state,
        "words": UNTOLD if (row.state, state) == ("taken", "failed") else row.words,
        "left_s": round(max(0, row.expires_us - now_us) / 1e6, 3),
    }


def check_person(kind: type[Ordered], principal: Principal, source: str) -> None:
    """Raise PermissionDeniedError where no person asks, or a key that does not speak for the ground station."""
    if principal.account_id is None:
        who = "log in, or use a key that belongs to an account"
        raise PermissionDeniedError(f"people give and withdraw each {kind.WORD}: {who}")
    if not principal.may_speak_for(source):
        raise PermissionDeniedError(f"this key does not speak for {source}: use one that does")


def given_before(session: Session, kind: type[_Row], principal: Principal, client_id: str, wish: str) -> _Row | None:
    """What the caller gave before under a name.

    Parameters
    ----------
    wish
        Canonical JSON of what is asked for now.

    Raises
    ------
    ConflictError
        When that was something else.
    """
    mine = kind.person == principal.person, kind.client_id == client_id
    row = session.scalars(select(kind).where(*mine)).one_or_none()
    if row is not None and row.wish != wish:
        raise ConflictError(f"client_id {client_id!r} names another {kind.WORD} of yours: give this one its own")
    return row


def can_withdraw(row: Ordered, now_us: int, instead: str) -> bool:
    """Whether it is to be withdrawn; False where it has been.

    Parameters
    ----------
    instead
        What to do where it is too late.

    Raises
    ------
    ConflictError
        When it was taken, or has ended.
    """
    state = state_at(row.state, row.expires_us, now_us)
    if state != "withdrawn" and "withdrawn" not in NEXT[state]:
        raise ConflictError(f"{row.WORD} {row.id} is {state}: only one that waits can be withdrawn; {instead}")
    return state != "withdrawn"


def can_become(row: Ordered, principal: Principal, now_us: int, *, run: str, state: str) -> bool:
    """Whether it comes to a state because a run of its ground station tells so; False where that told it before.

    Raises
    ------
    NotFoundError
        When the caller does not speak for its ground station.
    ConflictError
        When it has expired, was withdrawn, was taken by another run, or cannot become that any more.
    """
    what = f"{row.WORD} {row.id}"
    if not principal.may_speak_for(row.source):
        raise NotFoundError(f"{what} does not exist")
    found = row.state if row.state == "taken" else state_at(row.state, row.expires_us, now_us)
    # Another run of a station, which has found it in its journal, may say that it broke off.
    if row.station not in {None, run} and state != "failed":
        raise ConflictError(f"{what} was taken by another ground station, or by this one before it was lost")
    if found == state and row.station == run:
        return False
    if state not in NEXT[found]:
        raise ConflictError(f"{what} is {found} and cannot become {state}: leave it")
    return True
