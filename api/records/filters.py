"""Filters of CQL2 (OGC 21-065r2), Text or JSON, as conditions of SQL over the columns that a reader may see.

A filter names queryables, never columns: what is not in the table that it is given does not exist for it. Values go in
as parameters. NULL is what SQL makes of it: neither a comparison with it nor its denial holds, so that what is withheld
(NULL) is selected by nothing but `IS NULL`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import shapely
from sqlalchemy import BigInteger, and_, false, literal, not_, or_, true

from api.errors import BadRequestError, MalformedError
from api.loading import load_json
from api.records.cql2_text import MAX_CHARACTERS, MAX_DEPTH, parse_text
from api.records.dialect import RELATIONS, Dialect
from api.records.literals import EVER_US, Span, geometry_of, span_of
from api.records.operands import (
    COMPARISONS,
    TEMPORAL,
    Condition,
    Operand,
    Value,
    ValueType,
    compared,
    first_of,
    last_of,
    literal_of,
)

__all__ = ["LANGUAGES", "MAX_NODES", "Queryable", "box_of", "filter_tree", "in_span", "near", "where"]

LANGUAGES = ("cql2-text", "cql2-json")
MAX_NODES = 400
_MAX_PATTERN, _MAX_WILDCARDS = 200, 8


@dataclass(frozen=True, slots=True)
class Queryable:
    """What a filter may ask for by one name.

    Parameters
    ----------
    type
        Of its values.
    columns
        One column; a place has five, its west, south, east and north bounds in degrees and the serialised Feature. A
        moment is UTC microseconds since the epoch.
    """

    type: ValueType
    columns: tuple[Value, ...]


def filter_tree(text: str, language: str) -> Any:
    """The tree of a filter, as CQL2 JSON has it; bounded, not yet understood.

    Parameters
    ----------
    text
        The filter, at most `MAX_CHARACTERS` characters.
    language
        One of `LANGUAGES`.

    Raises
    ------
    BadRequestError
        When it does not parse or is too large.
    """
    if len(text) > MAX_CHARACTERS:
        raise BadRequestError(f"the filter has {len(text)} characters, at most {MAX_CHARACTERS} are read: shorten it")
    if language not in LANGUAGES:
        raise BadRequestError(f"filter-lang {language[:40]!r} is not read: give {' or '.join(LANGUAGES)}")
    if language == "cql2-text":
        return parse_text(text)
    try:
        return load_json(text.encode())
    except MalformedError as error:
        raise BadRequestError(f"the filter, {str(error)[:100]}") from None


def where(tree: Any, queryables: Mapping[str, Queryable], dialect: Dialect) -> Condition:
    """The condition that a filter's tree is, over the columns of `queryables`.

    Raises
    ------
    BadRequestError
        When it names what is not queryable, compares values of two types, holds a value that is none, or is too large.
    """
    _bounded(tree)
    return _Translation(queryables, dialect).condition(tree)


def in_span(moment: Queryable, span: Span) -> Condition:
    """Whether a moment lies in a closed span of time."""
    (column,) = moment.columns
    ends = [
        *([] if span.first_us == -EVER_US else [column >= literal(span.first_us, BigInteger)]),
        *([] if span.last_us == EVER_US else [column <= literal(span.last_us, BigInteger)]),
    ]
    return and_(true(), *ends)


def near(dialect: Dialect, relation: str, place: Sequence[Value], geometry: shapely.Geometry) -> Condition:
    """The exact relation of a place to a geometry, behind their bounds: every relation but `disjoint` lies in them."""
    west, south, east, north = map(float, shapely.bounds(geometry))
    bounds = and_(place[0] <= east, place[2] >= west, place[1] <= north, place[3] >= south)
    return and_(bounds, dialect.place(relation, place, geometry))


def box_of(tree: Any) -> tuple[float, float, float, float] | None:
    """A box that everything lies in which a filter that `where` took can select, where it tells of one.

    It is for an index: the condition decides.
    """
    if not isinstance(tree, dict) or "op" not in tree:
        return None
    name = tree["op"].lower()
    if name == "and":
        return next((box for box in map(box_of, tree["args"]) if box is not None), None)
    if name not in RELATIONS or name == "s_disjoint":
        return None
    literals = [node for node in tree["args"] if set(node) != {"property"}]
    if len(literals) != 1:
        return None
    west, south, east, north = map(float, shapely.bounds(geometry_of(literals[0])))
    return west, south, east, north


def _bounded(tree: Any) -> None:
    """Count nodes without recursion; positions of geometries have a bound of their own."""
    open_, nodes = [(tree, 0)], 0
    while open_:
        node, depth = open_.pop()
        nodes += 1
        if depth > 3 * MAX_DEPTH:
            raise BadRequestError(f"the filter is nested more than {MAX_DEPTH} deep: flatten it")
        if nodes > MAX_NODES:
            raise BadRequestError(f"the filter has more than {MAX_NODES} parts: ask in several")
        if isinstance(node, dict):
            open_ += [(value, depth + 1) for name, value in node.items() if name != "coordinates"]
        elif isinstance(node, list):
            open_ += [(value, depth + 1) for value in node]


# What holds the other way round: "G contains the place" is "the place is within G".
_CONVERSE = {"contains": "within", "within": "contains"}


class _Translation:
    def __init__(self, queryables: Mapping[str, Queryable], dialect: Dialect) -> None:
        self._queryables = queryables
        self._dialect = dialect

    def condition(self, node: Any) -> Condition:
        if isinstance(node, bool):
            return true() if node else false()
        name, arguments = _call(node)
        if name in COMPARISONS:
            return self._comparison(name, *_exactly(name, arguments, 2))
        if name in RELATIONS:
            return self._spatial(RELATIONS[name], *_exactly(name, arguments, 2))
        if name in TEMPORAL:
            first, second = (self._ends(argument) for argument in _exactly(name, arguments, 2))
            return TEMPORAL[name](*first, *second)
        if name not in self._OTHERS:
            raise BadRequestError(f"{name[:40]!r} is no condition that is known here")
        return self._OTHERS[name](self, arguments)

    def _and(self, arguments: list[Any]) -> Condition:
        return and_(*self._joined(arguments))

    def _or(self, arguments: list[Any]) -> Condition:
        return or_(*self._joined(arguments))

    def _joined(self, arguments: list[Any]) -> list[Condition]:
        if len(arguments) < 2:
            raise BadRequestError("AND and OR join two or more conditions")
        return [self.condition(argument) for argument in arguments]

    def _not(self, arguments: list[Any]) -> Condition:
        return not_(self.condition(_exactly("not", arguments, 1)[0]))

    def _comparison(self, name: str, left: Any, right: Any) -> Condition:
        one, other = self._operand(left), self._operand(right)
        if one.type is other.type is ValueType.TEXT and name not in {"=", "<>"}:
            one, other = self._ordered(one), self._ordered(other)
        return compared(name, one, other)

    def _ordered(self, text: Operand) -> Operand:
        return Operand(text.type, self._dialect.ordered(text.sql()), known=False)

    def _between(self, arguments: list[Any]) -> Condition:
        value, low, high = (self._operand(argument) for argument in _exactly("between", arguments, 3))
        if value.type not in {ValueType.NUMBER, ValueType.MOMENT}:
            raise BadRequestError(f"BETWEEN is for numbers and moments, not for a {value.type}")
        return and_(compared(">=", value, low), compared("<=", value, high))

    def _in(self, arguments: list[Any]) -> Condition:
        value, listed = _exactly("in", arguments, 2)
        if not isinstance(listed, list) or not listed:
            raise BadRequestError("IN needs a list of values")
        operand = self._operand(value)
        return or_(*(compared("=", operand, self._operand(item)) for item in listed))

    def _like(self, arguments: list[Any]) -> Condition:
        value, pattern = (self._operand(argument) for argument in _exactly("like", arguments, 2))
        if value.type is not ValueType.TEXT or pattern.type is not ValueType.TEXT or not pattern.known:
            raise BadRequestError("LIKE compares a text property with a pattern in quotes")
        wild = sum(map(pattern.value.count, "%_"))
        if len(pattern.value) > _MAX_PATTERN or wild > _MAX_WILDCARDS:
            raise BadRequestError(f"a pattern has at most {_MAX_PATTERN} characters, {_MAX_WILDCARDS} of them wild")
        if pattern.value.endswith("\\") and len(pattern.value) % 2 != len(pattern.value.rstrip("\\")) % 2:
            raise BadRequestError("a pattern ends with a backslash that escapes nothing: double it")
        return self._dialect.like(value.sql(), pattern.value)

    def _is_null(self, arguments: list[Any]) -> Condition:
        (node,) = _exactly("isNull", arguments, 1)
        if isinstance(node, dict) and set(node) == {"property"}:
            return self._queryable(node["property"]).columns[0].is_(None)
        self._operand(node)
        return false()

    _OTHERS: Mapping[str, Callable[[_Translation, list[Any]], Condition]] = {
        "and": _and,
        "or": _or,
        "not": _not,
        "between": _between,
        "in": _in,
        "like": _like,
        "isnull": _is_null,
    }

    def _spatial(self, relation: str, left: Any, right: Any) -> Condition:
        first, second = self._geometry(left), self._geometry(right)
        if first.known and second.known:
            return true() if bool(getattr(shapely, relation)(first.value, second.value)) else false()
        if not first.known and not second.known:
            raise BadRequestError("a spatial condition compares a place with a geometry that the filter gives")
        place, geometry = (first, second) if second.known else (second, first)
        if place is second:
            relation = _CONVERSE.get(relation, relation)
        if relation == "disjoint":
            return not_(near(self._dialect, "intersects", place.value, geometry.value))
        return near(self._dialect, relation, place.value, geometry.value)

    def _geometry(self, node: Any) -> Operand:
        if isinstance(node, dict) and set(node) == {"property"}:
            queryable = self._queryable(node["property"])
            if queryable.type is not ValueType.PLACE:
                raise BadRequestError(f"{node['property']} is a {queryable.type}, no place")
            return Operand(ValueType.PLACE, queryable.columns, known=False)
        return Operand(ValueType.PLACE, geometry_of(node), known=True)

    def _ends(self, node: Any) -> tuple[Value, Value]:
        if isinstance(node, dict) and set(node) == {"interval"}:
            ends = node["interval"]
            if not isinstance(ends, list) or len(ends) != 2:
                raise BadRequestError("an INTERVAL has a begin and an end")
            begin, end = (self._end(part, open_us) for part, open_us in zip(ends, (-EVER_US, EVER_US), strict=True))
            if isinstance(begin, Span) and isinstance(end, Span) and begin.first_us > end.last_us:
                raise BadRequestError("an INTERVAL ends before it begins")
            return first_of(begin), last_of(end)
        operand = self._operand(node)
        if operand.type is not ValueType.MOMENT:
            raise BadRequestError(f"a temporal condition compares moments, not a {operand.type}")
        return first_of(operand.value), last_of(operand.value)

    def _end(self, part: Any, open_us: int) -> Span | Value:
        if part == "..":
            return Span(open_us, open_us)
        if isinstance(part, str):
            return span_of(part)
        operand = self._operand(part)
        if operand.type is not ValueType.MOMENT:
            raise BadRequestError(f"an INTERVAL is between moments, not a {operand.type}")
        value: Span | Value = operand.value
        return value

    def _operand(self, node: Any) -> Operand:
        known = literal_of(node)
        if known is not None:
            return known
        if isinstance(node, dict) and set(node) == {"property"}:
            queryable = self._queryable(node["property"])
            if queryable.type is ValueType.PLACE:
                raise BadRequestError(f"{node['property']} is a place: compare it with S_INTERSECTS and its like")
            return Operand(queryable.type, queryable.columns[0], known=False)
        name, arguments = _call(node)
        if name != "casei":
            raise BadRequestError(f"{name[:40]!r} is no function that is known here")
        inner = self._operand(_exactly(name, arguments, 1)[0])
        if inner.type is not ValueType.TEXT:
            raise BadRequestError(f"CASEI takes a text, not a {inner.type}")
        if inner.known:
            return Operand(ValueType.TEXT, inner.value.lower(), known=True)
        return Operand(ValueType.TEXT, self._dialect.lower(inner.value), known=False)

    def _queryable(self, name: Any) -> Queryable:
        found = self._queryables.get(name) if isinstance(name, str) else None
        if found is None:
            raise BadRequestError(f"{str(name)[:40]!r} is not queryable here: see the queryables of the collection")
        return found


def _call(node: Any) -> tuple[str, list[Any]]:
    """Name in small letters and arguments of `{"op": ..., "args": [...]}`."""
    if not isinstance(node, dict) or set(node) != {"op", "args"}:
        raise BadRequestError('a condition is {"op": ..., "args": [...]}, true or false')
    name, arguments = node["op"], node["args"]
    if not isinstance(name, str) or not isinstance(arguments, list):
        raise BadRequestError('a condition has a text as "op" and a list as "args"')
    return name.lower(), arguments


def _exactly(name: str, arguments: list[Any], count: int) -> list[Any]:
    if len(arguments) != count:
        raise BadRequestError(f"{name} takes {count} arguments, not {len(arguments)}")
    return arguments
