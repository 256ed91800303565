"""What filters need of SQL and each database says in its own words: places, patterns, members of features.

SQLite has no geometry, folds the case of ASCII alone and has a LIKE that does not tell case, so it borrows functions of
this process; PostgreSQL has PostGIS. Both see the same values and answer NULL where a value is NULL.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import shapely
import shapely.geometry
from sqlalchemy import Boolean, Double, Engine, LargeBinary, Text, and_, case, cast, event, func, literal, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from api.errors import BadRequestError

__all__ = ["RELATIONS", "Dialect", "dialect_of", "glob_of", "within"]

RELATIONS = {
    "s_contains": "contains",
    "s_crosses": "crosses",
    "s_disjoint": "disjoint",
    "s_equals": "equals",
    "s_intersects": "intersects",
    "s_overlaps": "overlaps",
    "s_touches": "touches",
    "s_within": "within",
}
"""Spatial function of CQL2 -> predicate of DE-9IM, as shapely and PostGIS name it."""

STEPS = 10_000
"""Of SQLite's machine between two looks at the clock."""
_Column = ColumnElement[Any]


@dataclass(frozen=True, slots=True)
class Dialect:
    """One database's way to say what SQL has no common word for.

    Parameters
    ----------
    place
        (relation, place, geometry): whether the place of a record, which is its west, south, east and north bounds in
        degrees and its serialised Feature, stands in a relation of `RELATIONS` to the geometry.
    like
        (text, pattern): whether the text matches, case and all; % and _ stand for any, a backslash takes their meaning.
    lower
        The text in small letters, of every script, whatever language the database was made for.
    ordered
        The text as it compares with others: by its characters, as in every database.
    text, number
        (feature, name): that member of the properties of a serialised Feature; NULL where there is none.
    """

    place: Callable[[str, Sequence[_Column], shapely.Geometry], ColumnElement[bool]]
    like: Callable[[_Column, str], ColumnElement[bool]]
    lower: Callable[[_Column], _Column]
    ordered: Callable[[_Column], _Column]
    text: Callable[[_Column, str], _Column]
    number: Callable[[_Column, str], _Column]


def dialect_of(session: Session) -> Dialect:
    """The dialect of the database that `session` speaks to."""
    return _DIALECTS[session.get_bind().dialect.name]


def glob_of(pattern: str) -> str:
    r"""The GLOB of SQLite that means what a pattern of LIKE with a backslash as escape means.

    Examples
    --------
    >>> glob_of(r"a%b_c\%*")
    'a*b?c%[*]'
    """
    found, characters = [], iter(pattern)
    for character in characters:
        taken = next(characters, "\\") if character == "\\" else None
        plain = taken or character
        wild = None if taken else {"%": "*", "_": "?"}.get(character)
        found.append(wild or (f"[{plain}]" if plain in "*?[" else plain))
    return "".join(found)


@contextmanager
def within(session: Session, seconds: float) -> Iterator[None]:
    """Give up what the database is asked in the block when it takes longer than `seconds`.

    Raises
    ------
    BadRequestError
        When it did: what a stranger may ask must not hold a thread for ever.
    """
    deadline = time.monotonic() + seconds
    raw: Any = session.connection().connection.driver_connection
    if isinstance(raw, sqlite3.Connection):
        raw.set_progress_handler(lambda: time.monotonic() > deadline, STEPS)
    else:
        session.execute(
            text("SELECT set_config('statement_timeout', :ms, true)"), {"ms": str(max(1, round(seconds * 1000)))}
        )
    try:
        yield
    except OperationalError as error:
        if time.monotonic() <= deadline:
            raise
        raise BadRequestError(
            f"the answer took longer than {seconds:g} s to find: narrow the query by bbox or datetime"
        ) from error
    finally:
        if isinstance(raw, sqlite3.Connection):
            raw.set_progress_handler(None, 0)


@lru_cache(maxsize=64)
def _literal_of(wkb: bytes) -> shapely.Geometry:
    geometry = shapely.from_wkb(wkb)
    shapely.prepare(geometry)
    return geometry


@lru_cache(maxsize=256)
def _geometry_of(feature: bytes) -> shapely.Geometry:
    return shapely.geometry.shape(json.loads(feature)["geometry"])


def _sqlite_related(  # noqa: PLR0917 - SQLite passes by position
    relation: str, west: float | None, south: float, east: float, north: float, feature: bytes, wkb: bytes
) -> bool | None:
    if west is None:
        return None
    other = _literal_of(wkb)
    if west == east and south == north:
        if relation == "intersects":
            return bool(shapely.intersects_xy(other, west, south))
        return bool(getattr(shapely, relation)(shapely.Point(west, south), other))
    return bool(getattr(shapely, relation)(_geometry_of(feature), other))


def _sqlite_lower(text: str | None) -> str | None:
    return None if text is None else str(text).lower()


@event.listens_for(Engine, "connect")
def _lend(connection: Any, _record: Any) -> None:
    """Every connection to SQLite knows our functions, whoever opened it."""
    if isinstance(connection, sqlite3.Connection):
        connection.create_function("vedette_related", 7, _sqlite_related, deterministic=True)
        connection.create_function("vedette_lower", 1, _sqlite_lower, deterministic=True)


def _json_path(name: str) -> str:
    return f'$.properties."{name}"'


_SQLITE = Dialect(
    place=lambda relation, place, geometry: func.vedette_related(
        relation, *place, literal(shapely.to_wkb(geometry), LargeBinary), type_=Boolean
    ),
    like=lambda text, pattern: text.op("GLOB", is_comparison=True, return_type=Boolean())(glob_of(pattern)),
    lower=lambda text: func.vedette_lower(text, type_=Text),
    ordered=lambda text: text,
    text=lambda feature, name: func.json_extract(cast(feature, Text), _json_path(name), type_=Text),
    number=lambda feature, name: func.json_extract(cast(feature, Text), _json_path(name), type_=Double),
)


def _jsonb(feature: _Column) -> _Column:
    return cast(func.convert_from(feature, "UTF8"), JSONB)


def _jsonb_member(feature: _Column, name: str) -> _Column:
    member: _Column = _jsonb(feature)["properties"][name].astext
    return member


def _postgis_place(relation: str, place: Sequence[_Column], geometry: shapely.Geometry) -> ColumnElement[bool]:
    west, south, east, north, feature = place
    shape = case(
        (and_(west == east, south == north), func.ST_MakePoint(west, south)),
        else_=func.ST_GeomFromGeoJSON(_jsonb(feature)["geometry"].astext),
    )
    other = func.ST_GeomFromWKB(literal(shapely.to_wkb(geometry), LargeBinary), 4326)
    related: ColumnElement[bool] = getattr(func, f"ST_{relation}")(func.ST_SetSRID(shape, 4326), other, type_=Boolean)
    return related


_POSTGRESQL = Dialect(
    place=_postgis_place,
    like=lambda text, pattern: text.like(pattern, escape="\\"),
    lower=lambda text: func.lower(text.collate("und-x-icu"), type_=Text).collate("C"),
    ordered=lambda text: text.collate("C"),
    text=_jsonb_member,
    number=lambda feature, name: cast(_jsonb_member(feature, name), Double),
)

_DIALECTS = {"sqlite": _SQLITE, "postgresql": _POSTGRESQL}
