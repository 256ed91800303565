"""Long lists a page at a time, by the place of the last item and not by number: what comes meanwhile moves nothing.

A place is the time and the id of a row. Whoever follows the links sees each row that was there when they began, and is
still there, exactly once; in a list that begins with the oldest, also what comes before its end is reached.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import urlencode

from fastapi import Depends, Query, Request
from sqlalchemy import Select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from api.asked import Whole
from api.errors import UnprocessableError

__all__ = ["Asked", "Cursor", "Limit", "Page", "Place", "Window", "cursor_of", "link_header", "links_of", "page_of"]

_T = TypeVar("_T")
_U = TypeVar("_U")
_CURSOR = re.compile(r"(-?\d{1,18})\.([0-9a-f]{32})")
Place = tuple[int, str]
"""Time in UTC microseconds since the Unix epoch, and id."""
Limit = Annotated[Whole, Query(ge=1, le=1000)]
Cursor = Annotated[str | None, Query(max_length=100, description="as the link named next has it")]


@dataclass(frozen=True, slots=True)
class Window:
    """What is asked for of a list: `limit` items at most, those `after` a place; None for its beginning."""

    limit: int
    after: Place | None = None


async def _window(limit: Limit = 100, cursor: Cursor = None) -> Window:
    return Window(limit, None if cursor is None else cursor_of(cursor))


Asked = Annotated[Window, Depends(_window)]
"""The query parameters `limit` and `cursor` of a route."""


@dataclass(frozen=True, slots=True)
class Page(Generic[_T]):
    """Some items of a list, and the cursor that leads on; None on the last page."""

    items: Sequence[_T]
    next: str | None = None

    @classmethod
    def of(cls, rows: Sequence[_T], limit: int, place: Callable[[_T], Place]) -> Page[_T]:
        """The first `limit` of rows of which one more was asked for: where there is one more, the list goes on."""
        page = rows[:limit]
        return cls(page, ".".join(map(str, place(page[-1]))) if len(rows) > limit else None)

    def map(self, wire: Callable[[_T], _U]) -> Page[_U]:
        """The same page with each item as `wire` makes it."""
        return Page([wire(item) for item in self.items], self.next)


def page_of(
    session: Session,
    query: Select[_T],
    window: Window,
    time: InstrumentedAttribute[Any],
    id_: InstrumentedAttribute[str],
    *,
    newest_first: bool = False,
) -> Page[_T]:
    """One page of the rows that `query` selects, in the order of `time` and `id_`.

    Parameters
    ----------
    time, id_
        Columns of the row: UTC microseconds, and 32 hexadecimal digits. Neither changes once the row is there.
    """
    place = tuple_(time, id_)
    if window.after is not None:
        last = tuple_(*window.after)
        query = query.where(place < last if newest_first else place > last)
    order = (time.desc(), id_.desc()) if newest_first else (time, id_)
    rows = session.scalars(query.order_by(*order).limit(window.limit + 1)).all()
    return Page.of(rows, window.limit, lambda row: (getattr(row, time.key), getattr(row, id_.key)))


def cursor_of(text: str) -> Place:
    """The place that a cursor names; raises UnprocessableError."""
    match = _CURSOR.fullmatch(text)
    if match is None:
        raise UnprocessableError(f"cursor {text!r} did not come from this service: follow the link named next")
    return int(match[1]), match[2]


def links_of(request: Request, cursor: str | None, media_type: str = "application/json") -> list[dict[str, str]]:
    """The link named next, to the same question after that place; no link on the last page."""
    if cursor is None:
        return []
    same = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    href = f"{request.scope['path']}?{urlencode([*same, ('cursor', cursor)])}"
    return [{"rel": "next", "type": media_type, "href": href}]


def link_header(links: Iterable[Mapping[str, str]]) -> str:
    """Links as a header (RFC 8288); their queries are escaped already, so no bracket ends one early."""
    return ", ".join(f'<{one["href"]}>; rel="{one["rel"]}"; type="{one["type"]}"' for one in links)
