"""The transfer against a vehicle that does whatever hypothesis thinks of, in virtual time.

However it goes, it ends in time, in one of the documented ways, and a list is called proved only where the vehicle
holds it. What no reading back can find is left out: a vehicle that lies about what it stores, and one whose list is
changed by another after it was read.
"""

import asyncio

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot import (
    ARDUCOPTER,
    MismatchError,
    RejectedError,
    TransferTimeoutError,
    VehicleState,
    Verified,
    upload_verified,
)
from autopilot.endings import ENDINGS
from bench.link_virtual import VirtualLoop
from tests.asked import asked
from tests.autopilot.model_vehicle import STATION, ModelVehicle, lists, nothing_more, place_of

OLD, OTHER = lists(3, 500), lists(2, -900)
ANSWER_S = 0.05
ENDS_S = max(ENDINGS[name].within_s for name in ("silent", "silent, then heard", "silent in reading"))
"""With two attempts."""

AN_ATTEMPT_S = 13.5
RESULTS = st.sampled_from([int(value) for value in mav.enums["MAV_MISSION_RESULT"] if value and value != 16])
# What is no time-out of its own and no word on something else: said to an offer, it leaves the list alone.
REFUSALS = st.sampled_from([mav.MAV_MISSION_NO_SPACE, mav.MAV_MISSION_DENIED, mav.MAV_MISSION_UNSUPPORTED])


def running(machine):
    return machine.outcome is None


