"""Before arming: whether a vehicle knows the ground that its mission flies above.

Heights above terrain are the vehicle's own business in flight: without the ground below it, it turns home or lands. So
each place of the way is asked for (TERRAIN_CHECK, which has the vehicle ask for its grid as well) until the vehicle
knows its height, and nothing is waited for any more (TERRAIN_REPORT).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.dialect import LOCATED
from autopilot.errors import CommandError, NotReadyError, ParameterError
from autopilot.vehicle import Vehicle
from geo import densify
from missions import Mission

__all__ = ["await_ground", "request_terrain"]

_ABOVE_TERRAIN = frozenset({mav.MAV_FRAME_GLOBAL_TERRAIN_ALT, mav.MAV_FRAME_GLOBAL_TERRAIN_ALT_INT})
_STEP_M = 500.0  # a grid is 2.4 km by 2.8 km where its heights are 100 m apart
_AT_ONCE = 8
_ASK_S = 1.0
_REQUESTS_HZ = 1.0
_ENABLE = "TERRAIN_ENABLE"


@dataclass(frozen=True, slots=True)
class _Place:
    """A place, 1e-7 degrees, and the item on the way to which it lies."""

    lat_e7: int
    lon_e7: int
    seq: int


async def request_terrain(vehicle: Vehicle) -> None:
    """Have a vehicle ask us for the ground around it; one that has no such message is left alone.

    Raises
    ------
    CommandError
        When it does not answer.
    """
    try:
        await vehicle.request_stream(mav.MAVLINK_MSG_ID_TERRAIN_REQUEST, _REQUESTS_HZ)
    except CommandError as error:
        if error.result is None:
            raise


async def await_ground(vehicle: Vehicle, mission: Mission, patience_s: float, told: Callable[[int, int], None]) -> None:
    """Wait until a vehicle knows the ground along all ways that its mission flies above terrain.

    Parameters
    ----------
    vehicle, mission
        The vehicle, and the mission that it holds; one without heights above terrain waits for nothing.
    patience_s
        Longest wait in which nothing new comes, seconds of the vehicle's time.
    told
        Called with the places known, and all.

    Raises
    ------
    NotReadyError
        When nothing new comes, or the vehicle's terrain database is off.
    LinkError
        When the link was lost.
    """
    places = _way(vehicle, mission)
    if not places:
        return
    await _enabled(vehicle)
    await request_terrain(vehicle)
    clock = asyncio.get_running_loop().time
    unknown: dict[tuple[int, int], _Place] = {}
    for place in places:
        unknown.setdefault((place.lat_e7, place.lon_e7), place)
    asked, pending, loaded = list(unknown), 1, 0
    moved_s = clock()
    with vehicle.link.mailbox(vehicle.sysid, ("TERRAIN_REPORT",)) as box:
        while unknown or pending:
            told(len(asked) - len(unknown), len(asked))
            if clock() > moved_s + vehicle.timing.wall_s(patience_s):
                raise _lacking(vehicle, unknown.values(), pending, patience_s)
            for lat, lon in list(unknown or asked)[:_AT_ONCE]:
                vehicle.link.send(mav.MAVLink_terrain_check_message(lat, lon), vehicle.sysid)
            until = clock() + vehicle.timing.retry_s(_ASK_S)
            while (report := await box.get(until - clock())) is not None:
                if report.get_srcComponent() != vehicle.component:
                    continue
                pending = report.pending
                news = report.loaded > loaded
                loaded = max(loaded, report.loaded)
                if report.spacing and unknown.pop((report.lat, report.lon), None) is not None:
                    news = True
                if news:
                    moved_s = clock()
    told(len(asked), len(asked))


def _way(vehicle: Vehicle, mission: Mission) -> list[_Place]:
    """Places not farther apart than `_STEP_M` along all ways to places above terrain."""
    now, places = vehicle.telemetry, []
    before = None if now.lat_deg is None or now.lon_deg is None else (now.lat_deg, now.lon_deg)
    for item in mission.items[1 if vehicle.dialect.home_is_item_0 else 0 :]:
        if item.command not in LOCATED or not (item.x or item.y):
            continue
        here = item.x / 1e7, item.y / 1e7
        if item.frame in _ABOVE_TERRAIN:
            begin = before or here
            lat, lon = densify([begin[0], here[0]], [begin[1], here[1]], _STEP_M)
            on_the_way = np.rint(np.stack([lat, lon], axis=-1) * 1e7).astype(int).tolist()
            places += [_Place(y, x, item.seq) for y, x in on_the_way]
        before = here
    return places


async def _enabled(vehicle: Vehicle) -> None:
    try:
        enabled = await vehicle.parameter(_ENABLE)
    except ParameterError:
        enabled = 0.0
    if not enabled:
        raise NotReadyError(
            f"{vehicle}: the mission flies above terrain and the vehicle's terrain database is off: set {_ENABLE} to "
            "1, or give heights above home"
        )


def _lacking(vehicle: Vehicle, unknown: Iterable[_Place], pending: int, patience_s: float) -> NotReadyError:
    lacking = sorted(unknown, key=lambda place: place.seq)
    what = f"{pending} blocks of heights around its way"
    if lacking:
        first = lacking[0]
        what = (
            f"the ground at {len(lacking)} places of its way, the first on the way to item {first.seq} at "
            f"{first.lat_e7 / 1e7:.5f}, {first.lon_e7 / 1e7:.5f}"
        )
    return NotReadyError(
        f"{vehicle}: the mission flies above terrain and it lacks {what}; nothing new came in {patience_s:g} s: give "
        "the terrain that covers the way, or put it on the vehicle's card"
    )
