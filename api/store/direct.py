"""Statements of every request: built once, written once for a database, and given to its driver as they stand.

A driver gets what it would get otherwise, and what it says comes back the same way. What is left out is the work of
finding that out anew each time, which takes longer than the statement itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any, TypeVar

from sqlalchemy import Connection, CursorResult, Delete, Insert, Select, Update
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Session

from api.store.plain import Plain

__all__ = ["Said", "Statement", "Writing", "direct", "said"]

Statement = Select[*tuple[Any, ...]] | Insert | Update | Delete
"""Over numbers, texts and bytes alone, which a driver takes and gives as they are; no list stands in an IN."""
Values = Mapping[str, Any]
Writing = Session | Connection | Plain
"""A write transaction: a session, or a connection alone."""
_T = TypeVar("_T")
_FEW, _MANY = 64, 256
"""Rows that are inserted by one statement: of up to `_FEW` each number makes a statement of its own to be kept ready,
beyond that powers of two do."""


@dataclass(frozen=True, slots=True)
class Said:
    """A statement as a driver takes it.

    Parameters
    ----------
    text
        With the driver's own marks.
    names
        Of the values, in the order of the marks; None where marks have names.
    fixed
        Values that are a part of the statement.
    """

    text: str
    names: tuple[str, ...] | None
    fixed: Values

    def values(self, given: Values) -> Any:
        """The values of one execution, as the driver takes them."""
        whole = {**self.fixed, **given} if self.fixed else given
        return whole if self.names is None else tuple(map(whole.__getitem__, self.names))

    def at_once(self, rows: Sequence[tuple[Any, ...]]) -> tuple[str, tuple[Any, ...]]:
        """An Insert with marks in place of names as one statement for several rows.

        A driver that is given row by row lets others run between any two, and waits for its turn again each time. And
        where a trigger follows, SQLite copies each page that a statement is about to change, to be able to undo it
        alone: row by row that takes longer than all else.
        """
        before, values, after = self.text.partition(" VALUES (")
        row, _, after = after.partition(")")  # marks alone: no bracket stands between
        given = ", ".join([f"({row})"] * len(rows))
        return before + values[:-1] + given + after, tuple(chain.from_iterable(rows))


def direct(session: Writing, statement: Statement, given: Values | Sequence[Values]) -> CursorResult[Any]:
    """Execute a statement in the transaction of a session, past what the session has not flushed yet.

    Parameters
    ----------
    session
        Or a connection alone; what a `Plain` one finds are bare rows: `one_or_none`, or all of them in turn.
    given
        Its parameters by name: of an Insert the columns, all of them in each row; a sequence executes it for each.
    """
    connection: Any = session.connection() if isinstance(session, Session) else session
    rows: Sequence[Values] = [given] if type(given) is dict or isinstance(given, Mapping) else given
    told = said(statement, connection.dialect, tuple(rows[0]) if isinstance(statement, Insert) else None)
    values = [told.values(row) for row in rows]
    if told.names is not None and isinstance(statement, Insert) and len(values) > 1:
        found: list[CursorResult[Any]] = [connection.exec_driver_sql(*told.at_once(part)) for part in _parts(values)]
        return found[-1]
    one: CursorResult[Any] = connection.exec_driver_sql(told.text, values[0] if len(values) == 1 else values)
    return one


def _parts(rows: Sequence[_T]) -> Iterator[Sequence[_T]]:
    start = 0
    while left := len(rows) - start:
        size = left if left <= _FEW else min(_MANY, 1 << (left.bit_length() - 1))
        yield rows[start : start + size]
        start += size


@lru_cache(maxsize=1024)
def said(statement: Statement, dialect: Dialect, columns: tuple[str, ...] | None = None) -> Said:
    """How a statement is said to a driver; of an Insert, with values for `columns`."""
    whole = statement.inline() if isinstance(statement, Insert) else statement  # nothing is asked back
    compiled: Any = whole.compile(dialect=dialect, column_keys=columns)
    marks = tuple(compiled.positiontup) if compiled.positional else None
    fixed = {name: value for name, value in compiled.params.items() if value is not None}
    return Said(compiled.string, marks, fixed)
