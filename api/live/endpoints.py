"""Live vehicles: states are put, vehicles are read with them, and streamed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Header
from sqlalchemy.orm import Session
from starlette.responses import Response

from api.described import COUNT, TEXT, answered, closed, list_of, one_of
from api.http import Caller, Given, Route, Stored, answer
from api.identity.roles import Permission, Principal
from api.live.account import tally_of, write_counted
from api.live.open import open_live
from api.live.schemas import StatesIn
from api.live.states import OUTCOMES, Taken, take_states
from api.live.stream import VEHICLES
from api.live.view import live_vehicles
from api.records.endpoints import Seen, routes_of
from api.records.features import feature_bytes
from api.records.types import TYPES
from api.settings import Settings

__all__ = ["ROUTES"]

_VEHICLE = TYPES["vehicle"]
_TAKEN = answered(
    closed(
        counts={"type": "object", "additionalProperties": COUNT},
        results=list_of(closed(source=TEXT, source_id=TEXT, outcome=one_of(*OUTCOMES))),
    )
)
_STREAM = answered(TEXT, media_types=("text/event-stream; charset=utf-8",))


def put_vehicle_states(wish: StatesIn, call: Caller, store: Stored, settings: Given) -> Response:
    """Say where vehicles are now. Of each the newest state is kept, in whatever order and however often they come.

    `outcome` of each says taken, older, unchanged, conflict (another state of the same time is there, and stays), ahead
    (its time has not come), unknown (no record of such a vehicle: POST /vehicles makes one) or forbidden (not one of
    the key's sources).
    """
    tally = tally_of(store, call, "vehicle.write_live", settings.live.account_s)

    def work(session: Session, now: int) -> tuple[list[Taken], list[str]]:
        done = take_states(session, call.principal, now, wish.states, settings.live)
        return done, [each.record_id for each in done if each.record_id is not None]

    done = write_counted(store, call, tally, work)
    results = [
        {"source": given.source, "source_id": given.source_id, "outcome": taken.outcome}
        for given, taken in zip(wish.states, done, strict=True)
    ]
    return answer({"counts": Counter(taken.outcome for taken in done), "results": results})


async def get_vehicle_stream(
    call: Caller, store: Stored, settings: Given, *, accept: Annotated[str, Header(max_length=1000)] = "*/*"
) -> Response:
    """Vehicles with their live state (Server-Sent Events): all as they are now, then each that changes.

    `vehicle` carries a GeoJSON Feature, `gone` the id of a vehicle whose live state is not to be seen any more. A
    reader that is slow gets the newest state of each and none in between; there is no cursor.
    """
    return await open_live(call, store, settings, accept, looked=VEHICLES)


def _with_live_state(
    session: Session, principal: Principal, now_us: int, settings: Settings, rows: Sequence[Any]
) -> list[Seen]:
    live = live_vehicles(session, principal, now_us, settings.live, [row.id for row in rows])
    seen = []
    for row in rows:
        one = live.get(row.id)
        feature, etag = (row.feature, row.etag) if one is None else (feature_bytes(one.feature), one.etag)
        seen.append(Seen(row.id, row.time_us, feature, etag))
    return seen


ROUTES: tuple[Route, ...] = (
    Route("PUT", "/vehicles/states", put_vehicle_states, Permission.ASSET_WRITE, answers=_TAKEN),
    Route("GET", "/vehicles/stream", get_vehicle_stream, Permission.ASSET_READ, answers=_STREAM),
    *routes_of(_VEHICLE, _with_live_state),
)
