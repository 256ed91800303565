"""Live pictures: put by whoever watches a stream, looked at by those inside."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Header, Path, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response

from api.conditions import KNOWN, is_known
from api.described import COUNT, ID, NOTHING, TEXT, TIME, Answers, answered, closed, list_of, one_of, or_null
from api.errors import NotFoundError, PermissionDeniedError, UnprocessableError
from api.http import Caller, Given, Route, Stored, answer
from api.identity.roles import Permission
from api.identity.stands import require_standing
from api.ingest.records import no_speaker
from api.live.account import count_down, tally_of
from api.pictures.jpeg import jpeg_size
from api.pictures.newest import Picture, pictures_of
from api.pictures.settings import PictureSettings
from api.times import iso, microseconds
from api.wire import PLAIN, Id, Label, Moment

__all__ = ["ROUTES"]

_JPEG = "image/jpeg"
_TIME = "X-Vedette-Time"
_Source = Annotated[str, Path(min_length=1, max_length=200, pattern=PLAIN)]
_STREAMS = answered(
    closed(
        streams=list_of(
            closed(
                source=TEXT,
                name=TEXT,
                of=or_null(ID),
                time=or_null(TIME),
                received=TIME,
                age_s={"type": "number", "minimum": 0},
                state=one_of("live", "stale"),
                width=COUNT,
                height=COUNT,
                bytes=COUNT,
                etag=TEXT,
            )
        )
    )
)
_PICTURE: Answers = (
    answered(
        {"type": "string", "format": "binary"}, media_types=(_JPEG,), ETag="Of this picture: ask with If-None-Match."
    )
    | KNOWN
)
_PICTURE["200"]["headers"][_TIME] = {
    "description": "When it was exposed; absent where the video tells no time of day.",
    "schema": TIME,
}


async def put_stream_picture(
    source: _Source,
    request: Request,
    call: Caller,
    store: Stored,
    settings: Given,
    *,
    name: Annotated[Label | None, Query()] = None,
    of: Annotated[Id | None, Query()] = None,
    x_vedette_time: Annotated[Moment | None, Header(alias=_TIME)] = None,
) -> Response:
    """Say what a stream shows now: a JPEG picture, which takes the place of the one before. It is kept in memory alone.

    `X-Vedette-Time` is when it was exposed; `name` is what people call the stream (else its source), `of` the id of the
    record of the vehicle or sensor whose camera it is.
    """
    if not call.principal.may_speak_for(source):
        raise PermissionDeniedError(no_speaker(source))
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _JPEG:
        raise HTTPException(415, f"a picture of a stream is sent as {_JPEG}")
    data = await request.body()
    width, height = _checked_size(data, settings.pictures)

    def hold() -> None:
        now_us = store.clock()
        store.ask(lambda session: require_standing(session, call.principal, now_us))  # its body took its time
        time_us = None if x_vedette_time is None else microseconds(x_vedette_time)
        picture = Picture(source, data, width, height, time_us, now_us, name or source, of)
        tally = tally_of(store, call, "picture.write", settings.live.account_s, counted="pictures")
        count_down(store, tally, [source])
        pictures_of(store, settings.pictures).put(picture)

    await run_in_threadpool(hold)
    call.audited = True  # by the entries of its session
    return Response(status_code=204)


def _checked_size(data: bytes, settings: PictureSettings) -> tuple[int, int]:
    width, height = jpeg_size(data)
    if max(width, height) > settings.longest_px:
        raise UnprocessableError(
            f"the picture has {width} x {height} pixels: send one of {settings.longest_px} at most on its longest side"
        )
    return width, height


def get_streams(call: Caller, store: Stored, settings: Given) -> Response:
    """The streams of which a picture came of late, by name; `state` is stale where none has come for a while."""
    now_us = store.clock()
    found = pictures_of(store, settings.pictures).all(now_us)
    tally = tally_of(store, call, "stream.list", settings.live.account_s, counted="streams")
    count_down(store, tally, [each.source for each in found])
    call.audited = True  # by the entries of its session
    return answer({"streams": [_wire(each, now_us, settings.pictures) for each in found]})


def _wire(picture: Picture, now_us: int, settings: PictureSettings) -> dict[str, Any]:
    age_s = max(0, now_us - picture.received_us) / 1e6  # one may come while the list is made
    return {
        "source": picture.source,
        "name": picture.name,
        "of": picture.of,
        "time": None if picture.time_us is None else iso(picture.time_us),
        "received": iso(picture.received_us),
        "age_s": age_s,
        "state": "stale" if age_s > settings.stale_s else "live",
        "width": picture.width,
        "height": picture.height,
        "bytes": len(picture.data),
        "etag": picture.etag,
    }


def get_stream_picture(source: _Source, request: Request, call: Caller, store: Stored, settings: Given) -> Response:
    """What a stream shows now. 304 where it is what `If-None-Match` names; 404 where nothing came for minutes."""
    picture = pictures_of(store, settings.pictures).find(source, store.clock())
    if picture is None:
        raise NotFoundError(f"stream {source} shows nothing now: GET /streams lists those that do")
    tally = tally_of(store, call, "picture.view", settings.live.account_s, counted="pictures")
    etag = picture.etag
    same = is_known(request.headers, etag)
    # Whoever names the picture has it already, and is asked for nothing new.
    count_down(store, tally, [] if same else [source])
    call.audited = True  # by the entries of its session
    if same:
        return Response(status_code=304, headers={"ETag": etag})
    headers = {"ETag": etag} | ({} if picture.time_us is None else {_TIME: iso(picture.time_us)})
    return Response(picture.data, headers=headers, media_type=_JPEG)


ROUTES: tuple[Route, ...] = (
    Route("GET", "/streams", get_streams, Permission.PICTURE_READ, answers=_STREAMS),
    Route(
        "PUT",
        "/streams/{source:path}/picture",
        put_stream_picture,
        Permission.CROSSING_WRITE,
        "picture",
        answers=NOTHING,
    ),
    Route("GET", "/streams/{source:path}/picture", get_stream_picture, Permission.PICTURE_READ, answers=_PICTURE),
)
