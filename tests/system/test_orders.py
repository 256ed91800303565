"""Orders to a vehicle of the simulator, over its socket."""

import asyncio
import math
from dataclasses import replace

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

import autopilot
import sim
from autopilot import Orders, Place, PlaceError, Timing, Vehicle, emergency_stop, enable_fence, open_link
from geo import LocalFrame
from missions import BorderSegment, MissionItem
from tests.autopilot.scripted import HOME, line_mission

SPEEDUP = 20.0
BORDER = BorderSegment("test", "USA", "MEX", ((-111.0, 31.333), (-110.7, 31.333)), "left")
LOOK, SPEED = -40.0, 7.5


def mission():
    """The line, with a camera order before its first place."""
    line = line_mission()
    look = MissionItem(0, 2, mav.MAV_CMD_DO_MOUNT_CONTROL, LOOK, 0.0, 90.0, z=2.0)
    items = (*line.items[:3], look, *line.items[3:])
    return replace(line, items=tuple(replace(item, seq=number) for number, item in enumerate(items)))


class Flown:
    """A vehicle of the simulator and what gives it orders."""

    def __init__(self, vehicle):
        self.vehicle = vehicle
        self.orders = Orders(vehicle, borders=(BORDER,))
        self.gimbal = None
        vehicle.link.listen(self._look, sysid=vehicle.sysid, types=("GIMBAL_DEVICE_ATTITUDE_STATUS",))

    def _look(self, message):
        w, x, y, z = message.q
        self.gimbal = (
            math.degrees(math.asin(max(-1.0, min(1.0, 2 * (w * y - z * x))))),  # straight down is rounded
            math.degrees(math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))),
        )

    def from_home_m(self):
        now = self.vehicle.telemetry
        east, north, _ = LocalFrame(HOME[0], HOME[1]).to_enu(now.lat_deg, now.lon_deg)
        return float(east), float(north)

    def speed(self):
        north, east, _ = self.vehicle.telemetry.velocity_ned_m_s
        return math.hypot(north, east)

    async def until(self, predicate, vehicle_s=120.0):
        assert await self.vehicle.wait_until(lambda _: predicate(), vehicle_s), self.vehicle.telemetry


async def flown(body, *, start=True, upload=True):
    config = sim.FleetConfig(home=HOME, boot=sim.Boot(0.0, 0.0, 0.0), speedup=SPEEDUP, seed=3)
    timing = Timing(time_scale=SPEEDUP)
    with sim.start_fleet(config) as fleet:
        link = await open_link(fleet.endpoints[0].url, heartbeat=True, time_scale=SPEEDUP)
        async with link, await Vehicle.connect(link, timing=timing) as vehicle:
            told = Flown(vehicle)
            stream = mav.MAVLINK_MSG_ID_GIMBAL_DEVICE_ATTITUDE_STATUS
            await vehicle.command(mav.MAV_CMD_SET_MESSAGE_INTERVAL, stream, 2e5)
            if upload:
                await vehicle.upload(mission())
                await enable_fence(vehicle, mission())
            await vehicle.wait_ready()
            if start:
                await vehicle.start_mission()
                await told.until(lambda: vehicle.telemetry.item == 5 and told.speed() > SPEED - 0.5)
            await body(told)


async def test_take_off_go_to_and_land():
    async def body(told):
        vehicle, orders = told.vehicle, told.orders
        with pytest.raises(autopilot.NotReadyError, match="not in the air"):
            await orders.go_to(Place(HOME[0], HOME[1] + 0.003, 40.0))
        with pytest.raises(PlaceError, match="between 5 and 100 m"):
            await orders.take_off(120.0)
        assert vehicle.telemetry.armed is False
        await orders.take_off(30.0)
        assert vehicle.telemetry.above_home_m == pytest.approx(30.0, abs=1.5)
        assert vehicle.telemetry.mode == "GUIDED"
        with pytest.raises(autopilot.NotReadyError, match="armed already"):
            await orders.take_off(30.0)
        await orders.go_to(Place(HOME[0] + 0.002, HOME[1] + 0.003, 40.0))
        await told.until(lambda: told.speed() < 0.5 and vehicle.telemetry.above_home_m > 39.0)
        assert told.from_home_m() == pytest.approx((285.5, 221.8), abs=2.0)
        await vehicle.land()
        await told.until(lambda: vehicle.telemetry.armed is False)

    await flown(body, start=False)


