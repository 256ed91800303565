"""What a request for features asks for. OGC API wants an unknown parameter or a wrong value refused with 400."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import QueryParams

from api.asked import only
from api.errors import BadRequestError, UnprocessableError
from api.loading import integer_of, number_of
from api.ogc.collections import CRS84, properties_of
from api.pages import cursor_of
from api.records.filters import filter_tree
from api.records.literals import Span, box_geometry, moment_of, span_of_query
from api.records.operands import ValueType
from api.records.types import RecordType

__all__ = ["DEFAULT_LIMIT", "MAX_LIMIT", "Items", "items_of"]

DEFAULT_LIMIT, MAX_LIMIT = 100, 1000
_CORE = ("f", "limit", "bbox", "datetime", "filter", "filter-lang", "filter-crs", "cursor")


@dataclass(frozen=True, slots=True)
class Items:
    """Which features, in what form.

    Parameters
    ----------
    f
        Name of a format, None for what `Accept` says.
    limit
        How many at most.
    bbox
        West, south, east, north in degrees; west > east crosses the antimeridian.
    span
        Closed span of the record's time.
    trees
        Filters as `api.records.filters.where` takes them; all must hold.
    after
        Time and id of the last feature of the page before.
    """

    f: str | None
    limit: int
    bbox: tuple[float, float, float, float] | None
    span: Span | None
    trees: tuple[Any, ...]
    after: tuple[int, str] | None


def items_of(type_: RecordType, query: QueryParams) -> Items:
    """What a request for features of a type asks for; raises BadRequestError."""
    by_name = {one.name: one for one in properties_of(type_)}
    given = only(query, (*_CORE, *by_name))
    if given.get("filter-crs", CRS84) != CRS84:
        raise BadRequestError(f"filter-crs is {CRS84} here: longitude, then latitude")
    if "filter" not in given and given.keys() & {"filter-lang", "filter-crs"}:
        raise BadRequestError("filter-lang and filter-crs go with a filter")
    trees = [_equals(name, by_name[name].type, given[name]) for name in by_name if name in given]
    if "filter" in given:
        trees.append(filter_tree(given["filter"], given.get("filter-lang", "cql2-text")))
    return Items(
        f=given.get("f"),
        limit=_limit(given),
        bbox=_bbox(given["bbox"]) if "bbox" in given else None,
        span=span_of_query(given["datetime"]) if "datetime" in given else None,
        trees=tuple(trees),
        after=_after(given["cursor"]) if "cursor" in given else None,
    )


def _limit(given: Mapping[str, str]) -> int:
    """OGC wants a limit over the largest to be served as the largest, not refused."""
    text = given.get("limit", str(DEFAULT_LIMIT))
    with suppress(ValueError):
        if len(text) < 10 and (asked := integer_of(text)) > 0:
            return min(asked, MAX_LIMIT)
    raise BadRequestError(f"limit {text[:40]!r} is not a number from 1 to {MAX_LIMIT}")


def _bbox(text: str) -> tuple[float, float, float, float]:
    try:
        values = [number_of(part) for part in text[:500].split(",")]
    except ValueError:
        raise BadRequestError(f"bbox {text[:40]!r} is not west,south,east,north in degrees") from None
    box_geometry(values)  # judges
    west, south, east, north = values if len(values) == 4 else (*values[:2], *values[3:5])
    return west, south, east, north


def _after(text: str) -> tuple[int, str]:
    try:
        return cursor_of(text)
    except UnprocessableError as error:
        raise BadRequestError(str(error)) from None


def _equals(name: str, type_: ValueType, text: str) -> Any:
    """A queryable given as a parameter, as the filter that it means (OGC 19-079r2, 6.3)."""
    value: Any = text
    if type_ is ValueType.NUMBER:
        try:
            value = number_of(text)
        except ValueError:
            raise BadRequestError(f"{name}={text[:40]!r} is not a number") from None
    elif type_ is ValueType.MOMENT:
        moment_of(text)
        value = {"timestamp": text}
    return {"op": "=", "args": [{"property": name}, value]}
