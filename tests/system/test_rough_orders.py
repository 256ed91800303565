"""Orders over a slow link that loses, doubles and disorders: each is done or fails in words, and nothing else is said.

The vehicle is the simulated one, whose protocol shares no code with the link; what it did is read from its flight.
"""

import asyncio
import contextlib
import struct
from dataclasses import replace

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot import CommandError, FlightLimits, LinkError, Orders, Place, Timing, Vehicle, enable_fence
from autopilot.sortie import Flight
from autopilot.station import connected
from autopilot.streams import STREAMS
from missions import Mission, MissionItem
from tests.system.rough import HOME, Channel, Joined, run

LAT, LON = round(HOME[0] * 1e7), round(HOME[1] * 1e7)
HEARTBEAT, COMMAND, ACK = mav.MAVLINK_MSG_ID_HEARTBEAT, mav.MAVLINK_MSG_ID_COMMAND_LONG, mav.MAVLINK_MSG_ID_COMMAND_ACK
TAKEOFF, INTERVAL, ESTIMATOR = 22, 511, mav.MAVLINK_MSG_ID_EKF_STATUS_REPORT
BEAT = mav.MAVLink_heartbeat_message(mav.MAV_TYPE_GCS, mav.MAV_AUTOPILOT_INVALID, 0, 0, 4, 3)
SLOW = Channel(delay_s=1.0)  # a round trip of two seconds: every order is repeated before it can be acknowledged
PARAMS = {"ardupilot": {"FENCE_ALT_MAX": 100.0}, "px4": {"NAV_DLL_ACT": 0.0, "COM_DLL_EXCEPT": 7.0}}


def number(packet):
    return int.from_bytes(packet[7:10], "little")


def fenced(autopilot):
    half = 50_000
    corners = ((-half, -half), (-half, half), (half, half), (half, -half))
    fence = tuple(MissionItem(n, 0, 5001, 4.0, x=LAT + a, y=LON + b) for n, (a, b) in enumerate(corners))
    off, place = MissionItem(0, 6, 22, x=LAT, y=LON, z=20.0), MissionItem(1, 6, 16, x=LAT + 900, y=LON, z=20.0)
    items = (off, place)
    if autopilot == "ardupilot":
        home = MissionItem(0, 0, 16, x=LAT, y=LON, z=HOME[2])
        items = (home, replace(off, seq=1), replace(place, seq=2))
    return Mission("m", autopilot, items, fence, ())


def rough(seed, loss, twice, delay_s, jitter_s):
    return Channel(seed=seed, loss=loss, twice=twice, delay_s=delay_s, jitter_s=jitter_s)


class Met(Joined):
    """One that we have met, and that hears from us once a second."""

    async def __aenter__(self):
        await super().__aenter__()
        self.link.every(1.0, lambda: self.link.beat(BEAT) or True)
        self.seen = await Vehicle.connect(self.link, 1, timing=Timing(), wait_s=30.0)
        return self

    async def __aexit__(self, *why):
        self.seen.close()
        await super().__aexit__(*why)


@pytest.mark.parametrize("autopilot", ["ardupilot", "px4"])
@pytest.mark.parametrize(
    "channel",
    [rough(4, 0.03, 0.09, 0.3, 0.5), rough(13, 0.08, 0.02, 0.5, 0.9), rough(18, 0.1, 0.1, 0.25, 1.0), SLOW],
    ids=str,
)
def test_from_the_ground_to_a_place_and_home_over_a_bad_link(autopilot, channel):
    async def go():
        async with Met(channel, autopilot=autopilot, params=PARAMS[autopilot]) as met:
            vehicle, flight, mission = met.seen, met.vehicle.flight, fenced(autopilot)
            await vehicle.upload(mission)
            await enable_fence(vehicle, mission)
            await vehicle.wait_ready(60.0)
            orders = Orders(vehicle, ceiling_m=60.0)
            await orders.take_off(20.0)
            assert flight.body.u > 18.0
            place = Place(HOME[0] + 0.0006, HOME[1] + 0.0004, 25.0)
            await orders.loiter(place, 5.0, look=False)
            assert abs(flight.body.n - 66.5) < 8.0
            await vehicle.return_home()
            assert await vehicle.wait_until(lambda t: t.armed is False, 240.0) is not None
            assert not flight.armed

    run(go())


