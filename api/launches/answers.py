"""What the routes of launches answer."""

from __future__ import annotations

from api.described import (
    FLAG,
    HASH,
    ID,
    PLACE,
    TEXT,
    TIME,
    answered,
    answered_page,
    closed,
    list_of,
    one_of,
    or_null,
    shared,
)
from api.orders.states import STATES

__all__ = ["CHECKLIST", "GIVEN", "LAUNCHES", "ONE", "PLAN", "STATIONS", "STATION_STREAM", "TOLD"]

_SYSID = {"type": "integer", "minimum": 1, "maximum": 255}
_SECONDS = {"type": "number", "minimum": 0}
_LAUNCH = shared(
    "Launch",
    closed(
        id=ID,
        client_id=TEXT,
        station=TEXT,
        planning_id=ID,
        plan_id=ID,
        plan_name=TEXT,
        plan_sha256=HASH,
        sysids=list_of(_SYSID),
        hours=or_null({"type": "number", "exclusiveMinimum": 0}),
        checklist=list_of(TEXT),
        reason=or_null(TEXT),
        by=TEXT,
        given_at=TIME,
        expires_at=TIME,
        left_s=_SECONDS,
        state=one_of(*STATES),
        words=or_null(TEXT),
        changed_at=TIME,
        run=or_null(ID),
    ),
)
_VEHICLE = closed(
    sysid=_SYSID,
    name=or_null(TEXT),
    autopilot=or_null(one_of("ardupilot", "px4")),
    heard=FLAG,
    ready=FLAG,
    why_not=list_of(TEXT),
    battery_left=or_null({"type": "number", "minimum": 0, "maximum": 1}),
    lat=or_null({"type": "number", "minimum": -90, "maximum": 90}),
    lon=or_null({"type": "number", "minimum": -180, "maximum": 180}),
)
_STATION = shared(
    "Station",
    closed(source=TEXT, run=ID, told_at=TIME, live=FLAG, busy=or_null(TEXT), vehicles=list_of(_VEHICLE)),
)

CHECKLIST = answered(closed(items=list_of(closed(key=TEXT, words=TEXT))))
GIVEN = answered(_LAUNCH, 200, 201, **PLACE)
LAUNCHES = answered_page(_LAUNCH)
ONE = answered(_LAUNCH)
PLAN = answered({})
STATIONS = answered(list_of(_STATION))
STATION_STREAM = answered(TEXT, media_types=("text/event-stream; charset=utf-8",))
TOLD = answered(closed(launches=list_of(_LAUNCH)))
