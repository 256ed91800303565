"""Which records lie in a box of place and time: the rule that each database's index can serve.

Both keep `readable_box` by triggers on `readable`: SQLite as an R*Tree over time, longitude, latitude and audience,
PostgreSQL as one table a day with a GiST index over audience and place. Either holds numbers of 32 bits, rounded
outwards (sqlite.org/rtree.html; PostGIS `&&`): it finds candidates, the exact columns decide.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Double,
    Float,
    MetaData,
    Select,
    Table,
    Text,
    and_,
    bindparam,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.visitors import InternalTraversal
from sqlalchemy.types import NullType

from api.store.direct import direct

__all__ = ["Box", "Sought", "among", "box_parameters", "candidates", "parts", "touching"]

_MANY = 4000
"""Candidates beyond which a walk in order of time finds a page sooner than the index by place."""
_EPOCH_US, _TEN_DAYS_US = 1_577_836_800_000_000, 864_000_000_000
"""Times of the R*Tree are since 2020, in tens of days: a day is as long as a tenth of a degree (0022)."""
_FOREVER = 4e9

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


def candidates(session: Session, sought: Sought) -> str | None:
    """Numbers of rows that may lie in the box, as `among` takes them.

    None where there are so many that a walk in order of time finds a page sooner.
    """
    rtree = session.get_bind().dialect.name == "sqlite"
    look = (_look_in_rtree if rtree else _look_in_days)(sought.audience)
    times = (_times_in_rtree if rtree else _times_in_days)(sought)
    found: list[int] = []
    for west, south, east, north in parts(sought.bbox):
        box = {"box_west": west, "box_south": south, "box_east": east, "box_north": north}
        found += direct(session, look, sought.parameters | times | box).scalars()
        if len(found) > _MANY:
            return None
    numbers = ",".join(map(str, found))
    return f"[{numbers}]" if rtree else f"{{{numbers}}}"


class among(ColumnElement[bool]):  # noqa: N801 - reads as the function that it is to others
    """The rule for rows that `candidates` named; executed with `candidates`."""

    inherit_cache = True
    type = Boolean()
    _traverse_internals = [  # noqa: RUF012 - SQLAlchemy's own API
        ("number", InternalTraversal.dp_clauseelement),
        ("named", InternalTraversal.dp_clauseelement),
    ]

    def __init__(self, column: Any) -> None:
        self.number = column.n
        self.named = bindparam("candidates", type_=Text)

    def self_group(self, against: Any = None) -> among:  # noqa: ARG002 - SQLAlchemy's own API
        """As it stands: where there is no type for truth, it would be compared with 1, and then no index serves it."""
        return self


def touching(column: Any, count: int) -> ColumnElement[bool]:
    """The rule for rows whose bounds touch one of `count` boxes; executed with `box_parameters`."""
    return or_(
        *(
            and_(
                column.west <= bindparam(f"east{number}", type_=Float),
                column.east >= bindparam(f"west{number}", type_=Float),
                column.south <= bindparam(f"north{number}", type_=Float),
                column.north >= bindparam(f"south{number}", type_=Float),
            )
            for number in range(count)
        )
    )


def box_parameters(bbox: Box) -> dict[str, float]:
    """What `touching` is executed with."""
    named = (
        zip((f"{side}{number}" for side in ("west", "south", "east", "north")), part, strict=True)
        for number, part in enumerate(parts(bbox))
    )
    return {name: value for part in named for name, value in part}


def parts(bbox: Box) -> list[Box]:
    """A box in parts that do not cross the antimeridian."""
    west, south, east, north = bbox
    return [bbox] if west <= east else [(west, south, 180.0, north), (-180.0, south, east, north)]


@cache
def _look_in_rtree(audience: ColumnElement[int]) -> Select[tuple[int]]:
    box = _RTREE.c
    return (
        select(box.n)
        .where(
            box.t1 >= bindparam("from_t", type_=Float),
            box.t0 <= bindparam("to_t", type_=Float),
            box.x0 <= bindparam("box_east", type_=Float),
            box.x1 >= bindparam("box_west", type_=Float),
            box.y0 <= bindparam("box_north", type_=Float),
            box.y1 >= bindparam("box_south", type_=Float),
            box.a0 <= audience,
            box.a1 >= audience,
        )
        .limit(_MANY + 1)
    )


def _times_in_rtree(sought: Sought) -> dict[str, float]:
    return {
        "from_t": -_FOREVER if sought.from_us is None else (sought.from_us - _EPOCH_US) / _TEN_DAYS_US,
        "to_t": _FOREVER if sought.to_us is None else (sought.to_us - _EPOCH_US) / _TEN_DAYS_US,
    }


@cache
def _look_in_days(audience: ColumnElement[int]) -> Select[tuple[int]]:
    box = _DAYS.c
    corners = (bindparam(f"box_{side}", type_=Double) for side in ("west", "south", "east", "north"))
    return (
        select(box.n)
        .where(
            box.time_us >= bindparam("from_us", type_=BigInteger),
            box.time_us < bindparam("to_us", type_=BigInteger),
            box.place.op("&&", is_comparison=True)(func.ST_MakeEnvelope(*corners, literal_column("4326"))),
            box.audience == audience,
        )
        .limit(_MANY + 1)
    )


def _times_in_days(sought: Sought) -> dict[str, int]:
    return {
        "from_us": -(2**63) if sought.from_us is None else sought.from_us,
        "to_us": 2**63 - 1 if sought.to_us is None else sought.to_us,
    }


@compiles(among, "sqlite")
def _among_json(element: among, compiler: Any, **more: Any) -> str:
    number, named = (compiler.process(part, **more) for part in (element.number, element.named))
    return f"{number} IN (SELECT value FROM json_each({named}))"  # noqa: S608 - a column and a mark


@compiles(among, "postgresql")
def _among_array(element: among, compiler: Any, **more: Any) -> str:
    number, named = (compiler.process(part, **more) for part in (element.number, element.named))
    return f"{number} = ANY(CAST({named} AS bigint[]))"
