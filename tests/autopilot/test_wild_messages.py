"""Valid packets of any kind, from anybody, with anything in them, while a vehicle is talked to: in virtual time.

Of those that are not the vehicle's own nothing is believed; its own end every conversation in time, in a result or in
words. `tests.autopilot.test_transfer_machine` knows what a transfer may come to; here is whatever there is.
"""

import asyncio
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot import ARDUCOPTER, AutopilotError, Vehicle, Verified, upload_verified
from bench.link_virtual import VirtualLoop
from tests.asked import asked
from tests.autopilot.model_vehicle import ModelVehicle, lists, place_of
from tests.wild import packets

OLD, WANTED = lists(3, 500), lists(6, 800)
ANSWER_S, ENDS_S = 0.05, 400.0
# What is listened to more than the rest: lists, commands, parameters, files, events, texts, telemetry.
HEARD = [
    *(0, 1, 2, 22, 24, 30, 33, 39, 40, 42, 43, 44, 45, 46, 47, 51, 73, 74, 77, 110, 111, 133, 136, 147, 148, 193, 230),
    *(241, 242, 245, 253, 281, 285, 345, 410, 411, 412, 436),
]
ALL = sorted(mav.mavlink_map)
NUMBERS = [number for number in HEARD if number in mav.mavlink_map] * 8 + ALL
STRANGERS = [(2, 1), (254, 1), (0, 0), (1, 100), (1, 190), (255, 190), (3, 0)]


def beat(mode=3):
    return mav.MAVLink_heartbeat_message(mav.MAV_TYPE_QUADROTOR, mav.MAV_AUTOPILOT_ARDUPILOTMEGA, 1, mode, 4, 3)


def position(boot_ms=5000):
    return mav.MAVLink_global_position_int_message(boot_ms, 313_450_000, -1_109_400_000, 1_200_000, 20_000, 0, 0, 0, 0)


class Talk:
    """A vehicle that uploads, changes its mode and reads a parameter, while others say something."""

    def __init__(self, loop):
        self.loop = loop
        self.faults = []
        loop.set_exception_handler(lambda _, context: self.faults.append(context))

    async def begin(self):
        self.model = ModelVehicle(OLD)
        connecting = asyncio.create_task(Vehicle.connect(self.model.link, 1, streams=False))
        await asyncio.sleep(0)
        self.model.say(beat())
        self.vehicle = await connecting
        self.model.say(position())
        self.upload = asyncio.create_task(
            upload_verified(self.model.link, 1, WANTED, dialect=ARDUCOPTER, by_file=False, held=OLD)
        )
        self.others = [
            asyncio.create_task(self.vehicle.set_mode("GUIDED")),
            asyncio.create_task(self.vehicle.parameter("RTL_ALT")),
            asyncio.create_task(self.vehicle.wait_ready(60.0)),
        ]

    async def goes_on(self, steps):
        for _ in range(steps):
            await asyncio.sleep(ANSWER_S)
            if self.model.pending:
                self.model.take()

    async def hears(self, said):
        for packet in said:
            self.model.say_bytes(packet.data)
            await self.goes_on(2)

    async def end(self):
        """Every conversation, in time; the outcome of the upload."""
        tasks = [self.upload, *self.others]
        left = round(ENDS_S / ANSWER_S)
        while left > 0 and not all(task.done() for task in tasks):
            left -= 20
            await self.goes_on(20)
        assert all(task.done() for task in tasks), "a conversation never ends"
        for task in tasks:
            assert task.exception() is None or isinstance(task.exception(), AutopilotError), repr(task.exception())
        assert not self.faults
        return self.upload.exception() or self.upload.result()

    async def close(self):
        self.vehicle.close()
        await self.model.link.close()


def talked(said):
    """Run `said`, a coroutine function of a `Talk`."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:

        async def run():
            talk = Talk(asyncio.get_running_loop())
            await talk.begin()
            try:
                await said(talk)
            finally:
                await talk.close()

        runner.run(run())


SETTINGS = settings(max_examples=asked(120), deadline=None, suppress_health_check=[HealthCheck.too_slow])


@SETTINGS
@given(st.lists(packets(NUMBERS, speakers=STRANGERS, systems=(0, 1, 255)), min_size=1, max_size=16))
def test_who_is_not_the_vehicle_is_not_believed(said):
    async def strangers(talk):
        before = replace(talk.vehicle.telemetry, time_us=0)
        await talk.hears(said)
        assert replace(talk.vehicle.telemetry, time_us=0) == before
        outcome = await talk.end()
        assert isinstance(outcome, Verified), outcome
        assert talk.model.store == [place_of(item) for item in WANTED]

    talked(strangers)


@SETTINGS
@given(
    st.lists(packets(NUMBERS, speakers=[(1, 1)], systems=(1, 2, 77, 254), shortest=0), min_size=1, max_size=16).map(
        lambda said: [packet for packet in said if "target_system" in type(packet.message).fieldnames]
    )
)
def test_what_the_vehicle_says_to_others_is_not_taken_for_an_answer(said):
    async def to_others(talk):
        await talk.hears(said)
        outcome = await talk.end()
        assert isinstance(outcome, Verified), outcome
        assert talk.model.store == [place_of(item) for item in WANTED]

    talked(to_others)


@SETTINGS
@given(st.lists(packets(NUMBERS, speakers=[(1, 1), *STRANGERS], systems=(0, 1, 255)), min_size=1, max_size=16))
def test_whatever_a_vehicle_says_every_conversation_ends_in_words_and_it_is_heard_after(said):
    async def its_own(talk):
        await talk.hears(said)
        await talk.end()
        # It is itself again, and nothing of what it said keeps it from being heard; its clock may have leapt.
        for turn in range(20):
            talk.model.say(beat(mode=6))
            talk.model.say(position(6000 + 1000 * turn))
            await asyncio.sleep(1.0)
        talk.vehicle.link.check()
        now = talk.vehicle.telemetry
        assert (now.mode, round(now.lat_deg, 3)) == ("RTL", 31.345)

    talked(its_own)
