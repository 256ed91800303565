"""Wings that circle beside their line and are to go on: what their turn back onto it takes, flown and foreseen."""

import asyncio
import math
import re
from contextlib import asynccontextmanager
from dataclasses import replace

import numpy as np
import pytest

import sim
from autopilot import Orders, Place, PlaceError, Timing, Vehicle, enable_fence, open_link
from autopilot.words import MissionKind
from geo import LocalFrame
from missions import MissionItem
from tests.autopilot.scripted import HOME, line_mission

SPEEDUP = 5.0
JUMP = re.compile(r"a jump to item (\d+) can be flown now, and leaves out items? (\d+)")
PLANE = LocalFrame(*HOME[:2])
SOUTH_M = 36.0
"""From the line to the fence: 6 m of room, and half the radius of a turn that a plan keeps for bends."""


def beside_a_fence(name):
    """The line eastwards from home, every 475 m, just north of a fence."""
    lat, lon, _ = PLANE.to_geodetic(
        np.array([-900.0, 4500.0, 4500.0, -900.0]), np.array([-SOUTH_M, -SOUTH_M, 900.0, 900.0]), 0.0
    )
    fence = tuple(
        MissionItem(n, 0, 5001, 4.0, x=round(a * 1e7), y=round(o * 1e7))
        for n, (a, o) in enumerate(zip(lat, lon, strict=True))
    )
    return replace(line_mission(8, dialect=name), fence=fence)


class Flight:
    def __init__(self, vehicle):
        self.vehicle, self.track = vehicle, []
        vehicle.link.listen(self._note, sysid=vehicle.sysid, types=("GLOBAL_POSITION_INT",))

    def _note(self, message):
        east, north, _ = PLANE.to_enu(message.lat / 1e7, message.lon / 1e7)
        self.track.append((float(east), float(north)))

    @property
    def here(self):
        return self.track[-1]

    def heads_back(self):
        return abs(self.vehicle.telemetry.yaw_deg - 250.0) < 15.0

    async def until(self, predicate, vehicle_s=200.0):
        assert await self.vehicle.wait_until(lambda _: predicate(), vehicle_s), self.vehicle.telemetry


@asynccontextmanager
async def circling(name):
    """Wings that circle past an item of their line, 300 m beside it, and head back against the line just now."""
    # Its mission ends with a return, which PX4 with wings flies only so.
    params = {"MIS_TKO_LAND_REQ": 0.0} if name == "px4" else {}
    boot = sim.Boot(0.0, 0.0, 0.0)
    config = sim.FleetConfig(
        home=HOME, boot=boot, speedup=SPEEDUP, autopilot=name, frame="plane", seed=3, params=params
    )
    with sim.start_fleet(config) as fleet:
        link = await open_link(fleet.endpoints[0].url, heartbeat=True, time_scale=SPEEDUP)
        async with link, await Vehicle.connect(link, timing=Timing(time_scale=SPEEDUP)) as vehicle:
            mission = beside_a_fence(name)
            await vehicle.upload(mission)
            await enable_fence(vehicle, mission, ceiling_m=120.0)
            await vehicle.wait_ready()
            flight = Flight(vehicle)
            await vehicle.start_mission()
            left_off = 5 if vehicle.dialect.home_is_item_0 else 4
            await flight.until(lambda: vehicle.telemetry.item == left_off)
            orders, item = Orders(vehicle, ceiling_m=110.0), vehicle.held(MissionKind.MISSION)[left_off]
            east, _, _ = PLANE.to_enu(item.x / 1e7, item.y / 1e7)
            centre = float(east) + 450.0, 300.0
            lat, lon, _ = PLANE.to_geodetic(*centre, 0.0)
            turn_m = await orders.go_to(Place(float(lat), float(lon), 90.0))
            await flight.until(lambda: math.dist(flight.here, centre) < turn_m + 15.0)
            await flight.until(flight.heads_back)
            yield flight, orders, item, turn_m


async def test_wings_that_turn_round_at_an_item_leave_their_fence_though_the_way_there_is_free():
    async with circling("ardupilot") as (flight, orders, item, turn_m):
        vehicle, now = flight.vehicle, flight.vehicle.telemetry
        north, east, _ = now.velocity_ned_m_s
        here, place = Place(now.lat_deg, now.lon_deg, 90.0), Place(item.x / 1e7, item.y / 1e7, 90.0)
        area = await orders.area()
        area.check(here, place, velocity_m_s=(east, north), radius_m=turn_m, planned=True)
        await vehicle.resume()  # which asks nobody
        await flight.until(lambda: flight.here[1] < -SOUTH_M)


@pytest.mark.parametrize("name", ["ardupilot", "px4"])
async def test_wings_that_would_leave_their_fence_are_told_where_to_join_their_line_instead(name):
    async with circling(name) as (flight, orders, item, _):
        vehicle = flight.vehicle
        # All round the circle.
        with pytest.raises(PlaceError, match=rf"does not go on at item {item.seq}: .* the vehicle's fence") as refused:
            await orders.resume()
        assert vehicle.telemetry.mode == vehicle.dialect.orders.guided_mode
        later, first = map(int, JUMP.search(str(refused.value)).groups())
        assert first == item.seq < later
        begun = len(flight.track)
        while True:
            try:
                await orders.jump(later)
                break
            except PlaceError:
                await asyncio.sleep(0.1)
        await orders.resume()
        await flight.until(lambda: vehicle.telemetry.item == later + 1)
        await flight.until(lambda: abs(flight.here[1]) < 5.0 and abs(vehicle.telemetry.yaw_deg - 90.0) < 5.0)
        assert min(north for _, north in flight.track[begun:]) > -SOUTH_M
