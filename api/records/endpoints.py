"""Reading records; vehicles are read with their live state (`api.live.endpoints`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import Query, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from api.canonical import canonical
from api.conditions import unless_known
from api.http import GEOJSON, Caller, Given, Route, Stored, bbox_of, read, read_page
from api.identity.roles import Permission, Principal
from api.packed import packed
from api.pages import Asked, Page, links_of
from api.ranged import Ranged
from api.records import answers
from api.records.lists import RecordFilter, list_readable
from api.records.media import media_type_of
from api.records.readable import find_evidence, find_readable
from api.records.types import TYPES, RecordType
from api.settings import Settings
from api.times import microseconds
from api.wire import Moment

__all__ = ["ROUTES", "Seen", "routes_of"]

Look = Callable[[Session, Principal, int, Settings, Sequence[Any]], list["Seen"]]
"""What is shown of rows of `list_readable` or `find_readable` to a principal at a time."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A record as it leaves: its id and time, its Feature as bytes, and its ETag without quotes."""

    id: str
    time_us: int
    feature: bytes
    etag: str


def _list(type_: RecordType, look: Look | None) -> Callable[..., Response]:
    def get(  # noqa: PLR0917 - FastAPI passes by name
        request: Request,
        call: Caller,
        store: Stored,
        asked: Asked,
        settings: Given,
        since: Annotated[Moment | None, Query(alias="from")] = None,
        until: Annotated[Moment | None, Query(alias="to")] = None,
        bbox: Annotated[str | None, Query(max_length=200, description="west,south,east,north in degrees")] = None,
        source: Annotated[str | None, Query(max_length=200)] = None,
        status: Annotated[str | None, Query(max_length=50)] = None,
        review: Literal["pending", "confirmed", "dismissed", "merged"] | None = None,
        kind: Annotated[str | None, Query(max_length=50)] = None,
    ) -> Response:
        which = RecordFilter(
            type=type_.name,
            from_us=None if since is None else microseconds(since),
            to_us=None if until is None else microseconds(until),
            bbox=None if bbox is None else bbox_of(bbox),
            source=source,
            status=status,
            review=review,
            kind=kind,
        )

        def work(session: Session, now: int) -> tuple[Any, list[str]]:
            rows = list_readable(session, call.principal, now, which, limit=asked.limit + 1, after=asked.after)
            page = Page.of(rows, asked.limit, lambda row: (row.time_us, row.id))
            ids = [row.id for row in page.items]
            return (page, page.items if look is None else look(session, call.principal, now, settings, page.items)), ids

        # What changes without an event is read each time.
        page, seen = (read_page if look is None else read)(store, call, f"{type_.name}.list", work)
        body = b'{"type":"FeatureCollection","numberReturned":%d,"links":%b,"features":[%b]}' % (
            len(seen),
            canonical(links_of(request, page.next, GEOJSON)).encode(),
            b",".join(each.feature for each in seen),
        )
        return packed(body, request.headers, call.principal, {}, GEOJSON)

    get.__name__ = f"get_{type_.collection}"
    get.__doc__ = f"{type_.title} that the key may read, newest first, as GeoJSON; the link named next leads on."
    return get


def _one(type_: RecordType, look: Look | None) -> Callable[..., Response]:
    def get(record_id: str, request: Request, call: Caller, store: Stored, settings: Given) -> Response:
        def work(session: Session, now: int) -> tuple[Any, list[str]]:
            row = find_readable(session, call.principal, now, record_id, type_=type_.name)
            return row if look is None else look(session, call.principal, now, settings, [row])[0], [record_id]

        row = read(store, call, f"{type_.name}.read", work)
        return unless_known(request, Response(row.feature, 200, {"ETag": f'"{row.etag}"'}, GEOJSON))

    get.__name__ = f"get_{type_.name}"
    get.__doc__ = f"One {type_.name} as a GeoJSON Feature. Its ETag is what a change names in If-Match."
    return get


def get_evidence(record_id: str, part: str, call: Caller, store: Stored) -> Response:
    """A file of evidence, whole or by Range, under the same rule as its crossing."""

    def work(session: Session, now: int) -> tuple[Any, list[str]]:
        return find_evidence(session, call.principal, now, record_id, part), [record_id, part]

    row = read(store, call, "evidence.read", work)
    path = store.objects.local(row.sha256)
    headers = {"ETag": f'"{row.sha256}"'}
    return Ranged(path, media_type=media_type_of(row.name), filename=row.name, headers=headers)


def routes_of(type_: RecordType, look: Look | None = None) -> tuple[Route, ...]:
    """The routes that read records of a type.

    Parameters
    ----------
    look
        What is shown in place of the records as they are kept; filters and pages go by the records all the same.
    """
    return (
        Route("GET", f"/{type_.collection}", _list(type_, look), type_.read, answers=answers.PAGE),
        Route("GET", f"/{type_.collection}/{{record_id}}", _one(type_, look), type_.read, answers=answers.ONE),
    )


ROUTES: tuple[Route, ...] = (
    *(route for type_ in TYPES.values() if type_.name != "vehicle" for route in routes_of(type_)),
    Route(
        "GET",
        "/crossings/{record_id}/evidence/{part}",
        get_evidence,
        Permission.CROSSING_READ,
        answers=answers.EVIDENCE,
    ),
)