class Transfer(RuleBasedStateMachine):
    """One upload."""

    outcome = None

    @initialize(places=st.integers(1, 5), attempts=st.integers(1, 3), known=st.booleans(), honest_end=st.booleans())
    def begin(self, places, attempts, known, honest_end):
        self.wanted, self.honest_end, self.attempts = lists(places, 800), honest_end, attempts
        self.told, self.cancelled = [], False
        self.loop = VirtualLoop()

        async def begin():
            self.vehicle = ModelVehicle(OLD)
            return asyncio.create_task(
                upload_verified(
                    self.vehicle.link,
                    1,
                    self.wanted,
                    dialect=ARDUCOPTER,
                    by_file=False,
                    attempts=attempts,
                    held=OLD if known else None,
                    repaired=self.told.append,
                )
            )

        self.task = self.loop.run_until_complete(begin())
        self.passes(0.0)

    def passes(self, seconds):
        """Let time pass, and look whether it is over."""

        async def wait():
            await nothing_more()
            await asyncio.sleep(seconds)
            await nothing_more()

        self.loop.run_until_complete(wait())
        if self.task.done() and self.outcome is None:
            self.outcome = "cancelled" if self.task.cancelled() else self.task.exception() or self.task.result()
            self.judge()

    def not_believed(self, *messages, sysid=1, component=1):
        """Words of others, or of other lists: nothing is answered, nothing ends."""
        ours = list(self.vehicle.pending)
        for message in messages:
            self.vehicle.say(message, sysid=sysid, component=component)
        self.passes(0.0)
        assert list(self.vehicle.pending) == ours
        assert running(self)
        self.passes(ANSWER_S)

    # What the vehicle and the world may do.

    @precondition(running)
    @rule(packets=st.integers(1, 20))
    def answers(self, packets):
        for _ in range(packets):
            if self.vehicle.pending and running(self):
                self.vehicle.take()
                self.passes(ANSWER_S)

    @precondition(running)
    @rule()
    def hears_nothing(self):
        if self.vehicle.pending:
            self.vehicle.pending.popleft()
        self.passes(ANSWER_S)

    @precondition(running)
    @rule()
    def is_not_heard(self):
        if self.vehicle.pending:
            self.vehicle.take(heard=False)
        self.passes(ANSWER_S)

    @precondition(running)
    @rule(seconds=st.sampled_from([0.1, 0.3, 1.0, 2.0, 9.0, 31.0]))
    def is_silent(self, seconds):
        self.passes(seconds)

    @precondition(running)
    @rule(times=st.integers(1, 4), late_s=st.sampled_from([0.0, 0.3, 1.0]))
    def repeats_itself(self, times, late_s):
        for _ in range(times):
            for message in self.vehicle.last:
                self.vehicle.say(message)
            self.passes(late_s)

    @precondition(running)
    @rule()
    def asks_again(self):
        for message in self.vehicle.ask():
            self.vehicle.say(message)
        self.passes(ANSWER_S)

    @precondition(running)
    @rule(kind=st.sampled_from([1, 2, 7]), result=RESULTS | st.just(0), seq=st.integers(0, 6))
    def answers_for_another_list(self, kind, result, seq):
        self.not_believed(
            mav.MAVLink_mission_request_int_message(*STATION, seq, kind),
            self.vehicle.ack(result, kind),
            mav.MAVLink_mission_count_message(*STATION, seq, kind),
        )

    @precondition(running)
    @rule(seq=st.integers(0, 65535))
    def asks_for_what_there_is_not(self, seq):
        self.vehicle.say(mav.MAVLink_mission_request_message(*STATION, len(self.wanted) + seq % 60_000, 0))
        self.passes(ANSWER_S)

    @precondition(running)
    @rule(seq=st.integers(0, 6))
    def sends_an_item_that_it_does_not_hold(self, seq):
        self.vehicle.say(self.vehicle.item(seq, (16, seq, seq, 5.0)))
        self.passes(ANSWER_S)

    @precondition(running)
    @rule(noise=st.binary(min_size=1, max_size=300))
    def sends_garbage(self, noise):
        self.vehicle.say_bytes(noise)
        self.passes(ANSWER_S)

    @precondition(running)
    @rule(
        who=st.sampled_from([(2, 1), (254, 1), (1, 2), (1, 190), (0, 1)]),
        result=st.just(0) | RESULTS,
        seq=st.integers(0, 6),
    )
    def another_speaks(self, who, result, seq):
        """Another system, or another component of it: acceptances, requests and items of the old list."""
        sysid, component = who
        self.not_believed(
            self.vehicle.ack(result),
            mav.MAVLink_mission_request_message(*STATION, seq, 0),
            mav.MAVLink_mission_count_message(*STATION, len(self.wanted), 0),
            self.vehicle.item(seq, place_of(self.wanted[seq % len(self.wanted)])),
            sysid=sysid,
            component=component,
        )

    @precondition(running)
    @rule()
    def accepts_too_early(self):
        self.vehicle.say(self.vehicle.ack(0))
        self.passes(ANSWER_S)

    @precondition(lambda self: running(self) and self.vehicle.upload is not None and self.vehicle.upload[0] > 0)
    @rule(result=RESULTS)
    def refuses_half_way(self, result):
        self.vehicle.upload = None
        self.vehicle.say(self.vehicle.ack(result))
        self.passes(ANSWER_S)

    @precondition(lambda self: running(self) and self.vehicle.upload is not None)
    @rule(heard=st.booleans())
    def gives_up(self, heard):
        """As ArduPilot does after 8 s without an item."""
        self.vehicle.upload = None
        if heard:
            self.vehicle.say(self.vehicle.ack(mav.MAV_MISSION_OPERATION_CANCELLED))
        self.passes(ANSWER_S)

    @precondition(
        lambda self: (
            running(self)
            and self.vehicle.upload is None
            and self.vehicle.pending
            and self.vehicle.pending[0].get_type() == "MISSION_COUNT"
        )
    )
    @rule(result=REFUSALS)
    def refuses_the_offer(self, result):
        self.vehicle.pending.popleft()
        self.vehicle.say(self.vehicle.ack(result))
        self.passes(ANSWER_S)

    @precondition(running)
    @rule()
    def cannot_take_it_now(self):
        """The general error, whatever it is about."""
        self.vehicle.say(self.vehicle.ack(mav.MAV_MISSION_ERROR))
        self.passes(ANSWER_S)

    @precondition(running)
    @rule(items=st.integers(1, 3))
    def stores_items_wrongly(self, items):
        self.vehicle.spoils = items

    @precondition(running)
    @rule()
    def reboots(self):
        self.vehicle.reboot()
        self.passes(2.0)

    @precondition(lambda self: running(self) and not self.vehicle.read and self.vehicle.upload is None)
    @rule()
    def takes_another_list_from_another_station(self):
        self.vehicle.untouched = self.vehicle.store = [place_of(item) for item in OTHER]
        self.passes(ANSWER_S)

    @precondition(running)
    @rule()
    def is_cancelled_by_us(self):
        self.task.cancel()
        self.cancelled = True
        self.passes(ANSWER_S)

    @rule()
    def time_goes_on(self):
        self.passes(ANSWER_S)

    # What holds.

    @invariant()
    def a_proof_is_true(self):
        """Not only at the end: nothing that was under way has changed it since."""
        if isinstance(self.outcome, Verified):
            assert self.vehicle.store[1:] == [place_of(item) for item in self.wanted][1:]

    def judge(self):
        """At the moment of the end: one of the documented ways, and what is said of the vehicle is true."""
        outcome, store = self.outcome, self.vehicle.store
        if isinstance(outcome, Verified):
            assert outcome.items == len(self.wanted)
            assert len(store) == len(self.wanted)
            assert not self.told
            return
        if outcome == "cancelled":
            assert self.cancelled
            (state,) = self.told or [None]
        else:
            assert isinstance(outcome, RejectedError | TransferTimeoutError | MismatchError), repr(outcome)
            assert str(outcome).startswith("virtual: vehicle 1 mission: ")
            state = outcome.state
            assert state in VehicleState
        if state is VehicleState.CLEARED:
            assert store[1:] == []
        elif state is VehicleState.KEPT:
            assert store == self.vehicle.untouched

    def teardown(self):
        if not hasattr(self, "task"):
            return
        try:
            self._to_the_end()
        finally:
            self.task.cancel()
            self.loop.run_until_complete(asyncio.wait({self.task}))
            self.loop.run_until_complete(self.vehicle.link.close())
            self.loop.close()

    def _to_the_end(self):
        begun_s = self.loop.time()
        while running(self):
            if self.honest_end and self.vehicle.pending:
                self.vehicle.take()
            self.vehicle.pending.clear() if not self.honest_end else None
            self.passes(ANSWER_S)
            assert self.loop.time() - begun_s <= ENDS_S + max(0, self.attempts - 2) * AN_ATTEMPT_S, "it never ends"
        self.a_proof_is_true()


TestTransfer = Transfer.TestCase
TestTransfer.settings = settings(
    max_examples=asked(150), stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
