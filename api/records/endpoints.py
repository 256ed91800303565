"""Reading records."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import Query
from pydantic import AwareDatetime
from sqlalchemy.orm import Session
from starlette.responses import FileResponse, Response

from api.canonical import canonical
from api.errors import StorageError
from api.http import GEOJSON, Caller, Limit, Route, Stored, answer, bbox_of, cursor_of, read, text_of
from api.identity.roles import Permission
from api.ingest import evidence
from api.ingest.crossings import CrossingFilter, list_readable
from api.ingest.cues import CueFilter, list_cues
from api.records.readable import find_evidence, find_readable
from api.times import microseconds
from api.wire import CueKind

__all__ = ["ROUTES"]


def get_crossings(  # noqa: PLR0917 - FastAPI passes by name
    call: Caller,
    store: Stored,
    since: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    until: Annotated[AwareDatetime | None, Query(alias="to")] = None,
    bbox: Annotated[str | None, Query(max_length=200, description="west,south,east,north in degrees")] = None,
    status: Literal["confirmed", "probable"] | None = None,
    review: Literal["pending", "confirmed", "dismissed"] | None = None,
    kind: Literal["person", "vehicle", "bicycle"] | None = None,
    limit: Limit = 100,
    cursor: Annotated[str | None, Query(max_length=100)] = None,
) -> Response:
    """The crossings that the key may read, newest first, as GeoJSON; the link named next leads to the next page."""
    which = CrossingFilter(
        from_us=None if since is None else microseconds(since),
        to_us=None if until is None else microseconds(until),
        bbox=None if bbox is None else bbox_of(bbox),
        status=status,
        review=review,
        kind=kind,
    )
    after = None if cursor is None else cursor_of(cursor)

    def work(session: Session, now: int) -> tuple[Any, list[str]]:
        rows = list_readable(session, call.principal, now, which, limit=limit + 1, after=after)
        return rows, [crossing_id for _, crossing_id, _ in rows[:limit]]

    rows = read(store, call, "crossing.list", work)
    page, links = rows[:limit], b""
    if len(rows) > limit:
        time_us, crossing_id, _ = page[-1]
        same = {"from": since, "to": until, "bbox": bbox, "status": status, "review": review, "kind": kind}
        query = {name: text_of(value) for name, value in same.items() if value is not None}
        href = "/crossings?" + urlencode(query | {"limit": str(limit), "cursor": f"{time_us}.{crossing_id}"})
        links = canonical({"rel": "next", "type": GEOJSON, "href": href}).encode()
    body = b'{"type":"FeatureCollection","numberReturned":%d,"links":[%b],"features":[%b]}' % (
        len(page),
        links,
        b",".join(feature for _, _, feature in page),
    )
    return Response(body, media_type=GEOJSON)


def get_crossing(crossing_id: str, call: Caller, store: Stored) -> Response:
    """One crossing as a GeoJSON Feature. Its ETag is what a review names in If-Match."""
    row = read(
        store,
        call,
        "crossing.read",
        lambda session, now: (find_readable(session, call.principal, now, crossing_id), [crossing_id]),
    )
    return Response(row.feature, 200, {"ETag": f'"{row.etag}"'}, GEOJSON)


def get_evidence(crossing_id: str, part: str, call: Caller, store: Stored) -> Response:
    """A file of evidence, whole or by Range, under the same rule as its crossing."""

    def work(session: Session, now: int) -> tuple[Any, list[str]]:
        return find_evidence(session, call.principal, now, crossing_id, part), [crossing_id, part]

    row = read(store, call, "evidence.read", work)
    path = store.objects.path(row.sha256)
    if not path.is_file():
        raise StorageError(f"object {row.sha256} is gone from {store.objects.folder}: restore it from a backup")
    ending = "." + row.name.rpartition(".")[2].lower()
    media_type = evidence.MEDIA_TYPES.get(ending, "application/octet-stream")
    return FileResponse(path, media_type=media_type, filename=row.name, headers={"ETag": f'"{row.sha256}"'})


def get_cues(  # noqa: PLR0917 - FastAPI passes by name
    call: Caller,
    store: Stored,
    since: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    until: Annotated[AwareDatetime | None, Query(alias="to")] = None,
    sensor: Annotated[str | None, Query(max_length=200)] = None,
    kind: CueKind | None = None,
    limit: Limit = 100,
    cursor: Annotated[str | None, Query(max_length=100)] = None,
) -> Response:
    """The cues of the sensors, newest first; `next` is the cursor of the next page, null on the last."""
    which = CueFilter(
        from_us=None if since is None else microseconds(since),
        to_us=None if until is None else microseconds(until),
        sensor=sensor,
        kind=kind,
    )
    after = None if cursor is None else cursor_of(cursor)

    def work(session: Session, now: int) -> tuple[Any, list[str]]:
        rows = list_cues(session, now, which, limit=limit + 1, after=after)
        return rows, [cue_id for _, cue_id, _ in rows[:limit]]

    rows = read(store, call, "cue.list", work)
    following = f"{rows[limit - 1][0]}.{rows[limit - 1][1]}" if len(rows) > limit else None
    return answer({"cues": [cue for _, _, cue in rows[:limit]], "next": following})


ROUTES: tuple[Route, ...] = (
    Route("GET", "/crossings", get_crossings, Permission.CROSSING_READ),
    Route("GET", "/crossings/{crossing_id}", get_crossing, Permission.CROSSING_READ),
    Route("GET", "/crossings/{crossing_id}/evidence/{part}", get_evidence, Permission.CROSSING_READ),
    Route("GET", "/cues", get_cues, Permission.CUE_READ),
)
