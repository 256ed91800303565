"""All parameters at once, their names in several versions, and the ground station that a vehicle waits for."""

import random

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot import (
    NotReadyError,
    ParameterError,
    Vehicle,
    all_parameters,
    check_ground_station,
    ground_watch,
    names_of,
    value_of,
)
from tests.autopilot.scripted import FAST, Script, line_mission, linked
from tests.autopilot.test_fly import flown
from tests.autopilot.test_orders import integer


async def connected(link):
    return await Vehicle.connect(link, timing=FAST)


def lists(vehicle, lose=lambda _nth: False, *, grow_at=None):
    """Give a scripted vehicle the list of parameters, and a link that loses values."""
    sent = 0

    def say(index):
        nonlocal sent
        sent += 1
        if sent == grow_at:
            vehicle.script.params |= {f"GROUP_{n}": (float(n), 9) for n in range(5)}
        table = sorted(vehicle.script.params.items())
        name, (value, kind) = table[index]
        if not lose(sent):
            vehicle.send(mav.MAVLink_param_value_message(name.encode(), value, kind, len(table), index))

    def every(_):
        for index in range(len(vehicle.script.params)):
            say(index)

    by_name = vehicle.on_param_request_read

    def one(m):
        if m.param_index >= 0:
            say(m.param_index)
        else:
            by_name(m)

    vehicle.on_param_request_list, vehicle.on_param_request_read = every, one


TABLE = {f"P{n:03}": (n + 0.5, 9) for n in range(300)}


@pytest.mark.parametrize("loss", [0.0, 0.3, 0.8])
async def test_the_whole_table_comes_over_a_link_that_loses(loss):
    dice = random.Random(4)
    async with linked(Script(params=dict(TABLE))) as (vehicle, link), await connected(link) as seen:
        lists(vehicle, lambda _: dice.random() < loss)
        steps = []
        got = await all_parameters(seen, progress=lambda done, of: steps.append((done, of)))
        assert got == {name: value for name, (value, _) in TABLE.items()}
        assert list(got) == sorted(got)
        assert steps == [(n + 1, 300) for n in range(300)]


async def test_the_list_itself_is_asked_for_again():
    script = Script(params=dict(TABLE), lose=lambda name, nth: name == "PARAM_REQUEST_LIST" and nth < 3)
    async with linked(script) as (vehicle, link), await connected(link) as seen:
        lists(vehicle)
        assert len(await all_parameters(seen)) == 300


async def test_a_table_that_grows_meanwhile_is_read_anew():
    async with linked(Script(params=dict(TABLE))) as (vehicle, link), await connected(link) as seen:
        dice = random.Random(1)
        lists(vehicle, lambda _: dice.random() < 0.2, grow_at=150)
        got = await all_parameters(seen)
        assert got == {name: value for name, (value, _) in vehicle.script.params.items()}
        assert len(got) == 305


async def test_a_vehicle_that_stops_answering_is_told_with_what_lacks():
    async with linked(Script(params=dict(TABLE))) as (vehicle, link), await connected(link) as seen:
        lists(vehicle, lambda nth: nth > 120)
        with pytest.raises(ParameterError, match="120 of 300 parameters came and no more"):
            await all_parameters(seen)
    async with linked(Script()) as (_, link), await connected(link) as seen:
        with pytest.raises(ParameterError, match="0 of its parameters came"):
            await all_parameters(seen)


async def test_integers_of_px4_come_by_value():
    script = Script(autopilot=mav.MAV_AUTOPILOT_PX4, params={"GF_ACTION": integer(5), "MPC_Z": (1.5, 9)})
    async with linked(script) as (vehicle, link), await connected(link) as seen:
        lists(vehicle)
        assert await all_parameters(seen) == {"GF_ACTION": 5.0, "MPC_Z": 1.5}


@pytest.mark.parametrize(
    ("new", "old"),
    [
        ("MAV_GCS_SYSID", "SYSID_MYGCS"),
        ("MAV_SYSID", "SYSID_THISMAV"),
        ("MAV1_POSITION", "SR0_POSITION"),
        ("MAV3_EXTRA1", "SR2_EXTRA1"),
    ],
)
async def test_a_parameter_is_found_and_set_by_either_name(new, old):
    assert names_of(new) == names_of(old) == (new, old)
    assert value_of({old: 3.0}, new) == value_of({new: 3.0}, old) == 3.0
    for held in (new, old):
        async with linked(Script(params={held: (7.0, 2)})) as (vehicle, link), await connected(link) as seen:
            for asked in (new, old):
                assert await seen.parameter(asked) == 7.0
            assert await seen.set_parameter(old if held == new else new, 9) == 9.0
            assert vehicle.script.params == {held: (9.0, 2)}


def test_other_names_stay_alone():
    for name in ("FENCE_TYPE", "MAV0_POSITION", "SR0_NOTHING", "MAV_TYPE"):
        assert names_of(name) == (name,)
    assert value_of({"A": 1.0}, "B") is None


async def test_the_ground_station_that_a_vehicle_waits_for():
    params = {"SYSID_MYGCS": (254.0, 2), "FS_GCS_ENABLE": (1.0, 2)}
    async with linked(Script(params=params)) as (vehicle, link), await connected(link) as seen:
        assert not (await ground_watch(seen)).takes(255)
        with pytest.raises(NotReadyError, match=r"waits for ground station 254 .* we are 255: it would not notice"):
            await check_ground_station(seen)
        vehicle.script.params["MAV_GCS_SYSID_HI"] = (255.0, 2)
        assert await check_ground_station(seen) is None
        del vehicle.script.params["MAV_GCS_SYSID_HI"]
        vehicle.script.params["FS_GCS_ENABLE"] = (0.0, 2)
        assert await check_ground_station(seen) is None
        vehicle.script.params.clear()
        assert "is not known: " in await check_ground_station(seen)


async def test_px4_takes_any_ground_station():
    script = Script(autopilot=mav.MAV_AUTOPILOT_PX4, params={"NAV_DLL_ACT": integer(2)})
    async with linked(script) as (_, link), await connected(link) as seen:
        assert await check_ground_station(seen) is None


def waiting_for(number):
    script = Script()
    script.params |= {"MAV_GCS_SYSID": (number, 2), "FS_GCS_ENABLE": (1.0, 2)}
    return script


async def test_one_that_waits_for_another_ground_station_is_not_flown():
    report, (vehicle,) = await flown(waiting_for(250.0))
    assert "waits for ground station 250 (MAV_GCS_SYSID) and we are 255" in report.vehicles[0].failure
    assert not any(m.get_type() == "MISSION_COUNT" for m in vehicle.heard)
    assert not vehicle.armed
    # Where somebody else is the ground station it is not our matter.
    report, _ = await flown(waiting_for(250.0), heartbeat=False)
    assert report.completed, report.vehicles[0].failure


async def test_one_that_does_not_say_whom_it_waits_for_is_noted_once():
    """By its other parameters it comes home: not where it never heard the ground station that it waits for."""
    script = Script()
    del script.params["MAV_GCS_SYSID"]
    report, _ = await flown(script, missions=(line_mission(4), line_mission(4)))
    assert report.completed, report.vehicles[0].failure
    (note,) = report.notes
    assert "vehicle 1 sortie 1: whether it would notice that it hears us no more is not known" in note
    assert "has no parameter MAV_GCS_SYSID" in note