async def test_over_a_cue_and_back_to_the_mission_with_its_speed_and_camera():
    async def body(told):
        vehicle, orders = told.vehicle, told.orders
        before = vehicle.telemetry.item
        assert told.gimbal[0] == pytest.approx(LOOK, abs=1.0)
        cue = Place(HOME[0] + 0.002, vehicle.telemetry.lon_deg, 60.0)
        stay = asyncio.create_task(orders.loiter(cue, 20.0, then_resume=True))
        await told.until(lambda: told.speed() < 0.3 and vehicle.telemetry.mode == "GUIDED")
        await told.until(lambda: told.gimbal[0] < -85.0)  # straight down on it
        stayed = await stay
        assert 20.0 <= stayed.stayed_s < 20.0 + SPEEDUP  # a second of the wall
        assert stayed.arrived_us < stayed.left_us
        assert vehicle.telemetry.mode == "AUTO"
        await told.until(lambda: vehicle.telemetry.item >= before and told.speed() > 7.0)
        await told.until(lambda: abs(told.gimbal[0] - LOOK) < 1.0)
        assert told.speed() == pytest.approx(SPEED, abs=0.6)  # not the 10 m/s of its parameters

    await flown(body)


async def test_what_is_forbidden_is_refused_and_it_flies_on():
    async def body(told):
        vehicle, orders = told.vehicle, told.orders
        lon = vehicle.telemetry.lon_deg
        for place, words in (
            (Place(31.334, lon, 60.0), "fence"),
            (Place(31.3336, lon, 60.0), "fence"),
            (Place(31.345, -110.99, 60.0), "fence"),
            (Place(31.345, lon, 101.0), "between 5 and 100"),
        ):
            with pytest.raises(PlaceError, match=words):
                await orders.go_to(place)
            with pytest.raises(PlaceError, match=words):
                await orders.loiter(place, 5.0)
        assert vehicle.telemetry.mode == "AUTO"

    await flown(body)


async def test_jump_speed_gimbal_and_region_of_interest():
    async def body(told):
        vehicle, orders = told.vehicle, told.orders
        for seq in (0, 99):
            with pytest.raises(autopilot.FlightError, match=f"no item {seq}"):
                await orders.jump(seq)
        await orders.jump(8)
        assert vehicle.telemetry.item == 8
        await autopilot.change_speed(vehicle, 4.0)
        await told.until(lambda: abs(told.speed() - 4.0) < 0.3)
        await autopilot.turn_gimbal(vehicle, -20.0, 30.0)
        await told.until(lambda: abs(told.gimbal[0] + 20.0) < 1.0 and abs(told.gimbal[1] - 30.0) < 1.0)
        await autopilot.look_at(vehicle, vehicle.telemetry.lat_deg, vehicle.telemetry.lon_deg)
        await told.until(lambda: told.gimbal[0] < -60.0)
        await autopilot.look_ahead(vehicle)
        await told.until(lambda: abs(told.gimbal[0]) < 1.0)
        await vehicle.pause()
        await orders.resume()
        await told.until(lambda: abs(told.gimbal[0] - LOOK) < 1.0 and abs(told.speed() - SPEED) < 0.5)
        with pytest.raises(autopilot.CommandError, match="vehicle 2 was confirmed: nothing was sent"):
            await emergency_stop(vehicle, confirm_sysid=2)
        assert vehicle.telemetry.armed is True
        await emergency_stop(vehicle, confirm_sysid=1)
        assert vehicle.telemetry.armed is False

    await flown(body)


async def test_a_pilot_who_takes_over_ends_the_stay():
    async def body(told):
        vehicle, orders = told.vehicle, told.orders
        stay = asyncio.create_task(orders.loiter(Place(HOME[0] + 0.001, HOME[1] + 0.004, 60.0), 600.0))
        await told.until(lambda: vehicle.telemetry.mode == "GUIDED")
        await vehicle.set_mode("LOITER")
        with pytest.raises(autopilot.FlightError, match="was put in mode LOITER"):
            await stay
        assert vehicle.telemetry.mode == "LOITER"

    await flown(body)


async def test_a_vehicle_without_a_proved_fence_goes_nowhere_unless_borders_are_given():
    async def body(told):
        vehicle = told.vehicle
        with pytest.raises(PlaceError, match="no fence that was proved"):
            await Orders(vehicle).take_off(30.0)
        assert vehicle.telemetry.armed is False
        await Orders(vehicle, borders=(BORDER,)).take_off(30.0)
        with pytest.raises(PlaceError, match="no fence that was proved"):
            await Orders(vehicle).go_to(Place(HOME[0], HOME[1] + 0.001, 30.0))
        with pytest.raises(PlaceError, match="stand-off"):
            await told.orders.go_to(Place(31.3334, HOME[1], 30.0))
        await told.orders.go_to(Place(HOME[0], HOME[1] + 0.001, 30.0))

    await flown(body, start=False, upload=False)
