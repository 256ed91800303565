"""Launches: stations tell who stands by, pilots send them a plan, and what came of it is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Header, Path, Query, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from api.errors import PermissionDeniedError
from api.http import Caller, Given, Route, Stored, answer, answer_page, read, write, write_alone
from api.identity.roles import Permission, Principal
from api.ingest.records import no_speaker
from api.launches import answers, given
from api.launches.schemas import LaunchIn, LaunchOutcomeIn, StationIn
from api.launches.stations import STATIONS, LiveStation, list_stations, live_stations, tell
from api.launches.view import find_launch, launch_wire, launches_that_wait, list_launches
from api.live.account import show_counted, tally_of, write_counted
from api.live.open import open_live
from api.pages import Asked
from api.records.readable import may_read_stations
from api.wire import PLAIN, Label

__all__ = ["ROUTES"]

_Source = Annotated[str, Path(min_length=1, max_length=200, pattern=PLAIN)]
_Station = Annotated[Label | None, Query(description="of one station; of all without")]


def put_station(source: _Source, told: StationIn, call: Caller, store: Stored, settings: Given) -> Response:
    """Of a ground station: tell which vehicles it hears, every two seconds. It is told the launches that wait for it.

    What it tells takes the place of what it told before.
    """
    if not call.principal.may_speak_for(source):
        raise PermissionDeniedError(no_speaker(source))
    tally = tally_of(store, call, "station.tell", settings.live.account_s, counted="told")

    def work(session: Session, now: int) -> tuple[list[dict[str, Any]], list[str]]:
        tell(session, now, source, told)
        may_take = call.principal.may(Permission.ORDER_READ)
        waiting = launches_that_wait(session, call.principal, now, source) if may_take else []
        return waiting, [source, *(launch["id"] for launch in waiting)]

    return answer({"launches": write_counted(store, call, tally, work)})


def get_stations(call: Caller, store: Stored, settings: Given) -> Response:
    """Ground stations with their vehicles, by name; `live` says whether one was heard within the last ten seconds."""

    def work(session: Session, now: int) -> tuple[list[Any], list[str]]:
        found = list_stations(session, call.principal, now, settings.launches)
        return found, [station["source"] for station in found]

    tally = tally_of(store, call, "station.list", settings.live.account_s, counted="stations")
    return answer(show_counted(store, call, tally, work))


async def get_station_stream(
    call: Caller, store: Stored, settings: Given, *, accept: Annotated[str, Header(max_length=1000)] = "*/*"
) -> Response:
    """Ground stations with their vehicles (Server-Sent Events): all as they are now, then each that changes.

    `station` carries one as `GET /stations` has it, `gone` the name of one that is not known any more (as `id`). That a
    station told the same again is not told; that it is not heard any more is. There is no cursor.
    """

    def look(session: Session, principal: Principal, now: int) -> Mapping[str, LiveStation]:
        return live_stations(session, principal, now, settings.launches)

    return await open_live(call, store, settings, accept, looked=STATIONS, look=look)


def get_launch_checklist(call: Caller, store: Stored, settings: Given) -> Response:
    """What a person looks at before vehicles take off: the items that a launch has to name by their keys."""
    known = settings.launches.checklist if may_read_stations(call.principal) else ()
    items = [{"key": item.key, "words": item.words} for item in known]
    return answer(read(store, call, "launch.checklist", lambda _session, _now: ({"items": items}, [])))


def post_launch(wish: LaunchIn, call: Caller, store: Stored, settings: Given) -> Response:
    """Have a ground station fly the plan of a planning. People alone do.

    It is refused unless all of this holds: every item of the checklist is ticked, the plan is adopted and breaks no
    rule, the station is live and stands by, no other launch is on its way to it, and each vehicle of the plan's fleet
    is heard and ready. It waits (`given`) until the station takes it, for `expires_s` at most; then it is `taken`,
    `accepted` once it flies, `refused`, `done` or `failed`. The same under the same `client_id` is given once: 200
    then.
    """
    from api.launches.giving import give  # noqa: PLC0415 - `missions` takes a second to load

    def work(session: Session, now: int) -> tuple[dict[str, Any], bool]:
        return give(session, call, now, wish, settings.launches)

    body, new = write_alone(store, call, work)
    return answer(body, 201 if new else 200, Location=f"/launches/{body['id']}")


def get_launches(
    request: Request, call: Caller, store: Stored, settings: Given, *, asked: Asked, station: _Station = None
) -> Response:
    """Launches, newest first."""

    def work(session: Session, now: int) -> tuple[Any, list[str]]:
        page = list_launches(session, call.principal, now, station, asked)
        return page, [launch["id"] for launch in page.items]

    tally = tally_of(store, call, "launch.list", settings.live.account_s, counted="launches")
    return answer_page(request, show_counted(store, call, tally, work))


def get_launch(launch_id: str, call: Caller, store: Stored, settings: Given) -> Response:
    """One launch as it stands."""

    def work(session: Session, now: int) -> tuple[Any, list[str]]:
        return launch_wire(find_launch(session, call.principal, now, launch_id), now), [launch_id]

    tally = tally_of(store, call, "launch.read", settings.live.account_s, counted="launches")
    return answer(show_counted(store, call, tally, work))


def delete_launch(launch_id: str, call: Caller, store: Stored) -> Response:
    """Withdraw a launch that waits; 409 once its station has taken it, or it has ended."""
    return answer(write(store, call, lambda session, now: given.withdraw(session, call, now, launch_id)))


def post_launch_outcome(launch_id: str, told: LaunchOutcomeIn, call: Caller, store: Stored) -> Response:
    """Of a ground station: take a launch, then tell what came of it. May be repeated.

    409 to `taken` means that it is not to be flown: it has expired, was withdrawn, or another run has it. After 200 it
    is the caller's for `left_s` seconds: what it has not begun by then it lets be.
    """
    return answer(write(store, call, lambda session, now: given.tell_outcome(session, call, now, launch_id, told)))


def get_launch_plan(launch_id: str, call: Caller, store: Stored) -> Response:
    """The plan to fly, as `vedette patrol` reads it: the bytes of which the launch names the SHA-256."""

    def work(session: Session, now: int) -> tuple[bytes, list[str]]:
        return given.plan_of(session, call, now, launch_id), [launch_id]

    return Response(read(store, call, "launch.plan", work), media_type="application/json")


ROUTES: tuple[Route, ...] = (
    Route("GET", "/stations", get_stations, Permission.ASSET_READ, answers=answers.STATIONS),
    Route("GET", "/stations/stream", get_station_stream, Permission.ASSET_READ, answers=answers.STATION_STREAM),
    Route("PUT", "/stations/{source:path}", put_station, Permission.ASSET_WRITE, answers=answers.TOLD),
    Route("GET", "/launches/checklist", get_launch_checklist, Permission.ASSET_READ, answers=answers.CHECKLIST),
    Route("POST", "/launches", post_launch, Permission.ORDER_WRITE, answers=answers.GIVEN),
    Route("GET", "/launches", get_launches, Permission.ORDER_READ, answers=answers.LAUNCHES),
    Route("GET", "/launches/{launch_id}", get_launch, Permission.ORDER_READ, answers=answers.ONE),
    Route("DELETE", "/launches/{launch_id}", delete_launch, Permission.ORDER_WRITE, answers=answers.ONE),
    Route("POST", "/launches/{launch_id}/outcome", post_launch_outcome, Permission.ASSET_WRITE, answers=answers.ONE),
    Route("GET", "/launches/{launch_id}/plan", get_launch_plan, Permission.ORDER_READ, answers=answers.PLAN),
)
