"""Nobody takes off before the fence that was just uploaded acts."""

import asyncio
from dataclasses import replace
from types import SimpleNamespace

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot import PX4, CommandError, Timing, Vehicle
from autopilot.ardupilot import ARDUCOPTER
from autopilot.fence_loading import FenceLoading
from tests.autopilot.scripted import FAST, Script, line_mission, linked

# Vehicle seconds from the acknowledgement of so many items to the first word on them: PX4 main of May 2026.
SEEN_S = {4: 0.5, 16: 1.64, 32: 3.23, 64: 6.35}


class Flown:
    """A vehicle whose clock goes on by a quarter of a second whenever it is waited for."""

    def __init__(self, dialect):
        self.dialect = dialect
        self.timing = Timing(time_scale=20.0)
        self.telemetry = SimpleNamespace(vehicle_s=100.0)

    async def wait_until(self, _predicate, _vehicle_s):
        await asyncio.sleep(0.01)
        self.telemetry.vehicle_s += 0.25


@pytest.mark.parametrize(("items", "seen_s"), SEEN_S.items())
async def test_it_is_waited_for_as_long_as_the_real_one_takes(items, seen_s):
    vehicle = Flown(PX4)
    loading = FenceLoading(vehicle)
    loading.taken(items)
    await loading.settle()
    assert seen_s <= vehicle.telemetry.vehicle_s - 100.0 <= seen_s + 0.5
    at_s = vehicle.telemetry.vehicle_s
    await loading.settle()
    assert vehicle.telemetry.vehicle_s == at_s


@pytest.mark.parametrize(("dialect", "items"), [(ARDUCOPTER, 64), (PX4, 0), (PX4, None)])
async def test_what_acts_at_once_is_not_waited_for(dialect, items):
    vehicle = Flown(dialect)
    loading = FenceLoading(vehicle)
    if items is not None:
        loading.taken(items)
    await loading.settle()
    assert vehicle.telemetry.vehicle_s == 100.0


async def test_a_mission_is_not_begun_before_its_fence_acts():
    corner, count = line_mission().fence[0], 300
    fence = tuple(replace(corner, seq=n, p1=float(count), y=corner.y + n) for n in range(count))
    mission = replace(line_mission(2, dialect="px4"), fence=fence)
    script = Script(autopilot=mav.MAV_AUTOPILOT_PX4, orders=lambda _mode, _nth: mav.MAV_RESULT_DENIED)
    async with linked(script) as (_, link), await Vehicle.connect(link, 1, timing=FAST) as vehicle:
        await vehicle.upload(mission)
        clock = asyncio.get_running_loop().time
        begun_s = clock()
        with pytest.raises(CommandError):
            await vehicle.start_mission()
        assert (clock() - begun_s) * FAST.time_scale >= count * 0.1
