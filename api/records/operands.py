"""Values in a filter of CQL2, literals or columns of SQL, and how two of them compare."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Boolean, Double, Text, and_, literal, not_, or_
from sqlalchemy.sql import ColumnElement

from api.errors import BadRequestError
from api.records.literals import Span, day_of, moment_of, span_of

__all__ = [
    "COMPARISONS",
    "TEMPORAL",
    "Condition",
    "Operand",
    "Value",
    "ValueType",
    "compared",
    "first_of",
    "last_of",
    "literal_of",
]

Value = ColumnElement[Any]
Condition = ColumnElement[bool]


class ValueType(StrEnum):
    """What a value is; a comparison needs two of the same."""

    TEXT = "text"
    NUMBER = "number"
    TRUTH = "truth"
    MOMENT = "moment"
    PLACE = "place"


@dataclass(frozen=True, slots=True)
class Operand:
    """A value in a filter: an expression of SQL, or a literal of Python."""

    type: ValueType
    value: Any
    known: bool
    """Whether `value` is a literal: a text, float, bool, `Span` or geometry."""

    def sql(self) -> Value:
        """The value in a statement; of a moment or a place there is none."""
        if not self.known:
            column: Value = self.value
            return column
        return literal(
            self.value, {ValueType.TEXT: Text, ValueType.NUMBER: Double, ValueType.TRUTH: Boolean}[self.type]()
        )


_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "<>": "<>"}
COMPARISONS = frozenset(_COMPARE)
"""Names of comparisons."""
TEMPORAL: dict[str, Callable[[Value, Value, Value, Value], Condition]] = {
    "t_after": lambda a, _az, _b, bz: a > bz,
    "t_before": lambda _a, az, b, _bz: az < b,
    "t_contains": lambda a, az, b, bz: and_(a < b, az > bz),
    "t_disjoint": lambda a, az, b, bz: or_(az < b, a > bz),
    "t_during": lambda a, az, b, bz: and_(a > b, az < bz),
    "t_equals": lambda a, az, b, bz: and_(a == b, az == bz),
    "t_finishedby": lambda a, az, b, bz: and_(a < b, az == bz),
    "t_finishes": lambda a, az, b, bz: and_(a > b, az == bz),
    "t_intersects": lambda a, az, b, bz: and_(a <= bz, az >= b),
    "t_meets": lambda _a, az, b, _bz: az == b,
    "t_metby": lambda a, _az, _b, bz: a == bz,
    "t_overlappedby": lambda a, az, b, bz: and_(a > b, a < bz, az > bz),
    "t_overlaps": lambda a, az, b, bz: and_(a < b, az > b, az < bz),
    "t_startedby": lambda a, az, b, bz: and_(a == b, az > bz),
    "t_starts": lambda a, az, b, bz: and_(a == b, az < bz),
}
"""Relations of the spans [a, az] and [b, bz] (Allen); a moment begins and ends in itself."""


def literal_of(node: Any) -> Operand | None:
    """The value that a node is, None where it is none."""
    if isinstance(node, bool):
        return Operand(ValueType.TRUTH, node, known=True)
    if isinstance(node, int | float):
        return Operand(ValueType.NUMBER, _number(node), known=True)
    if isinstance(node, str):
        return Operand(ValueType.TEXT, _text(node), known=True)
    if isinstance(node, dict) and set(node) == {"timestamp"}:
        moment_us = moment_of(node["timestamp"])
        return Operand(ValueType.MOMENT, Span(moment_us, moment_us), known=True)
    if isinstance(node, dict) and set(node) == {"date"}:
        return Operand(ValueType.MOMENT, day_of(node["date"]), known=True)
    return None


def _number(value: float) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise BadRequestError("a number in the filter is not finite")
    return number


def _text(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise BadRequestError("a text in the filter has half a character in it (a lone surrogate)") from None
    if "\0" in value:
        raise BadRequestError("a text in the filter has a NUL in it, which no record has")
    return value


def first_of(value: Span | Value) -> Value:
    """Where a moment, or a span of time, begins."""
    return literal(value.first_us, BigInteger) if isinstance(value, Span) else value


def last_of(value: Span | Value) -> Value:
    """Where it ends."""
    return literal(value.last_us, BigInteger) if isinstance(value, Span) else value


def _as_moment(value: Operand, beside: Operand) -> Operand:
    """A text beside a moment is one: the standard's tests write `IN ('2022-04-14T14:52:56Z')`."""
    if value.type is ValueType.TEXT and value.known and beside.type is ValueType.MOMENT:
        return Operand(ValueType.MOMENT, span_of(value.value), known=True)
    return value


def compared(name: str, left: Operand, right: Operand) -> Condition:
    """One of `COMPARISONS` of two operands; raises BadRequestError where they are not of one type."""
    left, right = _as_moment(left, right), _as_moment(right, left)
    if left.type is not right.type:
        raise BadRequestError(f"a {left.type} cannot be compared with a {right.type}")
    if left.type is ValueType.MOMENT:
        return _compared_moments(name, left.value, right.value)
    if left.type is ValueType.TRUTH and name not in {"=", "<>"}:
        raise BadRequestError("truths are equal or not; none is greater")
    result: Condition = _COMPARE[name](left.sql(), right.sql())
    return result


def _compared_moments(name: str, left: Span | Value, right: Span | Value) -> Condition:
    """A moment beside a date is judged by the day that it falls on, in UTC."""
    if _is_day(left) and not _is_day(right):
        left, right, name = right, left, _FLIPPED[name]
    moment, first, last = first_of(left), first_of(right), last_of(right)
    if name in {"=", "<>"} and _is_day(right) and not _is_day(left):
        on_day = and_(moment >= first, moment <= last)
        return on_day if name == "=" else not_(on_day)
    result: Condition = _COMPARE[name](moment, last if name in {"<=", ">"} and not _is_day(left) else first)
    return result


def _is_day(value: Span | Value) -> bool:
    return isinstance(value, Span) and value.first_us != value.last_us
