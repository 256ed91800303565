"""Which records lie in a box of place and time: the rule that each engine's index can serve.

SQLite keeps `readable_box`, an R*Tree over time, longitude, latitude and audience, by triggers on `readable`. Its
numbers are of 32 bits and rounded outwards (sqlite.org/rtree.html): it finds candidates, the exact columns decide.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Column, ColumnElement, Float, MetaData, Table, and_, func, or_, select, union_all
from sqlalchemy.orm import Session

__all__ = ["BOX_DDL", "Sought", "box_rule"]

_MANY = 4000
"""Candidates beyond which a walk in order of time finds a page sooner than the index by place."""
_EPOCH_S = 1_577_836_800  # 2020-01-01: keeps seconds small, for 32 bits hold 24 of them
_FOREVER = 4e9

_BOX = Table(
    "readable_box",
    MetaData(),
    Column("n", BigInteger, primary_key=True),
    *(Column(name, Float) for name in ("t0", "t1", "x0", "x1", "y0", "y1", "a0", "a1")),
)
_SECONDS = f"NEW.time_us / 1000000.0 - {_EPOCH_S}"
_INSERT = (  # of constants alone
    "INSERT INTO readable_box SELECT "
    f"NEW.n, {_SECONDS}, {_SECONDS}, NEW.west, NEW.east, NEW.south, NEW.north, NEW.audience, NEW.audience"
)
_CHANGED = " OR ".join(
    f"OLD.{name} IS NOT NEW.{name}" for name in ("n", "audience", "time_us", "west", "south", "east", "north")
)
_REMOVE = "DELETE FROM readable_box WHERE n = OLD.n"
BOX_DDL: tuple[str, ...] = (
    "CREATE VIRTUAL TABLE readable_box USING rtree(n, t0, t1, x0, x1, y0, y1, a0, a1)",
    f"CREATE TRIGGER readable_box_insert AFTER INSERT ON readable WHEN NEW.west IS NOT NULL BEGIN {_INSERT}; END",
    f"CREATE TRIGGER readable_box_delete AFTER DELETE ON readable WHEN OLD.west IS NOT NULL BEGIN {_REMOVE}; END",
    # One trigger, for the order of two is nobody's to say.
    (
        f"CREATE TRIGGER readable_box_update AFTER UPDATE ON readable WHEN {_CHANGED} BEGIN {_REMOVE}; "
        f"{_INSERT} WHERE NEW.west IS NOT NULL; END"
    ),
)
"""What makes the index on SQLite."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for in a box.

    Parameters
    ----------
    bbox
        West, south, east, north in degrees; west > east crosses the antimeridian.
    from_us, to_us
        Bounds of the time that is asked for as well, where there are some.
    audience, parameters
        Whose rows alone are looked at, and what that expression is executed with: what others may read must not even
        take time.
    """

    bbox: Box
    from_us: int | None
    to_us: int | None
    audience: ColumnElement[int]
    parameters: dict[str, Any]


def box_rule(session: Session, column: Any, sought: Sought) -> ColumnElement[bool]:
    """The rule for rows whose bounds touch the box.

    Parameters
    ----------
    session
        Tells the engine, and how many candidates the index has.
    column
        Columns of `Readable.rows`.
    sought
        The box, the times and whose rows.
    """
    bbox, audience = sought.bbox, sought.audience
    exact = or_(*(_touching(column, part) for part in _parts(bbox)))
    if session.get_bind().dialect.name != "sqlite":
        return exact
    candidates = union_all(
        *(
            select(_BOX.c.n).where(
                *_touching_box(part),
                *_times(sought.from_us, sought.to_us),
                _BOX.c.a0 <= audience,
                _BOX.c.a1 >= audience,
            )
            for part in _parts(bbox)
        )
    )
    few = candidates.limit(_MANY + 1).subquery()
    if (session.scalar(select(func.count()).select_from(few), sought.parameters) or 0) > _MANY:
        return exact
    return and_(column.n.in_(select(candidates.subquery().c.n)), exact)


def _parts(bbox: Box) -> list[Box]:
    west, south, east, north = bbox
    return [bbox] if west <= east else [(west, south, 180.0, north), (-180.0, south, east, north)]


def _touching(column: Any, box: Box) -> ColumnElement[bool]:
    west, south, east, north = box
    return and_(column.west <= east, column.east >= west, column.south <= north, column.north >= south)


def _touching_box(box: Box) -> tuple[ColumnElement[bool], ...]:
    west, south, east, north = box
    return _BOX.c.x0 <= east, _BOX.c.x1 >= west, _BOX.c.y0 <= north, _BOX.c.y1 >= south


def _times(from_us: int | None, to_us: int | None) -> list[ColumnElement[bool]]:
    return [
        *([] if from_us is None else [_BOX.c.t1 >= from_us / 1e6 - _EPOCH_S]),
        *([] if to_us is None else [_BOX.c.t0 <= to_us / 1e6 - _EPOCH_S]),
    ]