def test_an_acknowledgement_of_the_order_before_is_not_taken_for_that_of_the_next():
    async def go():
        async with Met(replace(SLOW)) as met:
            await met.seen.command(INTERVAL, mav.MAVLINK_MSG_ID_VFR_HUD, 1e6)
            met.drop = lambda packet: number(packet) == COMMAND
            with pytest.raises(CommandError, match="no answer"):
                await met.seen.command(INTERVAL, mav.MAVLINK_MSG_ID_VIBRATION, 1e6)

    run(go())


def test_what_a_link_brings_twice_is_no_answer_to_the_next_order():
    async def go():
        async with Met(replace(SLOW, twice=1.0)) as met:
            await met.seen.command(INTERVAL, mav.MAVLINK_MSG_ID_VFR_HUD, 1e6)
            met.drop = lambda packet: number(packet) == COMMAND
            with pytest.raises(CommandError, match="no answer"):
                await met.seen.command(INTERVAL, mav.MAVLINK_MSG_ID_VIBRATION, 1e6)

    run(go())


def test_an_order_is_repeated_by_the_round_trip_that_was_measured():
    """Every stream was asked for twice over a round trip of two seconds, for ever."""

    async def go():
        async with Met(replace(SLOW)) as met:
            before = met.carried(COMMAND)
            for _ in range(10):
                await met.seen.command(INTERVAL, mav.MAVLINK_MSG_ID_VFR_HUD, 1e6)
            assert met.carried(COMMAND) - before == 10

    run(go())


class Relayed(Met):
    """One behind a relay that acknowledges the first order for the estimator's report in its name, and loses it."""

    async def __aenter__(self):
        self.lost = []
        self.drop = self._loses
        return await super().__aenter__()

    def _loses(self, packet):
        if self.lost or number(packet) != COMMAND or struct.unpack("<f", packet[10:14])[0] != ESTIMATOR:
            return False
        self.lost.append(packet)
        accepted = mav.MAVLink_command_ack_message(INTERVAL, 0, 0, 0, 255, 190)
        self.way.received(bytes(accepted.pack(mav.MAVLink(None, srcSystem=1, srcComponent=1))), None, datagram=True)
        return True


def test_a_report_whose_order_was_lost_unseen_is_asked_for_again():
    async def go():
        async with Relayed() as met:
            assert await met.seen.wait_ready(60.0) is not None
            assert met.lost

    run(go())


@pytest.mark.parametrize("times", [1, 2])
def test_what_took_off_by_an_order_whose_acknowledgement_was_lost_did_not_refuse_it(times):
    """It is repeated, or came twice: the second one is refused, for it has left the ground."""

    async def go():
        async with Met(autopilot="ardupilot", params=PARAMS["ardupilot"]) as met:
            vehicle = met.seen
            await vehicle.upload(fenced("ardupilot"))
            await vehicle.wait_ready(60.0)
            carry, lost = met.channel.carry, []

            def loses(deliver, data):
                if number(data) == ACK and int.from_bytes(data[10:12], "little") == TAKEOFF and not lost:
                    lost.append(data)
                    return
                off = number(data) == COMMAND and int.from_bytes(data[38:40], "little") == TAKEOFF
                for n in range(times if off else 1):
                    asyncio.get_running_loop().call_later(0.4 * n, carry, deliver, data)

            met.channel.carry = loses
            await Orders(vehicle, ceiling_m=60.0).take_off(20.0)
            assert lost
            assert met.vehicle.flight.body.u > 18.0

    run(go())


def test_a_parameter_that_is_there_is_not_called_absent_on_a_rough_link():
    async def go(seed):
        async with Met(rough(seed, 0.1, 0.2, 0.3, 1.2)) as met:
            for name in ("FENCE_ACTION", "FENCE_TYPE", "FENCE_ENABLE", "RTL_ALT_M", "WP_SPD", "FENCE_MARGIN"):
                with contextlib.suppress(LinkError):
                    await met.seen.parameter(name)

    for seed in range(12):
        run(go(seed))


@pytest.mark.parametrize("autopilot", ["ardupilot", "px4"])
def test_late_answers_to_a_question_do_not_undo_what_was_written_since(autopilot):
    name, old, new = {"ardupilot": ("FENCE_MARGIN", 2.0, 5.0), "px4": ("NAV_ACC_RAD", 10.0, 5.0)}[autopilot]

    async def go():
        async with Met(replace(SLOW, delay_s=1.7), autopilot=autopilot, params={name: old}) as met:
            assert await met.seen.parameter(name) == old
            assert await met.seen.set_parameter(name, new) == new
            assert await met.seen.parameter(name) == new
            met.vehicle.params[name] = old  # by another hand
            await asyncio.sleep(10.0)
            assert await met.seen.parameter(name) == old

    run(go())


