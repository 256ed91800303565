"""All parameters at once, their names in several versions, and the ground station that a vehicle waits for."""

import asyncio
import random

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot import (
    AbsentError,
    NotReadyError,
    ParameterError,
    Timing,
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


async def test_a_number_of_them_that_never_stays_is_an_error():
    async with linked(Script(params=dict(TABLE))) as (vehicle, link), await connected(link) as seen:
        lists(vehicle)
        send = vehicle.send

        def another(message):
            if message.get_type() == "PARAM_VALUE":
                message.param_count += vehicle.counts.get("PARAM_VALUE", 0)
            send(message)

        vehicle.send = another
        with pytest.raises(ParameterError, match="another number of its parameters again and again"):
            await asyncio.wait_for(all_parameters(seen), 30.0)


async def test_a_number_of_them_that_no_autopilot_has_is_an_error():
    """65,535 of them, one by one at its leisure, would be read for a day."""
    async with linked(Script(params=dict(TABLE))) as (vehicle, link), await connected(link) as seen:
        lists(vehicle)
        send = vehicle.send

        def many(message):
            if message.get_type() == "PARAM_VALUE":
                message.param_count = 65535
            send(message)

        vehicle.send = many
        with pytest.raises(ParameterError, match=r"says that it has 65535 parameters; no more than 10000 are read"):
            await asyncio.wait_for(all_parameters(seen), 30.0)


async def test_a_parameter_beyond_their_number_is_none_of_them():
    async with linked(Script(params=dict(TABLE))) as (vehicle, link), await connected(link) as seen:
        lists(vehicle, lambda nth: nth == 7)
        send = vehicle.send

        def beside(message):
            send(message)
            if message.get_type() == "PARAM_VALUE" and message.param_index < 300:
                send(mav.MAVLink_param_value_message(b"STRAY", 1.0, 9, 300, 300 + message.param_index))

        vehicle.send = beside
        got = await all_parameters(seen)
        assert got == {name: value for name, (value, _) in TABLE.items()}


async def test_two_parameters_of_one_name_are_an_error():
    async with linked(Script(params=dict(TABLE))) as (vehicle, link), await connected(link) as seen:
        lists(vehicle)
        send = vehicle.send

        def same(message):
            if message.get_type() == "PARAM_VALUE" and message.param_index == 8:
                message = mav.MAVLink_param_value_message(b"P007", 1.0, 9, message.param_count, 8)
            send(message)

        vehicle.send = same
        with pytest.raises(ParameterError, match="300 parameters came under 299 names: read them again"):
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


def asked(vehicle, name):
    return sum(m.get_type() == "PARAM_REQUEST_READ" and m.param_id == name for m in vehicle.heard)


@pytest.mark.parametrize("how", [{}, {"param_errors": True}])
async def test_one_that_the_vehicle_lacks_is_known_before_a_question_is_given_up_and_remembered(how):
    """Nothing is said of it, or that it is not there: questions that are answered say that the link is not to blame."""
    slow = Timing(retry_floor_s=20.0)
    async with linked(Script(**how)) as (vehicle, link), await Vehicle.connect(link, timing=slow) as seen:
        async with asyncio.timeout(15):
            with pytest.raises(AbsentError, match="has no parameter NOT_THERE"):
                await seen.parameter("NOT_THERE")
        times = asked(vehicle, "NOT_THERE")
        assert times == (1 if how else 4)
        with pytest.raises(AbsentError):
            await seen.parameter("NOT_THERE")
        assert asked(vehicle, "NOT_THERE") == times
        # What it holds by another number, or after a boot, is asked for anew.
        vehicle.script.params["NOT_THERE"] = (3.0, 9)
        assert await seen.parameter("FENCE_TYPE") == 7.0
        assert await seen.parameter("NOT_THERE") == 3.0


async def test_what_it_lacked_is_asked_for_again_after_a_boot():
    async with linked(Script()) as (vehicle, link), await connected(link) as seen:
        with pytest.raises(AbsentError):
            await seen.parameter("NOT_THERE")
        vehicle.script.params["NOT_THERE"] = vehicle.script.params.pop("FENCE_TYPE")  # as many as before
        with pytest.raises(AbsentError):
            await seen.parameter("NOT_THERE")
        vehicle.clock_ms += 60_000
        vehicle.report()
        await seen.wait_until(lambda t: t.vehicle_s > 60, 5.0)
        vehicle.clock_ms = 0
        vehicle.report()
        await seen.wait_until(lambda t: t.boots == 1, 5.0)
        assert await seen.parameter("NOT_THERE") == 7.0


async def test_many_are_looked_up_side_by_side():
    slow = Timing(retry_floor_s=20.0)
    lacking = [f"LACKS_{n}" for n in range(12)]
    async with linked(Script()) as (vehicle, link), await Vehicle.connect(link, timing=slow) as seen:
        waiting = most = 0
        answer = vehicle.on_param_request_read

        async def late(m):
            nonlocal waiting, most
            waiting += 1
            most = max(most, waiting)
            await asyncio.sleep(0.05)
            waiting -= 1
            answer(m)

        tasks = []
        vehicle.on_param_request_read = lambda m: tasks.append(asyncio.ensure_future(late(m)))
        await seen.look_up([*lacking, "FENCE_TYPE", "SYSID_MYGCS"])
        assert 6 <= most <= 20  # what ArduPilot keeps of questions
        before = len(vehicle.heard)
        for name in lacking:
            with pytest.raises(AbsentError):
                await seen.parameter(name)
        await seen.look_up([*lacking, "FENCE_TYPE", "MAV_GCS_SYSID"])
        assert len(vehicle.heard) == before


async def test_a_link_that_loses_does_not_make_it_absent():
    """At the share of losses at which the other question misleads most, half of all."""
    dice = random.Random(11)
    wrong = 0
    async with linked(Script()) as (vehicle, link), await connected(link) as seen:
        vehicle.script.lose = lambda name, _: name.startswith("PARAM_") and dice.random() < 0.3
        for _ in range(60):
            try:
                assert await seen.parameter("FENCE_TYPE") == 7.0
            except AbsentError:
                wrong += 1
            except ParameterError:
                pass  # not answered: nobody says that it is not there
    assert wrong <= 1


async def test_what_is_asked_for_beside_it_does_not_make_it_absent_on_a_slow_link():
    """Nothing is lost; answers to the others come all the time while its own is still on its way."""
    slow, dice = Timing(retry_floor_s=20.0), random.Random(5)
    there = {f"THERE_{n}": (float(n), 9) for n in range(30)}
    names = [*there, *(f"LACKS_{n}" for n in range(15))]
    dice.shuffle(names)
    async with linked(Script(params=there)) as (vehicle, link), await Vehicle.connect(link, timing=slow) as seen:
        answer, loop = vehicle.on_param_request_read, asyncio.get_running_loop()
        vehicle.on_param_request_read = lambda m: loop.call_later(dice.uniform(0.15, 0.25), answer, m)
        await seen.look_up(names)
        vehicle.on_param_request_read = answer
        assert [await seen.parameter(name) for name in there] == [value for value, _ in there.values()]


async def test_of_a_vehicle_that_answers_nothing_nobody_says_that_it_lacks_something():
    async with linked(Script(by_index=False)) as (_, link), await connected(link) as seen:
        with pytest.raises(ParameterError, match="or does not answer") as refused:
            await seen.parameter("NOT_THERE")
    assert not isinstance(refused.value, AbsentError)


async def test_why_a_value_is_not_taken_is_told():
    async with linked(Script()) as (vehicle, link), await connected(link) as seen:
        vehicle.on_param_set = lambda m: vehicle.send(
            mav.MAVLink_param_error_message(255, 190, m.param_id.encode(), -1, mav.MAV_PARAM_ERROR_VALUE_OUT_OF_RANGE)
        )
        with pytest.raises(ParameterError, match=r"FENCE_TYPE: the value is out of its range \(MAV_PARAM_ERROR 2\)"):
            await seen.set_parameter("FENCE_TYPE", 99)
