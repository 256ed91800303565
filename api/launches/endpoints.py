"""Launches: stations tell who stands by, pilots send them a plan, and what came of it is told."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query, Request
from starlette.responses import Response

from api.errors import NotFoundError
from api.http import Caller, Given, Route, Stored, answer
from api.identity.roles import Permission
from api.launches import answers
from api.launches.schemas import LaunchIn, LaunchOutcomeIn, StationIn
from api.pages import Asked
from api.wire import Label

__all__ = ["ROUTES"]

_Source = Annotated[str, Path(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
_Station = Annotated[Label | None, Query(description="of one station; of all without")]


def put_station(source: _Source, told: StationIn, call: Caller, store: Stored, settings: Given) -> Response:
    """Of a ground station: tell which vehicles it hears, every two seconds. It is told the launches that wait for it.

    What it tells takes the place of what it told before.
    """
    raise NotFoundError(source)


def get_stations(call: Caller, store: Stored, settings: Given) -> Response:
    """Ground stations with their vehicles, by name; `live` says whether one was heard within the last ten seconds."""
    return answer([])


def get_checklist(call: Caller, settings: Given) -> Response:
    """What a person looks at before vehicles take off: the items that a launch has to name by their keys."""
    return answer({"items": []})


def post_launch(wish: LaunchIn, call: Caller, store: Stored, settings: Given) -> Response:
    """Have a ground station fly the plan of a planning. People alone do.

    It is refused unless all of this holds: every item of the checklist is ticked, the plan is adopted and breaks no
    rule, the station is live and stands by, no other launch is on its way to it, and each vehicle of the plan's fleet
    is heard and ready. It waits (`given`) until the station takes it, for `expires_s` at most; then it is `taken`,
    `accepted` once it flies, `refused`, `done` or `failed`. The same under the same `client_id` is given once: 200
    then.
    """
    raise NotFoundError(wish.planning_id)


def get_launches(
    request: Request, call: Caller, store: Stored, settings: Given, asked: Asked, station: _Station = None
) -> Response:
    """Launches, newest first."""
    return answer([])


def get_launch(launch_id: str, call: Caller, store: Stored, settings: Given) -> Response:
    """One launch as it stands."""
    raise NotFoundError(launch_id)


def delete_launch(launch_id: str, call: Caller, store: Stored) -> Response:
    """Withdraw a launch that waits; 409 once its station has taken it, or it has ended."""
    raise NotFoundError(launch_id)


def post_outcome(launch_id: str, told: LaunchOutcomeIn, call: Caller, store: Stored) -> Response:
    """Of a ground station: take a launch, then tell what came of it. May be repeated.

    409 to `taken` means that it is not to be flown: it has expired, was withdrawn, or another run has it. After 200 it
    is the caller's for `left_s` seconds: what it has not begun by then it lets be.
    """
    raise NotFoundError(launch_id)


def get_plan(launch_id: str, call: Caller, store: Stored) -> Response:
    """The plan to fly, as `vedette patrol` reads it: the bytes of which the launch names the SHA-256."""
    raise NotFoundError(launch_id)


ROUTES: tuple[Route, ...] = (
    Route("GET", "/stations", get_stations, Permission.ASSET_READ, answers=answers.STATIONS),
    Route("PUT", "/stations/{source:path}", put_station, Permission.ASSET_WRITE, answers=answers.TOLD),
    Route("GET", "/launches/checklist", get_checklist, Permission.ASSET_READ, answers=answers.CHECKLIST),
    Route("POST", "/launches", post_launch, Permission.ORDER_WRITE, answers=answers.GIVEN),
    Route("GET", "/launches", get_launches, Permission.ORDER_READ, answers=answers.LAUNCHES),
    Route("GET", "/launches/{launch_id}", get_launch, Permission.ORDER_READ, answers=answers.ONE),
    Route("DELETE", "/launches/{launch_id}", delete_launch, Permission.ORDER_WRITE, answers=answers.ONE),
    Route("POST", "/launches/{launch_id}/outcome", post_outcome, Permission.ASSET_WRITE, answers=answers.ONE),
    Route("GET", "/launches/{launch_id}/plan", get_plan, Permission.ORDER_READ, answers=answers.PLAN),
)
