"""Which records lie in a box of place and time: the rule that each database's index can serve.

Both keep `readable_box` by triggers on `readable`: SQLite as an R*Tree over time, longitude, latitude and audience,
PostgreSQL as one table a day with a GiST index over audience and place. Either holds numbers of 32 bits, rounded
outwards (sqlite.org/rtree.html; PostGIS `&&`): it finds candidates, the exact columns decide.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Float,
    MetaData,
    Table,
    and_,
    func,
    literal_column,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session
from sqlalchemy.sql import Select
from sqlalchemy.types import NullType

__all__ = ["Sought", "box_rule"]

_MANY = 4000
"""Candidates beyond which a walk in order of time finds a page sooner than the index by place."""
_EPOCH_S = 1_577_836_800  # 2020-01-01: keeps seconds small, for 32 bits hold 24 of them

_RTREE = Table(
    "readable_box",
    MetaData(),
    Column("n", BigInteger, primary_key=True),
    *(Column(name, Float) for name in ("t0", "t1", "x0", "x1", "y0", "y1", "a0", "a1")),
)
_DAYS = Table(
    "readable_box",
    MetaData(),
    *(Column(name, BigInteger) for name in ("n", "time_us", "audience")),
    Column("place", NullType),
)

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
    bbox = sought.bbox
    exact = or_(*(_touching(column, part) for part in _parts(bbox)))
    found = _in_rtree if session.get_bind().dialect.name == "sqlite" else _in_days
    candidates = union_all(*(found(part, sought) for part in _parts(bbox)))
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


def _in_rtree(box: Box, sought: Sought) -> Select[*tuple[Any, ...]]:
    west, south, east, north = box
    column = _RTREE.c
    return select(column.n).where(
        column.x0 <= east,
        column.x1 >= west,
        column.y0 <= north,
        column.y1 >= south,
        *([] if sought.from_us is None else [column.t1 >= sought.from_us / 1e6 - _EPOCH_S]),
        *([] if sought.to_us is None else [column.t0 <= sought.to_us / 1e6 - _EPOCH_S]),
        column.a0 <= sought.audience,
        column.a1 >= sought.audience,
    )


def _in_days(box: Box, sought: Sought) -> Select[*tuple[Any, ...]]:
    column = _DAYS.c
    return select(column.n).where(
        column.place.op("&&", is_comparison=True)(func.ST_MakeEnvelope(*box, literal_column("4326"))),
        *([] if sought.from_us is None else [column.time_us >= sought.from_us]),
        *([] if sought.to_us is None else [column.time_us < sought.to_us]),
        column.audience == sought.audience,
    )