def test_every_stream_comes_over_a_link_that_doubles():
    async def go():
        async with Met(rough(6, 0.03, 0.3, 0.3, 0.5)) as met:
            came = set()
            stop = met.link.listen(lambda message: came.add(message.get_msgId()), sysid=1)
            await asyncio.sleep(20.0)
            stop()
            assert set(STREAMS) - came <= {mav.MAVLINK_MSG_ID_GIMBAL_DEVICE_ATTITUDE_STATUS}

    run(go())


def test_a_heartbeat_that_was_overtaken_disarms_nobody():
    async def go():
        async with Met() as met:
            carry, held, told = met.channel.carry, [], []

            def late(deliver, data):
                is_beat = number(data) == HEARTBEAT and data[5] == 1
                if is_beat and not held:
                    held.append(data)
                    return
                carry(deliver, data)
                if is_beat and len(held) == 1 and met.vehicle.flight.armed:
                    held.append(data)
                    asyncio.get_running_loop().call_later(0.1, deliver, held[0])

            stop = met.seen.listen(lambda _, now: told.append(now.armed))
            await met.seen.set_mode("GUIDED")
            met.channel.carry = late
            await asyncio.sleep(2.0)
            await met.seen.arm()
            await asyncio.sleep(3.0)
            stop()
            assert len(held) == 2
            assert told == sorted(told)
            assert told[-1]

    run(go())


def test_heartbeats_of_one_that_booted_anew_and_counts_from_0_are_believed():
    async def go():
        async with Met() as met:
            await met.seen.set_mode("GUIDED")
            await asyncio.sleep(3.0)
            met.vehicle.reboot()
            assert await met.seen.wait_until(lambda now: now.mode == "STABILIZE", 5.0) is not None

    run(go())


@pytest.mark.parametrize(("deaf_s", "answers"), [(10.0, True), (1e9, False)])
def test_one_that_is_heard_and_gives_no_answer_is_asked_for_as_long_as_one_that_is_not_heard(deaf_s, answers):
    async def go():
        async with Joined() as joined:
            clock = asyncio.get_running_loop().time
            flight = Flight(Timing(), FlightLimits(), None, lambda _: None, asyncio.Event())
            joined.link.every(1.0, lambda: joined.link.beat(BEAT) or True)
            joined.drop = lambda packet: number(packet) == COMMAND and clock() < deaf_s
            begun_s = clock()
            if answers:
                (await connected(joined.link, 1, flight)).close()
                return
            with pytest.raises(CommandError, match="no answer"):
                await connected(joined.link, 1, flight)
            assert clock() - begun_s < FlightLimits().connect_s + 10.0

    run(go())


@pytest.mark.parametrize("refused", [False, True])
@pytest.mark.parametrize("autopilot", ["ardupilot", "px4"])
@pytest.mark.parametrize("cut_s", [0.5, 4.0, 6.5, 30.0])
def test_a_mode_that_is_ordered_into_a_cut_is_taken_or_is_one_clear_error(cut_s, autopilot, refused):
    """A cut for less than the six seconds in which it is ordered four times is outlasted; nothing happens later."""
    # Disarmed, PX4 takes every mode that it has.
    name = (
        ("AUTO" if autopilot == "ardupilot" else "VTOL_TAKEOFF")
        if refused
        else "RTL"
        if autopilot == "px4"
        else "LOITER"
    )

    async def go():
        async with Met(autopilot=autopilot) as met:
            await met.seen.wait_ready(60.0)
            flight, clock = met.vehicle.flight, asyncio.get_running_loop().time
            before, begun_s = flight.mode, clock()
            met.channel.cut = True
            asyncio.get_running_loop().call_later(cut_s, setattr, met.channel, "cut", False)
            words = "no answer to MAV_CMD_DO_SET_MODE in 4 tries" if cut_s > 6.0 else "it said: "
            if refused or cut_s > 6.0:
                with pytest.raises(CommandError, match=words):
                    await met.seen.set_mode(name)
            else:
                await met.seen.set_mode(name)
            assert clock() - begun_s <= 8.0
            await asyncio.sleep(40.0)
            taken = flight.dialect.spec(flight.mode).name
            assert taken == met.seen.telemetry.mode
            assert taken == name if not (refused or cut_s > 6.0) else flight.mode == before

    run(go())
