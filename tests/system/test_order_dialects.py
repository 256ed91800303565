"""Orders to simulated vehicles of every dialect and airframe."""

import math

import pytest

import sim
from autopilot import (
    Orders,
    Place,
    PlaceError,
    Timing,
    Vehicle,
    change_speed,
    emergency_stop,
    enable_fence,
    look_ahead,
    look_at,
    open_link,
    turn_gimbal,
)
from geo import LocalFrame
from tests.autopilot.scripted import HOME, line_mission

SPEEDUP = 20.0


def from_home_m(vehicle):
    now = vehicle.telemetry
    east, north, _ = LocalFrame(HOME[0], HOME[1]).to_enu(now.lat_deg, now.lon_deg)
    return float(east), float(north)


@pytest.mark.parametrize("autopilot", ["ardupilot", "px4"])
@pytest.mark.parametrize("frame", ["quad", "plane", "vtol"])
async def test_sent_aside_and_back_to_the_mission(autopilot, frame):
    # Its mission ends with a return, which PX4 with wings flies only so.
    params = {"MIS_TKO_LAND_REQ": 0.0} if autopilot == "px4" else {}
    boot = sim.Boot(0.0, 0.0, 0.0)
    config = sim.FleetConfig(
        home=HOME, boot=boot, speedup=SPEEDUP, autopilot=autopilot, frame=frame, seed=3, params=params
    )
    timing = Timing(time_scale=SPEEDUP)
    with sim.start_fleet(config) as fleet:
        link = await open_link(fleet.endpoints[0].url, heartbeat=True, time_scale=SPEEDUP)
        async with link, await Vehicle.connect(link, timing=timing) as vehicle:
            mission = line_mission(12, dialect=vehicle.dialect.name)
            await vehicle.upload(mission)
            await enable_fence(vehicle, mission, ceiling_m=120.0)
            await vehicle.wait_ready()
            await vehicle.start_mission()
            first = 4 if vehicle.dialect.home_is_item_0 else 3
            assert await vehicle.wait_until(lambda t: t.item == first, 300.0), vehicle.telemetry
            orders = Orders(vehicle, ceiling_m=110.0)
            with pytest.raises(PlaceError):
                await orders.go_to(Place(31.334, vehicle.telemetry.lon_deg, 80.0))
            place = Place(31.350, HOME[1] + 0.02, 80.0)
            stayed = await orders.loiter(place, 20.0)
            assert 20.0 <= stayed.stayed_s < 30.0
            east, north = from_home_m(vehicle)
            # Wings circle about it.
            away_m = math.hypot(east - 1903.0, north - 554.5)
            assert away_m < (4.0 if frame == "quad" else 120.0)
            assert vehicle.telemetry.above_home_m == pytest.approx(80.0, abs=6.0)
            await orders.resume()
            assert vehicle.telemetry.mode == vehicle.dialect.mission_mode
            await orders.jump(first + 6)
            if frame == "quad":
                await change_speed(vehicle, 4.0)
                flown = await vehicle.wait_until(lambda t: abs(math.hypot(*t.velocity_ned_m_s[:2]) - 4.0) < 0.5, 60.0)
                assert flown, vehicle.telemetry
            await turn_gimbal(vehicle, -20.0, 10.0)
            await look_at(vehicle, 31.345, -110.93)
            await look_ahead(vehicle)
            if frame == "quad":
                await emergency_stop(vehicle, confirm_sysid=1)


@pytest.mark.parametrize("autopilot", ["ardupilot", "px4"])
@pytest.mark.parametrize("frame", ["quad"])
async def test_straight_up(autopilot, frame):
    config = sim.FleetConfig(
        home=HOME, boot=sim.Boot(0.0, 0.0, 0.0), speedup=SPEEDUP, autopilot=autopilot, frame=frame, seed=3
    )
    with sim.start_fleet(config) as fleet:
        link = await open_link(fleet.endpoints[0].url, heartbeat=True, time_scale=SPEEDUP)
        async with link, await Vehicle.connect(link, timing=Timing(time_scale=SPEEDUP)) as vehicle:
            mission = line_mission(12, dialect=vehicle.dialect.name)
            await vehicle.upload(mission)
            await enable_fence(vehicle, mission, ceiling_m=120.0)
            await vehicle.wait_ready()
            await Orders(vehicle).take_off(30.0)
            assert vehicle.telemetry.above_home_m == pytest.approx(30.0, abs=1.5)
