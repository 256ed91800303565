"""Which records lie in a box of place and time: the rule that each engine's index can serve.

SQLite keeps `readable_box`, an R*Tree over time, longitude, latitude and audience, by triggers on `readable`. Its
numbers are of 32 bits and rounded outwards (sqlite.org/rtree.html): it finds candidates, the exact columns decide.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Float,
    MetaData,
    Select,
    Table,
    Text,
    and_,
    bindparam,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Session

__all__ = ["BOX_DDL", "Box", "Sought", "among", "box_parameters", "candidates", "parts", "touching"]

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


def candidates(session: Session, sought: Sought) -> str | None:
    """Numbers of rows that may lie in the box, as a JSON array; None where a walk in order of time is the better way.

    That is where there are many, and on engines whose own planner knows the box (see `touching`).
    """
    if session.get_bind().dialect.name != "sqlite":
        return None
    found: list[int] = []
    for part in parts(sought.bbox):
        west, south, east, north = part
        box = {
            "from_s": -_FOREVER if sought.from_us is None else sought.from_us / 1e6 - _EPOCH_S,
            "to_s": _FOREVER if sought.to_us is None else sought.to_us / 1e6 - _EPOCH_S,
            "box_west": west, "box_south": south, "box_east": east, "box_north": north,
        }  # fmt: skip
        found += session.scalars(_look(sought.audience), sought.parameters | box)
        if len(found) > _MANY:
            return None
    return json.dumps(found)


def among(column: Any) -> ColumnElement[bool]:
    """The rule for rows that `candidates` named; executed with `candidates`."""
    named = func.json_each(bindparam("candidates", type_=Text)).table_valued("value")
    return cast(ColumnElement[bool], column.n.in_(select(named.c.value)))


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
def _look(audience: ColumnElement[int]) -> Select[tuple[int]]:
    box = _BOX.c
    return (
        select(box.n)
        .where(
            box.t1 >= bindparam("from_s", type_=Float),
            box.t0 <= bindparam("to_s", type_=Float),
            box.x0 <= bindparam("box_east", type_=Float),
            box.x1 >= bindparam("box_west", type_=Float),
            box.y0 <= bindparam("box_north", type_=Float),
            box.y1 >= bindparam("box_south", type_=Float),
            box.a0 <= audience,
            box.a1 >= audience,
        )
        .limit(_MANY + 1)
    )
